"""`manage.py audits`: what it prints, and how it ends."""

import json
from io import StringIO
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError

from audits import segments, sign
from audits.models import AuditRecord
from tests.audits.making import sql


def said(*arguments: str) -> str:
    out = StringIO()
    call_command("audits", *arguments, stdout=out)
    return out.getvalue()


def failed(*arguments: str) -> tuple[int, str]:
    out = StringIO()
    with pytest.raises(SystemExit) as left:
        call_command("audits", *arguments, stdout=out)
    return int(str(left.value.code)), out.getvalue()


@pytest.mark.req("H53")
def test_the_command_lists_the_newest_first(held: list[AuditRecord]) -> None:
    listed = [line.split()[0] for line in said("list", "--limit", "3").splitlines()[1:]]
    assert listed == ["5", "4", "3"]
    found = json.loads(said("list", "--json", "--key", "change-1"))
    assert [record["seq"] for record in found] == [2]
    assert said("list", "--host", "elsewhere") == "No record.\n"


def test_the_command_s_export_verifies(held: list[AuditRecord], tmp_path: Path) -> None:
    file = tmp_path / "export"
    file.write_text(said("export"))
    assert said("verify", str(file)).startswith("The export is intact: records 1 to 5, head ")
    file.write_text(said("export", "--from-seq", "4"))
    assert json.loads(said("verify", str(file), "--json"))["first_seq"] == 4


def test_the_command_ends_with_4_and_names_the_record_when_the_chain_is_broken(
    held: list[AuditRecord], tmp_path: Path
) -> None:
    assert said("verify").startswith("The database is intact: records 1 to 5, head ")
    sql("UPDATE audits_auditrecord SET payload = '{}' WHERE seq = 3")
    status, text = failed("verify")
    assert status == 4
    assert text.startswith("Record 3 was altered: its payload is not the one that was recorded.\n")
    (tmp_path / "export").write_text(said("export"))
    status, text = failed("verify", str(tmp_path / "export"), "--json")
    assert (status, json.loads(text)["faults"][0]["seq"]) == (4, 3)


def test_the_command_ends_with_3_when_something_is_not_on_the_disk_yet(held: list[AuditRecord]) -> None:
    path = segments.files()[0]
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:2]))
    status, text = failed("verify")
    assert (status, text.splitlines()[1]) == (3, "3 records are not on the disk yet, from record 3 on.")


@pytest.mark.parametrize("arguments", [("verify", "/nowhere/export"), ("export", "--from-seq", "0")])
@pytest.mark.django_db
def test_the_command_ends_with_2_for_what_it_cannot_do(arguments: tuple[str, ...]) -> None:
    with pytest.raises(CommandError) as problem:
        said(*arguments)
    assert problem.value.returncode == 2


def test_the_command_signs_the_head(held: list[AuditRecord], tmp_path: Path) -> None:
    assert f"Record 5 is the head: {held[-1].hash}" in said("checkpoint")
    signed = json.loads(said("checkpoint", "--json"))
    assert (signed["seq"], signed["hash"], signed["public_key"]) == (5, held[-1].hash, sign.public_key())
    key = Path(settings.VAR) / "keys" / "audit_ed25519.pem"
    assert key.stat().st_mode & 0o777 == 0o600
    assert [kept.signature for kept in sign.kept_checkpoints()][1] == signed["signature"]
