"""A host that lies: what launchplane-docker says is bounded, and believed only where it answers the question."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from launchplane.hosts import boundary
from launchplane.hosts.contracts import Answer, MachineQuestion, RawObservation
from launchplane.hosts.errors import EngineReplaced, EngineUnavailable
from launchplane.hosts.remote_engine import DOCKER, IN_A_PASS, RemoteEngine
from launchplane.hosts.remote_machine import read_machine_there
from launchplane.hosts.remote_removals import RemoteRemover
from onhost import VERSION
from onhost.engine.questions import GONE
from onhost.engine.removals import ExpectedImage, Removal
from tests.hosts.remote.standin import StandIn

IMAGE = "sha256:" + "a" * 64
QUESTION = MachineQuestion("/var/lib/docker", ("/srv/runners",), ())
ENGINE = {"engine_id": "E", "engine_version": "26.1", "api_version": "1.45", "docker_root": "/var/lib/docker"}


@pytest.fixture
def there(tmp_path: Path) -> StandIn:
    return StandIn(tmp_path)


def told(verb: str, facts: object, **other: Any) -> dict[str, Any]:
    answer = {"program": DOCKER, "version": VERSION, "ok": True, "verb": verb, "dry_run": False, "changed": False}
    return {**answer, "steps": [], "facts": facts, "error": None, **other}


def no(verb: str, code: str, facts: object = None) -> dict[str, Any]:
    """A program that said no."""
    answer = told(verb, facts or {}, ok=False, error={"code": code, "summary": f"because of {code}"})
    del answer["changed"]
    return answer


def answers(**values: object) -> dict[str, object]:
    """A pass in which every answer is empty, but for these."""
    empty: dict[str, object] = {name: [] for name in IN_A_PASS}
    empty |= {"version": {}, "info": {}, "df": {}, "volumes": {}, "events": {"events": [], "truncated": False}}
    return {name: {"value": value, "duration_ms": 1, "reason": None} for name, value in (empty | values).items()}


def observed(there: StandIn, facts: object) -> RawObservation:
    there.says(told("observe", facts))
    now = datetime(2026, 11, 1, tzinfo=UTC)
    return RemoteEngine(there.programs).observe(since=None, until=now, progress=lambda _: None, pinned_id="E")


def test_a_pass_is_what_the_host_told(there: StandIn) -> None:
    seen = observed(there, {"identity": ENGINE, "answers": answers(containers=[{"Id": "c1", "State": "running"}])})
    assert seen.identity.engine_id == "E"
    assert seen.answers["containers"].value == [{"Id": "c1", "State": "running"}]
    assert set(seen.answers) == set(IN_A_PASS)


@pytest.mark.req("H7")
def test_what_a_host_does_not_tell_is_unmeasured(there: StandIn) -> None:
    some = answers()
    del some["df"]
    some["volumes"] = {"value": None, "duration_ms": 3, "reason": "it took\ntoo long"}
    seen = observed(there, {"identity": ENGINE, "answers": some})
    assert seen.answers["df"] == Answer(None, 0, "the host did not tell")
    assert seen.answers["volumes"] == Answer(None, 3, "it took too long")


def test_fields_that_are_on_no_list_do_not_get_through(there: StandIn) -> None:
    secret = {"Id": "c1", "Command": "run --token=x", "Config": {"Env": ["TOKEN=x"]}}
    seen = observed(there, {"identity": ENGINE, "answers": answers(containers=[secret])})
    assert seen.answers["containers"].value == [{"Id": "c1"}]


def test_an_answer_of_another_shape_is_no_answer(there: StandIn) -> None:
    seen = observed(there, {"identity": ENGINE, "answers": answers(containers={"Id": 1}, df={"LayersSize": "big"})})
    assert "unexpected shape" in str(seen.answers["containers"].reason)
    assert "unexpected shape" in str(seen.answers["df"].reason)


BAD: dict[str, object] = {
    "no identity": {"answers": answers()},
    "half an identity": {"identity": {"engine_id": "E"}, "answers": answers()},
    "a number for an id": {"identity": {**ENGINE, "engine_id": 1}, "answers": answers()},
    "no folder": {"identity": {**ENGINE, "docker_root": "var"}, "answers": answers()},
    "an unknown API": {"identity": {**ENGINE, "api_version": "9.99"}, "answers": answers()},
    "an API that is none": {"identity": {**ENGINE, "api_version": "one"}, "answers": answers()},
    "no answers": {"identity": ENGINE},
    "a list of answers": {"identity": ENGINE, "answers": []},
    "an answer that nobody asked for": {"identity": ENGINE, "answers": answers(secrets=[])},
    "a builder that is none": {"identity": ENGINE, "answers": {**answers(), "buildkit/../x/du": {}}},
    "an answer without a reason": {"identity": ENGINE, "answers": {**answers(), "df": {"value": {}, "duration_ms": 1}}},
    "a time before now": {
        "identity": ENGINE,
        "answers": {**answers(), "df": {"value": {}, "duration_ms": -1, "reason": None}},
    },
    "a reason that is none": {
        "identity": ENGINE,
        "answers": {**answers(), "df": {"value": None, "duration_ms": 1, "reason": 7}},
    },
}


@pytest.mark.parametrize("facts", BAD.values(), ids=BAD.keys())
def test_a_pass_that_can_not_be_is_believed_in_no_part(there: StandIn, facts: object) -> None:
    with pytest.raises(EngineUnavailable):
        observed(there, facts)


@pytest.mark.req("H27")
def test_another_engine_than_the_pinned_one_is_refused_whatever_the_host_checked(there: StandIn) -> None:
    with pytest.raises(EngineReplaced):
        observed(there, {"identity": {**ENGINE, "engine_id": "other"}, "answers": answers()})
    there.says(no("glance", "engine_replaced"), 4)
    with pytest.raises(EngineReplaced):
        RemoteEngine(there.programs).glance(pinned_id="E")


def test_an_engine_that_does_not_answer_there_is_said_with_its_code(there: StandIn) -> None:
    there.says(no("identify", "not_listening"), 4)
    with pytest.raises(EngineUnavailable) as refused:
        RemoteEngine(there.programs).identify()
    assert (refused.value.code, refused.value.sentence) == ("not_listening", "The host says: because of not_listening")


def test_layers_are_told_of_what_was_asked_and_nothing_else(there: StandIn) -> None:
    value = {"value": {"layers": ["sha256:1"], "sizes": [1, None]}, "duration_ms": 1, "reason": None}
    other = "sha256:" + "b" * 64
    there.says(told("layers", {"answers": {IMAGE: value}}))
    found = RemoteEngine(there.programs).image_layers([IMAGE, other], progress=lambda _: None)
    assert found[IMAGE].value == {"layers": ["sha256:1"], "sizes": [1, None]}
    assert found[other].reason == "the host did not tell"
    there.says(told("layers", {"answers": {other: value}}))
    with pytest.raises(EngineUnavailable):
        RemoteEngine(there.programs).image_layers([IMAGE], progress=lambda _: None)
    there.says(told("layers", {"answers": {IMAGE: {"value": None, "duration_ms": 1, "reason": GONE}}}))
    assert RemoteEngine(there.programs).image_layers([IMAGE], progress=lambda _: None)[IMAGE].reason == GONE


def removed(there: StandIn, answer: Mapping[str, Any] | str, status: int = 0) -> Removal:
    there.says(answer, status)
    allowed = boundary.Allowance({"remove_image": 1}, lambda: True, 7)
    with there.programs.session(), boundary.within(allowed):
        return RemoteRemover(there.programs, engine_id="E").remove_image(ExpectedImage(IMAGE, (), 2000))


def outcome(word: str, **other: object) -> dict[str, object]:
    return {"removal": {"outcome": word, "detail": "As it is.", "freed_bytes": None, "deleted": [IMAGE], **other}}


@pytest.mark.parametrize(
    ("facts", "status", "code", "became"),
    [
        (outcome("done"), 0, "", "done"),
        (outcome("gone"), 0, "", "gone"),
        (outcome("skipped"), 0, "", "skipped"),
        (outcome("raced"), 5, "removal_raced", "raced"),
        (outcome("failed"), 5, "removal_failed", "failed"),
        (outcome("unknown"), 5, "removal_unknown", "unknown"),
        ({}, 4, "protected", "skipped"),
        ({}, 4, "over_cap", "skipped"),
        ({}, 3, "busy", "skipped"),
        ({}, 4, "stale_token", "failed"),
        ({}, 4, "not_held", "failed"),
        ({}, 6, "installation", "failed"),
        ({}, 5, "system_call", "unknown"),
        ({}, 1, "unexpected", "unknown"),
    ],
)
def test_what_became_of_an_item_is_what_the_host_says(
    there: StandIn, facts: dict[str, object], status: int, code: str, became: str
) -> None:
    answer = told("remove_image", facts) if status == 0 else no("remove_image", code, facts)
    assert removed(there, answer, status).outcome == became


LIES: dict[str, Mapping[str, Any] | str] = {
    "nothing": "",
    "half a line": '{"ok": true',
    "no outcome": told("remove_image", {}),
    "another word": told("remove_image", outcome("certainly")),
    "bytes below zero": told("remove_image", outcome("done", freed_bytes=-1)),
    "more bytes than can be written": told("remove_image", outcome("done", freed_bytes=2**60)),
    "ids that are none": told("remove_image", outcome("done", deleted=[1])),
    "more than was asked": told("remove_image", outcome("done", more=1)),
    "failed, and yet ok": told("remove_image", outcome("failed")),
    "of another verb": told("remove_volume", outcome("done")),
}


@pytest.mark.req("X17")
@pytest.mark.parametrize("lie", LIES.values(), ids=LIES.keys())
def test_a_removal_that_can_not_be_is_unknown_and_never_done(there: StandIn, lie: Mapping[str, Any] | str) -> None:
    assert removed(there, lie).outcome == "unknown"


def test_a_removal_is_sent_once_with_what_was_approved(there: StandIn) -> None:
    removed(there, told("remove_image", outcome("done")))
    assert len([line for line in there.asked if line]) == 1
    assert f'"id": "{IMAGE}"'.encode() in there.asked[0]
    assert b'"engine_id": "E"' in there.asked[0]


MACHINE: dict[str, Any] = {
    "disks": [{"path": "/", "total_bytes": 10, "free_bytes": 4, "used_bytes": 6, "used_percent": 60, "device": 1}],
    "runner_roots": [],
    "container_logs": [],
    "runner_processes": [],
    "competing_prunes": [],
    "registry_logins": [],
    "unmeasured": {"disk:/srv/runners": "it is\nnot there"},
}


def test_a_machine_is_what_the_host_told(there: StandIn) -> None:
    there.says(told("machine", {"machine": MACHINE}))
    facts = read_machine_there(there.programs, QUESTION)
    assert facts.disks[0].used_percent == 60
    assert facts.unmeasured == {"disk:/srv/runners": "it is not there"}


@pytest.mark.req("H8")
@pytest.mark.parametrize(
    "lie",
    [
        None,
        [],
        {**MACHINE, "more": 1},
        {**MACHINE, "disks": [{**MACHINE["disks"][0], "free_bytes": -1}]},
        {**MACHINE, "disks": [{**MACHINE["disks"][0], "free_bytes": 2**60}]},
        {**MACHINE, "disks": [{**MACHINE["disks"][0], "path": "/etc"}]},
        {**MACHINE, "runner_processes": [{"pid": 1, "name": "init", "user": "root", "folder": None}]},
    ],
)
def test_a_machine_that_can_not_be_is_unmeasured_as_a_whole(there: StandIn, lie: object) -> None:
    there.says(told("machine", {"machine": lie}))
    facts = read_machine_there(there.programs, QUESTION)
    assert facts.disks == ()
    assert facts.runner_processes is None
    assert set(facts.unmeasured) >= {"disk:/", "disk:/var/lib/docker", "runner_processes", "competing_prunes"}


def test_a_machine_that_does_not_answer_is_unmeasured_and_says_why(there: StandIn) -> None:
    there.says("")
    facts = read_machine_there(there.programs, QUESTION)
    assert "printed no answer" in facts.unmeasured["runner_processes"]
