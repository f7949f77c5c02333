"""Every page of changes and of the audit, in every state worth a look: no complaint, no barrier, nothing too wide."""

from pathlib import Path

import pytest
from django.contrib.auth.models import Group
from django.utils import timezone
from pytest_django.live_server_helper import LiveServer

from audits.models import AuditRecord
from launchplane.access.models import User
from launchplane.changes.apply import apply_queued
from launchplane.changes.models import PlanRun
from launchplane.changes.plan_runs import queue_plan
from launchplane.changes.requests import request_change
from launchplane.hosts.models import Host
from tests.api.sending import Sender
from tests.api.sending import planned as planned_outside
from tests.browser.conftest import Windows, log_in
from tests.browser.test_looks import barriers, sideways
from tests.changes import toy
from tests.changes.ways import (
    approved,
    decided,
    granted,
    person,
    planned,
    requested,
    standing_request,
)

pytestmark = [pytest.mark.browser, pytest.mark.any_database]


def pages_of(folder: Host, planner: User, approver: User) -> list[str]:
    """Every page of changes, in every state worth a look."""
    applied = approved(folder, planner, approver)
    apply_queued(str(applied.pk))
    for number in range(3):
        (Path(folder.docker_root) / f"very-long-name-of-something-{'x' * 150}-{number}").write_text("x")
    later = request_change(planned(folder, planner), by=person(planner), reason="tonight", apply_at_once=False)
    decided(later, approver)
    (Path(folder.docker_root) / "precious").write_text("x")
    waits = requested(folder, planner)
    open_run = queue_plan(toy.ROUTINE, folder, by=person(planner))
    lost = {"status": "lost", "ended_at": timezone.now(), "sentence": "Its worker died."}
    lost_run = PlanRun.objects.create(
        host=folder, kind=toy.ROUTINE, asked="{}", asked_by=planner, asked_at=timezone.now(), **lost
    )
    row = granted(standing_request(folder, planner), approver)
    asked = standing_request(folder, planner)
    Sender().send(planned_outside(host=folder.name, notes={"token": "thrown away"}))
    outside = AuditRecord.objects.latest("seq").seq
    records = AuditRecord.objects.filter(key=str(applied.pk)).values_list("seq", flat=True)
    return [
        "/",
        "/changes/",
        "/hosts/folder/changes/",
        "/hosts/folder/changes/plan/",
        "/hosts/folder/changes/standing/",
        f"/hosts/folder/changes/standing/?kind={toy.ROUTINE}",
        f"/changes/{applied.pk}/",
        f"/changes/{waits.pk}/",
        f"/changes/{later.pk}/",
        f"/plans/{open_run.pk}/",
        f"/plans/{lost_run.pk}/",
        "/audit/",
        "/audit/?key=nothing",
        *(f"/audit/{seq}/" for seq in (1, *records, outside)),
        "/audit/1/verify/",
        "/audit/senders/",
        "/hosts/folder/audit/",
        "/standing/",
        f"/standing/{row.pk}/",
        f"/standing/{asked.pk}/",
        "/freeze/",
    ]


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_is_fit_to_be_looked_at(
    new_context: Windows,
    live_server: LiveServer,
    folder: Host,
    planner: User,
    approver: User,
    scheme: str,
    width: int,
) -> None:
    addresses = pages_of(folder, planner, approver)
    approver.groups.add(Group.objects.get(name="Operators"))
    window = {"color_scheme": scheme, "viewport": {"width": width, "height": 900}}
    visit = log_in(new_context, live_server.url, "approver", **window)
    found: list[str] = []
    for address in addresses:
        page = visit.open(address)
        found += [*sideways(page), *barriers(page)]
    problems = visit.complaints + found
    assert not problems, "\n".join(problems)
