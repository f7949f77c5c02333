"""Why a runner is not at work, as its own last log says: known words and numbers only, whatever lies in that folder."""

import os
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.runner.standin.session import DELETED
from tests.onhost.room import USERS, Room, put
from tests.onhost.test_unit_paths import device, endless, fifo, folder, link

ME = USERS["lane-cm"]
NAME = "Runner_20261121-201500-utc.log"
AT = "2026-11-21 20:15:00Z"


def line(message: str, *, level: str = "INFO", source: str = "Terminal") -> str:
    return f"[{AT} {level:<4} {source}] {message}\n"


CONFLICT = line("WRITE ERROR: A session for this runner already exists.", level="ERR")
GONE = line(f"WRITE ERROR: {DELETED}", level="ERR")
OLD = line(
    "WRITE ERROR: An error occured: Runner version v2.300.0 is deprecated and cannot receive messages.", level="ERR"
)
LISTENING = line(f"WRITE LINE: {AT}: Listening for Jobs")
EXITING = line("WRITE LINE: Exiting...")


def finished(number: int) -> str:
    return line(f"Runner execution has finished with return code {number}", source="Listener")


def diag(room: Room) -> Path:
    path = room.directory() / "_diag"
    path.mkdir(exist_ok=True)
    os.chown(path, ME, ME)
    return path


def logged(room: Room, text: str, name: str = NAME) -> None:
    put(diag(room) / name, text, ME, 0o600)


def told(room: Room) -> dict[str, Any]:
    return room.runner_verb("observe").fact("journal")


def test_a_runner_that_never_ran_says_nothing(room: Room) -> None:
    assert told(room) == {"signs": [], "ended_with": None}


@pytest.mark.req("X12")
@pytest.mark.parametrize(
    ("text", "signs", "ended_with"),
    [
        (LISTENING, ["listening"], None),
        (GONE + finished(1), ["registration_deleted"], 1),
        (OLD + finished(7), ["version_deprecated"], 7),
        (CONFLICT * 3 + finished(5), ["session_conflict"], 5),
        (CONFLICT + LISTENING, ["session_conflict", "listening"], None),
        (LISTENING + CONFLICT + LISTENING + CONFLICT, ["listening", "session_conflict"], None),
        (LISTENING + EXITING + finished(0), ["listening", "told_to_stop"], 0),
        (LISTENING + finished(2), ["listening"], 2),
    ],
)
def test_the_known_ways_to_end_are_told(room: Room, text: str, signs: list[str], ended_with: int | None) -> None:
    logged(room, text)
    assert told(room) == {"signs": signs, "ended_with": ended_with}


def test_the_newest_log_decides(room: Room) -> None:
    logged(room, GONE + finished(1), "Runner_20261120-000000-utc.log")
    logged(room, LISTENING, "Runner_20261121-000000-utc.log")
    logged(room, CONFLICT, "Worker_20261122-000000-utc.log")
    logged(room, CONFLICT, "Runner_20261123-000000-utc.log.gz")
    assert told(room)["signs"] == ["listening"]


@pytest.mark.parametrize(
    "text",
    [
        line("WRITE LINE: Running job: A session for this runner already exists."),
        line("WRITE LINE: Job x: Listening for Jobs completed"),
        line("Runner execution has finished with return code 1"),
        "A session for this runner already exists.\n",
        line("WRITE ERROR: something new", level="ERR"),
        "\0\r\x1b[2J" * 1000,
        "[" * 100_000,
    ],
)
def test_what_a_job_is_called_or_writes_is_no_word_of_the_runner(room: Room, text: str) -> None:
    logged(room, text)
    assert told(room) == {"signs": [], "ended_with": None}


def test_of_an_endless_log_only_the_end_is_read(room: Room) -> None:
    logged(room, CONFLICT + "x" * 400_000 + "\n" + LISTENING)
    assert told(room)["signs"] == ["listening"]


def test_a_log_of_any_bytes_is_read_all_the_same(room: Room) -> None:
    logged(room, "")
    (diag(room) / NAME).write_bytes(b"\xff\xfe\xed\xa0\x80\n" + GONE.encode())
    assert told(room)["signs"] == ["registration_deleted"]


@pytest.mark.parametrize("spoil", [link, fifo, device, folder, endless])
def test_an_odd_thing_in_the_place_of_the_log_is_not_read(room: Room, spoil: Any) -> None:
    spoil(diag(room) / NAME, room)
    facts = room.runner_verb("observe").told["facts"]
    assert isinstance(facts, dict)
    assert facts["journal"] in (None, {"signs": [], "ended_with": None})
    assert facts["service"] is not None


@pytest.mark.parametrize("spoil", [link, fifo, device])
def test_an_odd_thing_in_the_place_of_the_folder_is_not_followed(room: Room, spoil: Any) -> None:
    spoil(room.directory() / "_diag", room)
    answer = room.runner_verb("observe")
    facts = answer.told["facts"]
    assert isinstance(facts, dict)
    assert (answer.status, facts["journal"]) == (0, None)
    assert "_diag is a link or no folder" in facts["journal_unmeasured"]


def test_nothing_that_stands_in_the_log_leaves_the_host(room: Room) -> None:
    logged(room, line("WRITE ERROR: A session for this runner already exists. secret-of-a-job", level="ERR"))
    assert "secret-of-a-job" not in room.runner_verb("observe").stdout
