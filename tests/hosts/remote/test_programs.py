"""Asking the programs on a host: what goes out, what may go out at all, and what is believed of what comes back."""

import json
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from audits.redact import LIVE
from launchplane.hosts import boundary
from launchplane.hosts.answers import read_answer
from launchplane.hosts.carriers import Here
from launchplane.hosts.command import CommandResult
from launchplane.hosts.errors import AnswerLost, AnswerUnusable, HostUnavailable
from launchplane.hosts.programs import HeldElsewhere, Programs
from launchplane.problems import Refused
from onhost import VERSION
from tests.hosts.remote.standin import FINE, HOST, OBSERVE, STOP, StandIn, refusal

UNIT = "launchplane-unit"


@pytest.fixture
def there(tmp_path: Path) -> StandIn:
    return StandIn(tmp_path)


def declared(*calls: str, token: int = 7) -> AbstractContextManager[boundary.Allowance]:
    return boundary.within(boundary.Allowance(dict.fromkeys(calls, 1), lambda: True, token))


def seen(**other: Any) -> dict[str, Any]:
    """A good answer to OBSERVE, but for these fields."""
    return {**FINE, "verb": "observe", "changed": False, "steps": [], **other}


def test_an_answer_says_what_was_done_and_what_is_there(there: StandIn) -> None:
    with declared("launchplane-unit stop"), there.programs.session():
        answer = there.programs.ask(UNIT, STOP, timeout_seconds=10)
    assert (answer.ok, answer.changed, answer.status) == (True, True, 0)
    assert answer.steps == ("systemctl stop",)
    assert answer.facts == {"service": {"active_state": "inactive"}}


def test_a_change_goes_out_with_version_host_session_and_fencing_token(there: StandIn) -> None:
    with declared("launchplane-unit stop", token=41), there.programs.session() as session:
        there.programs.ask(UNIT, {"verb": "stop", "lane": "a-lane"}, timeout_seconds=10)
    assert json.loads(there.asked[0]) == {
        "version": VERSION,
        "host": HOST,
        "verb": "stop",
        "lane": "a-lane",
        "dry_run": False,
        "fencing_token": 41,
        "session": session,
    }


def test_a_secret_follows_the_request_and_is_no_part_of_it(there: StandIn) -> None:
    there.says(seen())
    there.programs.ask(UNIT, OBSERVE, payload=b"a-token\n", timeout_seconds=10)
    assert there.asked[1] == b"a-token"
    assert b"a-token" not in there.asked[0]


def test_looking_needs_no_change_and_no_session(there: StandIn) -> None:
    there.says(seen())
    assert there.programs.ask(UNIT, OBSERVE, timeout_seconds=10).ok
    assert set(json.loads(there.asked[0])) == {"version", "host", "verb", "lane", "dry_run"}


@pytest.mark.req("H24")
def test_nothing_that_was_not_declared_is_asked_and_nothing_twice(there: StandIn) -> None:
    with there.programs.session():
        for calls in ((), ("launchplane-unit restart",)):
            with declared(*calls), pytest.raises(Refused):
                there.programs.ask(UNIT, STOP, timeout_seconds=10)
        with declared("launchplane-unit stop"):
            there.programs.ask(UNIT, STOP, timeout_seconds=10)
            with pytest.raises(Refused) as twice:
                there.programs.ask(UNIT, STOP, timeout_seconds=10)
    assert twice.value.code == "call_too_often"
    assert len(there.asked) == 3  # one request, what followed it, and the end


def test_outside_of_a_change_nothing_is_changed(there: StandIn) -> None:
    with there.programs.session(), pytest.raises(Refused, match="no change is being applied"):
        there.programs.ask(UNIT, {"verb": "stop", "lane": "a-lane"}, timeout_seconds=10)
    assert there.asked == []


def test_a_dry_run_of_a_change_uses_no_call_up(there: StandIn) -> None:
    there.says({**FINE, "dry_run": True, "changed": False})
    with declared("launchplane-unit stop"), there.programs.session():
        there.programs.ask(UNIT, {**STOP, "dry_run": True}, timeout_seconds=10)
        there.says(FINE)
        assert there.programs.ask(UNIT, STOP, timeout_seconds=10).ok


@pytest.mark.req("H28")
def test_a_host_that_is_not_held_is_asked_for_no_change(there: StandIn) -> None:
    with declared("launchplane-unit stop"), pytest.raises(HostUnavailable) as refused:
        there.programs.ask(UNIT, STOP, timeout_seconds=10)
    assert refused.value.code == "session_lost"
    assert there.asked == []


@pytest.mark.req("H28")
def test_one_control_plane_at_a_time_holds_a_host(there: StandIn) -> None:
    with there.programs.session():
        assert there.programs.is_held()
        with pytest.raises(HeldElsewhere), Programs("another-name", Here(there.program)).session():
            pass
    assert not there.programs.is_held()
    with there.programs.session() as again:
        assert (there.folder / "session").read_text() == again


def test_a_program_that_says_no_is_an_answer(there: StandIn) -> None:
    there.says(refusal("wrong_host", "this is another host"), 4)
    answer = there.programs.ask(UNIT, OBSERVE, timeout_seconds=10)
    assert (answer.ok, answer.code, answer.summary, answer.status) == (False, "wrong_host", "this is another host", 4)


def test_programs_of_another_version_are_refused_and_it_says_what_to_do(there: StandIn) -> None:
    there.says({**refusal("version_skew"), "version": "99"}, 2)
    with pytest.raises(HostUnavailable, match=r"has version 99.*Install") as skewed:
        there.programs.ask(UNIT, OBSERVE, timeout_seconds=10)
    assert skewed.value.code == "version_skew"


def test_a_host_without_the_programs_says_so(tmp_path: Path) -> None:
    with pytest.raises(HostUnavailable) as missing:
        Programs(HOST, Here(tmp_path / "nothing")).ask(UNIT, OBSERVE, timeout_seconds=10)
    assert missing.value.code == "programs_missing"


def test_a_program_that_never_ends_is_lost_and_not_asked_again(there: StandIn) -> None:
    there.program.write_text("#!/bin/sh\nexec sleep 300\n")
    with pytest.raises(AnswerLost):
        there.programs.ask(UNIT, OBSERVE, timeout_seconds=0.5)


def deep(levels: int) -> str:
    return '{"a":' * levels + "1" + "}" * levels


LIES: dict[str, str | bytes] = {
    "nothing": "",
    "not json": "done",
    "half": json.dumps(seen())[:-1],
    "two": json.dumps(seen()) * 2,
    "a list": "[]",
    "a field twice": json.dumps(seen())[:-1] + ', "ok": true}',
    "an unknown field": json.dumps(seen(more=1)),
    "no facts": json.dumps({name: value for name, value in seen().items() if name != "facts"}),
    "NaN": json.dumps(seen(facts={"a": float("nan")})),
    "infinite": json.dumps(seen()).replace('"facts": {', '"facts": {"a": 1e999, '),
    "a huge number": json.dumps(seen(facts={"a": 2**80})),
    "deep": json.dumps(seen()).replace('"facts": {', f'"facts": {{"a": {deep(40)}, '),
    "deeper than Python goes": json.dumps(seen()).replace('"facts": {', f'"facts": {{"a": {deep(50_000)}, '),
    "not UTF-8": b"\xff" + json.dumps(seen()).encode(),
    "another program": json.dumps(seen(program="launchplane-runner")),
    "dispatch in the name of a program": json.dumps(seen(program="launchplane-dispatch")),
    "another verb": json.dumps(seen(verb="restart")),
    "another lane": json.dumps(seen(lane="b-lane")),
    "another version": json.dumps(seen(version="2")),
    "dry where it was not": json.dumps(seen(dry_run=True)),
    "a number for true": json.dumps(seen(dry_run=0)),
    "ok as a word": json.dumps(seen(ok="yes")),
    "ok with an error": json.dumps(seen(error={"code": "busy", "summary": ""})),
    "not ok without an error": json.dumps(seen(ok=False)),
    "steps that are none": json.dumps(seen(steps={})),
    "a step that is none": json.dumps(seen(steps=[1])),
    "facts that are none": json.dumps(seen(facts=[])),
}


@pytest.mark.req("X17")
@pytest.mark.parametrize("lie", LIES.values(), ids=LIES.keys())
def test_what_is_not_an_answer_to_what_was_asked_counts_for_nothing(there: StandIn, lie: str | bytes) -> None:
    there.says(lie)
    with pytest.raises(AnswerUnusable):
        there.programs.ask(UNIT, OBSERVE, timeout_seconds=10)


@pytest.mark.parametrize("status", [1, 3, 5, 9, 77])
def test_a_status_that_contradicts_the_answer_makes_it_worthless(there: StandIn, status: int) -> None:
    there.says(seen(), status)
    with pytest.raises(AnswerUnusable):
        there.programs.ask(UNIT, OBSERVE, timeout_seconds=10)


@pytest.mark.parametrize("error", [{}, "no", {"code": "a b", "summary": ""}, {"code": "x", "summary": 1}])
def test_an_error_that_names_no_code_is_none(there: StandIn, error: object) -> None:
    there.says({**refusal("busy"), "error": error}, 3)
    with pytest.raises(AnswerUnusable):
        there.programs.ask(UNIT, OBSERVE, timeout_seconds=10)


def test_more_than_may_be_said_is_not_read(there: StandIn) -> None:
    there.says(json.dumps(seen(facts={"a": "x" * 100_000})))
    with pytest.raises(AnswerLost):
        there.programs.ask(UNIT, OBSERVE, timeout_seconds=10, max_answer_bytes=50_000)


def test_what_a_host_says_cannot_break_a_line_or_a_database(there: StandIn) -> None:
    there.says(refusal("no_such_thing", "one\nline \x1b[31m and " + "x" * 1000), 4)
    answer = there.programs.ask(UNIT, OBSERVE, timeout_seconds=10)
    assert answer.summary.isprintable()
    assert len(answer.summary) == 300
    there.says(seen(facts={"a": "nul \0 and half a pair \ud800"}))
    said = there.programs.ask(UNIT, OBSERVE, timeout_seconds=10).facts["a"]
    assert isinstance(said, str)
    assert "\0" not in said
    assert said.encode()


@pytest.mark.req("M69")
def test_a_live_secret_that_a_host_repeats_is_taken_out(there: StandIn) -> None:
    secret = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234"
    there.says(seen(steps=[f"ran with {secret}"], facts={"output": [f"token {secret}"]}))
    with LIVE.holding(secret):
        answer = there.programs.ask(UNIT, OBSERVE, timeout_seconds=10)
    assert secret not in str(answer)


@pytest.mark.req("M69")
def test_nor_is_it_kept_when_it_comes_on_the_side_or_is_cut_off_midway() -> None:
    secret = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234"
    no_answer = CommandResult(1, "", f"not found: {secret}", 1)
    missing = CommandResult(127, "", f"{secret}: not found", 1)
    long = {**refusal("no_such_thing", "x" * 290 + f" {secret}"), "program": UNIT}
    with LIVE.holding(secret):
        with pytest.raises(AnswerUnusable) as unusable:
            read_answer(UNIT, OBSERVE, no_answer)
        with pytest.raises(HostUnavailable) as unavailable:
            read_answer(UNIT, OBSERVE, missing)
        summary = read_answer(UNIT, OBSERVE, CommandResult(4, json.dumps(long), "", 1)).summary
    assert secret[:8] not in f"{unusable.value.sentence} {unavailable.value.sentence} {summary}"
