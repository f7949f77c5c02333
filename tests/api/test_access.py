"""Every operation against every kind of caller. One that is not in the table fails: nothing is open by oversight."""

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from django.test import Client

from launchplane.access.actions import Action
from launchplane.access.models import User
from launchplane.api import examples, planning
from launchplane.api.app import api
from launchplane.changes.models import Change
from launchplane.hosts.models import Host
from tests.access.making import a_token, bearer
from tests.api.reading import problem
from tests.api.test_evidence_out import sent
from tests.changes.ways import planned
from tests.factories import a_host, a_person
from tests.lanes.records import a_lane

if TYPE_CHECKING:
    from django.test.client import _MonkeyPatchedWSGIResponse as Response

pytestmark = pytest.mark.django_db


@dataclass(frozen=True, slots=True)
class Needs:
    """What an operation needs: `action`. `elsewhere` is what somebody gets who was granted that for another host."""

    action: Action
    address: str
    elsewhere: int | str
    body: dict[str, Any] | None = None
    fine: int = 200


HYGIENE, LANES = "/v1/evidence/runner-host-hygiene", "/v1/evidence/runner-lane-maintainer"
PLAN = {"kind": "hygiene.dangling", "host": "ci-1"}
# `elsewhere` is a status, or the list that is empty then
TABLE = {
    "get_hosts": Needs(Action.HOST_READ, "/v1/hosts", "hosts"),
    "get_hosts_by_name": Needs(Action.HOST_READ, "/v1/hosts/ci-1", 404),
    "get_hosts_by_name_report": Needs(Action.HOST_READ, "/v1/hosts/ci-1/report", 404),
    "get_hosts_by_name_inventory": Needs(Action.HOST_READ, "/v1/hosts/ci-1/inventory", 404),
    "get_lanes": Needs(Action.LANE_READ, "/v1/lanes", "lanes"),
    "get_lanes_by_name": Needs(Action.LANE_READ, "/v1/lanes/website", 404),
    "get_lanes_by_name_readiness": Needs(Action.LANE_READ, "/v1/lanes/website/readiness", 404),
    "get_changes": Needs(Action.CHANGE_READ, "/v1/changes", "changes"),
    "get_changes_by_id": Needs(Action.CHANGE_READ, "/v1/changes/CHANGE", 404),
    "post_changes": Needs(Action.CHANGE_REQUEST, "/v1/changes", 404, PLAN, 202),
    "post_evidence_runner_host_hygiene_audits": Needs(
        Action.HYGIENE_AUDIT_WRITE, f"{HYGIENE}/audits", 404, examples.HYGIENE, 201
    ),
    "get_evidence_runner_host_hygiene_audits": Needs(Action.HYGIENE_AUDIT_READ, f"{HYGIENE}/audits", "audits"),
    "get_evidence_runner_host_hygiene_audits_by_key": Needs(Action.HYGIENE_AUDIT_READ, f"{HYGIENE}/audits/one", 404),
    "get_evidence_runner_host_hygiene_history": Needs(Action.HYGIENE_AUDIT_READ, f"{HYGIENE}/history?host=ci-1", 404),
    "post_evidence_runner_lane_maintainer_audits": Needs(
        Action.LANE_AUDIT_WRITE, f"{LANES}/audits", 404, examples.LANE, 201
    ),
    "get_evidence_runner_lane_maintainer_audits": Needs(Action.LANE_AUDIT_READ, f"{LANES}/audits", "audits"),
    "get_evidence_runner_lane_maintainer_audits_by_key": Needs(Action.LANE_AUDIT_READ, f"{LANES}/audits/two", 404),
    "get_evidence_runner_lane_maintainer_history": Needs(Action.LANE_AUDIT_READ, f"{LANES}/history?lane=website", 404),
    # whoever reads evidence of one host may hold it against the head, which tells nothing of any other
    "get_evidence_head": Needs(Action.EVIDENCE_EXPORT, "/v1/evidence/head", 200),
    "get_evidence_export": Needs(Action.EVIDENCE_EXPORT, "/v1/evidence/export", 403),
}
ALSO = {"get_evidence_head": {Action.HYGIENE_AUDIT_READ, Action.LANE_AUDIT_READ}}


@pytest.fixture
def change(person: User, host: Host, folder: Host, monkeypatch: pytest.MonkeyPatch) -> Change:
    """Something of ci-1 for each operation; the change is of another host, which the callers may see likewise."""
    monkeypatch.setattr(planning, "AT_MOST_SECONDS", 0)
    a_lane(host, name="website", scope="acme/website")
    sent("one")
    sent("two", kind="lane.evidence", lane="website")
    return planned(folder, person)


@pytest.fixture(params=TABLE)
def operation(request: pytest.FixtureRequest) -> str:
    """The id of one operation after the other."""
    return str(request.param)


def call(client: Client, operation: str, change: Change, token: str | None = None) -> "Response":
    needs = TABLE[operation]
    address = needs.address.replace("CHANGE", str(change.pk))
    headers = {} if token is None else bearer(token)
    if needs.body is None:
        return client.get(address, headers=headers)
    headers["Idempotency-Key"] = str(uuid4())
    return client.post(address, json.dumps(needs.body), content_type="application/json", headers=headers)


def test_every_operation_is_in_the_table() -> None:
    operations = (found for path in api.get_openapi_schema()["paths"].values() for found in path.values())

    assert {operation["operationId"] for operation in operations} == set(TABLE)


def test_nobody_is_not_let_in(client: Client, change: Change, operation: str) -> None:
    assert problem(call(client, operation, change)) == (401, "not_authenticated")


def test_a_token_that_is_none_is_not_let_in_whatever_cookie_comes_with_it(
    session: Client, change: Change, operation: str
) -> None:
    assert problem(call(session, operation, change, "lp_000000000000_" + "x" * 43)) == (401, "token_unknown")


def test_its_action_for_its_hosts_is_enough(client: Client, person: User, change: Change, operation: str) -> None:
    needs = TABLE[operation]

    assert call(client, operation, change, a_token(person, [needs.action])).status_code == needs.fine


def test_all_other_actions_together_are_not(client: Client, person: User, change: Change, operation: str) -> None:
    others = set(Action) - {TABLE[operation].action} - ALSO.get(operation, set())

    assert problem(call(client, operation, change, a_token(person, others))) == (403, "not_granted")


def test_for_another_host_it_is_as_if_nothing_was_there(
    client: Client, person: User, change: Change, operation: str
) -> None:
    answer = call(client, operation, change, a_token(person, hosts=[a_host("another")]))

    expected = TABLE[operation].elsewhere
    if isinstance(expected, int):
        assert answer.status_code == expected
    else:
        assert "another" in str(answer.json()) or answer.json()[expected] == []


def test_a_token_of_somebody_without_rights_gets_nothing(client: Client, change: Change, operation: str) -> None:
    answer = call(client, operation, change, a_token(a_person("guest", group="")))

    if answer.status_code == 200:
        assert answer.json()[TABLE[operation].elsewhere] == []
    else:
        assert problem(answer)[0] in (403, 404)


def test_a_session_reads_and_does_nothing_else(session: Client, change: Change, operation: str) -> None:
    answer = call(session, operation, change)

    if TABLE[operation].body is None:
        assert answer.status_code == 200
    else:
        assert problem(answer) == (403, "session_only_reads")
