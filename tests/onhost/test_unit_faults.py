"""A system call that fails, or the end of the process, at each write: the old file or the new one, never half."""

import json
import re
from pathlib import Path

import pytest

from onhost import service
from tests.onhost.room import LANE, PROGRAMS, Answer, Room, put

PROGRAM = f"{PROGRAMS}/launchplane-unit"
WATCHED = "openat,write,fchmod,fsync,rename,renameat,renameat2,unlink,unlinkat"
LINE = re.compile(r"^(\w+)\((.*)")
OLD = f"{service.MARK} 0 for lane {LANE}.\n"
FAULTS = ["error=EIO", "error=ENOSPC", "signal=KILL"]


def traced(room: Room, verb: str, *options: str) -> tuple[Answer, str]:
    """The verb of launchplane-unit under strace, in the main process only, with what strace wrote."""
    return traced_program(room, PROGRAM, room.request(verb), *options)


def traced_program(room: Room, program: str, request: dict[str, object], *options: str) -> tuple[Answer, str]:
    """Any program with this request, likewise."""
    strace = ["/usr/bin/strace", "-qq", "-o", "/tmp/trace", "-e", f"trace={WATCHED}", *options]
    answer = room.run([*strace, program], stdin=json.dumps(request).encode())
    return answer, room.path("tmp/trace").read_text()


def writes(trace: str) -> list[str]:
    """`call:when=n` of each call that changes something on the disk, n counted among the calls of its name."""
    counts: dict[str, int] = {}
    found = []
    for call, arguments in (match.groups() for line in trace.splitlines() if (match := LINE.match(line))):
        counts[call] = counts.get(call, 0) + 1
        only_looks = (call == "openat" and "O_CREAT" not in arguments) or (call == "write" and arguments[0] in "12")
        if not only_looks:
            found.append(f"{call}:when={counts[call]}")
    return found


def reset(room: Room) -> None:
    """An older unit of ours, and no token seen yet."""
    put(room.unit(), OLD, mode=0o644)
    forget(room)


def forget(room: Room) -> None:
    """Nothing is kept of what was asked before; the host stays held."""
    for path in room.path("var/lib/launchplane").iterdir():
        if path.name not in ("lock", "session"):
            path.unlink()


def is_whole(unit: Path, new: str | None) -> bool:
    return (unit.read_text() if unit.exists() else None) in (OLD, new)


@pytest.mark.skipif(not Path("/usr/bin/strace").exists(), reason="strace is missing (Debian: apt-get install strace)")
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("verb", ["install-or-update-unit", "remove-unit"])
def test_at_each_write_the_unit_and_the_token_stay_whole(room: Room, verb: str, fault: str) -> None:
    reset(room)
    answer, trace = traced(room, verb)
    assert answer.status == 0
    new = room.unit().read_text() if verb == "install-or-update-unit" else None
    places = writes(trace)
    assert len(places) >= (12 if new else 8), places
    for place in places:
        reset(room)
        call, when = place.split(":")
        answer, _ = traced(room, verb, "-e", f"inject={call}:{fault}:{when}")
        token = room.path("var/lib/launchplane/fencing_token")
        assert is_whole(room.unit(), new), place
        assert not token.exists() or token.read_text() == f"{room.token}\n", place
        assert answer.told.get("ok") is not True or (room.unit().read_text() if new else room.unit().exists()) == (
            new or False
        )
        assert room.unit_verb(verb).status == 0, place
        assert not list(room.unit().parent.glob(".*")), place
