"""An export holds what was asked for and nothing newer, page by page, and never ends well where a record is missing."""

import json
from datetime import UTC, datetime

import pytest
from django.db import connection
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from audits import chain, head, lines, segments
from audits.chain import NOTHING, Position
from audits.export import Extent, Missing, export, extent, lines_of
from audits.models import AuditRecord
from audits.verify_export import verify_export
from launchplane.problems import Problem, Refused
from tests.audits.making import a_record, exported_lines, sql
from tests.shell import manage

pytestmark = pytest.mark.django_db
MANY = examples(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40)
TIMES = st.datetimes(datetime(2000, 1, 1), datetime(2999, 1, 1), timezones=st.just(UTC))
RECORDS = 10


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three records at once, so that a few records are many pages."""
    monkeypatch.setattr(lines, "AT_ONCE", 3)


@pytest.fixture
def ten(small_pages: None) -> list[AuditRecord]:
    """Ten records."""
    return [a_record(key=f"change-{number}") for number in range(RECORDS)]


def numbers(exported: list[bytes]) -> list[int]:
    return [json.loads(line)["seq"] for line in exported[:-1]]


def trailer(exported: list[bytes]) -> dict[str, object]:
    found: dict[str, object] = json.loads(exported[-1])["trailer"]
    return found


def appended(texts: list[str], people: list[str], at: datetime) -> AuditRecord:
    """A record that says just this, at the end of the chain."""
    kind, key, host, lane, actor_id, name, source, payload = texts
    last = head.locked()
    row = AuditRecord(
        **{"seq": last.seq + 1, "at": at, "kind": kind, "key": key, "host": host, "lane": lane, "actor_id": actor_id},
        **{"actor_name": name, "responsible": people, "source": source, "status": "failed", "payload": payload},
        **{"payload_hash": chain.sha256(payload), "prev_hash": last.hash},
    )
    row.hash = chain.record_hash(row.as_record())
    head.append(row, behind=last)
    return row


@pytest.mark.req("X15")
@given(texts=st.lists(TEXT, min_size=8, max_size=8), people=st.lists(TEXT, max_size=3), at=TIMES)
@MANY
def test_a_line_has_the_bytes_that_it_has_in_a_segment(texts: list[str], people: list[str], at: datetime) -> None:
    row = appended(texts, people, at)
    (only,) = rows = lines.page(after=row.seq - 1, up_to=row.seq)
    assert lines.text_of(rows).encode() == segments.line(row.as_record())
    assert only[0] == row.seq


@pytest.mark.parametrize("at", [datetime(2026, 1, 8, tzinfo=UTC), datetime(2026, 1, 8, 10, 30, 0, 120000, tzinfo=UTC)])
def test_a_time_has_six_digits_of_a_second_whatever_they_are(at: datetime) -> None:
    row = appended(["x"] * 8, [], at)
    assert lines.text_of(lines.page(after=0, up_to=1)).encode() == segments.line(row.as_record())


def test_an_export_goes_page_by_page_to_its_end(ten: list[AuditRecord]) -> None:
    exported = exported_lines()
    assert numbers(exported) == list(range(1, RECORDS + 1))
    assert trailer(exported) == {
        "format": "launchplane-audit-1",
        "count": RECORDS,
        "first_seq": 1,
        "last_seq": RECORDS,
        "head_hash": ten[-1].hash,
    }


def test_a_page_holds_no_more_bytes_than_it_may_and_one_record_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "AT_ONCE_BYTES", 1000)
    for size in (400, 400, 400, 5000, 5000, 10):
        a_record(payload={"x": "x" * size})
    pages, after = [], 0
    while rows := lines.page(after=after, up_to=6):
        pages.append([row[0] for row in rows])
        after = rows[-1][0]
    assert pages == [[1, 2], [3], [4], [5], [6]]


def test_what_is_appended_meanwhile_is_not_in_it(ten: list[AuditRecord]) -> None:
    export_begun = lines_of(extent())
    first = next(export_begun)
    a_record(key="newer")
    exported = (first + b"".join(export_begun)).splitlines(keepends=True)
    assert numbers(exported) == list(range(1, RECORDS + 1))
    assert verify_export(exported).head_hash == ten[-1].hash


def test_one_may_say_where_it_ends(ten: list[AuditRecord]) -> None:
    exported = exported_lines(extent(from_seq=3, to_seq=7))
    assert numbers(exported) == [3, 4, 5, 6, 7]
    assert verify_export(exported).intact
    assert trailer(exported)["head_hash"] == ten[6].hash


@pytest.mark.parametrize("after_seq", range(1, RECORDS + 1))
def test_one_that_broke_off_joins_with_its_rest_byte_for_byte(ten: list[AuditRecord], after_seq: int) -> None:
    whole = b"".join(export())
    a_record(key="newer")
    begun = whole.splitlines(keepends=True)[:after_seq]
    rest = b"".join(lines_of(extent(to_seq=RECORDS, after_seq=after_seq)))
    assert b"".join(begun) + rest == whole


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"from_seq": 0}, "bad_number"),
        ({"from_seq": 12}, "beyond_the_head"),
        ({"to_seq": 11}, "beyond_the_head"),
        ({"from_seq": 8, "to_seq": 6}, "bad_number"),
        ({"from_seq": 3, "after_seq": 2}, "bad_number"),
        ({"to_seq": 5, "after_seq": 6}, "bad_number"),
        ({"to_seq": -1}, "bad_number"),
    ],
)
def test_what_cannot_be_exported_is_told(ten: list[AuditRecord], asked: dict[str, int], code: str) -> None:
    with pytest.raises(Problem) as problem:
        extent(**asked)
    assert problem.value.code == code


def test_right_behind_the_head_there_is_nothing_yet(ten: list[AuditRecord]) -> None:
    (only,) = exported_lines(extent(from_seq=RECORDS + 1))
    assert trailer([only]) == {
        "format": "launchplane-audit-1",
        "count": 0,
        "first_seq": None,
        "last_seq": None,
        "head_hash": ten[-1].hash,
    }


def test_of_an_empty_chain_there_is_only_the_trailer() -> None:
    assert extent() == Extent(1, NOTHING, 0)
    assert trailer(exported_lines())["count"] == 0


@pytest.mark.req("X15")
@pytest.mark.parametrize("gone", range(1, RECORDS + 1))
def test_a_record_that_is_missing_is_told_in_place_of_a_trailer(ten: list[AuditRecord], gone: int) -> None:
    sql(f"DELETE FROM audits_auditrecord WHERE seq = {gone}")  # noqa: S608  a number of ours
    taken: list[bytes] = []
    with pytest.raises(Missing):
        taken.extend(export())
    exported = b"".join(taken).splitlines(keepends=True)
    assert numbers(exported) == list(range(1, gone))
    assert json.loads(exported[-1])["fault"]["seq"] == gone
    assert verify_export(exported).faults[0].seq == gone


def test_many_that_are_missing_are_told_too(ten: list[AuditRecord]) -> None:
    sql("DELETE FROM audits_auditrecord WHERE seq BETWEEN 2 AND 8")
    with pytest.raises(Missing, match="Record 2 is missing"):
        list(export())


def test_one_that_vanishes_on_the_way_is_told(ten: list[AuditRecord]) -> None:
    export_begun = lines_of(extent())
    next(export_begun)
    sql("DELETE FROM audits_auditrecord WHERE seq = 8")
    with pytest.raises(Missing, match="Record 8 is missing"):
        list(export_begun)


def test_where_it_has_to_end_there_must_be_a_record(ten: list[AuditRecord]) -> None:
    sql("DELETE FROM audits_auditrecord WHERE seq = 5")
    with pytest.raises(Missing):
        extent(to_seq=5)


def test_records_without_a_head_are_no_empty_chain(ten: list[AuditRecord]) -> None:
    sql("DELETE FROM audits_chainhead")
    with pytest.raises(Refused) as refused:
        extent()
    assert refused.value.code == "head_gone"


def test_what_somebody_altered_comes_out_as_it_is_and_is_found(ten: list[AuditRecord]) -> None:
    sql("UPDATE audits_auditrecord SET status = 'perhaps' WHERE seq = 4")
    assert verify_export(exported_lines()).faults[0].seq == 4


def test_a_head_that_names_another_hash_is_found(ten: list[AuditRecord]) -> None:
    (fault,) = verify_export([*exported_lines()[:-1], *exported_lines(at(Position(RECORDS, ten[0].hash)))[-1:]]).faults
    assert fault.code == "head_replaced"


def at(position: Position) -> Extent:
    return Extent(1, position, position.seq)


def test_the_command_says_where_a_record_is_missing_and_ends_with_4(ten: list[AuditRecord]) -> None:
    sql("DELETE FROM audits_auditrecord WHERE seq = 4")
    done = manage("audits", "export")
    assert (done.code, done.err) == (4, "Record 4 is missing or not in its place: record 5 stands there.")
    assert json.loads(done.out.splitlines()[-1])["fault"]["code"] == "out_of_place"


def test_nothing_stays_open_between_two_pages(ten: list[AuditRecord]) -> None:
    queries = [query for query in _queries_of_an_export() if "payload" in query]
    assert len(queries) == 4
    assert all("seq >" in query and "OFFSET" not in query for query in queries)


def _queries_of_an_export() -> list[str]:
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as caught:
        list(export())
    return [query["sql"] for query in caught.captured_queries]
