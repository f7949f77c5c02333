"""What launchplane-docker tells of a real engine is what the control plane sees of its own."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from launchplane.hosts.contracts import Answer, MachineFacts, MachineQuestion
from launchplane.hosts.local_engine import LocalEngine
from launchplane.hosts.machine import read_machine
from launchplane.sandbox.dockerd import PrivateEngine
from onhost import docker
from tests.faults import EngineSocket, plain_engine, says
from tests.onhost.calls import a_call

SINCE, UNTIL = "2020-01-01T00:00:00Z", datetime(2040, 1, 1, tzinfo=UTC)


def facts(verb: str, socket: str, more: Mapping[str, object], *, body: bytes = b"") -> dict[str, Any]:
    call = a_call(more, socket=socket, body=body)
    docker.VERBS[verb].act(call)
    return call.facts


def values(answers: Mapping[str, Any]) -> dict[str, Any]:
    """By name, what was answered and why not; not how long it took."""
    told = {name: vars(answer) if isinstance(answer, Answer) else answer for name, answer in answers.items()}
    return {name: (answer["value"], answer["reason"]) for name, answer in told.items()}


@pytest.mark.engine
@pytest.mark.req("H1")
def test_a_pass_has_the_same_answers_field_by_field(planted_engine: PrivateEngine) -> None:
    # events are those of the engine's own execs, of which the second pass sees more
    engine = LocalEngine(planted_engine.url)
    here = engine.observe(since=None, until=UNTIL, progress=lambda _: None)
    there = facts(
        "observe",
        str(planted_engine.socket),
        {"since": None, "until": UNTIL.isoformat(), "pinned_id": here.identity.engine_id},
    )
    assert there["identity"] == vars(here.identity)
    ours, theirs = values(here.answers), values(there["answers"])
    assert ours.keys() == theirs.keys()
    for name, told in theirs.items():
        assert _settled(told) == _settled(ours[name]), name


def _settled(told: Any) -> Any:
    """Without what differs between any two looks: a container's age in words, and the order of an engine's lists."""
    if isinstance(told, dict):
        return {name: _settled(value) for name, value in told.items() if name != "Status"}
    return sorted(map(_settled, told), key=repr) if isinstance(told, list | tuple) else told


@pytest.mark.engine
def test_a_glance_and_the_layers_are_the_same(planted_engine: PrivateEngine) -> None:
    engine, socket = LocalEngine(planted_engine.url), str(planted_engine.socket)
    pinned_id = engine.identify().engine_id
    here = values(engine.glance(pinned_id=pinned_id).answers)
    assert _settled(values(facts("glance", socket, {"pinned_id": pinned_id})["answers"])) == _settled(here)
    listed = facts("observe", socket, {"since": SINCE, "until": UNTIL.isoformat(), "pinned_id": None})
    ids = [image["Id"] for image in listed["answers"]["df"]["value"]["Images"]]
    there = facts("layers", socket, {}, body="".join(f"{image_id}\n" for image_id in ids).encode())
    assert values(there["answers"]) == values(engine.image_layers(ids, progress=lambda _: None))


def test_no_command_environment_or_history_leaves_the_host() -> None:
    secret = "hunter2-canary"
    container = {"Id": "c" * 64, "Names": ["/web"], "Command": secret, "Env": [secret], "Config": {"Env": [secret]}}
    event = {"Type": "container", "Action": f"exec_start: sh -c {secret}", "Actor": {"Attributes": {"execID": secret}}}
    image_id = f"sha256:{'a' * 64}"
    behaviours = {
        **plain_engine(),
        "/containers/json": says([container]),
        "/events": says(event),
        f"/images/{image_id}/json": says({"Config": {"Env": [secret]}, "RootFS": {"Layers": []}}),
        f"/images/{image_id}/history": says([{"Size": 1, "CreatedBy": secret, "Comment": secret}]),
    }
    with EngineSocket(behaviours) as engine:
        asked = {"since": SINCE, "until": UNTIL.isoformat(), "pinned_id": None}
        seen = facts("observe", str(engine.path), asked)
        layers = facts("layers", str(engine.path), {}, body=f"{image_id}\n".encode())
    assert seen["answers"]["containers"]["value"] == [{"Id": "c" * 64, "Names": ["/web"]}]
    assert layers["answers"][image_id]["value"] == {"layers": [], "sizes": [1]}
    assert secret not in repr((seen, layers))


def test_the_machine_is_told_as_the_control_plane_reads_its_own() -> None:
    asked = {"docker_root": "/var/lib/docker", "runner_roots": [], "docker_configs": [], "seconds": 60}
    told = MachineFacts.model_validate(facts("machine", "/nowhere", asked)["machine"])
    here = read_machine(MachineQuestion("/var/lib/docker", (), ()))
    assert told.unmeasured.keys() == here.unmeasured.keys()
    assert [disk.path for disk in told.disks] == [disk.path for disk in here.disks]
    assert told.competing_prunes == here.competing_prunes
