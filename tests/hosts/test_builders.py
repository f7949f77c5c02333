"""Reading a builder's inside: fixed commands, Docker's frames, formats recorded from a real BuildKit."""

import json
import struct
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from launchplane.hosts.docker_url import socket_path
from launchplane.hosts.errors import CallFailed
from onhost.engine.builders import demultiplexed, read_builder, running_builders
from onhost.engine.calls import Connection
from tests.faults import Behaviour, EngineSocket, hangs, says, speaks

RECORDED = Path(__file__).parent / "recorded"
BUILDER = "b" * 64
EXEC = "e" * 64


def frame(kind: int, text: bytes) -> bytes:
    return struct.pack(">BxxxL", kind, len(text)) + text


def builder(stdout: bytes, *, stderr: bytes = b"", code: object = 0, **changes: Behaviour) -> dict[str, Behaviour]:
    return {
        f"/containers/{BUILDER}/exec": changes.get("create", says({"Id": EXEC}, status=201)),
        f"/exec/{EXEC}/start": changes.get("start", speaks(frame(1, stdout) + frame(2, stderr))),
        f"/exec/{EXEC}/json": says({"ExitCode": code, "ProcessConfig": {"arguments": ["secret"]}}),
    }


def read(behaviours: dict[str, Behaviour], what: str) -> Any:
    with (
        EngineSocket(behaviours) as engine,
        Connection(socket_path(engine.url), api_version="1.41", max_answer_bytes=10_000_000) as connection,
    ):
        return read_builder(connection, BUILDER, what, seconds=0.5)


def failure(behaviours: dict[str, Behaviour], what: str = "du") -> CallFailed:
    with pytest.raises(CallFailed) as caught:
        read(behaviours, what)
    return caught.value


@pytest.mark.parametrize("recording", ["du-idle.json", "du-while-building.json"])
def test_cache_records_are_read_without_their_descriptions(recording: str) -> None:
    recorded = json.loads((RECORDED / recording).read_bytes())

    records = read(builder((RECORDED / recording).read_bytes()), "du")

    for record in recorded:
        del record["description"]
    assert records == recorded


def test_workers_are_read_with_their_collection_policy() -> None:
    (worker,) = read(builder((RECORDED / "workers.json").read_bytes()), "workers")

    assert set(worker) == {"id", "labels", "gcPolicy", "buildkitVersion"}
    assert worker["gcPolicy"][1]["reservedSpace"] == 10_000_000_000
    assert worker["buildkitVersion"]["version"] == "v0.0.0+unknown"


@pytest.mark.req("H15")
def test_a_running_build_is_read_without_type_and_completion() -> None:
    builds = read(builder((RECORDED / "histories.jsonl").read_bytes()), "histories")

    running = [build for build in builds if "CompletedAt" not in build["record"]]
    assert running == [
        {"record": {"Ref": "7hqva3402h3hyqx01iv70noql", "CreatedAt": {"seconds": 1795200746, "nanos": 427619279}}}
    ]


def test_of_a_finished_build_neither_errors_nor_commands_are_kept() -> None:
    builds = read(builder((RECORDED / "histories-idle.jsonl").read_bytes()), "histories")

    assert {name for build in builds for name in build["record"]} == {"Ref", "CreatedAt", "CompletedAt"}


@pytest.mark.parametrize(
    ("what", "nothing"), [("du", b"null\n"), ("du", b"[]"), ("histories", b""), ("workers", b"[]")]
)
def test_nothing_to_list_is_an_empty_list(what: str, nothing: bytes) -> None:
    assert read(builder(nothing), what) == []


def test_a_failing_read_says_what_the_builder_said_on_one_line() -> None:
    problem = failure(builder(b"", stderr=b"error: \x1b[1mno socket\n at all\n", code=1))

    assert problem.sentence == "`buildctl du` inside the builder ended with status 1: error: [1mno socket at all"


@pytest.mark.parametrize(
    ("behaviours", "code"),
    [
        (builder(b"ID  RECLAIMABLE"), "builder_output"),
        (builder(b'[{"id": '), "builder_output"),
        *((builder(text), "builder_output") for text in (b'{"id": "a"}', b"{}", b'""', b"0", b"false")),
        (builder(b'["id"]'), "unexpected_shape"),
        (builder(b"[]", code=None), "builder_read_failed"),
        (builder(b"", create=says({"message": "container is paused"}, status=409)), "engine_error"),
        (builder(b"", create=says({"Id": "../../volumes/prune"}, status=201)), "unexpected_shape"),
        (builder(b"", create=says([], status=201)), "unexpected_shape"),
        (builder(b"", start=hangs), "timed_out"),
        (builder(b"", start=speaks(frame(1, b"[]")[:-1])), "answer_cut"),
    ],
)
def test_what_a_builder_can_do_wrong_is_a_reason(behaviours: dict[str, Behaviour], code: str) -> None:
    assert failure(behaviours).code == code


def test_nothing_but_the_named_reads_can_be_asked() -> None:
    with pytest.raises(KeyError):
        read(builder(b""), "prune")


@given(st.lists(st.tuples(st.sampled_from([0, 1, 2]), st.binary(max_size=50))))
def test_frames_are_put_together_in_order(frames: list[tuple[int, bytes]]) -> None:
    stdout, stderr = demultiplexed(b"".join(frame(kind, text) for kind, text in frames))

    assert stdout == b"".join(text for kind, text in frames if kind != 2)
    assert stderr == b"".join(text for kind, text in frames if kind == 2)


@given(st.binary(max_size=200))
def test_any_bytes_are_frames_or_a_reason(answer: bytes) -> None:
    try:
        assert sum(map(len, demultiplexed(answer))) <= len(answer)
    except CallFailed as problem:
        assert problem.code == "answer_cut"


@pytest.mark.parametrize(
    ("change", "is_builder"),
    [
        ({}, True),
        ({"State": "exited"}, False),
        ({"Names": ["/my_buildx_buildkit_a0"]}, False),
        ({"Names": ["/web/alias", "/buildx_buildkit_ci0"]}, True),
        ({"Names": ["/buildx_buildkit_ci0/alias", "/web"]}, False),
        ({"Names": None}, False),
        ({"Mounts": [{"Destination": "/data"}]}, False),
        ({"Mounts": None}, False),
        ({"Id": "short"}, False),
    ],
)
def test_a_builder_is_told_by_state_name_and_mount(change: dict[str, object], is_builder: bool) -> None:
    container = {
        "Id": BUILDER,
        "Names": ["/buildx_buildkit_ci0"],
        "State": "running",
        "Mounts": [{"Destination": "/var/lib/buildkit"}],
    }

    assert running_builders([container | change]) == ([BUILDER] if is_builder else [])


def test_without_a_list_of_containers_no_builder_is_known() -> None:
    assert running_builders(None) == []
