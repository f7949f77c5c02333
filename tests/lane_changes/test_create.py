"""A lane that is not there yet: registered, supervised and proven, in M60's order."""

import json
from typing import Any

import pytest

from audits.models import AuditRecord
from lanes.models import Lane, LaneGrant
from launchplane.changes import freeze
from launchplane.changes.models import Change
from launchplane.hosts.models import Host
from tests.hygiene_changes.ways import person
from tests.lane_changes import ways
from tests.lane_changes.place import UNIT, USER, Place
from tests.lane_changes.ways import People
from tests.lanes.scenes import LABELS, LANE, SCOPE

CREATE = "lane.create"


@pytest.mark.req("M60", "M61", "M63", "M65", "L4", "L9", "X11")
def test_a_lane_is_created_with_every_proof(place: Place, people: People) -> None:
    change = ways.applied(CREATE, place, people)
    assert change.status == Change.Status.COMPLETED, change.sentence
    assert list(ways.outcomes(change)) == [
        "fetch",
        "ask-token",
        "configure",
        "install-unit",
        "daemon-reload",
        "enable-now",
    ]
    assert set(ways.outcomes(change).values()) == {"done"}
    runner = place.runner()
    assert place.agent_id() == runner.id
    assert {label.lower() for label in runner.labels} == set(LABELS) - {"self-hosted"}
    assert place.orders() == ["daemon-reload", f"enable {UNIT}", f"reset-failed {UNIT}", f"start {UNIT}"]
    assert place.posts() == ["POST /registration-token", "POST /_runner/register"]


@pytest.mark.req("M60", "M89")
@pytest.mark.each_database
def test_the_audit_comes_last_and_holds_each_proof(place: Place, people: People) -> None:
    change = ways.applied(CREATE, place, people)
    assert ways.told(change)[-2:] == [(CREATE, "planned", LANE), (CREATE, "completed", LANE)]
    after = ways.last_record(change)["after"]
    assert [proof["name"] for proof in after["facts"]["proofs"]] == [
        "lane_online",
        "service_active",
        "labels_correct",
        "baseline_ready",
        "control_path",
    ]
    assert all(proof["state"] == "open" for proof in after["facts"]["proofs"])
    assert after["facts"]["observed"]["service"]["process_user"] == USER
    assert after["facts"]["go_on"] == ["Nothing is left to do."]


@pytest.mark.req("M68")
def test_every_gate_is_on_record_with_its_evidence(place: Place, people: People) -> None:
    change = ways.applied(CREATE, place, people)
    gates = {gate["name"]: gate for gate in json.loads(change.gates)}
    assert set(gates) == {"identity", "fresh", "freeze", "lock", "grant"}
    assert all(gate["state"] == "open" and gate["reason"].endswith(".") for gate in gates.values())
    assert gates["identity"]["evidence"]["engine_id"] == "PLAIN:ENGINE"


@pytest.mark.req("M4", "M6", "M22", "M60", "M80")
def test_a_plan_is_recorded_and_ends_there(place: Place, people: People) -> None:
    before = place.room.contents()
    change = ways.planned(CREATE, place, people)
    assert change.status == Change.Status.PLANNED
    assert ways.told(change) == [(CREATE, "planned", LANE)]
    assert (place.posts(), place.github.of(SCOPE), place.orders()) == ([], [], [])
    assert place.room.contents() == before


@pytest.mark.req("M34")
def test_nobody_approves_it_without_the_phrase(place: Place, people: People) -> None:
    from launchplane.problems import Refused
    from tests.hygiene_changes.ways import approved

    with pytest.raises(Refused) as caught:
        approved(CREATE, place.lane.host, people.operator, people.approver, phrase=LANE, lane=LANE)
    assert caught.value.code == "wrong_phrase"


def test_what_a_lane_needs_is_another_kind_of_change(place: Place, people: People) -> None:
    from launchplane.problems import Problem

    with pytest.raises(Problem) as caught:
        ways.planned("lane.adopt", place, people)
    assert (caught.value.code, "lane.create" in caught.value.sentence) == ("another_action", True)


@pytest.mark.req("L3", "M68")
def test_a_grant_that_is_taken_back_puts_it_off_and_says_that_nothing_changed(place: Place, people: People) -> None:
    change = ways.applied(CREATE, place, people, meanwhile=LaneGrant.objects.all().delete)
    assert (change.status, place.posts()) == (Change.Status.APPROVED, [])
    payload = ways.last_record(change)
    assert payload["nothing_changed"] is True
    assert [gate["name"] for gate in payload["gates"] if gate["state"] != "open"] == ["grant"]
    assert ways.told(change)[-1] == (CREATE, "failed", LANE)


@pytest.mark.req("X18")
def test_a_freeze_puts_it_off(place: Place, people: People) -> None:
    def stop() -> None:
        freeze.freeze(place.lane.host, by=person(people.operator), reason="hold on")

    change = ways.applied(CREATE, place, people, meanwhile=stop)
    assert (change.status, place.posts(), place.orders()) == (Change.Status.APPROVED, [], [])


def test_another_machine_than_was_added_is_not_touched(place: Place, people: People) -> None:
    change = ways.approved(CREATE, place, people)
    Host.objects.update(docker_url="unix:///nowhere.sock")
    change = ways.again(change, people)
    assert change.status == Change.Status.APPROVED
    assert "identity" in change.sentence
    assert place.posts() == []


@pytest.mark.req("X1")
@pytest.mark.parametrize("edit", [{"labels": [*LABELS, "more"]}, {"service_user": "lane-other"}, {"managed": False}])
def test_a_record_that_was_edited_since_closes_it(place: Place, people: People, edit: dict[str, Any]) -> None:
    change = ways.applied(CREATE, place, people, meanwhile=lambda: Lane.objects.update(**edit))
    assert (change.status, change.why_closed) == (Change.Status.CLOSED, Change.Why.STALE)
    assert place.posts() == []


def test_a_record_that_is_gone_closes_it(place: Place, people: People) -> None:
    change = ways.applied(CREATE, place, people, meanwhile=Lane.objects.all().delete)
    assert (change.status, change.why_closed) == (Change.Status.CLOSED, Change.Why.STALE)
    assert ways.last_record(change)["nothing_changed"] is True


@pytest.mark.req("M20", "L13")
@pytest.mark.parametrize("name", [LANE, LANE.upper()])
def test_a_runner_of_its_name_that_came_since_closes_it(place: Place, people: People, name: str) -> None:
    change = ways.applied(CREATE, place, people, meanwhile=lambda: place.github.add_runner(SCOPE, name))
    assert (change.status, change.why_closed) == (Change.Status.CLOSED, Change.Why.STALE)
    assert (place.posts(), place.agent_id()) == ([], None)


LISTING, DOWNLOAD = r"GET /repos/.*/actions/runners\?.*", r"GET /actions/runner/releases/.*"


@pytest.mark.req("M20", "M61", "L13")
@pytest.mark.parametrize("name", [LANE, LANE.upper()])
def test_a_runner_of_its_name_that_comes_before_the_token_ends_it(place: Place, people: People, name: str) -> None:
    place.github.meanwhile(DOWNLOAD, lambda: place.github.add_runner(SCOPE, name))
    change = ways.applied(CREATE, place, people)
    assert change.status == Change.Status.FAILED
    assert ways.outcomes(change) == {
        "fetch": "done",
        "ask-token": "raced",
        "configure": "skipped",
        "install-unit": "skipped",
        "daemon-reload": "skipped",
        "enable-now": "skipped",
    }
    assert place.posts() == []


@pytest.mark.req("M61", "L13")
def test_a_runner_of_its_name_that_comes_after_the_token_is_never_replaced(place: Place, people: People) -> None:
    foreign = []
    place.github.meanwhile(r"POST .*/registration-token", lambda: foreign.append(place.github.add_runner(SCOPE, LANE)))
    change = ways.applied(CREATE, place, people)
    assert (change.status, ways.outcomes(change)["configure"]) == (Change.Status.FAILED, "raced")
    assert place.namesakes() == foreign
    assert place.posts() == ["POST /registration-token"]
    assert place.agent_id() is None


@pytest.mark.req("L13", "M70")
def test_a_runner_of_its_name_that_comes_during_config_sh_is_never_replaced(place: Place, people: People) -> None:
    foreign = []
    place.github.meanwhile(r"POST /_runner/register", lambda: foreign.append(place.github.add_runner(SCOPE, LANE)))
    change = ways.applied(CREATE, place, people)
    assert (change.status, ways.outcomes(change)["configure"]) == (Change.Status.FAILED, "failed")
    assert place.namesakes() == foreign
    assert [post for post in place.posts() if "replace" in post] == []
    assert (place.agent_id(), place.orders()) == (None, [])


@pytest.mark.req("L7")
@pytest.mark.each_database
def test_whoever_applies_it_a_second_time_does_nothing(place: Place, people: People) -> None:
    from launchplane.problems import Refused

    change = ways.applied(CREATE, place, people)
    posts = place.posts()
    with pytest.raises(Refused):
        ways.again(change, people)
    assert place.posts() == posts
    assert AuditRecord.objects.filter(kind=CREATE, status="completed").count() == 1
