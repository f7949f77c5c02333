"""What is begun from a lane's page: a look, a plan. Each is queued; the page itself asks neither a host nor GitHub."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from django_q.models import OrmQ

from lanes import evidence
from lanes.look_queue import look_queued
from lanes.looking import scene_of
from lanes.models import Lane
from launchplane.access.models import User
from launchplane.changes.models import Change, PlanRun
from launchplane.changes.plan_runs import run_queued
from launchplane.changes.planning import plan_change
from launchplane.hosts.models import Host
from launchplane.web.lane_looks import GIVEN_UP_AFTER, KEY
from tests.changes.ways import person
from tests.factories import a_person
from tests.fakes.github import GithubServer
from tests.lanes.answering import TOLD_NO_DIRECTORY, TOLD_NO_SERVICE, Answering, told_directory, told_service
from tests.lanes.conftest import connected, server, there
from tests.lanes.looked import looked_at
from tests.lanes.records import a_grant, a_lane, a_lane_host
from tests.lanes.scenes import LANE, OURS, a_listing, a_runner, seen, seen_nothing
from tests.web.reading import text_of

__all__ = ["connected", "server", "there"]
PAGE = f"/lanes/{LANE}/"
HTMX = {"HX-Request": "true"}


@pytest.fixture
def lane(db: None) -> Lane:
    host = a_lane_host()
    a_grant(host)
    return a_lane(host, agent_id=None)


@pytest.fixture
def asked(there: Answering, lane: Lane, connected: GithubServer) -> Answering:
    """Its host and GitHub, where nothing is of it."""
    there.tells(lane.host, directory=told_directory(**TOLD_NO_DIRECTORY), service=told_service(**TOLD_NO_SERVICE))
    return there


def planned(visitor: Client, operation: str = "plan", **more: str) -> str:
    return visitor.post(f"{PAGE}plan/", {"operation": operation, **more})["Location"]


def test_a_look_is_queued_and_the_page_says_so_until_it_was_made(visitor: Client, lane: Lane, asked: Answering) -> None:
    assert visitor.post(f"{PAGE}observe/")["Location"] == PAGE
    assert queued() == [("lanes.look_queue.look_queued", (lane.pk, "operator"))]
    assert asked.asked == []
    assert "A look was asked for" in text_of(visitor.get(PAGE))
    assert "A look was asked for" in text_of(visitor.get(f"{PAGE}look/", headers=HTMX))

    look_queued(lane.pk, "operator")

    assert visitor.get(f"{PAGE}look/", headers=HTMX)["HX-Refresh"] == "true"
    page = text_of(visitor.get(PAGE))
    assert "A look was asked for" not in page
    assert "It is on record, and was not made yet." in page


def queued() -> list[tuple[str, tuple[object, ...]]]:
    """What waits for the workers: each function by its name, and what it will be given."""
    tasks = [row.task for row in OrmQ.objects.order_by("pk")]
    return [(task["func"], task["args"]) for task in tasks]


def test_who_waits_for_a_look_asks_for_no_second_one(visitor: Client, lane: Lane) -> None:
    visitor.post(f"{PAGE}observe/")
    visitor.post(f"{PAGE}observe/")

    assert len(queued()) == 1


def test_a_look_that_nobody_made_is_said_so_and_can_be_asked_for_again(visitor: Client, lane: Lane) -> None:
    visitor.post(f"{PAGE}observe/")
    session = visitor.session
    session[KEY] = {LANE: (timezone.now() - GIVEN_UP_AFTER - timedelta(seconds=1)).isoformat()}
    session.save()

    assert "Nobody has looked since it was asked for" in text_of(visitor.get(PAGE))
    assert visitor.get(f"{PAGE}look/", headers=HTMX)["HX-Refresh"] == "true"
    visitor.post(f"{PAGE}observe/")
    assert len(queued()) == 2


def test_a_lane_that_is_gone_by_then_is_looked_at_by_nobody(lane: Lane, asked: Answering) -> None:
    key = lane.pk
    lane.delete()

    look_queued(key, "operator")

    assert asked.asked == []


def test_the_page_of_the_look_without_a_script_is_the_page_of_the_lane(visitor: Client, lane: Lane) -> None:
    assert visitor.get(f"{PAGE}look/")["Location"] == PAGE


def test_looking_needs_the_right_to_observe(client: Client, lane: Lane) -> None:
    client.force_login(a_person("auditor", group="Auditors"))

    refused = client.post(f"{PAGE}observe/")

    assert refused.status_code == 403
    assert "Can observe host now" in text_of(refused)


@pytest.mark.req("M4", "M22")
def test_one_button_has_the_planner_choose_and_nobody_is_asked_by_the_click(
    visitor: Client, lane: Lane, asked: Answering, connected: GithubServer
) -> None:
    to = planned(visitor)

    run = PlanRun.objects.get()
    assert to == f"/plans/{run.pk}/"
    assert (run.kind, asked.asked, connected.calls) == ("lane.create", [], [])
    run_queued(run.pk)
    change = Change.objects.get()
    assert (change.kind, change.subject, change.status) == ("lane.create", LANE, Change.Status.PLANNED)
    assert {call.method for call in connected.calls} == {"GET"}


@pytest.mark.parametrize("operation", ["restart", "remove"])
def test_a_restart_and_a_removal_are_planned_as_such(visitor: Client, lane: Lane, operation: str) -> None:
    planned(visitor, operation)

    assert PlanRun.objects.get().kind == f"lane.{operation}"


def test_what_is_needed_follows_from_the_last_look(visitor: Client, lane: Lane) -> None:
    Lane.objects.update(agent_id=42)
    looked_at(lane)
    planned(visitor)

    assert PlanRun.objects.get().kind == "lane.reconcile"


def test_a_plan_of_what_was_not_needed_leads_to_the_one_that_is(visitor: Client, lane: Lane, asked: Answering) -> None:
    Lane.objects.update(agent_id=42)
    looked_at(lane)
    Lane.objects.update(agent_id=None)
    run = PlanRun.objects.get(pk=planned(visitor).split("/")[-2])
    PlanRun.objects.filter(pk=run.pk).update(kind="lane.adopt")
    run_queued(run.pk)

    page = visitor.get(f"/plans/{run.pk}/")

    assert "What cm-website-chris-testing needs is lane.create, not lane.adopt" in text_of(page)
    assert "Plan what it needs" in text_of(page)
    planned(visitor)
    assert PlanRun.objects.latest("pk").kind == "lane.create"


def test_a_form_that_is_sent_twice_asks_for_one_plan(visitor: Client, lane: Lane, asked: Answering) -> None:
    first = planned(visitor, idempotency_key="web-1")
    run_queued(PlanRun.objects.get().pk)

    assert planned(visitor, idempotency_key="web-1") == first


@pytest.mark.parametrize("operation", ["", "create", "completed", "plan\0"])
def test_what_is_no_operation_is_not_planned(visitor: Client, lane: Lane, operation: str) -> None:
    assert planned(visitor, operation) == PAGE
    assert "Choose what to plan." in text_of(visitor.get(PAGE))
    assert PlanRun.objects.count() == 0


def test_planning_needs_the_right_to_ask(client: Client, lane: Lane, approver: User) -> None:
    client.force_login(approver)

    assert "Planning it needs the right “Can ask for changes of host”" in text_of(client.get(PAGE))
    assert client.post(f"{PAGE}plan/", {"operation": "plan"}).status_code == 403
    assert PlanRun.objects.count() == 0


def test_a_plan_that_is_under_way_is_on_the_page_of_its_lane_only(visitor: Client, lane: Lane) -> None:
    a_lane(lane.host, name="another", service_user="lane-other")
    planned(visitor)

    assert "is being planned" in text_of(visitor.get(PAGE))
    assert "is being planned" not in text_of(visitor.get("/lanes/another/"))


def a_change(lane: Lane, by: User, kind: str = "lane.create") -> Change:
    return plan_change(kind, lane.host, by=person(by), lane=lane.name)


def test_the_page_of_its_change_says_what_is_so_of_a_lane(
    visitor: Client, lane: Lane, asked: Answering, operator: User
) -> None:
    page = text_of(visitor.get(f"/changes/{a_change(lane, operator).pk}/"))

    assert "Wanted against seen, when planned" in page
    assert "Neither GitHub nor its host has anything of it." in page
    assert "Can be undone 6 of 6" in page
    assert "Frees" not in page
    assert "Docker" not in page
    assert "No call of this change is about any of them." in page


def test_reading_it_asks_neither_host_nor_github(
    visitor: Client, lane: Lane, asked: Answering, connected: GithubServer, operator: User
) -> None:
    change = a_change(lane, operator)
    before = len(asked.asked), len(connected.calls)

    page = text_of(visitor.get(f"/changes/{change.pk}/"))

    assert (len(asked.asked), len(connected.calls)) == before
    assert "Which machine answers was not seen: its engine was never observed." in page
    assert "Its record, its host and the grant of its scope allow it." in page


def test_a_blocked_one_says_for_each_thing_in_the_way_what_to_do(
    visitor: Client, lane: Lane, asked: Answering, operator: User
) -> None:
    Host.objects.update(approved=False)
    lane.refresh_from_db()
    page = text_of(visitor.get(f"/changes/{a_change(Lane.objects.get(), operator).pk}/"))

    assert "chris-testing is not approved for changes. Next: Whoever may change the host's settings can approve" in page
    assert "It makes no call at all." in page


def test_a_change_whose_lane_has_no_record_any_more_can_be_read(
    visitor: Client, lane: Lane, asked: Answering, operator: User
) -> None:
    change = a_change(lane, operator)
    Lane.objects.all().delete()

    page = text_of(visitor.get(f"/changes/{change.pk}/"))

    assert f"chris-testing has no lane {LANE} on record any more." in page


def test_its_lists_call_it_by_its_lane_and_say_that_it_frees_nothing(
    visitor: Client, lane: Lane, asked: Answering, operator: User
) -> None:
    a_change(lane, operator)

    assert f"Create lane {LANE}" in text_of(visitor.get("/changes/"))
    assert "nothing" in text_of(visitor.get("/changes/"))
    assert "Create lane" in text_of(visitor.get(PAGE))


def test_a_lane_seen_absent_is_planned_as_a_create(visitor: Client, lane: Lane) -> None:
    looked_at(lane, seen_nothing())
    planned(visitor)

    assert PlanRun.objects.get().kind == "lane.create"


@pytest.fixture
def run(lane: Lane, asked: Answering, operator: User) -> Change:
    """A change that was carried out, and after which the lane is offline."""
    change = a_change(lane, operator)
    plan = change.planned()
    Lane.objects.update(agent_id=OURS)
    lane = Lane.objects.select_related("host").get()
    offline = looked_at(lane, seen(listing=a_listing(a_runner(online=False))))
    before = evidence.before(scene_of(lane, seen_nothing()), main_pid=None)
    after = evidence.after(plan, lane.as_desired(), scene_of(lane, offline), (), now=timezone.now())
    ended = {"status": Change.Status.FAILED, "started_at": timezone.now(), "ended_at": timezone.now()}
    texts = {"before": before.model_dump_json(), "after": after.model_dump_json()}
    Change.objects.filter(pk=change.pk).update(**ended | texts)
    change.steps.update(intent_at=timezone.now(), outcome="done", finished_at=timezone.now())
    return change


@pytest.mark.req("L8", "M68")
def test_a_run_shows_each_proof_and_how_to_go_on(visitor: Client, run: Change) -> None:
    page = text_of(visitor.get(f"/changes/{run.pk}/"))

    assert "not proven 4 of 5 proofs are in." in page
    assert "not so Online at GitHub GitHub shows it offline." in page
    assert "How to go on Plan it again: lane.reconcile would do restart." in page


def test_a_run_shows_each_part_before_and_after(visitor: Client, run: Change) -> None:
    page = text_of(visitor.get(f"/changes/{run.pk}/"))

    assert "Before and after Part Before After Runner at GitHub none of its name number 42, which is ours" in page
    assert "Wanted against seen, when planned" not in page
    assert "Freed" not in page
