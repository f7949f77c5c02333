"""How far a planning is, on its page: polled, looked at again, and led to the change; by whom, and how cheaply."""

import pytest
from django.test import Client
from django.utils import timezone
from django_q.models import OrmQ
from guardian.shortcuts import assign_perm
from pytest_django import DjangoAssertNumQueries

from hygiene.models import ObservationRun
from launchplane.access.models import User
from launchplane.changes import plan_runs
from launchplane.changes.models import Change, PlanRun
from launchplane.hosts.models import Host
from launchplane.problems import Problem
from tests.changes import toy
from tests.changes.ways import person
from tests.factories import a_person
from tests.web.planning import planning_with, running
from tests.web.reading import text_of

POLL = {"HX-Request": "true"}
PAGE_QUERIES, POLL_QUERIES = 8, 5
Status = PlanRun.Status


@pytest.fixture
def client(client: Client, operator: User) -> Client:
    client.force_login(operator)
    return client


@pytest.mark.req("H26")
def test_a_click_only_queues_and_the_host_is_not_looked_at(client: Client, folder: Host) -> None:
    looked: list[Host] = []
    planning_with(looked.append)
    response = client.post("/hosts/folder/changes/plan/", {"kind": toy.ROUTINE})
    run = PlanRun.objects.get()
    assert response["Location"] == f"/plans/{run.pk}/"
    assert (run.status, looked, OrmQ.objects.count()) == (Status.QUEUED, [], 1)
    assert OrmQ.objects.get().key == "observe"
    assert OrmQ.objects.get().task["args"] == (run.pk,)


def test_the_page_follows_the_run_to_its_change(client: Client, queued: PlanRun) -> None:
    address = f"/plans/{queued.pk}/"
    page = client.get(address)
    assert "Waits for a worker, asked for by operator" in text_of(page)
    assert f'hx-get="{address}"' in page.content.decode()
    assert f'<a class="btn" href="{address}">Look again</a>' in page.content.decode()
    fragment = client.get(address, headers=POLL).content.decode()
    assert "<html" not in fragment
    assert 'hx-trigger="every 1s"' in fragment
    plan_runs.run_queued(queued.pk)
    change = Change.objects.get()
    assert client.get(address, headers=POLL).headers["HX-Redirect"] == f"/changes/{change.pk}/"


def test_once_it_is_planned_the_page_stands_still(client: Client, queued: PlanRun) -> None:
    plan_runs.run_queued(queued.pk)
    page = client.get(f"/plans/{queued.pk}/")
    assert page.status_code == 200
    assert "no-store" in page.headers["Cache-Control"]
    raw = page.content.decode()
    assert f'href="/changes/{Change.objects.get().pk}/">Read the plan</a>' in raw
    assert "hx-" not in raw.partition('id="content-start"')[2]


def test_while_it_runs_it_says_what_is_being_looked_at(client: Client, queued: PlanRun) -> None:
    with plan_runs._alone(queued.pk):
        running(queued)
        now = timezone.now()
        ObservationRun.objects.create(
            host=queued.host, status="running", asked_by="a plan", asked_at=now, started_at=now, progress="reading logs"
        )
        assert "Being planned, started just now: reading logs." in text_of(client.get(f"/plans/{queued.pk}/"))


def test_what_the_planner_says_is_said_and_it_can_be_planned_again(
    client: Client, queued: PlanRun, folder: Host
) -> None:
    def fails(host: Host) -> None:
        raise Problem("engine_unavailable", "The engine does not answer.")

    planning_with(fails)
    plan_runs.run_queued(queued.pk)
    assert client.get(f"/plans/{queued.pk}/", headers=POLL).headers["HX-Refresh"] == "true"
    page = text_of(client.get(f"/plans/{queued.pk}/"))
    assert "The engine does not answer." in page
    assert "Plan it again" in page
    assert "was not planned, just now: The engine does not answer." in text_of(client.get("/hosts/folder/changes/"))
    assert "plan failed The engine does not answer." in text_of(client.get("/"))
    again = client.post(f"/plans/{queued.pk}/again/")
    assert again["Location"] == f"/plans/{PlanRun.objects.latest('pk').pk}/"
    assert PlanRun.objects.count() == 2


def test_a_run_of_a_hidden_host_is_exactly_like_none(client: Client, queued: PlanRun) -> None:
    client.force_login(a_person("stranger", group=""))
    for address in ("{}/", "{}/again/"):
        send = client.post if address.endswith("again/") else client.get
        hidden, missing = (send(f"/plans/{address.format(pk)}") for pk in (queued.pk, 4711))
        assert hidden.status_code == missing.status_code == 404
        assert text_of(hidden) == text_of(missing)


def test_planning_again_needs_the_right_and_the_page_says_which(client: Client, queued: PlanRun) -> None:
    PlanRun.objects.filter(pk=queued.pk).update(status=Status.FAILED, ended_at=timezone.now(), sentence="No.")
    guest = a_person("guest", group="Auditors")
    client.force_login(guest)
    assert "Planning it again needs the right “Can ask for changes of host”" in text_of(
        client.get(f"/plans/{queued.pk}/")
    )
    assert client.post(f"/plans/{queued.pk}/again/").status_code == 403
    assign_perm("hosts.request_change", guest, queued.host)
    assert client.post(f"/plans/{queued.pk}/again/").status_code == 302


def test_it_only_allows_post_to_plan_again(client: Client, queued: PlanRun) -> None:
    assert client.get(f"/plans/{queued.pk}/again/").status_code == 405


def test_a_poll_is_cheap(client: Client, queued: PlanRun, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    client.get("/")  # fills the caches of the process
    with django_assert_num_queries(PAGE_QUERIES):
        client.get(f"/plans/{queued.pk}/")
    with django_assert_num_queries(POLL_QUERIES):
        client.get(f"/plans/{queued.pk}/", headers=POLL)


def test_named_items_are_shown_as_they_were_asked_for(client: Client, folder: Host, operator: User) -> None:
    run = plan_runs.queue_plan(toy.ONCE, folder, by=person(operator), items=["volume:rubbish-1", "image:<b>"])
    page = client.get(f"/plans/{run.pk}/")
    assert "Items 2 Which volume rubbish-1 image <b>" in text_of(page)
    assert "<b>" not in page.content.decode().partition("Which")[2].partition("</details>")[0]
