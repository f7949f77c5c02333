"""What launchplane-docker tells: the engine's answers, reduced to what holds no secret, and the machine's readings.

Which questions are asked is fixed in onhost/engine, and where is read is what the administrator allows. Nothing of a
request gets into a question but two times, and the ids of images.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime

from onhost import door
from onhost.docker_call import Call, engine_problems, introduced, reader
from onhost.engine.answers import Answer, EngineIdentity, RawObservation
from onhost.engine.moments import moment
from onhost.engine.removing import IMAGE_ID
from onhost.machine.limits import Limits
from onhost.machine.read import Places, readings
from onhost.refusals import BadRequest, Refused

OBSERVE_FIELDS = frozenset({"since", "until", "pinned_id"})
GLANCE_FIELDS = frozenset({"pinned_id"})
MACHINE_FIELDS = frozenset({"docker_root", "runner_roots", "docker_configs", "seconds"})
MOST_IMAGES = 20_000
IDS_BYTES = MOST_IMAGES * 80
MOST_SECONDS = 300
MOST_ANSWER_BYTES = 64 * 1024 * 1024
NOT_ALLOWED = "is not in this host's host.json, so it is not read"


def identify(call: Call) -> None:
    """Which engine answers."""
    door.require_at_end(call)
    call.facts["identity"] = _identity(introduced(call))


def observe(call: Call) -> None:
    """One pass: every answer that a report is made of, and each with what it took, or why there is none."""
    door.require_at_end(call)
    since = None if call.more["since"] is None else _moment(call, "since")
    until, pinned_id = _moment(call, "until"), _pinned_id(call, needed=False)
    introduced(call)
    with engine_problems():
        seen = reader(call).observe(since=since, until=until, progress=_silent, pinned_id=pinned_id)
    _tell(call, seen)


def glance(call: Call) -> None:
    """The few answers that tell whether something runs or builds."""
    door.require_at_end(call)
    pinned_id = _pinned_id(call, needed=True)
    introduced(call)
    with engine_problems():
        seen = reader(call).glance(pinned_id=pinned_id or "")
    _tell(call, seen)


def layers(call: Call) -> None:
    """The layers of each image whose id follows the request, one a line."""
    ids = _ids(call)
    introduced(call)
    with engine_problems():
        found = reader(call).image_layers(ids, progress=_silent)
    call.facts["answers"] = _answers(found)
    _require_small(call)


def machine(call: Call) -> None:
    """What the machine says beside the engine. What the administrator does not name is not read, and that is told."""
    door.require_at_end(call)
    root, seconds = call.more["docker_root"], call.more["seconds"]
    roots, configs = _texts(call, "runner_roots"), _texts(call, "docker_configs")
    if not isinstance(root, str) or type(seconds) is not int or not 0 < seconds <= MOST_SECONDS:
        raise BadRequest("fields", f"docker_root has to be a text, seconds a whole number up to {MOST_SECONDS}")
    places = Places(root, roots, configs, forbidden=_forbidden(call, root, roots, configs))
    call.facts["machine"] = readings(places, Limits(seconds))
    _require_small(call)


def _forbidden(call: Call, root: str, roots: tuple[str, ...], configs: tuple[str, ...]) -> dict[str, str]:
    """By field of the reading, why it is not read."""
    told: dict[str, str] = {}
    if root != call.docker.root:
        told["container_logs"] = told[f"disk:{root}"] = f"{root} {NOT_ALLOWED}"
    for path in roots:
        if path not in (*call.host.roots, *call.docker.runner_roots):
            told["runner_roots"] = told[f"disk:{path}"] = f"{path} {NOT_ALLOWED}"
    for path in configs:
        if path not in call.docker.docker_configs:
            told["registry_logins"] = f"{path} {NOT_ALLOWED}"
    return told


def _tell(call: Call, seen: RawObservation) -> None:
    call.facts.update(identity=_identity(seen.identity), answers=_answers(seen.answers))
    _require_small(call)


def _identity(identity: EngineIdentity) -> dict[str, str]:
    return dict(vars(identity))


def _answers(answers: Mapping[str, Answer]) -> dict[str, dict[str, object]]:
    return {name: dict(vars(answer)) for name, answer in answers.items()}


def _require_small(call: Call) -> None:
    size_bytes = len(json.dumps(call.facts))
    if size_bytes > MOST_ANSWER_BYTES:
        call.facts.clear()
        raise Refused("answer_too_large", f"the answer would have {size_bytes} bytes, at most are {MOST_ANSWER_BYTES}")


def _moment(call: Call, field: str) -> datetime:
    found = moment(call.more[field])
    if found is None:
        raise BadRequest("fields", f"{field} has to be a time in RFC 3339")
    return found


def _pinned_id(call: Call, *, needed: bool) -> str | None:
    told = call.more["pinned_id"]
    if not (isinstance(told, str) or (told is None and not needed)):
        raise BadRequest("fields", "pinned_id has to be the engine's id")
    return told


def _texts(call: Call, field: str) -> tuple[str, ...]:
    told = call.more[field]
    if not (isinstance(told, list) and all(isinstance(text, str) for text in told)):
        raise BadRequest("fields", f"{field} has to be a list of texts")
    return tuple(told)


def _ids(call: Call) -> list[str]:
    told = call.stdin.read(IDS_BYTES + 1)
    ids = told.decode("ascii", "replace").split("\n")
    if len(told) > IDS_BYTES or ids.pop() != "" or len(ids) > MOST_IMAGES:
        raise BadRequest("too_much", f"at most {MOST_IMAGES} ids of images follow the request, each with a line's end")
    if not all(IMAGE_ID.fullmatch(image_id) for image_id in ids):
        raise BadRequest("fields", "something follows the request that is no image's id")
    return ids


def _silent(_line: str) -> None:
    """Nobody listens to the progress."""
