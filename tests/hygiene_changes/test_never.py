"""What no code path can ask of an engine (H30, P9, P10): read off the source, and off all that the kinds send."""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest

import hygiene
import launchplane
from launchplane.access.models import User
from launchplane.changes.apply import apply_change
from launchplane.changes.models import Change
from launchplane.hosts.engine import BUILDER_READS
from launchplane.hosts.models import Host
from launchplane.hosts.services import find_host
from launchplane.sandbox.dockerd import PrivateEngine
from tests.engine_things import a_builder, a_container, an_image, build
from tests.faults import EngineSocket, Request
from tests.hygiene_changes.ways import BUILD_CACHE, DANGLING, RETIRE, approved, person, phase_one_done

PRODUCT = [Path(package.__path__[0]) for package in (launchplane, hygiene)]
# the only modules that may send anything but a question
DOORS = {"launchplane/hosts/calls.py", "launchplane/hosts/builders.py", "launchplane/hosts/local_removals.py"}
SENDS = {"post", "delete", "put", "patch", "_post", "_delete", "_put"}
PRUNE = re.compile(r"/[a-z{}]*/?prune$")
SDK = {"prune_images", "prune_volumes", "prune_containers", "prune_networks", "prune_builds", "prune"}

EXEC = re.compile(r"/containers/[0-9a-f]{64}/exec|/exec/[0-9a-f]{64}/start")
REMOVALS = {
    "DELETE": re.compile(r"/images/[a-z0-9:/._-]+|/containers/[0-9a-f]{64}|/volumes/[a-zA-Z0-9_.-]+"),
    "POST": re.compile(r"/build/prune"),
}


def sources() -> Iterator[tuple[str, ast.Module]]:
    """Every module of the product, but for the sandbox, which has an engine of its own to do with as it likes."""
    for package in PRODUCT:
        for path in sorted(package.rglob("*.py")):
            name = str(path.relative_to(package.parent))
            if not name.startswith("launchplane/sandbox/"):
                yield name, ast.parse(path.read_text())


@pytest.mark.req("H30")
@pytest.mark.req("P10")
def test_the_source_knows_no_prune_but_that_of_build_cache() -> None:
    paths = {
        node.value
        for _name, tree in sources()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and re.search(r"/[a-z{}]*/?prune$", node.value)
    }

    assert paths == {"/build/prune"}


@pytest.mark.req("H30")
def test_only_the_doors_send_anything_but_a_question() -> None:
    docker_users = {
        name
        for name, tree in sources()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        if node.func.attr in SENDS and "connection" in ast.dump(node.func.value).lower()
    }

    assert docker_users <= DOORS
    assert "launchplane/hosts/local_removals.py" in docker_users


@pytest.mark.req("H30")
@pytest.mark.req("P9")
def test_nothing_is_called_by_force_and_no_prune_of_the_client_library_is_used() -> None:
    for name, tree in sources():
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute):
                assert node.attr not in SDK, name
            if isinstance(node, ast.keyword) and node.arg == "force":
                raise AssertionError(name)
            if isinstance(node, ast.Dict) and name in DOORS:
                said = {k.value: v for k, v in zip(node.keys, node.values, strict=True) if isinstance(k, ast.Constant)}
                force = said.get("force")
                assert force is None or (isinstance(force, ast.Constant) and force.value == "false")


@pytest.mark.engine
@pytest.mark.django_db
@pytest.mark.req("H30")
@pytest.mark.req("P9")
@pytest.mark.req("P10")
def test_all_that_the_kinds_send_is_named_removals_and_bounded_prunes(
    client: docker.DockerClient, host: Host, own_engine: PrivateEngine, operator: User, approver: User
) -> None:
    build(client)
    a_builder(client, "ci0")
    an_image(client, "labelled", labelled=True)
    an_image(client, "old", tag="app:old")
    an_image(client, "other", tag="app:other")
    a_container(client, "app:old", "left-over", volumes={"orphaned": {"bind": "/data", "mode": "rw"}})
    with EngineSocket(upstream=str(own_engine.socket)) as recorder:
        Host.objects.filter(pk=host.pk).update(docker_url=recorder.url)
        items = ["container:left-over", "volume:orphaned", "image:app:old"]
        run(BUILD_CACHE, operator, approver)
        phase_one_done(host)
        run(DANGLING, operator, approver)
        run(RETIRE, operator, approver, items=items)

    sent = [request for request in recorder.requests if request.method != "GET"]
    assert [request for request in sent if not is_allowed(request)] == []
    assert {(request.method, request.path.split("/")[1]) for request in sent if not EXEC.fullmatch(request.path)} == {
        ("POST", "build"),
        ("DELETE", "images"),
        ("DELETE", "containers"),
        ("DELETE", "volumes"),
    }


def run(kind: str, operator: User, approver: User, **asked: object) -> None:
    phrase = "chris-testing" if kind == RETIRE else ""
    change = approved(kind, find_host("chris-testing"), operator, approver, phrase=phrase, **asked)
    change = apply_change(change, by=person(operator))
    assert change.status == Change.Status.COMPLETED, change.sentence


def is_allowed(request: Request) -> bool:
    if request.exec_argv is not None:
        return tuple(request.exec_argv) in BUILDER_READS.values() or request.exec_argv[:2] == ["buildctl", "prune"]
    if request.method == "DELETE" and "force=false" not in request.query:
        return False
    if request.path == "/build/prune":
        return "all=false" in request.query and request.body in (b"", b"{}")
    if request.path.endswith("/start"):
        return bool(json.loads(request.body) == {"Detach": False, "Tty": False})
    return REMOVALS[request.method].fullmatch(request.path) is not None
