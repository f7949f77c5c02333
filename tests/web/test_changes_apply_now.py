"""Apply now: who may order it, what that queues, and that twice is once."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from django_q.models import OrmQ

from audits.models import AuditRecord
from launchplane.access.models import User
from launchplane.changes import apply_now, lock
from launchplane.changes.apply import apply_queued
from launchplane.changes.approvals import APPLY
from launchplane.changes.models import Change
from launchplane.changes.requests import find_change, request_change
from launchplane.hosts.models import Host
from launchplane.problems import Refused
from tests.changes import toy
from tests.changes.ways import approved, decided, person, planned, requested, told
from tests.factories import a_person
from tests.web.reading import text_of

BUTTON = "Apply now"


@pytest.fixture
def later(folder: Host, operator: User, approver: User) -> Change:
    """Approved, and nobody has said yet when it is to be applied."""
    change = request_change(planned(folder, operator), by=person(operator), reason="tonight", apply_at_once=False)
    decided(change, approver)
    return find_change(change.pk)


def page_of(client: Client, change: Change) -> str:
    return text_of(client.get(f"/changes/{change.pk}/"))


def click(client: Client, change: Change, **typed: str) -> tuple[int, str]:
    response = client.post(f"/changes/{change.pk}/apply/", {"digest": change.digest} | typed)
    return response.status_code, "" if response.status_code == 302 else text_of(response)


def queued() -> list[str]:
    return [row.task["args"][0] for row in OrmQ.objects.filter(key="apply") if row.task["func"] == APPLY]


def test_a_change_for_later_waits_for_a_click_that_queues_it(client: Client, later: Change, operator: User) -> None:
    client.force_login(operator)
    assert BUTTON in page_of(client, later)
    assert "Approved, and applied when somebody says so." in page_of(client, later)
    assert queued() == []
    assert click(client, later)[0] == 302
    assert queued() == [str(later.pk)]
    assert told(later)[-1] == ("change.ordered", "completed")
    page = page_of(client, later)
    assert BUTTON not in page
    assert "operator had it applied now" in page
    apply_queued(str(later.pk))
    assert "completed" in page_of(client, later)


def test_a_double_click_queues_once(client: Client, later: Change, operator: User) -> None:
    client.force_login(operator)
    assert [click(client, later)[0] for _ in range(2)] == [302, 302]
    assert queued() == [str(later.pk)]
    assert [kind for kind, _ in told(later)].count("change.ordered") == 1


def test_a_click_from_a_page_that_is_old_does_no_harm(client: Client, later: Change, operator: User) -> None:
    client.force_login(operator)
    click(client, later)
    apply_queued(str(later.pk))
    assert click(client, later)[0] == 302
    assert find_change(later.pk).status == Change.Status.COMPLETED
    assert queued() == [str(later.pk)]


def test_two_orders_at_once_are_one(later: Change, operator: User) -> None:
    both_read = [find_change(later.pk), find_change(later.pk)]
    for change in both_read:
        apply_now.order(change, by=person(operator), digest=later.digest)
    assert queued() == [str(later.pk)]


def test_what_is_applied_at_once_needs_no_button(client: Client, folder: Host, operator: User, approver: User) -> None:
    change = approved(folder, operator, approver)
    client.force_login(operator)
    assert BUTTON not in page_of(client, change)
    assert "a worker applies it as soon as it can" in page_of(client, change)
    click(client, change)
    assert queued() == [str(change.pk)]


def test_a_closed_gate_brings_the_button_back_and_says_when_it_is_tried_again(
    client: Client, folder: Host, operator: User, approver: User
) -> None:
    change = approved(folder, operator, approver)
    toy.sign(folder, "closed")
    apply_queued(str(change.pk))
    client.force_login(operator)
    page = page_of(client, change)
    assert "Approved. Nothing was done yet. toy: closed is there. Tried again in 4 min." in page
    assert BUTTON in page
    toy.sign(folder, "closed", there=False)
    assert click(client, change)[0] == 302
    apply_queued(str(change.pk))
    assert find_change(change.pk).status == Change.Status.COMPLETED


def test_a_host_that_was_busy_brings_the_button_back_too(
    client: Client, folder: Host, operator: User, approver: User
) -> None:
    change = approved(folder, operator, approver)
    with lock.held(folder):
        apply_queued(str(change.pk))
    client.force_login(operator)
    page = page_of(client, change)
    assert "Approved. Waits: folder is being changed by another worker." in page
    assert BUTTON in page


def test_the_page_is_loaded_anew_when_the_button_has_to_come(
    client: Client, folder: Host, operator: User, approver: User
) -> None:
    change = approved(folder, operator, approver)
    client.force_login(operator)
    poll = f"/changes/{change.pk}/progress/?was=approved"
    assert "HX-Refresh" not in client.get(poll).headers
    toy.sign(folder, "closed")
    apply_queued(str(change.pk))
    assert client.get(poll).headers["HX-Refresh"] == "true"
    assert "HX-Refresh" not in client.get(f"{poll}-waits").headers


@pytest.mark.parametrize("group", ["Approvers", "Auditors"])
def test_it_needs_the_right_to_ask_and_a_try_without_it_is_on_record(client: Client, later: Change, group: str) -> None:
    somebody = a_person("somebody", group=group)
    client.force_login(somebody)
    assert BUTTON not in page_of(client, later)
    code, said = click(client, later)
    assert code == 403
    assert "Not done. You may not have changes of folder applied." in said
    assert queued() == []
    denied = AuditRecord.objects.get(kind="change.denied")
    assert (denied.actor_name, denied.status) == ("somebody", "failed")
    assert '"wanted":"apply"' in denied.payload


def test_another_digest_orders_nothing(client: Client, later: Change, operator: User) -> None:
    client.force_login(operator)
    code, said = click(client, later, digest="0" * 64)
    assert code == 409
    assert "What you looked at is not this plan." in said
    assert queued() == []


def test_what_is_not_approved_is_not_applied(client: Client, folder: Host, operator: User) -> None:
    change = requested(folder, operator)
    client.force_login(operator)
    code, said = click(client, change)
    assert code == 409
    assert "Only an approved change is applied; this one is awaiting approval." in said


def test_an_approval_that_has_run_out_orders_nothing(later: Change, operator: User) -> None:
    Change.objects.filter(pk=later.pk).update(deadline=timezone.now() - timedelta(seconds=1))
    with pytest.raises(Refused, match="Its approval has run out"):
        apply_now.order(find_change(later.pk), by=person(operator), digest=later.digest)


def test_it_only_allows_post(client: Client, later: Change, operator: User) -> None:
    client.force_login(operator)
    assert client.get(f"/changes/{later.pk}/apply/").status_code == 405


def test_a_post_from_elsewhere_is_refused(later: Change, operator: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(operator)
    assert click(client, later)[0] == 403
    assert queued() == []
