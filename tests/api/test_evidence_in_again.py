"""The same evidence sent again, at once, out of order, by somebody else, and to a store that cannot keep it."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone
from pytest_django import Settings

from audits.models import AuditRecord
from audits.outside import KINDS
from audits.verify import verify_database
from launchplane.api import ingest
from launchplane.api.models import TakenIn
from launchplane.hosts.models import Host
from tests.api.reading import problem
from tests.api.sending import HYGIENE, LANE, Sender, completed, planned, skipped
from tests.factories import a_host

pytestmark = pytest.mark.django_db
MOST_CONNECTIONS = 25  # the databases of tests take 50, and others use them


@pytest.fixture
def sender(host: Host) -> Sender:
    return Sender()


def stored() -> list[str]:
    found = AuditRecord.objects.filter(kind__in=KINDS).order_by("seq")
    return list(found.values_list("status", flat=True))


@pytest.mark.req("H55", "M42")
def test_the_same_again_gets_the_same_answer_and_is_stored_once(sender: Sender) -> None:
    first, again = sender.send(planned(), key="a"), sender.send(planned(), key="a")

    assert first.status_code == again.status_code == 201
    assert first.content == again.content
    assert (first.get("Idempotency-Replayed"), again["Idempotency-Replayed"]) == (None, "true")
    assert again["Location"] == first["Location"]
    assert stored() == ["planned"]


@pytest.mark.req("H55")
def test_an_end_that_is_sent_again_gets_its_own_answer(sender: Sender) -> None:
    sender.send(planned(), key="a")
    first, again = sender.send(completed(), key="b"), sender.send(completed(), key="b")

    assert first.json()["status"] == "completed"
    assert first.content == again.content


@pytest.mark.req("H55")
def test_blanks_and_the_order_of_names_make_no_other_evidence(sender: Sender) -> None:
    sender.send(planned(), key="a")
    shuffled = dict(reversed(planned().items()))

    assert sender.send(shuffled, key="a").get("Idempotency-Replayed") == "true"


@pytest.mark.req("H55")
@pytest.mark.parametrize("other", [planned(key="other"), planned(predicted_bytes=1), skipped(key="other")])
def test_something_else_under_the_same_key_is_refused(sender: Sender, other: dict[str, Any]) -> None:
    sender.send(planned(), key="a")

    assert problem(sender.send(other, key="a")) == (422, "idempotency_key_reused")
    assert stored() == ["planned"]


@pytest.mark.req("H55")
def test_one_key_by_two_identities_is_two(sender: Sender) -> None:
    first, other = sender.send(planned(), key="a"), Sender().send(planned(key="other"), key="a")

    assert (first.status_code, other.status_code) == (201, 201)
    assert "Idempotency-Replayed" not in other
    assert stored() == ["planned", "planned"]


def test_a_refusal_is_not_remembered(sender: Sender) -> None:
    assert problem(sender.send(completed(), key="a")) == (409, "not_planned")
    sender.send(planned(), key="b")

    assert sender.send(completed(), key="a").status_code == 201


@pytest.mark.parametrize(
    ("before", "then", "code"),
    [
        ([], completed(), "not_planned"),
        ([planned()], planned(), "already_planned"),
        ([planned()], completed(action="dangling"), "run_differs"),
        ([planned()], completed(host="ci-2"), "run_differs"),
        ([planned()], skipped(mode="dry_run"), "run_differs"),
        ([planned(), completed()], completed(), "already_ended"),
        ([planned(), skipped()], completed(), "already_ended"),
        ([skipped()], planned(), "already_ended"),
        ([planned(mode="dry_run")], skipped(mode="dry_run"), "dry_run_over"),
    ],
)
def test_a_run_has_one_plan_then_one_end_and_is_of_one_thing(
    sender: Sender, before: list[dict[str, Any]], then: dict[str, Any], code: str
) -> None:
    a_host("ci-2")
    for said in before:
        assert sender.send(said).status_code == 201
    known = stored()

    assert problem(sender.send(then)) == (409, code)
    assert stored() == known


@pytest.mark.parametrize("end", [completed(), skipped(), planned(status="failed", reason="the engine was gone")])
def test_a_run_may_end_in_each_way_after_its_plan(sender: Sender, end: dict[str, Any]) -> None:
    sender.send(planned())

    assert sender.send(end).status_code == 201


@pytest.mark.parametrize("end", [skipped(), planned(status="failed", reason="no plan could be made")])
def test_what_was_skipped_or_failed_needs_no_plan(sender: Sender, end: dict[str, Any]) -> None:
    assert sender.send(end).status_code == 201


def test_nobody_ends_the_run_of_somebody_else_nor_takes_its_key(sender: Sender) -> None:
    sender.send(planned())

    assert problem(Sender().send(completed())) == (409, "key_taken")
    assert problem(Sender().send(planned())) == (409, "key_taken")
    assert stored() == ["planned"]


def test_what_was_taken_in_a_month_ago_is_forgotten_and_still_not_taken_twice(sender: Sender) -> None:
    sender.send(planned(), key="a")
    sender.send(planned(key="younger"), key="b")
    TakenIn.objects.filter(key="younger").update(at=timezone.now() - timedelta(days=30))
    TakenIn.objects.exclude(key="younger").update(at=timezone.now() - timedelta(days=32))

    assert ingest.sweep() == 1
    assert sender.send(planned(key="younger"), key="b")["Idempotency-Replayed"] == "true"
    assert problem(sender.send(planned(), key="a")) == (409, "already_planned")


@pytest.mark.req("H56")
@pytest.mark.parametrize("said", [planned(), skipped()], ids=["planned", "ended"])
def test_what_cannot_be_kept_is_not_stored(sender: Sender, settings: Settings, said: dict[str, Any]) -> None:
    in_the_way = Path(settings.EVIDENCE_DIR)
    in_the_way.parent.mkdir(parents=True, exist_ok=True)
    in_the_way.write_text("a file where the folder belongs")

    response = sender.send(said, key="a")

    assert problem(response) == (503, "audit_refused")
    assert int(response["Retry-After"]) > 0
    assert stored() == []
    in_the_way.unlink()
    assert sender.send(said, key="a").status_code == 201


@pytest.mark.req("H55")
@pytest.mark.django_db(transaction=True)
def test_fifty_at_once_with_one_key_are_one_record(sender: Sender) -> None:
    def send(_number: int) -> tuple[int, str]:
        response = sender.send(planned(), key="a")
        connection.close()
        return response.status_code, response.json().get("code", response.get("Idempotency-Replayed", "first"))

    with ThreadPoolExecutor(MOST_CONNECTIONS) as pool:
        answers = Counter(pool.map(send, range(50)))

    assert sum(answers.values()) == 50
    assert answers[201, "first"] == 1
    assert set(answers) <= {(201, "first"), (201, "true"), (409, "in_flight")}
    assert stored() == ["planned"]
    assert verify_database().intact


@pytest.mark.req("H55")
@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite has one writer: the second waits for the first")
def test_while_one_is_being_stored_the_same_again_is_in_flight(sender: Sender) -> None:
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            number = ingest.number_of("hygiene.evidence", planned()["key"])
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [number])
            held.set()
            done.wait(60)
        connection.close()

    holder = threading.Thread(target=hold)
    holder.start()
    held.wait(60)
    answer = sender.send(planned(), key="a")
    done.set()
    holder.join(60)

    assert problem(answer) == (409, "in_flight")
    assert answer["Retry-After"] == "1"
    assert sender.send(planned(), key="a").status_code == 201


@pytest.mark.req("H55")
@pytest.mark.parametrize("to", [HYGIENE, LANE])
def test_so_many_a_minute_are_taken_from_one_and_then_it_waits(sender: Sender, settings: Settings, to: str) -> None:
    settings.EVIDENCE_PER_MINUTE = 3
    answers = [sender.send({}, to=to) for _ in range(4)]

    assert [answer.status_code for answer in answers] == [422, 422, 422, 429]
    assert problem(answers[-1]) == (429, "too_many_requests")
    assert 1 <= int(answers[-1]["Retry-After"]) <= 60
    assert Sender(sender.owner).send({}, to=to).status_code == 422
