"""The published description, asked all that it allows and much that it does not: schemathesis, with all of its checks.

No error of the server, no answer that is not described or does not look as described, no address that is open to
nobody in particular.
"""

from typing import Any

import pytest
import schemathesis
from django.db import connection
from pytest_django.live_server_helper import LiveServer
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema

from launchplane.access.models import User
from launchplane.api import planning
from launchplane.hosts.models import Host
from tests.access.making import a_token
from tests.api.test_evidence_out import sent
from tests.changes.ways import planned
from tests.factories import a_busy_inventory, a_host, observed
from tests.lanes.looked import looked_at, seen_of
from tests.lanes.records import a_lane

# what no JSON schema says: one key is for one body, and some fields depend on others
ALSO_REFUSED = {
    "positive_data_acceptance": {"expected-statuses": ["2xx", "3xx", "401", "403", "404", "409", "422", "429"]}
}
CONFIG: dict[str, Any] = {
    "generation": {"max-examples": 3, "deterministic": True, "database": "none"},
    # there is nothing to take away again
    "phases": {"stateful": {"enabled": False}, "coverage": {"unexpected-methods": ["PUT", "DELETE"]}},
    "operations": [
        {"include-method": "POST", "checks": ALSO_REFUSED},
        {"include-path": "/v1/evidence/export", "checks": ALSO_REFUSED},
    ],
}
BRIEFLY: dict[str, Any] = {"phases": {"stateful": {"enabled": False}, "coverage": {"enabled": False}}}


@pytest.fixture
def planted(transactional_db: None, person: User, folder: Host, monkeypatch: pytest.MonkeyPatch) -> Host:
    """What the examples of the description name is there: a host, a lane, evidence; and a change."""
    monkeypatch.setattr(planning, "AT_MOST_SECONDS", 0)
    # each thread of the server has a connection of its own, and keeps none
    monkeypatch.setitem(connection.settings_dict, "CONN_MAX_AGE", 0)
    planned(folder, person)
    host = a_host("ci-1")
    observed(host, a_busy_inventory())
    lane = a_lane(host, name="website")
    looked_at(lane, seen_of(lane))
    for kind, status in (("hygiene", "planned"), ("hygiene", "completed"), ("lane", "planned")):
        sent("nightly-2026-01-07", kind=f"{kind}.evidence", status=status, lane="website" if kind == "lane" else "")
    return host


def complaints(server: LiveServer, headers: dict[str, str], **config: Any) -> list[str]:
    """What a run of schemathesis has to say against the answers to a caller with these headers."""
    said = SchemathesisConfig.from_dict(CONFIG | {"headers": headers} | config)
    schema = schemathesis.openapi.from_url(f"{server.url}/v1/openapi.json", config=said)
    found: list[str] = []
    for event in from_schema(schema).execute():
        if isinstance(event, events.ScenarioFinished):
            checks = [check for checks in event.recorder.checks.values() for check in checks]
            failed = [(check.name, check.failure_info) for check in checks if check.failure_info is not None]
            found += [f"{name}: {failure.failure}\n{failure.code_sample}" for name, failure in failed]
        elif isinstance(event, events.NonFatalError | events.FatalError):
            found.append(repr(event))
    return found


@pytest.mark.req("H53")
def test_it_answers_as_described_to_a_token_for_everything(
    planted: Host, person: User, live_server: LiveServer
) -> None:
    assert complaints(live_server, {"Authorization": f"Bearer {a_token(person)}"}) == []


def test_it_answers_as_described_to_a_token_for_another_host(
    planted: Host, person: User, live_server: LiveServer
) -> None:
    token = a_token(person, hosts=[a_host("another")])

    assert complaints(live_server, {"Authorization": f"Bearer {token}"}, **BRIEFLY) == []


def test_it_answers_as_described_to_nobody(planted: Host, live_server: LiveServer) -> None:
    assert complaints(live_server, {}, **BRIEFLY) == []
