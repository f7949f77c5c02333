"""Plans: what is stored, what replaces what, and that nothing is done."""

import pytest

from audits.models import AuditRecord
from launchplane.access.models import User
from launchplane.access.people import NOBODY
from launchplane.changes.digest import change_digest, is_unaltered
from launchplane.changes.document import document
from launchplane.changes.kinds import kind_named
from launchplane.changes.models import Change
from launchplane.changes.planning import checked, plan_change
from launchplane.changes.requests import request_change
from launchplane.hosts.models import Host
from launchplane.problems import Problem, Refused
from tests.changes import toy
from tests.changes.ways import names, person, planned, told
from tests.factories import a_person


@pytest.mark.req("H20", "H21")
def test_a_plan_is_stored_with_its_steps_and_nothing_is_done(host: Host, operator: User) -> None:
    change = planned(host, operator)
    assert (change.status, change.planned().status) == ("planned", "ready")
    assert [step.target for step in change.steps.all()] == ["rubbish-1", "rubbish-2", "rubbish-3"]
    assert names(host) == ["rubbish-1", "rubbish-2", "rubbish-3"]
    assert told(change) == [(toy.ONCE, "planned")]


@pytest.mark.req("H21")
def test_a_blocked_plan_says_why_and_cannot_be_asked_for(host: Host, operator: User) -> None:
    toy.sign(host, "unreadable")
    change = planned(host, operator)
    assert (change.status, change.planned().blockers[0].code) == ("blocked", "toy_blocked")
    with pytest.raises(Refused, match="Only a ready plan"):
        request_change(change, by=person(operator), reason="anyway")


def test_a_plan_of_nothing_cannot_be_asked_for(host: Host, operator: User) -> None:
    toy.remove_all(host)
    with pytest.raises(Refused, match="Nothing to do"):
        request_change(planned(host, operator), by=person(operator), reason="anyway")


def test_a_newer_plan_supersedes_drafts_of_the_same_and_no_request(host: Host, operator: User) -> None:
    draft, waiting = planned(host, operator), planned(host, operator)
    request_change(waiting, by=person(operator), reason="disk is full")
    newest = planned(host, operator)
    states = {change.pk: (change.status, change.why_closed) for change in Change.objects.all()}
    assert states == {
        draft.pk: ("closed", "superseded"),
        waiting.pk: ("awaiting_approval", ""),
        newest.pk: ("planned", ""),
    }


@pytest.mark.req("H55")
def test_the_same_key_gives_the_same_change(host: Host, operator: User) -> None:
    first = plan_change(toy.ONCE, host, by=person(operator), idempotency_key="k", items=["rubbish-1"])
    again = plan_change(toy.ONCE, host, by=person(operator), idempotency_key="k", items=["rubbish-1"])
    assert first.pk == again.pk
    assert Change.objects.count() == 1


@pytest.mark.req("H55")
def test_the_same_key_for_something_else_is_refused(host: Host, operator: User) -> None:
    plan_change(toy.ONCE, host, by=person(operator), idempotency_key="k", items=["rubbish-1"])
    with pytest.raises(Refused, match="another plan"):
        plan_change(toy.ONCE, host, by=person(operator), idempotency_key="k", items=["rubbish-2"])


def test_a_shell_plans_without_a_person(host: Host) -> None:
    assert plan_change(toy.ONCE, host, by=NOBODY).requester is None


def test_without_the_right_nobody_plans_and_that_is_on_record(host: Host) -> None:
    with pytest.raises(Refused, match="may not plan"):
        planned(host, a_person("auditor", group="Auditors"))
    refused = AuditRecord.objects.latest("seq")
    assert (refused.kind, refused.status, refused.actor_name) == ("change.denied", "failed", "auditor")


@pytest.mark.req("H23")
def test_what_privilege_it_needs_can_be_looked_at_before_anybody_decides(host: Host, operator: User) -> None:
    boundary = document(planned(host, operator)).boundary
    assert (boundary.host, boundary.user, boundary.through) == ("chris-testing", "nobody", "the file system")
    assert [(call.name, call.at_most) for call in boundary.calls] == [("remove", 3)]
    assert (boundary.before, boundary.after, boundary.rollback) == (
        "a listing",
        "a listing",
        "none: what is removed is gone",
    )


@pytest.mark.req("H24")
def test_a_plan_that_wants_more_calls_than_it_has_items_is_refused(host: Host, operator: User) -> None:
    with pytest.raises(Refused, match="up to 300 times for 3 items"):
        planned(host, operator, calls=300)
    assert Change.objects.count() == 0


@pytest.mark.req("H24")
@pytest.mark.parametrize("field", ["user", "through", "before", "after", "rollback"])
def test_a_boundary_that_leaves_something_open_is_refused(host: Host, field: str) -> None:
    plan = toy.planner(toy.ONCE)(host)
    vague = plan.model_copy(update={"boundary": plan.boundary.model_copy(update={field: " "})})
    kind = kind_named(toy.ONCE)
    assert kind is not None
    with pytest.raises(Refused, match=f"does not say its {field}"):
        checked(vague, kind, host)


def test_a_planner_that_plans_for_another_host_is_mistaken(host: Host) -> None:
    plan = toy.planner(toy.ONCE)(host)
    elsewhere = plan.model_copy(update={"boundary": plan.boundary.model_copy(update={"host": "other"})})
    kind = kind_named(toy.ONCE)
    assert kind is not None
    with pytest.raises(ValueError, match="planner"):
        checked(elsewhere, kind, host)


def test_an_unknown_kind_names_those_there_are(host: Host, operator: User) -> None:
    with pytest.raises(Problem, match=r"toy\.remove"):
        plan_change("toy.nothing", host, by=person(operator))


def test_the_digest_is_over_every_byte_of_the_text_and_the_id(host: Host, operator: User) -> None:
    change = planned(host, operator)
    assert is_unaltered(change.pk, change.plan, change.digest)
    for at in range(0, len(change.plan), 97):
        altered = change.plan[:at] + chr(ord(change.plan[at]) ^ 1) + change.plan[at + 1 :]
        assert change_digest(change.pk, altered) != change.digest
    assert change_digest(planned(host, operator).pk, change.plan) != change.digest
