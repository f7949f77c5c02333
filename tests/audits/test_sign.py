"""Signed heads: anybody with the key that was printed can tell that we signed them, and nobody else can sign."""

import json
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.conf import settings
from pytest_django import Settings

from audits import segments, sign
from audits.models import AuditRecord
from audits.record import AuditRefused
from audits.verify import verify_database
from launchplane.canonical import canonical
from tests.audits.making import a_record, sql
from tests.shell import manage


def verify_elsewhere(printed: dict[str, object]) -> None:
    """As somebody does who has nothing but what was printed. Raises InvalidSignature."""
    said = {name: value for name, value in printed.items() if name != "signature"}
    key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(str(printed["public_key"])))
    key.verify(bytes.fromhex(str(printed["signature"])), b"launchplane-audit-1\n" + canonical(said))


@pytest.mark.req("X15")
def test_a_head_verifies_with_the_key_that_was_printed(held: list[AuditRecord]) -> None:
    printed = manage("audits", "checkpoint", "--json").json
    assert (printed["seq"], printed["hash"]) == (5, held[-1].hash)
    verify_elsewhere(printed)
    for changed in ({"seq": 4}, {"hash": held[0].hash}, {"at": "2026-01-01T00:00:00.000000Z"}):
        with pytest.raises(InvalidSignature):
            verify_elsewhere(printed | changed)


@pytest.mark.django_db(transaction=True)
def test_the_key_and_its_folder_are_for_its_owner_alone(tmp_path: Path, settings: Settings) -> None:
    settings.VAR = tmp_path / "var"
    a_record()
    sign.checkpoint()
    assert (tmp_path / "var" / "keys").stat().st_mode & 0o777 == 0o700
    assert [path.stat().st_mode & 0o777 for path in (tmp_path / "var" / "keys").iterdir()] == [0o600]


@pytest.mark.parametrize("text", ["", "what?", "-----BEGIN PRIVATE KEY-----\nMII\n-----END PRIVATE KEY-----\n"])
def test_a_key_that_is_none_is_refused_and_left_alone(
    held: list[AuditRecord], text: str, tmp_path: Path, settings: Settings
) -> None:
    settings.VAR = tmp_path
    path = tmp_path / "keys" / "audit_ed25519.pem"
    path.parent.mkdir()
    path.write_text(text)
    with pytest.raises(AuditRefused, match="The key that signs heads"):
        sign.checkpoint()
    outcome = manage("audits", "checkpoint")
    assert (outcome.code, path.read_text()) == (4, text)


@pytest.mark.req("X15", "X19")
def test_a_head_that_went_back_is_found_by_the_signed_one(held: list[AuditRecord]) -> None:
    """A database restored from a backup, with the segments of that time: only what was signed remembers."""
    sign.checkpoint()
    sql("DELETE FROM audits_auditrecord WHERE seq > 3")
    sql("UPDATE audits_chainhead SET seq = 3, hash = %s", held[2].hash)
    path = segments.files()[0]
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:3]))
    verdict = verify_database()
    assert [(fault.code, fault.seq) for fault in verdict.faults] == [("rewritten", 5)]
    assert manage("audits", "verify").code == 4


def test_without_the_key_that_signed_the_heads_are_not_called_forged(
    held: list[AuditRecord], tmp_path: Path, settings: Settings
) -> None:
    sign.checkpoint()
    settings.VAR = tmp_path
    outcome = manage("audits", "verify", "--json")
    assert (outcome.code, [fault["code"] for fault in outcome.json["faults"]]) == (4, ["signing_key_missing"])
    assert not (tmp_path / "keys").exists()
    sign.checkpoint()
    assert [fault.code for fault in verify_database().faults] == ["signing_key_missing"]


def test_the_checkpoints_are_lines_that_can_be_read(held: list[AuditRecord]) -> None:
    sign.checkpoint()
    sign.checkpoint()
    path = Path(settings.EVIDENCE_DIR) / "checkpoints.ndjson"
    assert path.stat().st_mode & 0o777 == 0o600
    assert [json.loads(line)["seq"] for line in path.read_text().splitlines()] == [5, 5]
