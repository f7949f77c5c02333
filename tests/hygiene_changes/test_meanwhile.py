"""What people and the host do while a run goes on, and what a run that did nothing is worth."""

from collections.abc import Callable
from typing import Any

import docker
import pytest
from django.conf import settings
from django.utils import timezone

from hygiene.apply import HygieneRun, _outcome
from hygiene.looking import PATIENCE_SECONDS, phase_one_of
from hygiene.models import Protection
from launchplane.access.models import User
from launchplane.access.people import WORKER
from launchplane.changes.apply import apply_change
from launchplane.changes.contracts import Evidence, PlannedStep, StepOutcome
from launchplane.changes.models import Change
from launchplane.changes.recover import LEASE, recover
from launchplane.changes.requests import find_change
from launchplane.changes.stopping import LONGEST_SECONDS
from launchplane.hosts.models import Host
from launchplane.sandbox.dockerd import PrivateEngine
from onhost.engine.removals import Removal
from onhost.engine.removing import PRUNE_SECONDS, REMOVE_SECONDS
from tests.engine_things import an_image, build, image_ids
from tests.factories import edited
from tests.faults import EngineSocket, says
from tests.hygiene_changes.meddling import answered_by
from tests.hygiene_changes.ways import (
    BUILD_CACHE,
    DANGLING,
    RETIRE,
    applied,
    approved,
    outcomes,
    person,
    phase_one_done,
)

pytestmark = [pytest.mark.engine, pytest.mark.django_db, pytest.mark.each_database]


class Crash(BaseException):
    """A worker that dies."""


def before_the_first(monkeypatch: pytest.MonkeyPatch, do: Callable[[], object]) -> None:
    """`do` happens after the look at the start of the run, before its first item."""
    real = HygieneRun.act

    def act(run: HygieneRun, step: PlannedStep) -> StepOutcome:
        do()
        monkeypatch.setattr(HygieneRun, "act", real)
        return real(run, step)

    monkeypatch.setattr(HygieneRun, "act", act)


@pytest.mark.req("H45")
def test_what_is_protected_while_the_run_goes_on_stays(
    client: docker.DockerClient, host: Host, operator: User, approver: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    an_image(client, "x", tag="app:1")
    an_image(client, "y", tag="app:2")
    phase_one_done(host)
    before_the_first(
        monkeypatch, lambda: Protection.objects.create(host=host, kind="image", pattern="app:1", reason="still needed")
    )

    change = applied(RETIRE, host, operator, approver, items=["image:app:1", "image:app:2"])

    left = {step.title: row.outcome for step, row in zip(change.planned().steps, change.steps.all(), strict=True)}
    assert left == {"app:1": "skipped", "app:2": "done"}
    assert "still needed" in change.steps.get(outcome="skipped").detail


@pytest.mark.parametrize(
    ("taken", "ended"),
    [
        ({"approved": False}, ("failed", "chris-testing is not approved for changes any more.")),
        ({"hygiene_enabled": False}, ("completed", "opted_in: Hygiene is not enabled on chris-testing any more.")),
    ],
)
def test_nothing_goes_once_the_host_is_not_approved_or_opted_in_any_more(
    client: docker.DockerClient,
    host: Host,
    operator: User,
    approver: User,
    monkeypatch: pytest.MonkeyPatch,
    taken: dict[str, bool],
    ended: tuple[str, str],
) -> None:
    for number in range(3):
        an_image(client, f"labelled {number}", labelled=True)
    before_the_first(monkeypatch, lambda: edited(host, **taken))

    change = applied(DANGLING, host, operator, approver)

    details = list(change.steps.values_list("detail", flat=True))
    assert (outcomes(change), len(image_ids(client))) == (["skipped"] * 3, 3)
    assert all(host.name in detail and "any more" in detail for detail in details)
    assert (change.status, details[1]) == ended


@pytest.mark.req("X1")
def test_an_image_that_a_service_scaled_to_zero_began_to_want_stays(
    client: docker.DockerClient,
    host: Host,
    swarm: None,
    operator: User,
    approver: User,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    an_image(client, "x", tag="app:1")
    phase_one_done(host)
    none = {"Replicated": {"Replicas": 0}}
    before_the_first(monkeypatch, lambda: client.services.create("app:1", command=["sleep"], name="db", mode=none))

    change = applied(RETIRE, host, operator, approver, items=["image:app:1"])

    assert (outcomes(change), len(image_ids(client))) == (["skipped"], 1)


@pytest.mark.req("H34")
def test_a_clean_up_that_pruned_nothing_opens_no_phase_one(
    client: docker.DockerClient, host: Host, own_engine: PrivateEngine, operator: User, approver: User
) -> None:
    build(client)
    change = approved(BUILD_CACHE, host, operator, approver)
    refuses = {"/build/prune": says({"message": "a prune operation is already running"}, status=409)}

    with EngineSocket(refuses, upstream=str(own_engine.socket)) as engine:
        answered_by(host, engine.url)
        change = apply_change(find_change(change.pk), by=person(operator))

    assert (change.status, outcomes(change)) == (Change.Status.FAILED, ["failed"])
    assert phase_one_of(host) is None


@pytest.mark.req("H34")
@pytest.mark.parametrize("others", [[], ["skipped"], ["done", "skipped"]])
def test_phase_one_is_open_only_when_all_was_done_that_was_to_be_done(host: Host, others: list[str]) -> None:
    phase_one_done(host)
    assert phase_one_of(host) is not None
    change, now = Change.objects.get(), timezone.now()
    change.steps.all().delete()
    for position, outcome in enumerate(others, start=1):
        change.steps.create(
            position=position, verb="prune-build-cache", outcome=outcome, intent_at=now, finished_at=now
        )

    assert phase_one_of(host) is None


@pytest.mark.req("H32")
@pytest.mark.parametrize("snapshots_kept", [True, False])
def test_recovery_misses_what_was_protected_and_verifies_nothing_it_cannot_see(
    client: docker.DockerClient,
    host: Host,
    operator: User,
    approver: User,
    monkeypatch: pytest.MonkeyPatch,
    snapshots_kept: bool,
) -> None:
    an_image(client, "one", labelled=True)
    an_image(client, "precious", tag="precious:1")
    Protection.objects.create(host=host, kind="image", pattern="precious:1", reason="needed")
    change = approved(DANGLING, host, operator, approver)
    real = HygieneRun.evidence

    def dies(run: HygieneRun, *, before: bool) -> Evidence:
        if not before:
            raise Crash
        return real(run, before=before)

    monkeypatch.setattr(HygieneRun, "evidence", dies)
    with pytest.raises(Crash):
        apply_change(find_change(change.pk), by=WORKER)
    monkeypatch.setattr(HygieneRun, "evidence", real)
    client.images.remove("precious:1")
    if not snapshots_kept:
        host.snapshots.all().delete()
    recover()

    change = find_change(change.pk)
    assert change.status == Change.Status.FAILED
    assert ("protected image" if snapshots_kept else "could not be verified") in change.sentence


def test_an_id_of_any_length_is_kept_short(host: Host, operator: User) -> None:
    step = PlannedStep(
        position=1,
        verb="remove-image",
        target="x",
        title="x",
        expected={},
        undo={},
        reversible="no",
        predicted_bytes=None,
    )

    kept = _outcome(step, Removal("done", "x", None, ("x" * 100_000,) * 200)).evidence["deleted_ids"]

    assert isinstance(kept, tuple)
    assert (len(kept), {len(str(found)) for found in kept}) == (100, {128})


def test_the_last_item_that_may_begin_ends_before_the_queue_ends_its_task() -> None:
    """And two looks: at what became of it, and at the host. Whoever is silent for longer than a task lives is gone."""
    clusters: Any = settings.Q_CLUSTER["ALT_CLUSTERS"]
    timeout, retry = clusters["apply"]["timeout"], clusters["apply"]["retry"]

    assert LONGEST_SECONDS + max(PRUNE_SECONDS, REMOVE_SECONDS) + 2 * (PATIENCE_SECONDS + 120) <= timeout
    assert timeout < LEASE.total_seconds() < retry
