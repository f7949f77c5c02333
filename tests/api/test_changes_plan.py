"""`POST /v1/changes`: a worker makes a dry-run plan for a program; the same key leads to the same plan."""

import json
from collections.abc import Iterator
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection
from django.test import Client

from audits.models import AuditRecord
from launchplane.access.actions import Action
from launchplane.access.models import User
from launchplane.access.people import Principal
from launchplane.api import planning
from launchplane.changes import eyes, plan_runs
from launchplane.changes.models import Approval, Change, PlanRun
from launchplane.hosts.models import Host
from launchplane.problems import Problem
from tests.access.making import a_token, bearer, made_token
from tests.api.reading import problem
from tests.changes import toy
from tests.factories import a_host, a_person, allow
from tests.lanes.records import a_lane, a_lane_host
from tests.shell import manage
from tests.web.planning import planning_with

if TYPE_CHECKING:
    from django.test.client import _MonkeyPatchedWSGIResponse as Response

pytestmark = pytest.mark.django_db

ROUTINE = {"kind": toy.ROUTINE, "host": "folder"}


@pytest.fixture(autouse=True)
def nobody_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """No worker runs beside these tests, so that waiting for one only takes time."""
    monkeypatch.setattr(planning, "AT_MOST_SECONDS", 0)


@pytest.fixture
def token(person: User) -> str:
    return a_token(person, [Action.CHANGE_REQUEST])


def ask(client: Client, token: str, body: Any = None, *, key: str | None = "k-1", **more: str) -> "Response":
    headers = bearer(token) | ({} if key is None else {"Idempotency-Key": key}) | more
    said = body if isinstance(body, str) else json.dumps(ROUTINE if body is None else body)
    return client.post("/v1/changes", said, content_type="application/json", headers=headers)


def worked() -> PlanRun:
    """The worker comes by."""
    run = PlanRun.objects.latest("pk")
    plan_runs.run_queued(run.pk)
    run.refresh_from_db()
    return run


@pytest.mark.req("H26")
def test_a_worker_plans_and_the_same_call_leads_to_the_change(client: Client, token: str, folder: Host) -> None:
    first = ask(client, token)
    assert (first.status_code, first.json()["status"]) == (202, "planning")
    assert int(first["Retry-After"]) > 0
    assert not Change.objects.exists()

    worked()
    again = ask(client, token)

    change = Change.objects.get()
    assert (again.status_code, again["Location"]) == (201, f"/v1/changes/{change.pk}")
    assert again["Idempotency-Replayed"] == "true"
    assert again.json() == manage("changes", "show", str(change.pk), "--json").json
    assert (change.status, change.deadline) == (Change.Status.PLANNED, None)


@pytest.mark.req("H20")
def test_nothing_is_asked_for_approved_or_applied(client: Client, token: str, folder: Host) -> None:
    ask(client, token)
    worked()

    assert (Change.objects.get().requested_at, Approval.objects.count()) == (None, 0)
    assert toy.effects(folder) == []


def test_a_plan_that_is_blocked_is_a_plan(client: Client, token: str, folder: Host) -> None:
    toy.sign(folder, "unreadable")
    ask(client, token)
    worked()

    answer = ask(client, token)

    assert (answer.status_code, answer.json()["status"]) == (201, "blocked")


def test_while_it_is_planned_the_same_call_is_in_flight(client: Client, token: str, folder: Host) -> None:
    ask(client, token)
    again = ask(client, token)

    assert problem(again) == (409, "in_flight")
    assert int(again["Retry-After"]) > 0
    assert PlanRun.objects.count() == 1


def test_the_same_under_another_key_is_in_flight_too(client: Client, token: str, folder: Host) -> None:
    ask(client, token)

    assert problem(ask(client, token, key="k-2")) == (409, "in_flight")
    assert PlanRun.objects.count() == 1


def test_a_key_is_for_one_plan(client: Client, token: str, folder: Host) -> None:
    ask(client, token)
    worked()

    other = {"kind": "hygiene.dangling", "host": "folder"}

    assert problem(ask(client, token, other)) == (422, "key_conflict")


def test_two_programs_with_one_key_are_two(client: Client, person: User, folder: Host) -> None:
    first, second = (a_token(person, [Action.CHANGE_REQUEST]) for _ in range(2))
    ask(client, first)

    assert ask(client, second).status_code == 202
    assert len({run.identity for run in PlanRun.objects.all()}) == 2


def test_whoever_answers_for_the_program_may_not_approve(
    client: Client, person: User, token: str, folder: Host
) -> None:
    ask(client, token)
    worked()
    change = Change.objects.get()

    assert list(change.responsible.all()) == [person]
    assert eyes.asked_by(person, change)
    record = AuditRecord.objects.get(key=str(change.pk))
    assert (record.source, record.actor_id.partition("-")[0], record.responsible) == ("api", "token", ["operator"])


def test_names_as_long_as_they_may_be_are_no_hindrance(client: Client, folder: Host) -> None:
    token = made_token(a_person("n" * 150), [Action.CHANGE_REQUEST], name="t" * 80).text
    ask(client, token)
    worked()

    assert ask(client, token).status_code == 201
    assert Change.objects.get().requester_name == ("n" * 150 + " by token " + "t" * 80)[:200]


def test_a_workflow_without_an_account_has_those_who_let_it_in_answer(person: User, folder: Host) -> None:
    workflow = Principal("workflow:3", "acme/website", "api", responsible=(person,))
    plan_runs.queue_for_program(toy.ROUTINE, folder, by=workflow, scope="s", asked={})
    change = worked().change

    assert change is not None
    assert (change.requester, change.requester_name) == (None, "acme/website")
    assert list(change.responsible.all()) == [person]


def test_a_worker_that_comes_in_time_is_waited_for(
    client: Client, token: str, folder: Host, transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planning, "AT_MOST_SECONDS", 60)
    with a_worker():
        answer = ask(client, token)

    assert (answer.status_code, answer.json()["status"]) == (201, "planned")
    assert "Idempotency-Replayed" not in answer


class a_worker:
    """Plans the next run that is queued."""

    def __enter__(self) -> None:
        self._thread = Thread(target=self._work)
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._thread.join()

    def _work(self) -> None:
        while not PlanRun.objects.exists():
            pass
        worked()
        connection.close()


def test_where_others_wait_already_nobody_waits(
    client: Client, token: str, folder: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planning, "AT_MOST_SECONDS", 3600)
    with planning._places:
        assert ask(client, token).status_code == 202


def test_no_more_than_so_many_are_under_way_for_one(client: Client, person: User, token: str) -> None:
    for number in range(planning.MOST_OPEN):
        a_host(f"h{number}")
        assert (
            ask(client, token, {"kind": "hygiene.dangling", "host": f"h{number}"}, key=f"k-{number}").status_code == 202
        )
    a_host("more")

    answer = ask(client, token, {"kind": "hygiene.dangling", "host": "more"}, key="more")

    assert problem(answer) == (429, "too_many_plans")
    assert int(answer["Retry-After"]) > 0


@pytest.fixture(params=["engine_unavailable", "scope_too_broad", "another_action"])
def failing(request: pytest.FixtureRequest, folder: Host) -> Iterator[str]:
    def fails(host: Host) -> None:
        raise Problem(request.param, "It cannot be planned.")

    planning_with(fails)
    yield request.param


def test_what_its_planner_refused_is_told_to_the_same_call(client: Client, token: str, failing: str) -> None:
    ask(client, token)
    worked()
    expected = {"engine_unavailable": 503, "scope_too_broad": 422, "another_action": 409}[failing]

    answers = [ask(client, token) for _ in range(2)]

    assert [problem(answer) for answer in answers] == [(expected, failing)] * 2
    assert PlanRun.objects.count() == 1
    assert ask(client, token, key="k-2").status_code == 202


@pytest.mark.req("M42")
@pytest.mark.parametrize(
    ("key", "code"),
    [
        (None, "idempotency_key_missing"),
        ("", "idempotency_key_missing"),
        ("x" * 201, "bad_key"),
        ("a b", "bad_key"),
        ("ä", "bad_key"),
    ],
)
def test_without_a_good_key_nothing_is_planned(
    client: Client, token: str, folder: Host, key: str | None, code: str
) -> None:
    assert problem(ask(client, token, key=key)) == (400, code)
    assert not PlanRun.objects.exists()


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"kind": "hygiene.dangling"},
        {"kind": "no.such", "host": "folder"},
        {"kind": "hygiene.retire", "host": "folder"},
        {"kind": "hygiene.retire", "host": "folder", "items": []},
        {"kind": "hygiene.retire", "host": "folder", "items": ["image:x"] * 1001},
        {"kind": "hygiene.dangling", "host": "folder", "items": ["image:x"]},
        {"kind": "hygiene.dangling", "host": "../x"},
        {"kind": "hygiene.dangling", "host": "folder", "approve": True},
        {"kind": "lane.restart", "host": "folder"},
        {"lane": "website"},
        {"lane": "website", "operation": "create"},
        {"lane": "website", "operation": "restart", "host": "folder"},
        {"lane": ["website"], "operation": "restart"},
    ],
    ids=str,
)
def test_a_body_that_is_no_wish_is_not_valid(client: Client, token: str, folder: Host, body: dict[str, Any]) -> None:
    assert problem(ask(client, token, body)) == (422, "invalid")
    assert not PlanRun.objects.exists()


@pytest.mark.parametrize("body", ["[]", "{", "nope", '{"kind": NaN}', '{"a":' * 100 + "1" + "}" * 100])
def test_a_body_that_is_no_object_of_json_is_a_bad_request(client: Client, token: str, folder: Host, body: str) -> None:
    assert problem(ask(client, token, body))[0] in (400, 411)


def test_a_host_on_which_one_may_not_ask_is_refused_if_one_sees_it(client: Client, folder: Host) -> None:
    auditor = a_person("auditor", group="Auditors")

    answer = ask(client, a_token(auditor))

    assert problem(answer) == (403, "not_permitted")
    denied = AuditRecord.objects.get(kind="change.denied")
    assert (denied.status, denied.host, denied.source) == ("failed", "folder", "api")


def test_a_host_that_one_may_not_see_is_like_one_that_is_not_there(client: Client, folder: Host) -> None:
    guest = a_person("guest", group="")
    allow(guest, "hosts.request_change", a_host("mine"))
    token = a_token(guest)

    unseen, missing = ask(client, token), ask(client, token, {"kind": "hygiene.dangling", "host": "none"})

    assert problem(unseen) == problem(missing) == (404, "no_such_host")
    assert unseen.content == missing.content


def test_a_token_without_the_action_plans_nothing_and_is_on_record(client: Client, person: User, folder: Host) -> None:
    assert problem(ask(client, a_token(person, [Action.CHANGE_READ]))) == (403, "not_granted")

    denied = AuditRecord.objects.get(kind="access.denied")
    assert (denied.status, denied.source, json.loads(denied.payload)["wanted"]) == ("failed", "api", "POST /v1/changes")


def test_a_session_plans_nothing(session: Client, folder: Host) -> None:
    answer = session.post("/v1/changes", json.dumps(ROUTINE), content_type="application/json")

    assert problem(answer) == (403, "session_only_reads")
    assert not PlanRun.objects.exists()


@pytest.mark.parametrize(
    ("operation", "kind"), [("plan", "lane.reconcile"), ("restart", "lane.restart"), ("remove", "lane.remove")]
)
def test_a_lane_is_planned_by_its_name(client: Client, token: str, operation: str, kind: str) -> None:
    lane = a_lane(a_lane_host())

    answer = ask(client, token, {"lane": lane.name, "operation": operation})

    run = PlanRun.objects.get()
    assert (answer.status_code, run.kind, run.host, json.loads(run.asked)) == (
        202,
        kind,
        lane.host,
        {"lane": lane.name},
    )


def test_a_lane_that_one_may_not_see_is_like_one_that_is_not_there(client: Client) -> None:
    lane = a_lane(a_lane_host())
    guest = a_token(a_person("guest", group=""))

    unseen, missing = (ask(client, guest, {"lane": name, "operation": "plan"}) for name in (lane.name, "none"))

    assert problem(unseen) == problem(missing) == (404, "no_such_lane")
    assert unseen.content == missing.content
