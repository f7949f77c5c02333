"""One pass over an engine. It only looks."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from onhost.engine.allowed import ANSWERS, IMAGE_HISTORY, IMAGE_INSPECT
from onhost.engine.answers import Answer, EngineIdentity, RawObservation
from onhost.engine.builders import read_builder, running_builders
from onhost.engine.calls import Connection
from onhost.engine.errors import CallFailed, EngineUnavailable
from onhost.engine.questions import (
    BUILDER_READS,
    CONTAINERS,
    DF,
    EVENTS,
    GONE,
    IMAGES,
    INFO,
    SERVICES,
    VERSION,
    VOLUMES,
    builder_answer,
    is_at_least,
    pinned_api_version,
    require_pinned,
)

EVENTS_KEPT: Final = 256
PARALLEL: Final = 6
LAYER_CONNECTIONS: Final = 4

Ask = Callable[[Connection], Any]
Progress = Callable[[str], None]
# the API version that is spoken, and how large an answer may be
Connect = Callable[[str, int], Connection]


@dataclass(frozen=True)
class Limits:
    """How long one call, `/system/df`, reading all builders and all layers may take; how much is read.

    Together with the machine's own reading the slowest pass ends well before the queue stops its worker.
    """

    call_seconds: float = 15
    df_seconds: float = 60
    builders_seconds: float = 40
    layers_seconds: float = 40
    answer_bytes: int = 32 * 1024 * 1024
    builders_asked: int = 50


class Reader:
    """What may be asked of an engine, whoever connects to it. `connect` raises nothing: the first call does."""

    def __init__(self, connect: Connect, *, limits: Limits | None = None) -> None:
        self._connect = connect
        self._limits = limits or Limits()

    def identify(self) -> EngineIdentity:
        """Which engine answers; the API version is the one that all further calls use. Raises EngineUnavailable."""
        return self._introduce()[0]

    def observe(
        self, *, since: datetime | None, until: datetime, progress: Progress, pinned_id: str | None = None
    ) -> RawObservation:
        """One pass: one `/system/df`, the rest beside it. A failure is in its answer, unless nobody answers at all."""
        identity, answers = self._introduce()
        if pinned_id is not None:
            require_pinned(identity, pinned_id)
        with ThreadPoolExecutor(PARALLEL, thread_name_prefix="observe") as pool:
            pending = {
                name: pool.submit(self._answer, identity, ask)
                for name, ask in self._questions(identity, since, until).items()
            }
            answers[SERVICES] = self._services(identity, answers[INFO])
            answers[CONTAINERS] = pending[CONTAINERS].result()
            builders = running_builders(answers[CONTAINERS].value)
            for name, ask in self._builder_questions(builders[: self._limits.builders_asked]):
                pending[name] = pool.submit(self._answer, identity, ask)
            answers.update(self._not_asked(builders[self._limits.builders_asked :]))
            answers.update(_collected(pending, progress))
        if answers[DF].failed:
            # the disk usage has the same list, measured: asked beside it, the two slow each other down (measured)
            answers[IMAGES] = self._answer(identity, self._get(IMAGES, "/images/json", all=0))
        return RawObservation(identity, answers)

    def glance(self, *, pinned_id: str) -> RawObservation:
        """Containers, services, build cache and the builds inside builders. A failure is in its answer."""
        identity, answers = self._introduce()
        require_pinned(identity, pinned_id)
        answers[SERVICES] = self._services(identity, answers[INFO])
        answers[CONTAINERS] = self._answer(identity, self._get(CONTAINERS, "/containers/json", all=1))
        answers[DF] = self._answer(identity, self._build_cache(identity))
        give_up_at = time.monotonic() + self._limits.builders_seconds
        for container_id in running_builders(answers[CONTAINERS].value):
            ask = self._builder_read(container_id, "histories", give_up_at)
            answers[builder_answer(container_id, "histories")] = self._answer(identity, ask)
        return RawObservation(identity, answers)

    def image_layers(self, image_ids: Sequence[str], *, progress: Progress) -> dict[str, Answer]:
        """Layers and history sizes of each image, base first. Raises EngineUnavailable."""
        identity = self.identify()
        give_up_at = time.monotonic() + self._limits.layers_seconds
        shares = [image_ids[start::LAYER_CONNECTIONS] for start in range(LAYER_CONNECTIONS)]
        found: dict[str, Answer] = {}
        with ThreadPoolExecutor(LAYER_CONNECTIONS, thread_name_prefix="layers") as pool:
            jobs = [pool.submit(self._layers_of, identity, share, give_up_at) for share in shares if share]
            for job in as_completed(jobs):
                found.update(job.result())
                progress(f"layers of {len(found)} of {len(image_ids)} images read")
        return found

    def _introduce(self) -> tuple[EngineIdentity, dict[str, Answer]]:
        try:
            started = time.monotonic()
            with self._connection("1.41") as connection:
                asked = connection.get("/version", seconds=self._limits.call_seconds, versioned=False)
                version = ANSWERS[VERSION](asked, VERSION) or {}
            version_answer = Answer(version, _ms_since(started))
            pinned = pinned_api_version(
                version.get("ApiVersion") or "", oldest_served=version.get("MinAPIVersion") or ""
            )
            info_answer = self._ask(pinned, self._get(INFO, "/info"))
        except CallFailed as error:
            raise EngineUnavailable(error.code, error.sentence) from error
        identity = _identity(info_answer.value or {}, version, pinned)
        return identity, {VERSION: version_answer, INFO: info_answer}

    def _questions(self, identity: EngineIdentity, since: datetime | None, until: datetime) -> dict[str, Ask]:
        df_params = {"verbose": 1} if is_at_least(identity.api_version, "1.52") else None
        return {
            DF: lambda to: ANSWERS[DF](to.get("/system/df", seconds=self._limits.df_seconds, params=df_params), DF),
            CONTAINERS: self._get(CONTAINERS, "/containers/json", all=1),
            VOLUMES: self._get(VOLUMES, "/volumes"),
            EVENTS: lambda to: self._events(to, since, until),
        }

    def _get(self, name: str, path: str, **params: int) -> Ask:
        return lambda to: ANSWERS[name](to.get(path, seconds=self._limits.call_seconds, params=params), name)

    def _services(self, identity: EngineIdentity, info: Answer) -> Answer:
        """Outside a swarm there are no services (measured); a worker can't see them."""
        swarm = info.value.get("Swarm") or {}
        state = swarm.get("LocalNodeState")
        if state == "inactive":
            return Answer([], 0)
        if state == "active" and swarm.get("ControlAvailable"):
            return self._answer(identity, self._get(SERVICES, "/services", status=1))
        if state == "active":
            return Answer(None, 0, "this engine is a swarm worker and cannot see its services")
        return Answer(None, 0, f"the engine's place in a swarm is {state or 'not told'}, so services can't be listed")

    def _build_cache(self, identity: EngineIdentity) -> Ask:
        """The disk usage, of build cache alone where the engine can be asked for that (API 1.42)."""
        params = {"type": "build-cache"} if is_at_least(identity.api_version, "1.42") else None
        return lambda to: ANSWERS[DF](to.get("/system/df", seconds=self._limits.df_seconds, params=params), DF)

    def _events(self, connection: Connection, since: datetime | None, until: datetime) -> dict[str, Any]:
        """What happened since the last pass. Engines keep 256 events: when that many come, older ones may be lost.

        An engine that was started anew has forgotten what it kept; nothing that it answers tells when that was.
        """
        if since is None:
            return {"events": [], "truncated": True}
        params = {"since": _timestamp(since), "until": _timestamp(until)}
        events = ANSWERS[EVENTS](
            connection.get_stream("/events", seconds=self._limits.call_seconds, params=params), EVENTS
        )
        return {"events": events, "truncated": len(events) >= EVENTS_KEPT}

    def _builder_questions(self, builders: Sequence[str]) -> Iterator[tuple[str, Ask]]:
        give_up_at = time.monotonic() + self._limits.builders_seconds
        for container_id in builders:
            for read in BUILDER_READS:
                yield builder_answer(container_id, read), self._builder_read(container_id, read, give_up_at)

    def _not_asked(self, builders: Sequence[str]) -> dict[str, Answer]:
        answer = Answer(None, 0, f"more than {self._limits.builders_asked} builders run; this one was not asked")
        return {builder_answer(container_id, read): answer for container_id in builders for read in BUILDER_READS}

    def _builder_read(self, container_id: str, read: str, give_up_at: float) -> Ask:
        def ask(connection: Connection) -> Any:
            seconds = min(self._limits.call_seconds, give_up_at - time.monotonic())
            if seconds <= 0:
                raise CallFailed("timed_out", f"builders were not all read within {self._limits.builders_seconds:g} s")
            return read_builder(connection, container_id, read, seconds=seconds)

        return ask

    def _answer(self, identity: EngineIdentity, ask: Ask) -> Answer:
        started = time.monotonic()
        try:
            return self._ask(identity.api_version, ask)
        except CallFailed as error:
            return Answer(None, _ms_since(started), error.sentence)

    def _ask(self, api_version: str, ask: Ask) -> Answer:
        started = time.monotonic()
        with self._connection(api_version) as connection:
            return Answer(ask(connection), _ms_since(started))

    def _connection(self, api_version: str) -> Connection:
        return self._connect(api_version, self._limits.answer_bytes)

    def _layers_of(self, identity: EngineIdentity, image_ids: Sequence[str], give_up_at: float) -> dict[str, Answer]:
        with self._connection(identity.api_version) as connection:
            return {image_id: self._layers(connection, image_id, give_up_at) for image_id in image_ids}

    def _layers(self, connection: Connection, image_id: str, give_up_at: float) -> Answer:
        started = time.monotonic()
        seconds = min(self._limits.call_seconds, give_up_at - started)
        if seconds <= 0:
            return Answer(None, 0, f"layers were not all read within {self._limits.layers_seconds:g} s")
        try:
            return Answer(_image_layers(connection, image_id, started + seconds), _ms_since(started))
        except CallFailed as error:
            reason = GONE if error.status == 404 else error.sentence
            return Answer(None, _ms_since(started), reason)


def _image_layers(connection: Connection, image_id: str, ends_at: float) -> dict[str, list[Any]]:
    if re.fullmatch(r"sha256:[0-9a-f]{64}", image_id) is None:
        raise CallFailed("not_an_image_id", "this is not an image id")
    inspected = IMAGE_INSPECT(connection.get(f"/images/{image_id}/json", seconds=_left(ends_at)), "image")
    history = IMAGE_HISTORY(connection.get(f"/images/{image_id}/history", seconds=_left(ends_at)), "history")
    layers = ((inspected or {}).get("RootFS") or {}).get("Layers") or []
    return {"layers": layers, "sizes": [entry.get("Size") for entry in reversed(history or [])]}


def _identity(info: dict[str, Any], version: dict[str, Any], pinned: str) -> EngineIdentity:
    engine_id, docker_root = info.get("ID"), info.get("DockerRootDir")
    if not engine_id or not docker_root:
        raise EngineUnavailable(
            "not_an_engine", "What answers names neither its id nor its root folder, as Docker engines do."
        )
    return EngineIdentity(engine_id, version.get("Version") or "", pinned, docker_root)


def _collected(pending: dict[str, Future[Answer]], progress: Progress) -> dict[str, Answer]:
    names = {future: name for name, future in pending.items()}
    collected = {}
    for future in as_completed(names):
        name, answer = names[future], future.result()
        collected[name] = answer
        progress(f"{name}: {answer.reason or f'read in {answer.duration_ms} ms'}")
    return collected


def _timestamp(moment: datetime) -> str:
    return f"{int(moment.timestamp())}.{moment.microsecond:06d}"


def _left(ends_at: float) -> float:
    return max(ends_at - time.monotonic(), 0.0)


def _ms_since(started: float) -> int:
    return round((time.monotonic() - started) * 1000)
