"""Look inside a buildx builder: three fixed `buildctl` reads by an exec in its container, and nothing else."""

from __future__ import annotations

import re
import struct
import time
from collections.abc import Mapping
from typing import Any, Final

from onhost.engine.allowed import BUILDER_ANSWERS
from onhost.engine.buildx import container_name, is_builder
from onhost.engine.calls import Connection, decoded, decoded_stream
from onhost.engine.errors import CallFailed
from onhost.engine.questions import BUILDER_READS
from onhost.words import clean_message

STDERR: Final = 2
FRAME_HEADER: Final = struct.Struct(">BxxxL")


def running_builders(containers: object) -> list[str]:
    """The ids of containers that run a builder, told by name and mount (buildx labels nothing), sorted."""
    listed = containers if isinstance(containers, list) else []
    return sorted(container["Id"] for container in listed if _runs_a_builder(container))


def read_builder(connection: Connection, container_id: str, read: str, *, seconds: float) -> Any:
    """The answer to one of BUILDER_READS, as a list; `seconds` are for all its calls. May raise what `get` raises."""
    stdout, _stderr = run_in_builder(connection, container_id, BUILDER_READS[read], seconds=seconds)
    return BUILDER_ANSWERS[read](_parsed(read, stdout), f"buildctl {read}")


def run_in_builder(
    connection: Connection, container_id: str, argv: tuple[str, ...], *, seconds: float
) -> tuple[bytes, bytes]:
    """What one `buildctl` prints inside a builder's container. Raises CallFailed, also if it ends with an error.

    Callers pass fixed commands with numbers in them, never text from outside.
    """
    ends_at = time.monotonic() + seconds
    body = {"AttachStdout": True, "AttachStderr": True, "Cmd": list(argv)}
    created = decoded(connection.post(f"/containers/{_container_id(container_id)}/exec", body, seconds=seconds))
    exec_id = _exec_id(created)
    frames = connection.post(f"/exec/{exec_id}/start", {"Detach": False, "Tty": False}, seconds=_left(ends_at))
    stdout, stderr = demultiplexed(frames)
    ended = connection.get(f"/exec/{exec_id}/json", seconds=_left(ends_at))
    _require_success(ended, argv, stderr)
    return stdout, stderr


def demultiplexed(frames: bytes) -> tuple[bytes, bytes]:
    """Standard output and standard error out of Docker's frames. Raises CallFailed when the last one is not whole."""
    outputs = bytearray(), bytearray()
    at = 0
    while at < len(frames):
        start = at + FRAME_HEADER.size
        kind, length = FRAME_HEADER.unpack(frames[at:start]) if start <= len(frames) else (0, len(frames))
        at = start + length
        if at > len(frames):
            raise CallFailed("answer_cut", "What the builder printed was cut off before its end.")
        outputs[kind == STDERR].extend(frames[start:at])
    return bytes(outputs[0]), bytes(outputs[1])


def _left(ends_at: float) -> float:
    return max(ends_at - time.monotonic(), 0.0)


def _runs_a_builder(container: Mapping[str, Any]) -> bool:
    mounts = container.get("Mounts") or []
    return (
        container.get("State") == "running"
        and is_builder(container_name(container.get("Names")), [mount.get("Destination") for mount in mounts])
        and re.fullmatch(r"[0-9a-f]{64}", container.get("Id") or "") is not None
    )


def _container_id(container_id: str) -> str:
    if re.fullmatch(r"[0-9a-f]{64}", container_id) is None:
        raise ValueError(f"not a container id: {container_id[:80]!r}")
    return container_id


def _exec_id(created: object) -> str:
    exec_id = created.get("Id") if isinstance(created, dict) else None
    if not isinstance(exec_id, str) or re.fullmatch(r"[0-9a-f]{64}", exec_id) is None:
        raise CallFailed("unexpected_shape", "The engine gave no id for a read inside the builder.")
    return exec_id


def _require_success(ended: object, argv: tuple[str, ...], stderr: bytes) -> None:
    code = ended.get("ExitCode") if isinstance(ended, dict) else None
    if code == 0:
        return
    command = " ".join(argv[:-2])
    said = clean_message(stderr.decode("utf-8", errors="replace")) or "no message"
    raise CallFailed("builder_read_failed", f"`{command}` inside the builder ended with status {code}: {said}")


def _parsed(read: str, stdout: bytes) -> list[Any]:
    """`histories` prints one document for each build, the others one list; nothing to list may be null."""
    try:
        documents = decoded_stream(stdout) if read == "histories" else decoded(stdout)
    except CallFailed as error:
        raise CallFailed("builder_output", f"`buildctl` ({read}) printed something that is not its JSON.") from error
    if documents is None:
        return []
    if not isinstance(documents, list):
        raise CallFailed("builder_output", f"`buildctl` ({read}) printed no list.")
    return documents
