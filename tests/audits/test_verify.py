"""Whatever is done to the database, the segments or the signed heads is found, and the first bad record is named."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from audits import segments, sign, triggers
from audits.models import AuditRecord
from audits.verify import verify_database
from tests.audits.making import a_record, sql

ALTER = "UPDATE audits_auditrecord SET {} WHERE seq = 3"


def faults() -> list[tuple[str, int | None]]:
    return [(fault.code, fault.seq) for fault in verify_database().faults]


def test_what_was_left_alone_is_intact(held: list[AuditRecord]) -> None:
    sign.checkpoint()
    verdict = verify_database()
    assert (verdict.faults, verdict.notes, verdict.head_hash) == ((), (), held[-1].hash)


@pytest.mark.django_db
def test_a_chain_without_a_record_is_intact() -> None:
    assert verify_database().intact


@pytest.mark.req("X15")
@pytest.mark.parametrize(
    ("statement", "found"),
    [
        (
            "UPDATE audits_auditrecord SET payload = '{}' WHERE seq = 3",
            [("payload_altered", 3), ("segments_differ", 3)],
        ),
        (
            "UPDATE audits_auditrecord SET actor_name = 'x' WHERE seq = 3",
            [("record_altered", 3), ("segments_differ", 3)],
        ),
        (ALTER.format("status = 'x'"), [("record_altered", 3), ("segments_differ", 3)]),
        ("DELETE FROM audits_auditrecord WHERE seq = 3", [("out_of_place", 3), ("segments_differ", 3)]),
        ("DELETE FROM audits_auditrecord WHERE seq > 3", [("cut_off", 4), ("database_behind", 4)]),
        ("DELETE FROM audits_auditrecord", [("cut_off", 1), ("database_behind", 1)]),
        ("UPDATE audits_chainhead SET seq = 3", [("cut_off", 4)]),
        ("DELETE FROM audits_chainhead", [("beyond_the_head", 5)]),
    ],
)
def test_what_the_database_s_owner_does_is_found(
    held: list[AuditRecord], statement: str, found: list[tuple[str, int]]
) -> None:
    sql(statement)
    assert faults()[:2] == found


def test_a_tail_that_was_cut_off_with_its_head_is_found_by_the_segments(held: list[AuditRecord]) -> None:
    sql("DELETE FROM audits_auditrecord WHERE seq > 3")
    sql("UPDATE audits_chainhead SET seq = 3, hash = %s", held[2].hash)
    assert faults() == [("database_behind", 4)]


def test_a_chain_that_was_rewritten_everywhere_is_found_by_a_signed_head(held: list[AuditRecord]) -> None:
    sign.checkpoint()
    sql("DELETE FROM audits_auditrecord WHERE seq = 5")
    sql("UPDATE audits_chainhead SET seq = 4, hash = %s", held[3].hash)
    for path in segments.files():
        path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:4]))
    assert a_record(key="another").seq == 5
    assert faults() == [("rewritten", 5)]


def test_a_head_that_somebody_else_signed_is_found(held: list[AuditRecord]) -> None:
    sign.checkpoint()
    path = segments.folder() / segments.CHECKPOINTS
    signed = json.loads(path.read_bytes())
    path.write_text(json.dumps(signed | {"seq": 4}) + "\n")
    assert faults() == [("checkpoint_forged", 4)]
    path.write_text("what?\n")
    assert faults() == [("checkpoints_unreadable", None)]


SEGMENTS: dict[str, tuple[Callable[[list[bytes]], list[bytes]], int]] = {
    "a byte": (lambda lines: [*lines[:2], lines[2].replace(b"ann", b"bnn"), *lines[3:]], 3),
    "dropped": (lambda lines: [*lines[:2], *lines[3:]], 3),
    "swapped": (lambda lines: [lines[0], lines[2], lines[1], *lines[3:]], 2),
    "twice": (lambda lines: [*lines[:3], *lines[2:]], 3),
    "the last one twice": (lambda lines: [*lines, lines[-1]], 5),
    "cut": (lambda lines: [*lines[:2], lines[2][:50] + b"\n", *lines[3:]], 3),
    "no record": (lambda lines: [*lines[:2], b"what?\n", *lines[2:]], 3),
    "no record at its end": (lambda lines: [*lines, b"what?\n"], 6),
    "a record of another shape at its end": (lambda lines: [*lines, b'{"seq":6}\n'], 6),
    "one more": (lambda lines: [*lines, lines[-1].replace(b'"seq":5', b'"seq":6')], 6),
}


@pytest.mark.req("X15")
@pytest.mark.parametrize("damage", SEGMENTS)
def test_a_segment_that_was_altered_is_found(held: list[AuditRecord], damage: str) -> None:
    act, named = SEGMENTS[damage]
    path = segments.files()[0]
    path.write_bytes(b"".join(act(path.read_bytes().splitlines(keepends=True))))
    behind = ("one more", "a record of another shape at its end")
    found = "database_behind" if damage in behind else "segments_differ"
    assert faults() == [(found, named)]


def test_old_segments_may_be_put_away(held: list[AuditRecord]) -> None:
    path = segments.files()[0]
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[2:]))
    assert verify_database().intact


def test_what_is_not_on_the_disk_yet_is_said_and_no_fault(held: list[AuditRecord]) -> None:
    path = segments.files()[0]
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:3]))
    verdict = verify_database()
    assert (verdict.faults, verdict.notes) == ((), ("2 records are not on the disk yet, from record 4 on.",))


def test_missing_triggers_are_a_fault(held: list[AuditRecord]) -> None:
    triggers.take_down(connection)
    assert faults() == [("triggers_missing", None)]
    triggers.ensure(using="default")


def test_a_record_that_comes_while_we_look_is_no_fault(
    held: list[AuditRecord], monkeypatch: pytest.MonkeyPatch
) -> None:
    from audits import verify

    def late(*arguments: Any, **options: Any) -> Any:
        yield from real(*arguments, **options)
        a_record()

    real = verify._records
    monkeypatch.setattr(verify, "_records", late)
    assert verify_database().intact
