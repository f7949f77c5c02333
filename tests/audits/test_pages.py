"""Pages of records: each record once, the newest first, and no page costs more than another."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import pytest

from audits import pages
from audits.pages import LARGEST_SEQ, Wanted, page
from tests.audits.making import a_record, sql
from tests.audits.work import MANY, plant_many, work_of

pytestmark = pytest.mark.django_db

KINDS = ("hygiene.evidence", "hygiene.retire", "lane.evidence")
ALL = Wanted(KINDS, limit=100)
# what may be asked for, with something that fits every record, a few, and none
QUESTIONS = {
    "all": ALL,
    "a kind": replace(ALL, fields={"kind": "hygiene.evidence"}),
    "a rare kind": replace(ALL, fields={"kind": "hygiene.retire"}),
    "a host": replace(ALL, fields={"host": "ci-1"}),
    "a rare host": replace(ALL, fields={"host": "ci-rare"}),
    "a lane": replace(ALL, fields={"lane": "lane-3"}),
    "a status that nothing has": replace(ALL, fields={"status": "failed"}),
    "a source that came once": replace(ALL, fields={"source": "web"}),
    "some hosts": replace(ALL, hosts=("ci-1", "ci-rare")),
    "many hosts": replace(ALL, hosts=tuple(f"ci-{number}" for number in range(1, 100))),
    "what is latest": replace(ALL, latest=True),
}


@pytest.fixture
def many(db: None) -> None:
    plant_many(sql)


def every_page(wanted: Wanted) -> Iterator[tuple[int, ...]]:
    before: int | None = wanted.before
    while before is not None:
        found = page(replace(wanted, before=before))
        yield found.seqs
        before = found.next_before


def test_a_page_costs_the_same_at_any_depth(many: None) -> None:
    dearer = {}
    for question, wanted in QUESTIONS.items():
        first, deep = (work_of(partial(page, replace(wanted, before=at))) for at in (LARGEST_SEQ, MANY // 2))
        if deep > first * 1.2 + 20:
            dearer[question] = (first, deep)

    assert dearer == {}


def test_no_page_looks_at_more_than_so_many_records(many: None) -> None:
    dearer = {}
    for question, wanted in QUESTIONS.items():
        streams = len(list(pages.streams(wanted)))
        # for how far to look, for the page (PostgreSQL may count its index and its table), for a neighbour of each
        most = streams * (pages.EXAMINED + wanted.limit + 2) * 4
        if (work := work_of(partial(page, wanted))) > most:
            dearer[question] = (work, most)

    assert dearer == {}


def test_the_pages_together_have_each_record_once(many: None) -> None:
    for question, wanted in QUESTIONS.items():
        found = [seq for seqs in every_page(wanted) for seq in seqs]

        assert (question, found) == (question, sorted(set(found), reverse=True))
        assert (question, len(found)) == (question, expected(question))


def expected(question: str) -> int:
    third, rare = MANY // 3, 1
    return {
        "a kind": 2 * third - rare,
        "a rare kind": 1,
        "a host": third - rare,
        "a rare host": 1,
        "a lane": third // 2,
        "a status that nothing has": 0,
        "a source that came once": 1,
        "some hosts": third,
        "many hosts": 2 * third - rare,
        "what is latest": MANY,
    }.get(question, MANY)


def test_a_page_that_is_full_to_the_last_record_says_that_there_is_no_more(db: None) -> None:
    rows = [a_record(key=f"key-{number}") for number in range(4)]
    wanted = Wanted(("hygiene.retire",), limit=4)

    assert page(wanted) == pages.Page(tuple(row.seq for row in reversed(rows)), None)
    assert page(replace(wanted, limit=3)).next_before == rows[1].seq


def test_only_what_is_new_since_a_place_is_on_the_page(db: None) -> None:
    rows = [a_record() for _ in range(4)]

    assert page(Wanted(("hygiene.retire",), after=rows[1].seq)).seqs == (rows[3].seq, rows[2].seq)


def test_latest_leaves_the_last_record_of_each_key(db: None) -> None:
    first = a_record(key="a")
    a_record(key="b")
    last = a_record(key="b", status="completed")
    a_record(key="b", kind="change.approved")

    assert page(Wanted(("hygiene.retire",), latest=True)).seqs == (last.seq, first.seq)


def test_another_kind_than_those_wanted_is_on_no_page(db: None) -> None:
    a_record(kind="access.password")

    assert page(Wanted(("hygiene.retire",), fields={"kind": "access.password"})).seqs == ()
    assert page(Wanted(("hygiene.retire",), fields={"key": a_record(kind="change.approved").key})).seqs == ()
    assert page(Wanted(("hygiene.retire",), fields={"host": "chris-testing"}, hosts=("another",))).seqs == ()
