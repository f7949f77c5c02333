"""An engine that refuses, fails, falls silent or is gone in the middle of a run: each item's outcome is told."""

import json
import threading
from collections.abc import Callable

import docker
import pytest

from audits.models import AuditRecord
from hygiene import apply, looked
from hygiene.models import Budget
from hygiene.services import observe_host
from launchplane.access.models import User
from launchplane.changes.apply import apply_change
from launchplane.changes.models import Change
from launchplane.changes.recover import recover
from launchplane.changes.requests import find_change
from launchplane.hosts.local_removals import LocalRemover
from launchplane.hosts.models import Host
from launchplane.sandbox.dockerd import PrivateEngine
from tests.engine_things import (
    a_builder,
    an_image,
    begin_a_build,
    build,
    cache_bytes,
    image_ids,
    many_images,
    prunes_inside,
)
from tests.faults import Behaviour, EngineSocket, Request, hangs, raw, says
from tests.hygiene_changes.meddling import answered_by, at_removal, meddling
from tests.hygiene_changes.ways import (
    BUILD_CACHE,
    DANGLING,
    RETIRE,
    approved,
    outcomes,
    person,
    phase_one_done,
)

pytestmark = [pytest.mark.engine, pytest.mark.django_db, pytest.mark.each_database]


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What does not answer is given up on at once."""

    def door(host: Host, *, api_version: str) -> LocalRemover:
        return LocalRemover(
            host.docker_url, api_version=api_version, engine_id=host.engine_id, remove_seconds=1, prune_seconds=1
        )

    monkeypatch.setattr(apply, "remover_of", door)
    monkeypatch.setattr(looked, "SETTLED_SECONDS", 0)


def three_images(client: docker.DockerClient) -> None:
    for number in range(3):
        an_image(client, f"labelled {number}", labelled=True)


def told(change: Change) -> list[tuple[str, str]]:
    """What the last record of the change says of each item."""
    payload = json.loads(AuditRecord.objects.filter(key=str(change.pk), kind=change.kind).latest("seq").payload)
    return [(step["target"], step["outcome"]) for step in payload["steps"]]


def through(host: Host, door: EngineSocket) -> None:
    answered_by(host, door.url)


@pytest.mark.req("D10")
@pytest.mark.parametrize("answer", [hangs, raw(b""), says({"message": "no"}, status=500)])
def test_an_item_that_got_no_answer_is_looked_at_and_the_others_go(
    client: docker.DockerClient,
    host: Host,
    own_engine: PrivateEngine,
    operator: User,
    approver: User,
    answer: Behaviour,
) -> None:
    three_images(client)
    change = approved(DANGLING, host, operator, approver)
    second = change.planned().steps[1].target

    with EngineSocket({f"/images/{second}": answer}, upstream=str(own_engine.socket)) as door:
        through(host, door)
        change = apply_change(find_change(change.pk), by=person(operator))

    assert outcomes(change) == ["done", "failed", "done"]
    assert change.status == Change.Status.FAILED
    assert image_ids(client) == {second}
    assert [request.path for request in door.requests if request.method == "DELETE"].count(f"/images/{second}") == 1


def test_an_engine_that_is_gone_before_an_item_left_it_as_it_was(
    client: docker.DockerClient, host: Host, own_engine: PrivateEngine, operator: User, approver: User
) -> None:
    three_images(client)
    change = approved(DANGLING, host, operator, approver)

    def leaves() -> None:
        door.path.unlink()

    with meddling(host, own_engine, at_removal(1), leaves) as door:
        change = apply_change(find_change(change.pk), by=person(operator))

    assert outcomes(change) == ["done", "failed", "failed"]
    assert change.steps.last().detail.endswith("Nothing was done to it.")  # type: ignore[union-attr]
    assert change.status == Change.Status.FAILED
    assert "could not be verified" in change.sentence
    assert len(image_ids(client)) == 2


def test_an_engine_that_is_gone_in_an_item_leaves_a_doubt_that_looking_settles(
    client: docker.DockerClient, host: Host, own_engine: PrivateEngine, operator: User, approver: User
) -> None:
    three_images(client)
    change = approved(DANGLING, host, operator, approver)
    second = change.planned().steps[1].target

    def hangs_up(client: object, over: threading.Event) -> None:
        door.path.unlink()

    with EngineSocket({f"/images/{second}": hangs_up}, upstream=str(own_engine.socket)) as door:
        through(host, door)
        doubt = apply_change(find_change(change.pk), by=person(operator))
        doubtful = outcomes(doubt)
    answered_by(host, own_engine.url)
    recover()
    settled = find_change(change.pk)

    assert (doubt.status, doubtful) == (Change.Status.IN_DOUBT, ["done", "unknown", "skipped"])
    assert (settled.status, outcomes(settled)) == (Change.Status.FAILED, ["done", "skipped", "skipped"])
    assert len(image_ids(client)) == 2


@pytest.mark.req("H15")
@pytest.mark.req("D20")
def test_a_build_that_begins_at_item_3_of_136_leaves_the_other_133(
    client: docker.DockerClient,
    host: Host,
    own_engine: PrivateEngine,
    operator: User,
    approver: User,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(apply, "GLANCE_SECONDS", 0)
    builder = a_builder(client, "ci0")
    images = many_images(own_engine.url, 136)
    phase_one_done(host)
    change = approved(RETIRE, host, operator, approver, items=[f"image:{image}" for image in images])

    with meddling(host, own_engine, at_removal(3), lambda: begin_a_build(builder)):
        change = apply_change(find_change(change.pk), by=person(operator))

    assert outcomes(change) == ["done"] * 3 + ["skipped"] * 133
    assert change.status == Change.Status.COMPLETED
    assert len(set(images) & image_ids(client)) == 133
    assert all("has been building for" in step.detail for step in change.steps.filter(outcome="skipped"))
    assert [outcome for _target, outcome in told(change)] == outcomes(change)


@pytest.mark.req("H14")
@pytest.mark.req("H54")
@pytest.mark.parametrize("where", ["the engine", "a builder"])
def test_a_prune_without_an_answer_is_asked_for_once_and_leaves_a_failed_audit_with_evidence(
    client: docker.DockerClient, host: Host, own_engine: PrivateEngine, operator: User, approver: User, where: str
) -> None:
    build(client)
    builder = a_builder(client, "ci0")
    observe_host(host, asked_by="a test")
    wanted = "build_cache" if where == "the engine" else "builder:ci0"
    Budget.objects.filter(host=host).exclude(scope=wanted).update(mode=Budget.Mode.REPORT)
    Budget.objects.filter(host=host, scope=wanted).update(
        mode=Budget.Mode.APPLY, max_bytes=0, reserve_bytes=0, min_age_seconds=0
    )
    had = cache_bytes(client)
    change = approved(BUILD_CACHE, host, operator, approver)
    silent: Callable[[Request], bool] = (
        (lambda request: request.path == "/build/prune") if where == "the engine" else _starts_a_prune()
    )

    with SilentSocket(own_engine, silent) as door:
        through(host, door)
        change = apply_change(find_change(change.pk), by=person(operator))

    assert door.silenced == 1
    assert outcomes(change) == ["failed"]
    assert "It is not tried again." in change.steps.get().detail
    record = AuditRecord.objects.filter(key=str(change.pk), kind=BUILD_CACHE).latest("seq")
    assert (change.status, record.status) == (Change.Status.FAILED, "failed")
    assert json.loads(record.payload)["after"]["facts"]["docker_summary"]["build_cache"]["count"] > 0
    assert cache_bytes(client) == had
    assert prunes_inside(builder) == []


class SilentSocket(EngineSocket):
    """Passes everything on but what `silent` is true of: that gets no answer, and does not reach the engine."""

    def __init__(self, engine: PrivateEngine, silent: Callable[[Request], bool]) -> None:
        super().__init__(upstream=str(engine.socket))
        self._silent = silent
        self.silenced = 0

    def answer(self, request, original, client):  # type: ignore[no-untyped-def]
        if self._silent(request):
            self.silenced += 1
            hangs(client, self._over)
        else:
            super().answer(request, original, client)


def _starts_a_prune() -> Callable[[Request], bool]:
    """True of the start of an exec that was made to prune; what it made before is told by the last exec."""
    made: list[list[str]] = []

    def is_start(request: Request) -> bool:
        if request.exec_argv is not None:
            made.append(request.exec_argv)
        return request.path.endswith("/start") and made[-1][:3] == ["buildctl", "prune", "--keep-duration"]

    return is_start
