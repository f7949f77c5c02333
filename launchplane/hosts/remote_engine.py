"""The Docker engine of a host over ssh, through launchplane-docker there. It only looks.

Its answers go through the same list of allowed fields once more: what a host sends is no better for having been sent.
"""

import re
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from launchplane.hosts.answers import Json, ProgramAnswer
from launchplane.hosts.contracts import Answer, EngineIdentity, RawObservation
from launchplane.hosts.engine import Progress
from launchplane.hosts.errors import CallFailed, EngineReplaced, EngineUnavailable, HostProblem
from launchplane.hosts.programs import Programs
from launchplane.words import clean_message
from onhost.engine.allowed import ANSWERS, BUILDER_ANSWERS
from onhost.engine.questions import (
    BUILDER_READS,
    CONTAINERS,
    DF,
    EVENTS,
    INFO,
    SERVICES,
    VERSION,
    VOLUMES,
    pinned_api_version,
    require_pinned,
)
from onhost.engine.reduce import Reduce, fields, flag, list_of, number, text

DOCKER: Final = "launchplane-docker"
IDENTIFY_SECONDS: Final = 60.0
OBSERVE_SECONDS: Final = 240.0
GLANCE_SECONDS: Final = 150.0
LAYERS_SECONDS: Final = 120.0
LARGEST_ANSWER: Final = 72 * 1024 * 1024  # launchplane-docker sends at most 64 MiB of facts
MOST_ANSWERS: Final = 10_000
IMAGES_AT_ONCE: Final = 10_000
LONGEST_ID: Final = 200
DAY_MS: Final = 86_400_000
BUILDER: Final = re.compile(r"buildkit/[0-9a-f]{64}/(" + "|".join(BUILDER_READS) + ")")
IN_A_PASS: Final = (VERSION, INFO, DF, CONTAINERS, VOLUMES, SERVICES, EVENTS)
AT_A_GLANCE: Final = (VERSION, INFO, DF, CONTAINERS, SERVICES)
PASS_EVENTS: Final = fields(events=ANSWERS[EVENTS], truncated=flag)
# of these, answers that are whole objects of ours and not the engine's
REDUCERS: Final[Mapping[str, Reduce]] = {**ANSWERS, EVENTS: PASS_EVENTS}

Facts = Mapping[str, Any]


def _sizes(value: Any, where: str) -> Any:
    """Sizes of layers, each a number or null where the engine told none."""
    if not isinstance(value, list):
        raise CallFailed("unexpected_shape", f"The engine's answer has an unexpected shape: {where} is no list.")
    return [number(size, f"{where}[]") for size in value]


LAYERS: Final = fields(layers=list_of(text), sizes=_sizes)


class RemoteEngine:
    """Implements `Engine` for a host that has our programs."""

    def __init__(self, programs: Programs) -> None:
        self._programs = programs

    def identify(self) -> EngineIdentity:
        """Which engine answers there. Raises EngineUnavailable."""
        return _identity(self._ask({"verb": "identify"}, IDENTIFY_SECONDS))

    def observe(
        self, *, since: datetime | None, until: datetime, progress: Progress, pinned_id: str | None = None
    ) -> RawObservation:
        """One pass in one request. Raises EngineUnavailable, EngineReplaced; any other failure is in its answer."""
        started = time.monotonic()
        told: dict[str, Json] = {"since": since.isoformat() if since else None, "until": until.isoformat()}
        facts = self._ask({"verb": "observe", "pinned_id": pinned_id, **told}, OBSERVE_SECONDS)
        progress(f"read over ssh in {round((time.monotonic() - started) * 1000)} ms")
        return _observation(facts, IN_A_PASS, pinned_id)

    def glance(self, *, pinned_id: str) -> RawObservation:
        """The few answers that tell whether something runs or builds. Raises EngineUnavailable, EngineReplaced."""
        facts = self._ask({"verb": "glance", "pinned_id": pinned_id}, GLANCE_SECONDS)
        return _observation(facts, AT_A_GLANCE, pinned_id)

    def image_layers(self, image_ids: Sequence[str], *, progress: Progress) -> dict[str, Answer]:
        """Layers of each image. Raises EngineUnavailable."""
        found: dict[str, Answer] = {}
        for start in range(0, len(image_ids), IMAGES_AT_ONCE):
            wanted = image_ids[start : start + IMAGES_AT_ONCE]
            payload = "".join(f"{image_id}\n" for image_id in wanted).encode()
            facts = self._ask({"verb": "layers"}, LAYERS_SECONDS, payload)
            found |= _answers(facts, dict.fromkeys(wanted, LAYERS).get, frozenset(wanted))
            progress(f"layers of {len(found)} of {len(image_ids)} images read")
        return found

    def _ask(self, request: Mapping[str, Json], seconds: float, payload: bytes = b"") -> Facts:
        """The facts of an answer that is one. Raises EngineUnavailable, EngineReplaced."""
        try:
            answer = self._programs.ask(
                DOCKER,
                request,
                payload=payload,
                timeout_seconds=seconds,
                max_answer_bytes=LARGEST_ANSWER,
                raw=True,
            )
        except HostProblem as problem:
            raise EngineUnavailable(problem.code, problem.sentence) from problem
        if not answer.ok:
            raise _refused(answer)
        return answer.facts


def _refused(answer: ProgramAnswer) -> EngineUnavailable | EngineReplaced:
    kind = EngineReplaced if answer.code == "engine_replaced" else EngineUnavailable
    return kind(answer.code, f"The host says: {answer.summary}")


def _identity(facts: Facts) -> EngineIdentity:
    """Which engine it says it is; an API version that we do not know is refused here, too."""
    told = facts.get("identity")
    wanted = ("engine_id", "engine_version", "api_version", "docker_root")
    if not (
        isinstance(told, dict) and set(told) == set(wanted) and all(isinstance(told[name], str) for name in wanted)
    ):
        raise _unusable("it does not tell which engine answers")
    plain = {name: text(told[name], name) for name in wanted}
    if not plain["engine_id"] or not plain["docker_root"].startswith("/"):
        raise _unusable("the engine that it tells of has no id, or no root folder")
    if pinned_api_version(plain["api_version"]) != plain["api_version"]:
        raise _unusable("the engine's API version is none that both sides know")
    return EngineIdentity(**plain)


def _observation(facts: Facts, needed: Sequence[str], pinned_id: str | None) -> RawObservation:
    identity = _identity(facts)
    if pinned_id is not None:
        require_pinned(identity, pinned_id)
    return RawObservation(identity, _answers(facts, _reducer, frozenset(needed)))


def _reducer(name: str) -> Reduce | None:
    """How the answer of that name is read; None for one that nobody asked for."""
    builder = BUILDER.fullmatch(name)
    return BUILDER_ANSWERS[builder[1]] if builder else REDUCERS.get(name)


def _answers(facts: Facts, reducer: Callable[[str], Reduce | None], needed: frozenset[str]) -> dict[str, Answer]:
    """Each answer as it is believed. One that is needed and not there was not measured."""
    told = facts.get("answers")
    if not isinstance(told, dict) or len(told) > max(MOST_ANSWERS, len(needed)):
        raise _unusable("its answers are none")
    missing = Answer(None, 0, "the host did not tell")
    return {name: missing for name in needed if name not in told} | {
        name: _answer(name, one, reducer(name)) for name, one in told.items()
    }


def _answer(name: str, told: object, reduce: Reduce | None) -> Answer:
    if reduce is None:
        raise _unusable("it tells of something that nobody asked for")
    if not (isinstance(told, dict) and set(told) == {"value", "duration_ms", "reason"}):
        raise _unusable(f"its answer {name[:LONGEST_ID]} is none")
    duration, reason = told["duration_ms"], told["reason"]
    if isinstance(duration, bool) or not isinstance(duration, int) or not 0 <= duration <= DAY_MS:
        raise _unusable(f"its answer {name[:LONGEST_ID]} took no time that can be")
    if reason is not None:
        return Answer(None, duration, clean_message(reason) or "no reason") if isinstance(reason, str) else _no_reason()
    try:
        return Answer(reduce(told["value"], name), duration)
    except CallFailed as error:
        return Answer(None, duration, error.sentence)


def _no_reason() -> Answer:
    raise _unusable("the reason for a missing answer is none")


def _unusable(why: str) -> EngineUnavailable:
    return EngineUnavailable("answer_unusable", f"What launchplane-docker answers can't be believed: {why}.")
