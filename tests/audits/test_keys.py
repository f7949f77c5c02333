"""Whatever a key says, it names no file: segments are by day, and keys of any shape stay apart, in both stores."""

import json
import os
from pathlib import Path

import pytest
from django.conf import settings

from audits import rebuild, segments
from audits.errors import AuditRefused
from audits.models import AuditRecord
from audits.verify import verify_database
from tests.audits.making import a_record
from tests.audits.restoring import forget_behind, rows

pytestmark = [pytest.mark.req("M43", "M44", "M39"), pytest.mark.django_db(transaction=True)]

HOSTILE = [
    "../../etc/passwd",
    "..",
    ".",
    "/etc/passwd",
    "a/b",
    "a\\b",
    "2026-01-08.ndjson",
    "checkpoints.ndjson",
    "lock",
    "k" * 200,
    "K" * 200,
    "key",
    "KEY",
    "Key",
    "k\u0435y",  # a Cyrillic letter that looks like ours
    "\uff4bey",  # full width
    "caf\u00e9",
    "cafe\u0301",  # the same word, another composition
    "key\n",
    'key\n{"seq":1}',
    "key\r",
    " key",
    "key ",
    "key\u2028",
    "\u202eyek",
    "'; DROP TABLE audits_auditrecord; --",
    "%2e%2e%2f",
    "$(touch key)",
    "\U0001f511",
]


@pytest.fixture
def planted(tmp_path: Path) -> Path:
    """An evidence folder deep in a tree of which nothing else may change."""
    settings.EVIDENCE_DIR = tmp_path / "a" / "b" / "evidence"
    for key in HOSTILE:
        a_record(key=key, host=key[:64], lane=key[:64])
    return tmp_path


def test_no_key_has_a_part_in_a_file_s_name(planted: Path) -> None:
    found = {os.path.relpath(path, planted) for path in planted.rglob("*") if path.is_file()}
    (segment,) = segments.files()
    assert found == {f"a/b/evidence/{segment.name}", "a/b/evidence/lock"}
    assert segments.DAY.fullmatch(segment.name)


def test_each_key_is_one_line_and_no_two_are_the_same(planted: Path) -> None:
    lines = segments.files()[0].read_bytes().splitlines()
    assert [json.loads(line)["key"] for line in lines] == HOSTILE
    assert all(line.isascii() for line in lines)
    for key in HOSTILE:
        assert [row.key for row in AuditRecord.objects.filter(key=key)] == [key]


def test_all_come_back_as_they_were(planted: Path) -> None:
    stored = rows()
    forget_behind(0)
    rebuild.from_segments()
    assert rows() == stored
    assert verify_database().intact


def test_the_one_character_that_no_database_holds_is_replaced_before_it_is_hashed() -> None:
    record = a_record(key="key\0../x", host="a\0b")
    assert (record.key, record.host) == ("key\N{REPLACEMENT CHARACTER}../x", "a\N{REPLACEMENT CHARACTER}b")
    forget_behind(0)
    rebuild.from_segments()
    assert AuditRecord.objects.get().as_record() == record.as_record()


def test_a_key_that_is_too_long_is_refused() -> None:
    with pytest.raises(AuditRefused, match="could not be stored"):
        a_record(key="k" * 201)
    assert segments.files() == []


def test_what_else_lies_in_the_folder_is_no_segment(planted: Path) -> None:
    (segments.folder() / "..ndjson").symlink_to("/etc/passwd")
    (segments.folder() / "2026-13-45.ndjson.part").write_text("what?\n")
    assert len(segments.files()) == 1
    assert verify_database().intact
