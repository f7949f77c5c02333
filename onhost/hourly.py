"""How often each removal was done within the last hour, whoever asked: on the disk, so that nothing forgets it."""

from __future__ import annotations

import json
import time

from onhost import fence, files
from onhost.exact import parse_object
from onhost.refusals import Refusal, Refused

NAME = "removals"
HOUR_SECONDS = 3600
LIMIT = 1 << 20


def spend(removal: str, *, most: int, dry_run: bool) -> None:
    """Count one `removal` before it is done; while this host's lock is held. A dry-run only asks whether it could be.

    A time that is still to come counts as well: a clock that was set back makes nothing possible. Raises Refused
    `over_cap`, and `cap_unreadable` when nobody knows how many there were.
    """
    now = int(time.time())
    with files.folder(fence.FOLDER) as state:
        done = _done(files.read(state, NAME, owner=0, limit=LIMIT))
        lately = {name: [at for at in times if at > now - HOUR_SECONDS] for name, times in done.items()}
        used = len(lately.get(removal, []))
        if used >= most:
            raise Refused("over_cap", f"{removal} was done {used} times within an hour, and host.json allows {most}")
        if not dry_run:
            lately.setdefault(removal, []).append(now)
            files.replace(state, NAME, json.dumps(lately).encode(), mode=0o600)


def _done(data: bytes | None) -> dict[str, list[int]]:
    if data is None:
        return {}
    try:
        told = parse_object(data)
    except Refusal as refusal:
        raise _unreadable() from refusal
    if not all(_are_times(times) for times in told.values()):
        raise _unreadable()
    return {name: list(times) for name, times in told.items() if isinstance(times, list)}


def _are_times(told: object) -> bool:
    return isinstance(told, list) and all(isinstance(at, int) and not isinstance(at, bool) for at in told)


def _unreadable() -> Refused:
    return Refused("cap_unreadable", f"{fence.FOLDER}/{NAME} cannot be understood: an administrator has to look")
