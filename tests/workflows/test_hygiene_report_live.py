"""The report of a host by the clock, with Launchplane itself at the other end: its doors, its routes, its records."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from audits.models import AuditRecord
from audits.outside import HYGIENE
from lanes.models import Lane
from launchplane.access.actions import Action
from launchplane.hosts.models import Host
from tests.access.making import a_workflow
from tests.factories import a_busy_inventory, a_host, observed
from tests.fakes.actions import TokenDoor
from tests.fakes.issuer import Issuer
from tests.workflows.acting import Ran, Runner
from tests.workflows.document import HYGIENE_REPORT, workflow
from tests.workflows.live import door_of, issuer, variables, workflow_ref

__all__ = ["issuer", "variables"]
pytestmark = pytest.mark.django_db(transaction=True)
FILE = workflow(HYGIENE_REPORT)
NEEDED = (Action.HOST_READ, Action.HYGIENE_AUDIT_WRITE)
KEY = "github-4711-90001-1"


@pytest.fixture
def door(issuer: Issuer) -> Iterator[TokenDoor]:
    with door_of(issuer, HYGIENE_REPORT) as door:
        yield door


@pytest.fixture
def runner(tmp_path: Path, door: TokenDoor) -> Runner:
    return Runner(tmp_path, door=door.address)


@pytest.fixture
def host(transactional_db: None) -> Host:
    host = a_host("ci-1")
    observed(host, a_busy_inventory())
    return host


def trust(*hosts: Host, actions: Iterable[Action] = NEEDED, file: str = HYGIENE_REPORT) -> None:
    """As docs/how-to/hand-in-evidence-from-github.md has it."""
    a_workflow(actions, hosts, workflow_ref=workflow_ref(file), events=["schedule", "workflow_dispatch"])


def report(runner: Runner, variables: dict[str, str], name: str = "ci-1") -> Ran:
    return runner.run(FILE, variables=variables, host=name)


def on_record() -> list[AuditRecord]:
    return list(AuditRecord.objects.filter(kind=HYGIENE).order_by("seq"))


@pytest.mark.req("H51", "M7")
def test_a_repository_without_a_lane_reads_the_report_and_puts_it_on_record(
    runner: Runner, variables: dict[str, str], host: Host, door: TokenDoor
) -> None:
    assert not Lane.objects.exists()
    trust(host)

    ran = report(runner, variables)

    assert ran.succeeded, ran.log
    (record,) = on_record()
    assert (record.key, record.status, record.host, record.actor_name) == (
        KEY,
        "planned",
        "ci-1",
        "workflow of acme/shop",
    )
    said = json.loads(record.payload)
    assert said["pre_state"]["free_disk_bytes"] == json.loads(ran.artifact["report.json"])["free_disk_bytes"]
    assert json.loads(ran.artifact["receipt.json"])["receipt"] == {"seq": record.seq, "hash": record.hash}
    assert f"On record as {record.seq}, `{record.hash}`." in ran.summary


def test_the_tokens_are_nowhere_afterwards(
    runner: Runner, variables: dict[str, str], host: Host, door: TokenDoor
) -> None:
    trust(host)

    ran = report(runner, variables)

    kept = "".join(AuditRecord.objects.values_list("payload", flat=True))
    left = "".join(path.read_text() for path in (runner.home / "temp").rglob("*") if path.is_file())
    assert len(door.given) == 2
    for token in door.given:
        assert not any(token in where for where in (ran.log, ran.summary, ran.argv, ran.environment, kept, left))


def test_a_host_that_nobody_looked_at_is_on_record_as_skipped(
    runner: Runner, variables: dict[str, str], host: Host
) -> None:
    trust(a_host("ci-2"))

    ran = report(runner, variables, "ci-2")

    assert not ran.succeeded
    assert [record.status for record in on_record()] == ["skipped"]


def test_a_host_that_it_may_not_see_is_like_none(runner: Runner, variables: dict[str, str], host: Host) -> None:
    trust(a_host("ci-2"))

    hidden, missing = report(runner, variables), report(runner, variables, "ci-9")

    assert "There is no such host, or this repository may not see it." in hidden.log
    assert hidden.log.replace("ci-1", "ci-9") == missing.log
    assert on_record() == []


@pytest.mark.req("H51")
def test_a_run_that_is_not_trusted_is_not_let_in(runner: Runner, variables: dict[str, str], host: Host) -> None:
    trust(host, file="another.yml")

    ran = report(runner, variables)

    assert not ran.succeeded
    assert "HTTP 401 workflow_not_trusted" in ran.log
    assert on_record() == []


@pytest.mark.req("H51")
def test_who_may_only_read_puts_nothing_on_record(runner: Runner, variables: dict[str, str], host: Host) -> None:
    trust(host, actions=(Action.HOST_READ,))

    ran = report(runner, variables)

    assert not ran.succeeded
    assert "Launchplane did not take the evidence: HTTP 403 not_granted" in ran.log
    assert on_record() == []


def test_a_token_for_somebody_else_is_not_taken(runner: Runner, variables: dict[str, str], host: Host) -> None:
    trust(host)

    ran = report(runner, variables | {"LAUNCHPLANE_AUDIENCE": "https://another.example.org"})

    assert "HTTP 401 token_audience" in ran.log
