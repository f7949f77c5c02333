"""A database is rebuilt from the segments, or from an export: the same bytes, or nothing and a reason."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

from audits import head, rebuild, segments, sign, triggers
from audits.chain import Position
from audits.export import export
from audits.models import AuditRecord, ChainHead
from audits.verify import verify_database
from launchplane.problems import Problem
from tests.audits.making import a_record, sql
from tests.audits.restoring import forget_behind, rows
from tests.shell import manage

STATUSES = ("planned", "completed", "failed", "skipped")
DOMAINS = ("hygiene.retire", "lane.reconcile", "hygiene.evidence", "lane.evidence")


def lines() -> list[bytes]:
    return list(segments.lines())


def rewrite(act: Callable[[list[bytes]], list[bytes]]) -> None:
    path = segments.files()[-1]
    path.write_bytes(b"".join(act(path.read_bytes().splitlines(keepends=True))))


@pytest.mark.req("M39", "H50", "H55")
@pytest.mark.django_db(transaction=True)
def test_each_status_of_both_domains_goes_to_the_segments_and_back_byte_for_byte() -> None:
    for kind in DOMAINS:
        for status in STATUSES:
            said = {"why": f'"{status}"\n\t\u202e \U0001f600 \\u0000 </script>', "bytes": 2**53 - 1, "none": None}
            a_record(kind=kind, status=status, payload=said, lane="website" if "lane" in kind else "")
    stored, written, head = rows(), lines(), ChainHead.objects.get().hash
    forget_behind(0)
    found = rebuild.from_segments()
    assert (found.count, rows(), lines()) == (16, stored, written)
    assert ChainHead.objects.get().hash == head
    assert [segments.line(row.as_record()) for row in AuditRecord.objects.all()] == written
    assert verify_database().intact


@pytest.mark.parametrize("known", [0, 1, 4])
def test_a_database_that_forgot_the_end_gets_just_that(held: list[AuditRecord], known: int) -> None:
    stored = rows()
    forget_behind(known)
    found = rebuild.from_segments()
    assert (found.own.seq, found.end.seq, rows()) == (known, 5, stored)
    assert triggers.missing(connection) == []
    assert a_record().seq == 6
    assert verify_database().intact


def test_nothing_comes_back_to_a_database_that_forgot_nothing(held: list[AuditRecord]) -> None:
    assert rebuild.from_segments().count == 0
    assert not rebuild.is_open()


def test_what_came_back_waits_for_somebody_s_answer(held: list[AuditRecord]) -> None:
    forget_behind(2)
    rebuild.from_segments()
    assert (rebuild.is_open(), rebuild.came_back()) == (True, (2, 5))


def test_one_that_was_cut_off_goes_on_where_it_was(held: list[AuditRecord], monkeypatch: pytest.MonkeyPatch) -> None:
    stored = rows()
    forget_behind(1)
    monkeypatch.setattr(rebuild, "AT_ONCE", 2)
    with monkeypatch.context() as crashing:
        crashing.setattr(head, "append_all", dying_at_the_second(head.append_all))
        with pytest.raises(KeyboardInterrupt):
            rebuild.from_segments()
    assert (len(rows()), rebuild.came_back()) == (3, (1, 3))
    rebuild.from_segments()
    assert (rows(), rebuild.came_back()) == (stored, (1, 5))


def dying_at_the_second(real: Callable[..., None]) -> Callable[..., None]:
    calls: list[int] = []

    def act(records: list[AuditRecord], **behind: object) -> None:
        calls.append(1)
        if len(calls) > 1:
            raise KeyboardInterrupt
        real(records, **behind)

    return act


ALTERED: dict[str, tuple[Callable[[list[bytes]], list[bytes]], str]] = {
    "a byte": (lambda all: [*all[:3], all[3].replace(b"ann", b"bnn"), *all[4:]], "Record 4 was altered"),
    "dropped": (lambda all: [*all[:3], *all[4:]], "Record 4 is missing"),
    "swapped": (lambda all: [*all[:3], all[4], all[3]], "Record 4 is missing"),
    "twice": (lambda all: [*all, all[-1]], "Record 6 is missing or not in its place: record 5"),
    "blanks": (
        lambda all: [*all[:3], all[3].replace(b'"key":', b'"key": '), *all[4:]],
        "Record 4 was altered: its line",
    ),
    "a number as text": (lambda all: [*all[:3], all[3].replace(b'"seq":4', b'"seq":"4"'), *all[4:]], "Record 4"),
    "a field twice": (
        lambda all: [*all[:3], all[3].replace(b'"lane":""', b'"lane":"","lane":""'), *all[4:]],
        "Record 4",
    ),
    "no record": (lambda all: [*all[:3], b"what?\n", *all[3:]], "Record 4 was altered: its line is not in the form"),
    "a lone surrogate": (
        lambda all: [*all[:3], all[3].replace(b"chris", rb"\ud800"), *all[4:]],
        "Record 4 was altered: its line is not in the form",
    ),
    "cut in its middle": (lambda all: [*all[:3], all[3][:50] + b"\n", *all[4:]], "Record 4 was altered"),
    "no number": (lambda all: [*all[:3], all[3].replace(b'"seq":4', b'"seq":NaN'), *all[4:]], "Record 4 was altered"),
}


@pytest.mark.req("X15")
@pytest.mark.parametrize("damage", ALTERED)
@pytest.mark.parametrize("known", [0, 2])
def test_nothing_comes_back_from_segments_that_were_altered(held: list[AuditRecord], damage: str, known: int) -> None:
    act, sentence = ALTERED[damage]
    forget_behind(known)
    rewrite(act)
    with pytest.raises(Problem, match=sentence) as refused:
        rebuild.from_segments()
    assert (refused.value.code, len(rows()), rebuild.is_open()) == ("segments_altered", known, False)


def test_nothing_comes_back_to_a_database_that_was_altered(held: list[AuditRecord]) -> None:
    forget_behind(3)
    sql("UPDATE audits_auditrecord SET actor_name = 'x' WHERE seq = 2")
    with pytest.raises(Problem, match="In the database: Record 2 was altered") as refused:
        rebuild.from_segments()
    assert (refused.value.code, len(rows())) == ("database_altered", 3)


def test_nothing_comes_back_to_a_database_whose_head_was_moved(held: list[AuditRecord]) -> None:
    sql("UPDATE audits_chainhead SET seq = 3")
    with pytest.raises(Problem, match="The head names record 3") as refused:
        rebuild.from_segments()
    assert refused.value.code == "database_altered"


@pytest.mark.parametrize("own", [1, 2, 4])
def test_nothing_is_put_over_what_the_database_recorded_by_itself(held: list[AuditRecord], own: int) -> None:
    forget_behind(2)
    for number in range(own):
        a_record(key=f"afterwards-{number}")
    before = rows()
    with pytest.raises(Problem, match="each by itself, from record 3 on") as refused:
        rebuild.from_segments()
    assert (refused.value.code, rows()) == ("forked", before)


def test_another_installation_s_segments_are_not_taken(held: list[AuditRecord]) -> None:
    forget_behind(0)
    a_record(key="ours")
    with pytest.raises(Problem, match="is `LAUNCHPLANE_EVIDENCE_DIR` the right folder") as refused:
        rebuild.from_segments()
    assert refused.value.code == "another_chain"


def test_old_segments_that_were_put_away_are_not_needed_for_what_is_known(held: list[AuditRecord]) -> None:
    stored = rows()
    forget_behind(3)
    rewrite(lambda all: all[2:])
    rebuild.from_segments()
    assert rows() == stored


def test_old_segments_that_were_put_away_are_asked_for_where_they_are_needed(held: list[AuditRecord]) -> None:
    forget_behind(1)
    rewrite(lambda all: all[2:])
    with pytest.raises(Problem, match="begin with record 3, and the database ends with 1") as refused:
        rebuild.from_segments()
    assert refused.value.code == "segments_incomplete"


def test_segments_whose_end_was_cut_off_are_found_by_a_signed_head(held: list[AuditRecord]) -> None:
    sign.checkpoint()
    forget_behind(2)
    rewrite(lambda all: all[:4])
    with pytest.raises(Problem, match="names record 5, and the segments end with 4") as refused:
        rebuild.from_segments()
    assert (refused.value.code, len(rows())) == ("segments_incomplete", 2)


def test_segments_that_were_written_anew_are_found_by_a_signed_head(held: list[AuditRecord]) -> None:
    sign.checkpoint()
    forget_behind(2)
    (kept := segments.folder() / segments.CHECKPOINTS).rename(aside := kept.with_suffix(".aside"))
    for path in segments.files():
        path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:2]))
    for number in range(3):
        a_record(key=f"forged-{number}")
    aside.rename(kept)
    forget_behind(2)
    with pytest.raises(Problem, match="Record 5 is not the head that was signed") as refused:
        rebuild.from_segments()
    assert refused.value.code == "segments_altered"


@pytest.mark.django_db(transaction=True)
def test_an_empty_folder_brings_nothing_back() -> None:
    with pytest.raises(Problem) as refused:
        rebuild.from_segments()
    assert refused.value.code == "no_segments"


def test_a_line_that_a_crash_left_unfinished_is_not_there(held: list[AuditRecord]) -> None:
    forget_behind(2)
    path = segments.files()[-1]
    path.write_bytes(path.read_bytes()[:-10])
    assert rebuild.from_segments().end.seq == 4
    assert verify_database().intact


def test_large_records_come_back_in_small_batches(held: list[AuditRecord], monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    real = head.append_all

    def counted(records: Sequence[AuditRecord], *, behind: Position) -> None:
        sizes.append(len(records))
        real(records, behind=behind)

    monkeypatch.setattr(rebuild, "LARGEST_BATCH", 100)
    monkeypatch.setattr(head, "append_all", counted)
    a_record(payload={"stderr": "x" * 1000})
    forget_behind(0)
    rebuild.from_segments()
    assert max(sizes) < 6
    assert sum(sizes) == 6


@pytest.fixture
def exported(held: list[AuditRecord], tmp_path: Path) -> Path:
    path = tmp_path / "export.ndjson"
    path.write_bytes(b"".join(export()))
    return path


def test_an_export_is_enough_for_a_copy(exported: Path, tmp_path: Path) -> None:
    stored, written = rows(), lines()
    forget_behind(0)
    settings.EVIDENCE_DIR = tmp_path / "auditor"
    sql("DELETE FROM audits_evidencestore")
    assert rebuild.from_export(exported).count == 5
    assert (rows(), lines()) == (stored, written)
    assert verify_database().intact


@pytest.mark.parametrize("cut", [slice(0, 4), slice(0, 5), slice(1, 6)])
def test_an_export_that_was_cut_is_not_taken(exported: Path, tmp_path: Path, cut: slice) -> None:
    forget_behind(0)
    settings.EVIDENCE_DIR = tmp_path / "auditor"
    exported.write_bytes(b"".join(exported.read_bytes().splitlines(keepends=True)[cut]))
    with pytest.raises(Problem) as refused:
        rebuild.from_export(exported)
    assert (refused.value.code, rows()) == ("export_altered", [])


def test_an_export_is_not_taken_beside_segments(exported: Path) -> None:
    with pytest.raises(Problem) as refused:
        rebuild.from_export(exported)
    assert refused.value.code == "evidence_there"


def test_the_command_says_what_came_back_and_what_is_to_be_done(held: list[AuditRecord]) -> None:
    forget_behind(3)
    said = manage("audits", "rebuild")
    assert (said.code, said.out.splitlines()[0]) == (0, f"Records 4 to 5 came back. The head is {held[-1].hash}")
    assert "audits accept" in said.out
    assert json.loads(manage("audits", "rebuild", "--json").out) == {"came_back": 0, "first_seq": None, "last_seq": 5}


@pytest.mark.parametrize(("words", "code", "error"), [((), 4, "no_segments"), (("/nowhere",), 2, "unreadable")])
@pytest.mark.django_db
def test_the_command_ends_with_a_code(words: tuple[str, ...], code: int, error: str) -> None:
    ended = manage("audits", "rebuild", *words, "--json")
    assert (ended.code, ended.error["code"]) == (code, error)
