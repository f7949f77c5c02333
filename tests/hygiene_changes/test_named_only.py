"""All that the four kinds send to a real engine, recorded at its socket: named removals and bounded prunes (H30)."""

import json
import re
from datetime import timedelta

import docker
import pytest

from hygiene.models import Budget
from hygiene.services import observe_host
from launchplane.access.models import User
from launchplane.changes.apply import apply_change
from launchplane.changes.models import Change
from launchplane.hosts.models import Host
from onhost.engine.questions import BUILDER_READS
from tests.engine_things import a_builder, a_container, an_image, build
from tests.faults import Request
from tests.hygiene_changes.clock import Clock
from tests.hygiene_changes.ways import AGED, BUILD_CACHE, DANGLING, RETIRE, approved, person

EXEC = re.compile(r"/containers/[0-9a-f]{64}/exec|/exec/[0-9a-f]{64}/start")
NAMED = re.compile(r"/images/sha256:[0-9a-f]{64}|/containers/[0-9a-f]{64}|/volumes/[a-zA-Z0-9_.-]+")
FLOOR, MOST = r"--keep-storage-min \d+", r"( --keep-storage \d+)?"
PRUNE_INSIDE = re.compile(rf"buildctl prune (--help|--keep-duration \d+s {FLOOR}{MOST} --format \{{\{{json \.\}}\}})")


@pytest.mark.engine
@pytest.mark.django_db
@pytest.mark.req("H30")
@pytest.mark.req("P9")
@pytest.mark.req("P10")
@pytest.mark.req("D5")
@pytest.mark.req("H31")
def test_all_that_the_kinds_send_is_named_removals_and_bounded_prunes(
    client: docker.DockerClient, host: Host, operator: User, approver: User, clock: Clock
) -> None:
    build(client)
    for builder in ("ci0", "ci-two0"):
        a_builder(client, builder)
    an_image(client, "labelled", labelled=True)
    for text, tag in (("old", "app:old"), ("other", "app:other"), ("dangling", "")):
        an_image(client, text, tag=tag)
    a_container(client, "app:old", "left-over", volumes={"orphaned": {"bind": "/data", "mode": "rw"}})
    a_container(client, "app:other", "aged", volumes={"kept": {"bind": "/data", "mode": "rw"}})
    observe_host(host, asked_by="a test")
    Budget.objects.filter(host=host).update(mode=Budget.Mode.APPLY)

    run(BUILD_CACHE, host, operator, approver)
    run(DANGLING, host, operator, approver)
    run(RETIRE, host, operator, approver, items=["container:left-over", "volume:orphaned", "image:app:old"])
    clock.ahead = timedelta(hours=25)
    run(AGED, host, operator, approver)

    sent = [request for request in clock.engine.requests if request.method != "GET"]
    assert [request for request in sent if not is_allowed(request)] == []
    assert {(request.method, request.path.split("/")[1]) for request in sent if not EXEC.fullmatch(request.path)} == {
        ("POST", "build"),
        ("DELETE", "images"),
        ("DELETE", "containers"),
        ("DELETE", "volumes"),
    }
    state = {"buildx_buildkit_ci0_state", "buildx_buildkit_ci-two0_state"}
    assert {volume.name for volume in client.volumes.list()} == {*state, "kept"}
    assert len(client.containers.list()) == 2
    assert [image.tags[0] for image in client.images.list() if "app" in str(image.tags)] == ["app:other"]


def run(kind: str, host: Host, operator: User, approver: User, **asked: object) -> None:
    phrase = host.name if kind == RETIRE else ""
    change = approved(kind, host, operator, approver, phrase=phrase, **asked)
    assert change.planned().steps, kind
    change = apply_change(change, by=person(operator))
    assert change.status == Change.Status.COMPLETED, change.sentence


def is_allowed(request: Request) -> bool:
    if request.exec_argv is not None:
        fixed = tuple(request.exec_argv) in BUILDER_READS.values()
        return fixed or PRUNE_INSIDE.fullmatch(" ".join(request.exec_argv)) is not None
    if request.method == "DELETE":
        return NAMED.fullmatch(request.path) is not None and "force=false" in request.query
    if request.path == "/build/prune":
        return "all=false" in request.query and "keep-storage=" in request.query and request.body in (b"", b"{}")
    return EXEC.fullmatch(request.path) is not None and json.loads(request.body) == {"Detach": False, "Tty": False}
