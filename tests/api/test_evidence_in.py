"""`POST /v1/evidence/…/audits`: what is stored, what its sender is told, and that nothing of ours rests on it."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from audits.models import AuditRecord
from audits.outside import KINDS
from audits.record import append
from hygiene.looking import phase_one_of
from lanes.models import Lane
from lanes.stored import last_look, proofs_now
from launchplane.access.actions import Action
from launchplane.access.people import WORKER
from launchplane.changes.apply_now import is_handed_over
from launchplane.changes.models import Change
from launchplane.changes.models.change import Status
from launchplane.hosts.models import Host
from launchplane.web.change_page import history
from tests.api.reading import problem, read
from tests.api.sending import HYGIENE, LANE, Sender, completed, of_lane, planned, skipped
from tests.factories import a_host, a_person, allow

pytestmark = pytest.mark.django_db
GITHUB_TOKEN = "ghp_" + "a1B2" * 9


@pytest.fixture
def sender(host: Host) -> Sender:
    return Sender()


@pytest.fixture
def lane(host: Host) -> Lane:
    return Lane.objects.create(
        host=host,
        name="website",
        scope="acme/website",
        registration_root="/srv/runners",
        service_user="lane-website",
        labels=["self-hosted"],
    )


def stored() -> list[AuditRecord]:
    return list(AuditRecord.objects.filter(kind__in=KINDS).order_by("seq"))


@pytest.mark.req("H51", "H52", "H50")
def test_a_record_is_stored_in_the_chain_and_its_sender_gets_a_receipt(sender: Sender) -> None:
    response = sender.send(planned())

    assert response.status_code == 201, response.content
    (row,) = stored()
    assert response.json() == {
        "key": "nightly-2026-01-08",
        "kind": "hygiene.evidence",
        "host": "ci-1",
        "action": "build-cache",
        "mode": "apply",
        "status": "planned",
        "source": "api",
        "sender": row.actor_name,
        "occurred_at": "2026-01-08T10:30:05Z",
        "recorded_at": row.as_record().at,
        "receipt": {"seq": row.seq, "hash": row.hash},
        "url": f"{HYGIENE}/nightly-2026-01-08",
        "predicted_bytes": 31_000_000_000,
        "actual_bytes": None,
        "failures": 0,
    }
    assert response["Location"] == f"{HYGIENE}/nightly-2026-01-08"


@pytest.mark.req("H48")
def test_the_end_of_a_run_is_stored_after_its_plan(sender: Sender) -> None:
    sender.send(planned())
    answer = sender.send(completed()).json()

    assert (answer["status"], answer["actual_bytes"]) == ("completed", 30_000_000_000)
    assert [row.status for row in stored()] == ["planned", "completed"]


def test_the_record_says_that_it_came_from_outside_and_from_whom(sender: Sender) -> None:
    sender.send(planned())

    (row,) = stored()
    assert (row.kind, row.source, row.host, row.lane, row.key) == (
        "hygiene.evidence",
        "api",
        "ci-1",
        "",
        "nightly-2026-01-08",
    )
    assert row.actor_name.startswith(sender.owner.username)
    assert row.responsible[0] == sender.owner.username


@pytest.mark.req("M37", "M40")
def test_evidence_of_a_lane_is_stored_with_the_lane_and_its_host(sender: Sender, lane: Lane) -> None:
    response = sender.send(of_lane(), to=LANE)

    assert response.status_code == 201, response.content
    (row,) = stored()
    assert (row.kind, row.host, row.lane, row.status) == ("lane.evidence", "ci-1", "website", "planned")
    said = response.json()
    assert (said["lane"], said["repository"], said["action"]) == ("website", "acme/website", "create")
    assert said["url"] == f"{LANE}/website-lane-2026-01-08"


@pytest.mark.req("M45", "M37")
def test_secrets_are_never_stored(sender: Sender, lane: Lane) -> None:
    evidence = {"registration_token": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "answer": {"said": f"bearer {GITHUB_TOKEN}"}}
    response = sender.send(of_lane(provider_evidence=evidence, notes={"own": sender.token}), to=LANE)

    assert response.status_code == 201
    (row,) = stored()
    kept = row.payload + response.content.decode()
    assert not any(secret in kept for secret in (GITHUB_TOKEN, sender.token, "A" * 29))
    assert "[redacted]" in row.payload


@pytest.mark.req("M45")
def test_a_key_that_looks_like_a_secret_is_refused_and_not_repeated(sender: Sender) -> None:
    response = sender.send(planned(key=GITHUB_TOKEN))

    assert problem(response) == (422, "key_is_secret")
    assert GITHUB_TOKEN not in response.content.decode()
    assert not stored()


@pytest.mark.req("M45")
def test_an_idempotency_key_is_stored_as_a_hash_alone(sender: Sender) -> None:
    from launchplane.api.models import TakenIn

    assert sender.send(planned(), key=GITHUB_TOKEN).status_code == 201
    assert GITHUB_TOKEN not in repr(TakenIn.objects.values_list())


@pytest.mark.req("H51", "M41")
@pytest.mark.parametrize(("to", "action"), [(HYGIENE, Action.LANE_AUDIT_WRITE), (LANE, Action.HYGIENE_AUDIT_WRITE)])
def test_a_token_without_the_action_is_refused(host: Host, lane: Lane, to: str, action: Action) -> None:
    response = Sender(actions=(action,)).send(planned() if to == HYGIENE else of_lane(), to=to)

    assert problem(response) == (403, "not_granted")
    assert not stored()


@pytest.mark.req("H51")
def test_nobody_and_a_browser_session_hand_nothing_in(session: Client, client: Client, host: Host) -> None:
    headers = {"Idempotency-Key": "a"}
    in_session = session.post(HYGIENE, planned(), content_type="application/json", headers=headers)
    nobody = Client().post(HYGIENE, planned(), content_type="application/json", headers=headers)

    assert problem(in_session)[0] in (401, 403)
    assert problem(nobody) == (401, "not_authenticated")
    assert not stored()


def test_a_host_that_one_may_not_send_evidence_of_is_like_one_that_is_not_there(host: Host) -> None:
    guest = a_person("guest", group="")
    allow(guest, "hosts.view_host", host)
    of_guest, of_another = Sender(guest), Sender(hosts=[a_host("ci-2")])

    answers = [of_guest.send(planned()), of_another.send(planned()), of_another.send(planned(host="ci-9"))]

    assert {problem(answer) for answer in answers} == {(404, "no_such_host")}
    assert len({answer.content for answer in answers}) == 1
    assert not stored()


def test_a_lane_of_a_host_that_one_may_not_send_evidence_of_is_like_one_that_is_not_there(lane: Lane) -> None:
    other = Sender(hosts=[a_host("ci-2")])
    desired = of_lane()["desired_state"] | {"host_name": "ci-2"}

    unseen, elsewhere = other.send(of_lane(), to=LANE), other.send(of_lane(host="ci-2", desired_state=desired), to=LANE)

    assert problem(unseen) == problem(elsewhere) == (404, "no_such_lane")
    assert unseen.content == elsewhere.content
    assert not stored()


def test_a_right_on_one_host_is_enough_for_that_host(host: Host) -> None:
    guest = a_person("guest", group="")
    allow(guest, "hosts.send_evidence", host)

    assert Sender(guest).send(planned()).status_code == 201


@pytest.mark.req("M9", "H34")
def test_a_clean_up_handed_in_does_not_open_the_gate_that_waits_for_one(sender: Sender, host: Host) -> None:
    sender.send(planned())
    assert sender.send(completed()).status_code == 201

    assert phase_one_of(host) is None


@pytest.mark.req("M79", "M9")
def test_a_lane_handed_in_as_completed_is_not_ready(sender: Sender, lane: Lane, session: Client) -> None:
    from launchplane.api.examples import LANE_STATE

    assert sender.send(of_lane(mode="apply"), to=LANE).status_code == 201
    proven = LANE_STATE | {"online": True, "service_active": True, "baseline_ready": True, "shape": "supervised_active"}
    done = of_lane(mode="apply", status="completed", post_state=proven)
    assert sender.send(done, to=LANE).status_code == 201

    proofs = proofs_now(lane, last_look(lane), now=timezone.now())
    assert [proof.state for proof in proofs] == ["unknown"] * 5
    assert read(session, "/v1/lanes/website/readiness")["is_open"] is False


@pytest.mark.req("M9")
def test_evidence_under_the_number_of_a_change_is_no_part_of_its_story(sender: Sender, host: Host) -> None:
    now = timezone.now()
    change = Change.objects.create(
        host=host,
        kind="hygiene.dangling",
        plan="{}",
        digest="0" * 64,
        status=Status.APPROVED,
        planned_at=now,
        deadline=now + timedelta(hours=1),
        next_try_at=now,
    )
    append(
        kind="change.approved", key=str(change.pk), status="completed", payload={}, actor=WORKER.actor(), source="web"
    )
    assert sender.send(skipped(key=str(change.pk))).status_code == 201

    assert is_handed_over(change)
    assert [event.words for event in history(str(change.pk))] == ["approved it"]


@pytest.mark.django_db(transaction=True)
def test_it_takes_few_statements(sender: Sender, django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    """Each is a way to the database and back: who sends it, the host, its place in the chain and in its run."""
    assert sender.send(planned()).status_code == 201
    with django_assert_max_num_queries(9):
        assert sender.send(planned(key="next")).status_code == 201
