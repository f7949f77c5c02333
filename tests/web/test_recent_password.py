"""The password once more, before a decision: not recent, wrong, too often wrong."""

from datetime import timedelta

from django.test import Client
from django.utils import timezone

from audits.models import AuditRecord
from launchplane.access.models import User
from launchplane.changes.models import Change
from launchplane.changes.requests import find_change
from launchplane.hosts.models import Host
from tests.changes.ways import requested
from tests.factories import PASSWORD
from tests.web.reading import text_of


def approve(client: Client, change: Change, password: str) -> str:
    typed = {"digest": change.digest, "reason": "looked at it", "password": password}
    response = client.post(f"/changes/{change.pk}/approve/", typed)
    assert PASSWORD not in response.content.decode()
    return "" if response.status_code == 302 else text_of(response)


def an_hour_ago(client: Client, user: User) -> Client:
    """Logged in by the page, and the password was given an hour ago."""
    client.post("/accounts/login/", {"username": user.get_username(), "password": PASSWORD})
    session = client.session
    session["password_at"] = (timezone.now() - timedelta(hours=1)).timestamp()
    session.save()
    return client


def test_after_five_wrong_ones_nothing_is_decided_whatever_is_typed(
    client: Client, folder: Host, operator: User, approver: User
) -> None:
    change = requested(folder, operator)
    an_hour_ago(client, approver)
    for number in range(5):
        assert "That is not your password. Nothing was decided." in approve(client, change, f"wrong-{number}")
    assert "Too many wrong passwords for this name" in approve(client, change, PASSWORD)
    assert find_change(change.pk).status == Change.Status.AWAITING_APPROVAL


def test_a_wrong_one_is_on_record_with_who_was_logged_in(
    client: Client, folder: Host, operator: User, approver: User
) -> None:
    change = requested(folder, operator)
    approve(an_hour_ago(client, approver), change, "wrong")
    record = AuditRecord.objects.filter(kind="access.denied").latest("seq")
    assert (record.key, record.actor_name, record.source) == ("approver", "approver", "web")
    assert "give the password again" in record.payload


def test_wrong_ones_at_an_open_browser_keep_nobody_from_logging_in_elsewhere(
    client: Client, folder: Host, operator: User, approver: User
) -> None:
    change = requested(folder, operator)
    an_hour_ago(client, approver)
    for _ in range(8):
        approve(client, change, "wrong")
    elsewhere = Client()
    sent = elsewhere.post("/accounts/login/", {"username": "approver", "password": PASSWORD})
    assert sent.status_code == 302


def test_a_password_that_was_given_for_another_one_does_not_count(
    client: Client, folder: Host, operator: User, approver: User
) -> None:
    """Given, then another was chosen: whoever decides has to give the new one."""
    change = requested(folder, operator)
    client.post("/accounts/login/", {"username": "approver", "password": PASSWORD})
    typed = {"old_password": PASSWORD, "new_password1": "a wholly new one", "new_password2": "a wholly new one"}
    assert client.post("/accounts/password/", typed).status_code == 302
    assert "Your password, once more" in approve(client, change, "")
    assert approve(client, change, "a wholly new one") == ""
