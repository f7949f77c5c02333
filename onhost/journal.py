"""Why a runner is not at work, from the last log that its listener left in `_diag`: which known words are in it.

The folder belongs to the lane's user, so jobs can write there whatever they like. What is told are words of this
program and numbers, and never a text of that log.
"""

from __future__ import annotations

import os
import re
import stat

from onhost import files
from onhost.config import Lane
from onhost.refusals import Refused

FOLDER = "_diag"
LOG = re.compile(r"Runner_[0-9]{8}-[0-9]{6}-utc\.log")
MOST_FILES = 20_000
TAIL_BYTES = 256 * 1024
# a line of the runner's own; what a server or a job is called comes after that
LINE = re.compile(rb"\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ (?P<level>[A-Z]{3,5}) *(?P<source>\w{1,60})\] (?P<text>.*)")
# GitHub's runner, src/Runner.Listener: MessageListener.cs, Runner.cs, Program.cs
ERRORS = (
    ("registration_deleted", re.compile(rb"runner registration has been deleted from the server")),
    ("registration_deleted", re.compile(rb"Registration [0-9a-f-]{36} was not found")),
    ("session_conflict", re.compile(rb"A session for this runner already exists")),
    ("version_deprecated", re.compile(rb"is deprecated and cannot receive messages")),
)
SAID = (
    ("listening", re.compile(rb"WRITE LINE: [0-9: Z-]{19,24}: Listening for Jobs")),
    ("told_to_stop", re.compile(rb"WRITE LINE: Exiting\.\.\.")),
)
FINISHED = re.compile(rb"Runner execution has finished with return code (\d{1,3})")


def see(lane: Lane) -> dict[str, object]:
    """The newest log: `signs` in the order in which they were last said, and `ended_with` if the listener has ended.

    Where no runner ever ran there is none. Raises Refused `path_unsafe`, `odd_file`, `too_many`.
    """
    try:
        with files.folder(lane.directory, owner=os.geteuid()) as at:
            return _told(_last_lines(at))
    except Refused as refusal:
        if refusal.code == "path_missing":
            return _told([])
        raise


def _last_lines(at: int) -> list[bytes]:
    if files.kind(at, FOLDER) is None:
        return []
    try:
        folder = os.open(FOLDER, files.FOLDER_FLAGS, dir_fd=at)
    except OSError as error:
        raise Refused("path_unsafe", f"{FOLDER} is a link or no folder: {error.strerror}") from error
    try:
        name = _newest(folder)
        return [] if name is None else _tail(folder, name)
    finally:
        os.close(folder)


def _newest(folder: int) -> str | None:
    """Their names begin with the time, so the last one is the newest."""
    newest = ""
    with os.scandir(folder) as entries:
        for number, entry in enumerate(entries):
            if number >= MOST_FILES:
                raise Refused("too_many", f"{FOLDER} holds more than {MOST_FILES} files")
            if LOG.fullmatch(entry.name):
                newest = max(newest, entry.name)
    return newest or None


def _tail(folder: int, name: str) -> list[bytes]:
    try:
        opened = os.open(name, files.READ_FLAGS, dir_fd=folder)
    except OSError as error:
        raise Refused("odd_file", f"{name} could not be opened: {error.strerror}") from error
    try:
        found = os.fstat(opened)
        if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid():
            raise Refused("odd_file", f"{name} is no ordinary file of the lane's user")
        return os.pread(opened, TAIL_BYTES, max(0, found.st_size - TAIL_BYTES)).splitlines()
    finally:
        os.close(opened)


def _told(lines: list[bytes]) -> dict[str, object]:
    last: dict[str, int] = {}
    ended_with = None
    for number, line in enumerate(lines):
        parts = LINE.fullmatch(line)
        if parts is None:
            continue
        finished = FINISHED.fullmatch(parts["text"]) if parts["source"] == b"Listener" else None
        ended_with = int(finished.group(1)) if finished else ended_with
        for sign, words in ERRORS if parts["level"] == b"ERR" else SAID:
            if words.search(parts["text"]):
                last[sign] = number
    return {"signs": sorted(last, key=last.__getitem__), "ended_with": ended_with}
