"""Whatever GitHub answers: a typed document or a typed problem, and a listing is complete only if it is."""

import json
import string
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lanes.github.errors import GithubLimited, GithubProblem, GithubUnreachable
from lanes.github.kept import Kept
from lanes.github.listing import why_incomplete
from lanes.github.parse import Deprecation, Labels, Page, Runner, Token, read
from lanes.github.session import Answer
from lanes.github.verdicts import Refusal, problem_of

NOW = datetime(2026, 11, 21, tzinfo=UTC)
NAMES = st.sampled_from(
    ["total_count", "runners", "id", "name", "os", "status", "busy", "labels", "token", "expires_at"]
)
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just("online")
DOCUMENTS = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=6))
HEADERS = st.dictionaries(
    st.sampled_from(["retry-after", "x-ratelimit-remaining", "x-ratelimit-reset"]),
    st.text(string.printable) | st.just("0"),
)


def page(total: int, *ids: int) -> Page:
    runner = {"name": "a", "os": "linux", "status": "online", "busy": False, "labels": []}
    return Page.model_validate({"total_count": total, "runners": [runner | {"id": number} for number in ids]})


@given(text=st.text() | DOCUMENTS.map(json.dumps))
@pytest.mark.parametrize("wanted", [Page, Runner, Labels, Token, Deprecation])
def test_any_text_is_a_document_or_a_problem(wanted: type, text: str) -> None:
    try:
        assert isinstance(read(wanted, Answer(200, text, "")), wanted)
    except GithubUnreachable as problem:
        assert problem.code == "github_unexpected_answer"


@given(status=st.integers(100, 599), headers=HEADERS, text=st.text() | DOCUMENTS.map(json.dumps))
def test_any_refusal_is_a_problem_and_no_limit_is_long(status: int, headers: dict[str, str], text: str) -> None:
    problem = problem_of(Refusal("acme/shop", status, headers, text, "ID"), now=NOW)
    assert isinstance(problem, GithubProblem)
    assert problem.request_id == "ID"
    assert problem.sentence.isprintable()
    if isinstance(problem, GithubLimited):
        assert NOW <= problem.try_again_at <= NOW + timedelta(hours=1)


@given(st.lists(st.tuples(st.integers(0, 6), st.lists(st.integers(1, 5), max_size=4)), min_size=1, max_size=3))
def test_a_listing_is_complete_only_if_every_counted_runner_is_there_once(pages: list[tuple[int, list[int]]]) -> None:
    listed = [number for _, ids in pages for number in ids]
    totals = {total for total, _ in pages}
    complete = why_incomplete([page(total, *ids) for total, ids in pages]) == ""
    assert complete == (totals == {len(listed)} and len(set(listed)) == len(listed))


@given(st.lists(st.tuples(st.sampled_from("abcd"), st.text(max_size=9), st.booleans())))
def test_what_is_kept_is_the_last_and_never_too_much(steps: list[tuple[str, str, bool]]) -> None:
    kept, last = Kept(most_bytes=20), dict[str, str | None]()
    for address, text, proper in steps:
        kept.put(address, etag='W/"1"' if proper else "1", text=text)
        last[address] = text if proper else None
        found = {name: answer.text for name in "abcd" if (answer := kept.get(name))}
        assert all(last[name] == text for name, text in found.items())
        assert sum(map(len, found.values())) <= 20
