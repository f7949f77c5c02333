"""The engine's part of host.json: what it may say. Anything else stops every program, whoever asks for what."""

import copy
import json
from typing import Any

import pytest

from onhost import config, docker_part
from onhost.refusals import Untrusted
from tests.onhost.room import CONFIG, DOCKER


def changed(**other: object) -> dict[str, Any]:
    return {name: value for name, value in (copy.deepcopy(DOCKER) | other).items() if value is not ...}


def hourly(**other: object) -> dict[str, Any]:
    told = changed()
    told["hourly"] = {name: value for name, value in (told["hourly"] | other).items() if value is not ...}
    return told


BAD: list[object] = [
    [],
    {},
    None,
    changed(more=1),
    changed(keep=...),
    changed(hourly=...),
    changed(keep=[]),
    changed(keep={"network": ["a"]}),
    changed(keep={"image": "a"}),
    changed(keep={"image": [""]}),
    changed(keep={"image": [7]}),
    changed(keep={"image": ["a\n"]}),
    changed(keep={"image": ["a"] * 501}),
    hourly(remove_volume=...),
    hourly(system_prune=1),
    hourly(remove_volume=-1),
    hourly(remove_volume=True),
    hourly(remove_volume="1"),
    hourly(remove_volume=1.5),
    hourly(remove_volume=2001),
    changed(socket="docker.sock"),
    changed(socket="tcp://127.0.0.1:2375"),
    changed(socket="/run/../docker.sock"),
    changed(socket=7),
    changed(root="/"),
    changed(root="var"),
    changed(engine_id=""),
    changed(engine_id=7),
    changed(runner_roots="/srv"),
    changed(runner_roots=["srv"]),
    changed(runner_roots=["/srv/.."]),
    changed(docker_configs=["/root/../etc"]),
    changed(docker_configs=["/root//.docker"]),
    changed(docker_configs=[None]),
]


@pytest.mark.parametrize("told", BAD, ids=repr)
def test_a_bad_one_is_refused_with_a_sentence(told: object) -> None:
    with pytest.raises(Untrusted) as refused:
        config.parse(json.dumps(CONFIG | {"docker": told}).encode())
    assert refused.value.summary


def test_what_may_be_left_out_has_what_docker_has_by_itself() -> None:
    found = docker_part.parse(changed(socket=..., runner_roots=..., docker_configs=...))
    assert (found.socket, found.root, found.engine_id) == ("/var/run/docker.sock", "/var/lib/docker", None)
    assert (found.runner_roots, found.docker_configs) == ((), ())


@pytest.mark.parametrize(
    ("kind", "called", "pattern"),
    [
        ("image", ["precious:1"], "precious:*"),
        ("image", ["app:1", "precious:1"], "precious:*"),
        ("image", ["not-precious:1"], None),
        ("image", ["PRECIOUS:1"], None),
        ("volume", ["pg_"], "pg_*"),
        ("volume", ["my_pg_data"], None),
        ("container", ["registry"], "registry"),
        ("container", ["registry2"], None),
        ("container", ["pg_data"], None),
    ],
)
def test_a_pattern_is_for_the_whole_of_a_name_and_one_kind(kind: str, called: list[str], pattern: str | None) -> None:
    assert docker_part.parse(changed()).keeps(kind, called) == pattern
