"""Planning in the browser: from the host's page, and from what is ticked in the inventory. Nothing is changed by it.

What the worker makes of it is in test_plan_runs.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from django.contrib.messages import get_messages
from django.test import Client
from guardian.shortcuts import assign_perm

from launchplane.access.models import User
from launchplane.changes.kinds import ChangeKind, kind_named, register
from launchplane.changes.models import Change, PlanRun
from launchplane.changes.plan_runs import run_queued
from launchplane.hosts.models import Host
from tests.changes import toy
from tests.factories import a_person
from tests.web.reading import text_of


def work_off() -> Change:
    """What a worker makes of the one run that is queued."""
    run = PlanRun.objects.get()
    run_queued(run.pk)
    return Change.objects.get()


def said(response: object) -> str:
    return " ".join(str(message) for message in get_messages(response.wsgi_request))  # type: ignore[attr-defined]


def test_a_routine_is_planned_with_one_click_and_leads_to_the_change(
    client: Client, folder: Host, operator: User
) -> None:
    client.force_login(operator)
    assert "Routine removal of files" in text_of(client.get("/hosts/folder/changes/plan/"))
    response = client.post("/hosts/folder/changes/plan/", {"kind": toy.ROUTINE})
    assert response["Location"] == f"/plans/{PlanRun.objects.get().pk}/"
    change = work_off()
    assert (change.kind, change.status, change.requester) == (toy.ROUTINE, Change.Status.PLANNED, operator)
    assert len(toy.rubbish(folder)) == 3


def test_a_double_click_plans_once(client: Client, folder: Host, operator: User) -> None:
    client.force_login(operator)
    typed = {"kind": toy.ROUTINE, "idempotency_key": "web-1"}
    first, second = (client.post("/hosts/folder/changes/plan/", typed)["Location"] for _ in range(2))
    assert first == second
    assert PlanRun.objects.count() == 1


@pytest.mark.parametrize("kind", ["", "no.such", toy.ONCE])
def test_only_routines_are_planned_from_the_host_s_page(
    client: Client, folder: Host, operator: User, kind: str
) -> None:
    client.force_login(operator)
    response = client.post("/hosts/folder/changes/plan/", {"kind": kind})
    assert response["Location"] == "/hosts/folder/changes/plan/"
    assert "Choose what to plan." in said(response)
    assert not PlanRun.objects.exists()


def test_planning_needs_its_right_and_the_page_says_which(client: Client, folder: Host) -> None:
    client.force_login(a_person("auditor", group="Auditors"))
    assert "Plan it" not in text_of(client.get("/hosts/folder/changes/plan/"))
    assert "Plan a clean-up" not in text_of(client.get("/hosts/folder/"))
    response = client.post("/hosts/folder/changes/plan/", {"kind": toy.ROUTINE})
    assert response.status_code == 403
    assert "Asking for it needs the right “Can ask for changes of host”" in text_of(response)


def test_a_right_for_one_host_plans_there_only(client: Client, folder: Host, host: Host) -> None:
    guest = a_person("guest", group="Auditors")
    assign_perm("hosts.request_change", guest, folder)
    client.force_login(guest)
    assert client.post("/hosts/folder/changes/plan/", {"kind": toy.ROUTINE}).status_code == 302
    assert client.post(f"/hosts/{host.name}/changes/plan/", {"kind": toy.ROUTINE}).status_code == 403


def test_a_key_of_another_plan_is_refused_where_one_was(
    client: Client, folder: Host, host: Host, operator: User
) -> None:
    client.force_login(operator)
    typed = {"kind": toy.ROUTINE, "idempotency_key": "web-1"}
    client.post("/hosts/folder/changes/plan/", typed)
    response = client.post(f"/hosts/{host.name}/changes/plan/", typed, follow=True)
    assert response.redirect_chain == [(f"/hosts/{host.name}/changes/plan/", 302)]
    assert "Not planned: This idempotency key was used for another plan." in text_of(response)


@pytest.fixture
def retiring(folder: Host) -> Iterator[list[Sequence[str]]]:
    """What a retirement was asked for, with the toy in the place of the kind that needs an engine."""
    asked: list[Sequence[str]] = []
    real, toys = kind_named("hygiene.retire"), kind_named(toy.ONCE)
    assert real is not None
    assert toys is not None

    def plan(host: Host, *, items: Sequence[str] = ()) -> object:
        asked.append(items)
        return toy.planner("hygiene.retire")(host, items=[item.partition(":")[2] for item in items])

    register(ChangeKind(**{name: getattr(toys, name) for name in toys.__slots__} | {"name": real.name, "plan": plan}))
    yield asked
    register(real)


def test_exactly_the_ticked_items_are_planned(
    client: Client, folder: Host, operator: User, retiring: list[Sequence[str]]
) -> None:
    client.force_login(operator)
    typed = {"item": ["volume:rubbish-1", "volume:rubbish-3", "volume:rubbish-1"]}
    response = client.post("/hosts/folder/inventory/retire/", typed)
    assert response["Location"] == f"/plans/{PlanRun.objects.get().pk}/"
    change = work_off()
    assert retiring == [["volume:rubbish-1", "volume:rubbish-3"]]
    assert [step.target for step in change.planned().steps] == ["rubbish-1", "rubbish-3"]


def test_nothing_ticked_is_said_on_the_inventory(client: Client, host: Host, operator: User) -> None:
    client.force_login(operator)
    response = client.post(f"/hosts/{host.name}/inventory/retire/?kind=image", follow=True)
    assert response.redirect_chain[0][0] == f"/hosts/{host.name}/inventory/?kind=image"
    assert "Nothing is ticked." in text_of(response)


def test_a_part_of_a_page_that_plans_leads_the_whole_window_on(
    client: Client, folder: Host, operator: User, retiring: list[Sequence[str]]
) -> None:
    client.force_login(operator)
    response = client.post(
        "/hosts/folder/inventory/retire/", {"item": "volume:rubbish-1"}, headers={"HX-Request": "true"}
    )
    assert response.headers["HX-Redirect"] == f"/plans/{PlanRun.objects.get().pk}/"


def test_it_only_allows_post_to_retire(client: Client, folder: Host, operator: User) -> None:
    client.force_login(operator)
    assert client.get("/hosts/folder/inventory/retire/").status_code == 405


@pytest.mark.parametrize("address", ["changes/", "changes/plan/", "changes/standing/", "inventory/retire/"])
def test_a_host_that_one_may_not_see_is_exactly_like_none(client: Client, folder: Host, address: str) -> None:
    client.force_login(a_person("stranger", group=""))
    hidden, missing = (client.post(f"/hosts/{name}/{address}", {"kind": toy.ROUTINE}) for name in ("folder", "nowhere"))
    assert hidden.status_code == missing.status_code == 404
    assert text_of(hidden) == text_of(missing)


def test_the_host_s_own_list_has_only_its_changes(client: Client, folder: Host, host: Host, operator: User) -> None:
    client.force_login(operator)
    client.post("/hosts/folder/changes/plan/", {"kind": toy.ROUTINE})
    work_off()
    assert "Routine removal of files" in text_of(client.get("/hosts/folder/changes/")).partition("Frees")[2]
    assert "No change yet. Plan a clean-up" in text_of(client.get(f"/hosts/{host.name}/changes/"))
    assert (Path(folder.docker_root) / "rubbish-1").exists()
