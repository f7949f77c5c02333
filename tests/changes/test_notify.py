"""Who is told of what, through real HTTP; and that nothing waits for it, and no secret gets out."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from django_q.models import OrmQ
from pytest_django import Settings

from audits.contracts import Checkpoint
from audits.sign import is_genuine
from launchplane.access.models import User
from launchplane.access.people import WORKER
from launchplane.changes import notify
from launchplane.changes.apply import apply_change
from launchplane.changes.approvals import reject
from launchplane.changes.models import Notification
from launchplane.hosts.models import Host
from tests.changes import toy
from tests.changes.ways import approved, person, requested

pytest.importorskip("apprise")


class Place(HTTPServer):
    """Somewhere on loopback that notifications are posted to."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.got: list[dict[str, Any]] = []
        self.status = 200

    @property
    def url(self) -> str:
        return f"json://127.0.0.1:{self.server_port}/a-very-secret-path"


class _Handler(BaseHTTPRequestHandler):
    server: Place

    def do_POST(self) -> None:
        self.server.got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture
def place(settings: Settings) -> Iterator[Place]:
    with Place() as place:
        thread = threading.Thread(target=place.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        settings.NOTIFY_URLS = [place.url]
        settings.PUBLIC_URL = "https://launchplane.example"
        yield place
        place.shutdown()
        thread.join()


def deliver_all() -> None:
    for row in Notification.objects.filter(sent_at=None).order_by("pk"):
        notify.deliver(row.pk)


def test_a_request_and_its_end_are_told_with_the_link(host: Host, operator: User, approver: User, place: Place) -> None:
    change = approved(host, operator, approver)
    toy.sign(host, "warm", there=False)
    apply_change(change, by=WORKER)
    deliver_all()
    assert [message["title"] for message in place.got] == [
        "chris-testing: Removal of files was asked for",
        "chris-testing: Removal of files was approved",
        "chris-testing: Removal of files failed",
    ]
    assert f"https://launchplane.example/changes/{change.pk}/" in place.got[0]["message"]
    head = Checkpoint.model_validate_json(place.got[0]["message"].partition("Audit head: ")[2])
    assert is_genuine(head)


def test_it_is_a_worker_s_task(host: Host, operator: User, place: Place) -> None:
    requested(host, operator)
    assert [task.task["func"] for task in OrmQ.objects.all()] == ["launchplane.changes.notify.deliver"]
    assert place.got == []


def test_it_is_sent_once(host: Host, operator: User, place: Place) -> None:
    requested(host, operator)
    row = Notification.objects.get()
    notify.deliver(row.pk)
    notify.deliver(row.pk)
    assert len(place.got) == 1


def test_what_does_not_get_through_is_on_the_row_without_its_secret(
    host: Host, operator: User, place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    place.status = 500
    requested(host, operator)
    deliver_all()
    row = Notification.objects.get()
    assert (row.told, row.failed) == (0, "Not delivered by: json.")
    assert "secret" not in caplog.text


def test_an_address_that_is_none_is_a_failure_to_send(host: Host, operator: User, settings: Settings) -> None:
    settings.NOTIFY_URLS = ["nonsense://", "neither"]
    requested(host, operator)
    deliver_all()
    assert Notification.objects.get().failed.startswith("Not delivered by: ")


def test_without_addresses_nothing_is_written(host: Host, operator: User, settings: Settings) -> None:
    settings.NOTIFY_URLS = []
    requested(host, operator)
    assert (Notification.objects.count(), OrmQ.objects.count()) == (0, 0)


@pytest.fixture
def addressed(operator: User, approver: User, settings: Settings) -> None:
    """Both have addresses, and mail goes to whoever is concerned."""
    for user in (operator, approver):
        User.objects.filter(pk=user.pk).update(email=f"{user.username}@example.org")
    settings.NOTIFY_URLS = ["mailto://relay.example?to={email}"]


def told(event: str) -> list[str]:
    row = Notification.objects.get(event=event)
    return [address.partition("to=")[2] for _scheme, address in notify.addresses(row)]


def test_a_request_is_told_to_those_who_can_decide_and_not_to_who_asked(
    host: Host, operator: User, approver: User, addressed: None
) -> None:
    requested(host, operator)
    assert told("requested") == ["approver%40example.org"]


def test_a_superuser_is_not_told_of_an_own_request(host: Host, approver: User, addressed: None) -> None:
    root = User.objects.create_superuser("root", email="root@example.org", password="x")
    requested(host, root)
    assert told("requested") == ["approver%40example.org"]


def test_a_fixed_address_of_the_requester_is_left_out(
    host: Host, operator: User, addressed: None, settings: Settings
) -> None:
    settings.NOTIFY_URLS = ["mailto://relay.example?to=Operator%40example.org", "mailto://relay.example?to=ops%40x.org"]
    requested(host, operator)
    assert told("requested") == ["ops%40x.org"]


def test_a_decision_is_told_to_who_asked(host: Host, operator: User, approver: User, addressed: None) -> None:
    reject(requested(host, operator), by=person(approver), reason="no")
    assert told("rejected") == ["operator%40example.org"]


def test_a_failure_is_told_to_both(host: Host, operator: User, approver: User, addressed: None) -> None:
    toy.sign(host, "warm", there=False)
    apply_change(approved(host, operator, approver), by=WORKER)
    assert told("failed") == ["approver%40example.org", "operator%40example.org"]
