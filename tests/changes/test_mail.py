"""Who gets mail about a change, through real SMTP; and that a mail server in trouble stops nothing."""

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from launchplane.access.models import User
from launchplane.access.people import WORKER
from launchplane.changes import kinds, notify
from launchplane.changes.apply import apply_change
from launchplane.changes.approvals import reject
from launchplane.changes.models import Notification
from launchplane.changes.recover import recover
from launchplane.changes.requests import find_change
from launchplane.hosts.models import Host
from tests.changes import toy
from tests.changes.mail import MailServer, mail_server
from tests.changes.test_notify import deliver_all
from tests.changes.test_recovery import crashed
from tests.changes.ways import approved, person, requested
from tests.shell import manage

pytest.importorskip("apprise")


@pytest.fixture
def mail(operator: User, approver: User, settings: Settings) -> Iterator[MailServer]:
    """A mail server, and everybody has an address."""
    for user in (operator, approver):
        User.objects.filter(pk=user.pk).update(email=f"{user.username}@example.org")
    settings.PUBLIC_URL = "https://launchplane.example"
    with mail_server() as server:
        settings.NOTIFY_URLS = [server.url]
        yield server


def mailed(mail: MailServer) -> list[tuple[list[str], str]]:
    deliver_all()
    return [(to, str(message["Subject"])) for to, message in mail.got]


def test_a_request_is_mailed_to_who_can_decide_with_the_link_and_never_to_who_asked(
    host: Host, operator: User, mail: MailServer
) -> None:
    change = requested(host, operator)
    assert mailed(mail) == [(["approver@example.org"], "chris-testing: Removal of files was asked for")]
    (_to, message) = mail.got[0]
    body = message.get_body(("plain", "html"))
    assert body is not None
    assert f"https://launchplane.example/changes/{change.pk}/" in body.get_content()
    assert "disk is full" in body.get_content()


def test_a_decision_is_mailed_to_who_asked(host: Host, operator: User, approver: User, mail: MailServer) -> None:
    reject(requested(host, operator), by=person(approver), reason="not tonight")
    assert mailed(mail)[1] == (["operator@example.org"], "chris-testing: Removal of files was rejected")


def test_a_failure_and_a_doubt_are_mailed_to_both(host: Host, operator: User, approver: User, mail: MailServer) -> None:
    crashed(approved(host, operator, approver), "after_effect", step=1)
    recover()
    both = {"approver@example.org", "operator@example.org"}
    for event in ("is in doubt", "failed"):
        subject = f"chris-testing: Removal of files {event}"
        assert {to for told, said in mailed(mail) if said == subject for to in told} == both


def test_a_name_with_a_line_break_makes_no_header(host: Host, operator: User, mail: MailServer) -> None:
    User.objects.filter(pk=operator.pk).update(username="eve\r\nBcc: everybody@example.org")
    requested(host, User.objects.get(pk=operator.pk))
    deliver_all()
    (to, message) = mail.got[0]
    assert (to, message["Bcc"]) == (["approver@example.org"], None)


def test_a_server_that_refuses_stops_nothing_and_is_shown(
    host: Host, operator: User, approver: User, mail: MailServer
) -> None:
    mail.refuses = True
    change = approved(host, operator, approver)
    deliver_all()
    assert apply_change(change, by=WORKER).status == "completed"
    assert {row.failed for row in Notification.objects.all()} == {"Not delivered by: mailto."}
    assert "did not reach everybody: Not delivered by: mailto." in manage("changes", "show", str(change.pk)).out


def test_a_server_that_is_gone_stops_nothing_and_is_shown(
    host: Host, operator: User, approver: User, mail: MailServer
) -> None:
    mail.shutdown()
    mail.server_close()
    change = approved(host, operator, approver)
    deliver_all()
    assert apply_change(change, by=WORKER).status == "completed"
    shown = manage("changes", "show", str(change.pk), "--json").json["notifications"]
    assert [(row["event"], row["told"], row["failed"]) for row in shown] == [
        ("approved", 0, "Not delivered by: mailto."),
        ("requested", 0, "Not delivered by: mailto."),
    ]


def test_a_worker_that_ends_in_the_middle_of_telling_leaves_that_in_sight(
    host: Host, operator: User, mail: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    requested(host, operator)

    def end(*_: object) -> bool:
        raise SystemExit

    monkeypatch.setattr(notify, "_send", end)
    with pytest.raises(SystemExit):
        deliver_all()
    row = Notification.objects.get()
    assert (row.told, row.failed) == (0, "Its worker ended before everybody was told.")


def test_a_kind_that_is_gone_is_still_told_of(host: Host, operator: User, approver: User, mail: MailServer) -> None:
    change = crashed(approved(host, operator, approver), "after_effect", step=1)
    kinds.unregister(toy.ONCE)
    recover()
    assert find_change(change.pk).status == "in_doubt"
    assert (["operator@example.org"], "chris-testing: toy.remove is in doubt") in mailed(mail)
