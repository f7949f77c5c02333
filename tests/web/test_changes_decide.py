"""Deciding about a change in the browser: by whom, how, with which words, and what it says if not."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.test import Client
from django.utils import timezone
from guardian.shortcuts import assign_perm
from pytest_django import Settings

from audits.models import AuditRecord
from launchplane.access.models import User
from launchplane.changes.models import Approval, Change
from launchplane.changes.requests import find_change
from launchplane.hosts.models import Host
from tests.changes.ways import approved, planned, requested
from tests.factories import PASSWORD, a_person, allow
from tests.web.reading import text_of

Status = Change.Status
DEEDS = ["request", "approve", "reject", "revoke", "cancel", "resolve"]


def fresh(client: Client, user: User) -> Client:
    """Logged in by the page, with the password that counts for the next 15 minutes."""
    client.post("/accounts/login/", {"username": user.get_username(), "password": PASSWORD})
    return client


def do(client: Client, change: Change, deed: str, **said: str) -> tuple[int, str]:
    typed = {"digest": change.digest, "reason": "looked at it", **said}
    response = client.post(f"/changes/{change.pk}/{deed}/", typed)
    return response.status_code, "" if response.status_code == 302 else text_of(response)


def status(change: Change) -> str:
    return find_change(change.pk).status


@pytest.mark.parametrize("deed", DEEDS)
def test_it_only_allows_post(client: Client, folder: Host, operator: User, deed: str) -> None:
    client.force_login(operator)
    assert client.get(f"/changes/{planned(folder, operator).pk}/{deed}/").status_code == 405


@pytest.mark.parametrize("deed", ["", "progress/", *(f"{deed}/" for deed in DEEDS)])
def test_a_change_of_a_hidden_host_is_exactly_like_none(
    client: Client, folder: Host, operator: User, deed: str
) -> None:
    change = requested(folder, operator)
    client.force_login(a_person("stranger", group=""))
    send = client.get if deed in ("", "progress/") else client.post
    hidden = send(f"/changes/{change.pk}/{deed}", {"digest": change.digest, "reason": "x"})
    missing = send(f"/changes/00000000-0000-4000-8000-000000000000/{deed}", {"digest": change.digest, "reason": "x"})
    assert hidden.status_code == missing.status_code == 404
    assert text_of(hidden) == text_of(missing)
    assert status(change) == Status.AWAITING_APPROVAL


def test_a_post_from_elsewhere_is_refused(folder: Host, operator: User, approver: User) -> None:
    change = requested(folder, operator)
    client = Client(enforce_csrf_checks=True)
    client.force_login(approver)
    assert do(client, change, "reject")[0] == 403
    assert status(change) == Status.AWAITING_APPROVAL


def test_from_the_plan_to_the_approval(client: Client, folder: Host, operator: User, approver: User) -> None:
    change = planned(folder, operator)
    client.force_login(operator)
    assert do(client, change, "request", reason="disk is full", apply_at_once="on")[0] == 302
    assert find_change(change.pk).reason == "disk is full"
    fresh(Client(), approver)
    assert do(fresh(client, approver), change, "approve")[0] == 302
    assert status(change) == Status.APPROVED
    approval = Approval.objects.get(change=change)
    assert (approval.approver, approval.digest, approval.reason) == (approver, change.digest, "looked at it")


def test_it_is_applied_later_if_the_requester_wants_that(client: Client, folder: Host, operator: User) -> None:
    change = planned(folder, operator)
    client.force_login(operator)
    do(client, change, "request")
    assert not find_change(change.pk).apply_at_once


def test_an_old_login_is_asked_for_the_password_and_nothing_typed_is_lost(
    client: Client, folder: Host, operator: User, approver: User
) -> None:
    change = requested(folder, operator)
    client.force_login(approver)
    response = client.post(f"/changes/{change.pk}/approve/", {"digest": change.digest, "reason": "looked <b>"})
    assert "Your password, once more" in text_of(response)
    assert "Approve: Remove files, on folder" in text_of(response)
    raw = response.content.decode()
    assert 'name="reason" value="looked &lt;b&gt;"' in raw
    assert f'name="digest" value="{change.digest}"' in raw
    assert status(change) == Status.AWAITING_APPROVAL
    assert do(client, change, "approve", password=PASSWORD)[0] == 302
    assert status(change) == Status.APPROVED


def test_a_password_of_sixteen_minutes_ago_is_asked_for_again(
    client: Client, folder: Host, operator: User, approver: User
) -> None:
    change = requested(folder, operator)
    fresh(client, approver)
    session = client.session
    session["password_at"] = (timezone.now() - timedelta(minutes=16)).timestamp()
    session.save()
    assert "Your password, once more" in do(client, change, "approve")[1]
    assert status(change) == Status.AWAITING_APPROVAL


def test_a_wrong_password_approves_nothing_and_is_recorded(
    client: Client, folder: Host, operator: User, approver: User
) -> None:
    change = requested(folder, operator)
    client.force_login(approver)
    assert "That is not your password. Nothing was decided." in do(client, change, "approve", password="wrong")[1]
    assert status(change) == Status.AWAITING_APPROVAL
    assert AuditRecord.objects.filter(kind="access.denied", key="approver", status="failed").exists()


def test_the_password_page_never_shows_a_password(client: Client, folder: Host, operator: User, approver: User) -> None:
    change = requested(folder, operator)
    client.force_login(approver)
    response = client.post(f"/changes/{change.pk}/approve/", {"digest": change.digest, "password": "mistyped-secret"})
    assert "mistyped-secret" not in response.content.decode()


@pytest.mark.req("X2")
@pytest.mark.parametrize("deed", ["approve", "reject"])
def test_nobody_decides_about_an_own_wish_and_the_page_says_why(
    client: Client, folder: Host, operator: User, deed: str
) -> None:
    operator.is_superuser = True
    operator.save()
    change = requested(folder, operator)
    fresh(client, operator)
    page = text_of(client.get(f"/changes/{change.pk}/"))
    assert "somebody else has to decide" in page
    assert "Approve these" not in page
    code, said = do(client, change, deed)
    assert code == 403
    assert "Not done. You asked for this, or answer for who did: somebody else has to decide." in said
    assert status(change) == Status.AWAITING_APPROVAL


def test_in_solo_mode_every_page_says_so_and_the_approval_is_marked(
    client: Client, folder: Host, operator: User, settings: Settings
) -> None:
    settings.SOLO_OPERATOR = True
    assign_perm("hosts.approve_change", operator, folder)
    change = requested(folder, operator)
    fresh(client, operator)
    assert "One person may both ask and approve here" in text_of(client.get("/"))
    assert do(client, change, "approve")[0] == 302
    assert "approved by who asked" in text_of(client.get(f"/changes/{change.pk}/"))


def test_without_the_right_it_says_which_one_is_missing(client: Client, folder: Host, operator: User) -> None:
    change = requested(folder, operator)
    fresh(client, a_person("auditor", group="Auditors"))
    page = text_of(client.get(f"/changes/{change.pk}/"))
    assert "Deciding needs the right “Can approve changes of host”, which Approvers have." in page
    assert "<button" not in page
    for deed in ("approve", "reject", "cancel"):
        code, said = do(client, change, deed)
        assert (code, status(change)) == (403, Status.AWAITING_APPROVAL)
        assert "Not done. You may not" in said


def test_a_right_for_one_host_decides_about_that_one_only(
    client: Client, folder: Host, operator: User, host: Host
) -> None:
    guest = a_person("guest", group="Auditors")
    change = requested(folder, operator)
    allow(guest, "hosts.approve_change", host)
    assert do(fresh(client, guest), change, "approve")[0] == 403
    allow(guest, "hosts.approve_change", folder)
    assert do(fresh(Client(), guest), change, "approve")[0] == 302


@pytest.mark.parametrize("deed", ["approve", "reject", "cancel"])
@pytest.mark.parametrize("digest", ["", "0" * 64])
def test_another_digest_than_that_of_the_plan_decides_nothing(
    client: Client, folder: Host, operator: User, approver: User, deed: str, digest: str
) -> None:
    change = requested(folder, operator)
    code, said = do(fresh(client, approver), change, deed, digest=digest)
    assert code == 409
    assert "What you looked at is not this plan." in said
    assert status(change) == Status.AWAITING_APPROVAL


@pytest.mark.parametrize("deed", ["approve", "reject", "cancel"])
def test_a_missing_reason_is_asked_for(client: Client, folder: Host, operator: User, approver: User, deed: str) -> None:
    change = requested(folder, operator)
    somebody = operator if deed == "cancel" else approver
    code, said = do(fresh(client, somebody), change, deed, reason="  ")
    assert code == 400
    assert "Not done. Say why, in a few words" in said


def test_the_phrase_has_to_be_right_and_the_reason_survives_a_wrong_one(
    client: Client, folder: Host, operator: User, approver: User
) -> None:
    (Path(folder.docker_root) / "precious").write_text("x")
    change = requested(folder, operator)
    fresh(client, approver)
    assert "To approve, type remove precious" in text_of(client.get(f"/changes/{change.pk}/"))
    code, said = do(client, change, "approve", phrase="yes", reason="a long thought")
    assert code == 400
    assert "a long thought" in said
    assert status(change) == Status.AWAITING_APPROVAL
    assert do(client, change, "approve", phrase="remove precious")[0] == 302


def test_rejecting_needs_no_phrase(client: Client, folder: Host, operator: User, approver: User) -> None:
    (Path(folder.docker_root) / "precious").write_text("x")
    change = requested(folder, operator)
    client.force_login(approver)
    assert do(client, change, "reject")[0] == 302
    assert find_change(change.pk).why_closed == Change.Why.REJECTED


def test_a_second_decision_says_that_there_is_none_to_make(
    client: Client, folder: Host, operator: User, approver: User
) -> None:
    change = requested(folder, operator)
    fresh(client, approver)
    do(client, change, "reject")
    code, said = do(client, change, "approve")
    assert code == 409
    assert "there is nothing to decide" in said
    assert "Approve these" not in said


def test_whoever_asked_can_cancel_an_approved_change(
    client: Client, folder: Host, operator: User, approver: User
) -> None:
    change = approved(folder, operator, approver)
    client.force_login(operator)
    assert "Cancel this change" in text_of(client.get(f"/changes/{change.pk}/"))
    assert do(client, change, "cancel")[0] == 302
    assert find_change(change.pk).why_closed == Change.Why.CANCELLED


def test_a_change_in_doubt_asks_for_what_was_found(
    client: Client, folder: Host, operator: User, approver: User
) -> None:
    change = approved(folder, operator, approver)
    now = timezone.now()
    change.steps.filter(position=1).update(intent_at=now, outcome="unknown", finished_at=now)
    Change.objects.filter(pk=change.pk).update(status=Status.IN_DOUBT, fencing_token=1, deadline=None)
    client.force_login(operator)
    assert "Resolving it needs the right" in text_of(client.get(f"/changes/{change.pk}/"))
    client.force_login(approver)
    assert "In doubt" in text_of(client.get("/")).replace("in doubt", "In doubt")
    assert "What did you find?" in text_of(client.get(f"/changes/{change.pk}/"))
    assert do(client, change, "resolve", reason="it was gone")[0] == 302
    assert status(change) == Status.FAILED


def test_what_waits_for_me_is_on_the_first_page_and_my_own_wish_is_not(
    client: Client, folder: Host, operator: User, approver: User
) -> None:
    requested(folder, operator)
    client.force_login(approver)
    page = text_of(client.get("/"))
    assert "Waiting for you to decide Removal of files folder · operator: disk is full ends in 23 h" in page
    client.force_login(operator)
    assert "Waiting for you" not in text_of(client.get("/"))


def test_what_nobody_else_may_see_waits_for_nobody_else(client: Client, folder: Host, operator: User) -> None:
    requested(folder, operator)
    client.force_login(a_person("stranger", group=""))
    assert "disk is full" not in text_of(client.get("/"))
    assert "No change yet." in text_of(client.get("/changes/"))
