"""launchplane-dispatch: what a key may ask for, and what is made of it."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from onhost import relay
from tests.onhost.room import LANE, PROGRAMS, PROJECT, SESSION, Answer, Room, build, put

DISPATCH = f"{PROGRAMS}/launchplane-dispatch"
OTHER_SESSION = "f" * 32
HOLD: dict[str, object] = {"version": "1", "verb": "hold", "host": "chris-testing", "session": OTHER_SESSION}
NOT_PROGRAMS = [
    "",
    "sh",
    "/bin/sh",
    "launchplane-unit stop",
    "launchplane-unit\n",
    " launchplane-unit",
    "launchplane-unit;id",
    "$(id)",
    "launchplane-dispatch",
    f"{PROGRAMS}/launchplane-unit",
    "../launchplane-unit",
    "launchplane-unıt",
    "%n",
    "x" * 300,
    "-u",
    "sftp-server",
    "internal-sftp",
    "scp -t /tmp",
    "rsync --server . /",
]


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    """One host for all: nothing here changes it."""
    made = build(tmp_path_factory.mktemp("ready") / "root")
    yield made
    made.close()


def asked(
    room: Room, word: str | None, request: dict[str, object] | bytes, *, body: bytes = b"", env: tuple[str, ...] = ()
) -> Answer:
    """dispatch as the ssh user, with `word` as the command that came over ssh."""
    line = request if isinstance(request, bytes) else json.dumps(request).encode() + b"\n"
    said = () if word is None else (f"SSH_ORIGINAL_COMMAND={word}",)
    return room.run(["/usr/bin/env", *env, *said, DISPATCH], stdin=line + body, user="operator")


def test_without_sudo_it_says_so(room: Room) -> None:
    (room.root / ".upper/bin/sudo").chmod(0o644)
    answer = asked(room, "launchplane-unit", room.request("daemon-reload"))
    assert (answer.status, answer.code) == (5, "system_call")


@pytest.mark.req("M52")
def test_a_program_is_run_by_sudo_with_no_argument_and_the_whole_input(room: Room) -> None:
    request = room.request("daemon-reload")
    answer = asked(room, "launchplane-unit", request, body=b"more")
    assert answer.told["argv"] == ["/usr/bin/sudo", "-n", "-u", "root", f"{PROGRAMS}/launchplane-unit"]
    assert answer.told["stdin"] == json.dumps(request) + "\nmore"


def test_who_a_lane_runs_as_is_taken_from_host_json(room: Room) -> None:
    answer = asked(room, "launchplane-runner", room.request("observe", user="root"))
    assert answer.told["argv"] == ["/usr/bin/sudo", "-n", "-u", "lane-cm", f"{PROGRAMS}/launchplane-runner"]


def test_a_payload_of_any_bytes_comes_through_whole(room: Room) -> None:
    body = bytes(range(256)) * 4096
    answer = asked(room, "launchplane-runner", room.request("fetch"), body=body)
    assert str(answer.told["stdin"]).encode("latin-1").split(b"\n", 1)[1] == body


def test_nothing_of_the_callers_environment_reaches_the_program(room: Room) -> None:
    hostile = ("PYTHONPATH=/tmp/evil", "LC_EVIL=1", "LD_LIBRARY_PATH=/tmp/evil", "PATH=/tmp/evil")
    answer = asked(room, "launchplane-unit", room.request("daemon-reload"), env=hostile)
    told = answer.told["environment"]
    assert isinstance(told, dict)
    assert not [name for name in told if "EVIL" in name or name.startswith(("PYTHON", "LD_", "SSH_"))]
    assert "/tmp/evil" not in str(told)


@pytest.mark.parametrize("status", [0, 3, 6, 254])
def test_it_ends_as_the_program_does(room: Room, status: int) -> None:
    assert asked(room, "launchplane-docker", room.request("observe", ends_with=status)).status == status


def test_it_never_ends_as_ssh_itself_does_when_it_fails(room: Room) -> None:
    assert asked(room, "launchplane-docker", room.request("observe", ends_with=255)).status == 1


def begun(room: Room, **other: object) -> subprocess.Popen[bytes]:
    """dispatch with a program that runs, and an input that does not end."""
    command = ["/usr/bin/env", "SSH_ORIGINAL_COMMAND=launchplane-unit", DISPATCH]
    process = subprocess.Popen(room.entering(command, "operator"), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None
    process.stdin.write(json.dumps(room.request("daemon-reload", **other)).encode() + b"\n")
    process.stdin.flush()
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    while process.poll() is None and not any(b"sudo" in cmdline(pid) for pid in children.read_text().split()):
        time.sleep(0.01)
    return process


def cmdline(pid: str) -> bytes:
    """Nothing of a process that has ended."""
    try:
        return Path("/proc", pid, "cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


def ended(process: subprocess.Popen[bytes]) -> tuple[int, dict[str, object]]:
    """Its status and what the program said; our end of its input was open all the time."""
    status = process.wait(timeout=60)
    assert process.stdin is not None
    assert process.stdout is not None
    told = json.loads(process.stdout.read())
    process.stdin.close()
    process.stdout.close()
    return status, told


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_ends_the_programs_input_and_its_end_is_waited_for(room: Room, number: signal.Signals) -> None:
    process = begun(room, ends_with=5)
    process.send_signal(number)
    status, told = ended(process)
    assert status == 5
    assert str(told["stdin"]).count("\n") == 1


def test_it_ends_with_the_program_although_more_could_come(room: Room) -> None:
    status, told = ended(begun(room, reads_no_more=True, ends_with=4))
    assert (status, "argv" in told) == (4, True)


@pytest.mark.req("M53")
@pytest.mark.parametrize("word", [None, *NOT_PROGRAMS], ids=repr)
def test_no_word_but_one_of_the_programs(ready: Room, word: str | None) -> None:
    answer = asked(ready, word, ready.request("daemon-reload"))
    assert (answer.status, answer.code, answer.stderr) == (2, "unknown_program", "")


@pytest.mark.parametrize("name", [f"{LANE}\n", "..", "root", "%n", "x" * 300, "-u", "", None, 7, ["a"]], ids=repr)
def test_no_lane_but_one_of_host_json(ready: Room, name: object) -> None:
    answer = asked(ready, "launchplane-runner", ready.request("observe") | {"lane": name})
    assert (answer.status, answer.code) == (4, "unknown_lane")


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b"", "not_json"),
        (b"stop\n", "not_json"),
        (b"\xff\n", "not_json"),
        (b"{}\n", "version_skew"),
        (b'{"version": "1"}\n', "wrong_host"),
        (b'{"version": "1", "host": "another"}\n', "wrong_host"),
        (b'{"a": "' + b"x" * 70_000 + b'"}\n', "too_much"),
        (b"x" * 200_000, "too_much"),
    ],
)
def test_no_request_but_one_for_this_host(ready: Room, line: bytes, code: str) -> None:
    assert asked(ready, "launchplane-unit", line).code == code


@pytest.mark.parametrize("arguments", [["-c", "sh"], ["launchplane-unit"], [""]], ids=repr)
def test_no_argument_is_taken(ready: Room, arguments: list[str]) -> None:
    command = ["/usr/bin/env", "SSH_ORIGINAL_COMMAND=launchplane-unit", DISPATCH, *arguments]
    answer = ready.run(command, stdin=json.dumps(ready.request("stop")).encode(), user="operator")
    assert (answer.status, answer.code) == (6, "arguments")


def test_a_terminal_is_refused(ready: Room) -> None:
    inner = f"SSH_ORIGINAL_COMMAND=launchplane-unit {DISPATCH}"
    answer = ready.run(["/usr/bin/script", "--quiet", "--return", "--command", inner, "/dev/null"], user="root")
    assert '"terminal"' in answer.stdout
    assert answer.status == 4


@pytest.mark.parametrize(
    "place",
    [
        "usr/local/lib/launchplane/launchplane-dispatch",
        "usr/local/lib/launchplane/onhost/dispatch.py",
        "usr/local/lib/launchplane/onhost",
        "etc/launchplane/host.json",
        "etc/launchplane",
    ],
)
def test_it_does_nothing_when_others_can_write_what_it_is_made_of(room: Room, place: str) -> None:
    path = room.path(place)
    path.chmod(path.stat().st_mode | 0o020)
    answer = asked(room, "launchplane-unit", room.request("daemon-reload"))
    assert (answer.status, answer.code) in {(6, "installation"), (6, "config")}


@pytest.mark.req("H28")
def test_a_change_needs_the_session_that_holds_the_host(room: Room) -> None:
    other = asked(room, "launchplane-runner", room.request("fetch", session=OTHER_SESSION))
    room.let_go()
    ended = asked(room, "launchplane-runner", room.request("fetch"))
    assert (other.status, other.code) == (ended.status, ended.code) == (4, "not_held")


@pytest.mark.parametrize("told", ["", SESSION.upper(), SESSION[1:], SESSION + "\n", "../" + SESSION[3:], None, 7])
def test_a_session_is_32_small_hexadecimal_digits(ready: Room, told: object) -> None:
    assert asked(ready, "launchplane-unit", ready.request("stop", session=told)).code == "fields"


def hold(room: Room) -> subprocess.Popen[bytes]:
    """Somebody who holds the host, and has been told so."""
    command = ["/usr/bin/env", "SSH_ORIGINAL_COMMAND=launchplane-hold", DISPATCH]
    return room.start(command, user="operator", stdin=json.dumps(HOLD).encode() + b"\n")


@pytest.mark.req("H28")
def test_who_holds_the_host_keeps_everybody_else_out(room: Room) -> None:
    room.let_go()
    holder = hold(room)
    second = asked(room, "launchplane-hold", HOLD | {"session": SESSION})
    assert holder.poll() is None
    assert (second.status, second.code) == (3, "busy")
    assert asked(room, "launchplane-unit", room.request("stop", session=OTHER_SESSION)).status == 0
    assert asked(room, "launchplane-unit", room.request("stop")).code == "not_held"


@pytest.mark.parametrize("how", ["its input ends", "it is killed"])
def test_a_host_is_free_once_its_holder_is_gone(room: Room, how: str) -> None:
    room.let_go()
    holder = hold(room)
    if how == "it is killed":
        holder.kill()
    holder.communicate()
    assert asked(room, "launchplane-unit", room.request("stop", session=OTHER_SESSION)).code == "not_held"
    hold(room)


@pytest.mark.parametrize(
    "other", [{"verb": "observe"}, {"session": "x"}, {"lane": LANE}, {"host": "another"}, {"path": "/"}], ids=repr
)
def test_no_way_to_hold_a_host_but_one(ready: Room, other: dict[str, object]) -> None:
    answer = asked(ready, "launchplane-hold", HOLD | other)
    assert answer.code in ("fields", "wrong_host")


def test_a_lanes_user_cannot_hold_the_host(room: Room) -> None:
    room.let_go()
    command = ["/usr/bin/env", "SSH_ORIGINAL_COMMAND=launchplane-hold", DISPATCH]
    answer = room.run(command, stdin=json.dumps(HOLD).encode() + b"\n", user="lane-cm")
    assert (answer.status, answer.code) == (4, "odd_file")
    script = "open('/var/lib/launchplane/session')"
    assert "PermissionError" in room.run(["/usr/bin/python3", "-c", script], user="lane-cm").stderr


@pytest.mark.parametrize("mode", [0o644, 0o660])
def test_a_session_that_others_could_hold_holds_nothing(room: Room, mode: int) -> None:
    room.path("var/lib/launchplane/session").chmod(mode)
    assert room.unit_verb("daemon-reload").code == "odd_file"
    assert asked(room, "launchplane-unit", room.request("stop")).code == "odd_file"


def test_a_session_that_was_swapped_for_a_link_is_refused(room: Room) -> None:
    place = room.path("var/lib/launchplane/session")
    put(Path(str(place) + "x"), "", mode=0o600)
    place.unlink()
    place.symlink_to("sessionx")
    assert room.unit_verb("daemon-reload").code == "odd_file"


@pytest.mark.req("X17")
def test_nobody_else_holds_a_host_while_what_an_ended_session_began_is_at_work(room: Room) -> None:
    at_work = begun(room)
    room.let_go()
    early = asked(room, "launchplane-hold", HOLD)
    assert (early.status, early.code) == (3, "busy")
    assert "still at work" in str(early.told["error"])

    assert at_work.stdin is not None
    at_work.stdin.close()
    at_work.wait(timeout=60)
    hold(room)


@pytest.mark.req("X17")
def test_what_root_is_at_keeps_others_out_also_without_its_dispatch(room: Room) -> None:
    """As after whoever waited for it on this machine has ended dispatch by force: root's part goes on all the same."""
    with stopped_midway(room):
        room.let_go()
        early = asked(room, "launchplane-hold", HOLD)
    assert (early.status, early.code) == (3, "busy")
    assert "still at work" in str(early.told["error"])


@contextmanager
def stopped_midway(room: Room) -> Iterator[None]:
    """launchplane-unit, with no dispatch around it, waits for systemctl as long as this lasts."""
    gate, systemctl = room.path("run/gate"), room.path("usr/bin/systemctl")
    os.mkfifo(gate)
    systemctl.rename(room.path("usr/bin/systemctl.real"))
    put(systemctl, '#!/bin/sh\nread line </run/gate\nexec /usr/bin/systemctl.real "$@"\n')
    request = json.dumps(room.request("daemon-reload")).encode()
    command = room.entering([f"{PROGRAMS}/launchplane-unit"], "root")
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as process:
        assert process.stdin is not None
        process.stdin.write(request)
        process.stdin.close()
        try:
            with gate.open("w"):  # waits until systemctl is there
                yield
        finally:
            process.kill()


def test_a_holder_that_goes_silent_is_not_waited_for(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.write(writing, b"the request\nmore")
    source = relay.Source(reading, line_limit=100)
    source.wait_for_end(silent_seconds=0)
    assert source.line == b"the request\n"
    for end in (reading, writing):
        os.close(end)


@pytest.mark.req("X17")
def test_an_input_that_falls_silent_is_ended_for_the_program() -> None:
    """Else a caller that went away in the middle of a package would keep everybody out until TCP notices, hours later.

    In a process of its own, whose input stays open: it takes all signals that end it.
    """
    script = (
        "from onhost import relay; source = relay.Source(0, line_limit=100);"
        "raise SystemExit(relay.run(['/bin/cat'], source, env={}, silent_seconds=0))"
    )
    command = [sys.executable, "-c", script]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=PROJECT) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(b"the request\nhalf a pack")
        process.stdin.flush()
        try:
            assert process.wait(timeout=60) == 0
        finally:
            process.kill()
        assert process.stdout.read() == b"the request\nhalf a pack"
