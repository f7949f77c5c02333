"""What launchplane-unit must survive: each bad request for each verb is refused, and nothing changes."""

import json
import os

import pytest

from tests.onhost.room import LANE, OTHER, PROGRAMS, Room, put
from tests.onhost.test_unit import VERBS, up

PROGRAM = f"{PROGRAMS}/launchplane-unit"
BAD_NAMES = [
    f"{LANE}\n",
    f"{LANE}\nUser=root",
    "cm–website",
    "..",
    f"../{LANE}",
    f"{LANE}/../{OTHER}",
    "a/b",
    "%n",
    "x" * 300,
    "-" + LANE,
    "--version",
    "CM-website-chris-testing",
    "no-such-lane",
    "",
    None,
    7,
    [LANE],
]


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Room:
    """One host with a running lane for all: nothing here may change it."""
    from tests.onhost.room import build

    if os.geteuid() != 0:
        pytest.skip("a mount namespace of its own needs root")
    made = build(tmp_path_factory.mktemp("ready") / "root")
    up(made)
    return made


def refused(room: Room, **other: object) -> set[str]:
    """The codes with which each verb refuses a request that is good but for `other`."""
    before = room.contents()
    answers = [room.unit_verb(verb, **other) for verb in VERBS]
    assert {answer.status for answer in answers} <= {2, 4}
    assert all(answer.told["ok"] is False and not answer.stderr for answer in answers)
    assert room.contents() == before
    return {answer.code for answer in answers}


@pytest.mark.req("M31")
@pytest.mark.req("M54")
@pytest.mark.parametrize("name", BAD_NAMES, ids=repr)
def test_no_lane_but_one_of_host_json(ready: Room, name: object) -> None:
    before = ready.contents()
    for verb in VERBS:
        answer = ready.say("launchplane-unit", ready.request(verb) | {"lane": name})
        assert (answer.status, answer.code, answer.stderr) == (4, "unknown_lane", "")
    assert ready.contents() == before


@pytest.mark.req("M54")
@pytest.mark.req("M59")
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("host", "another-host"),
        ("host", "chris-testing\n"),
        ("user", "root"),
        ("user", "lane-other"),
        ("user", "lane-cm\n"),
        ("root", "/srv"),
        ("root", "/srv/runners/"),
        ("root", "/srv//runners"),
        ("root", "/srv/runners/../runners"),
        ("root", "/etc"),
        ("unit", "ssh.service"),
        ("unit", f"launchplane-runner@{OTHER}.service"),
        ("unit", f"launchplane-runner@{LANE}.service ssh.service"),
    ],
)
def test_what_the_request_says_has_to_be_what_the_host_knows(ready: Room, field: str, value: str) -> None:
    assert refused(ready, **{field: value}) == {f"wrong_{field}"}


@pytest.mark.parametrize("token", [0, -1, True, "7", 1.5, None, 1 << 63], ids=repr)
def test_no_fencing_token_but_a_whole_number(ready: Room, token: object) -> None:
    assert refused(ready, fencing_token=token) == {"fields"}


@pytest.mark.parametrize("other", [{"dry_run": 1}, {"dry_run": ...}, {"unit": ...}, {"path": "/etc/passwd"}], ids=repr)
def test_no_field_too_many_or_too_few(ready: Room, other: dict[str, object]) -> None:
    assert refused(ready, **other) == {"fields"}


def test_another_version_is_refused(ready: Room) -> None:
    assert refused(ready, version="2") == {"version_skew"}
    assert refused(ready, version=1) == {"version_skew"}


@pytest.mark.req("M53")
@pytest.mark.parametrize("verb", ["start", "mask", "daemon-reexec", "restart --now", "", None, ["stop"]], ids=repr)
def test_no_verb_but_the_seven(ready: Room, verb: object) -> None:
    before = ready.contents()
    answer = ready.say("launchplane-unit", ready.request("stop") | {"verb": verb})
    assert (answer.status, answer.code) == (2, "unknown_verb")
    assert ready.contents() == before


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b"", "not_json"),
        (b"stop", "not_json"),
        (b"[]", "not_json"),
        (b"\xff\xfe", "not_json"),
        (b'{"verb": "stop", "verb": "disable"}', "not_json"),
        (b'{"fencing_token": NaN}', "not_json"),
        (b"[" * 10_000, "not_json"),
        (b'{"a": "' + b"x" * 70_000 + b'"}', "too_much"),
    ],
)
def test_no_request_but_one_json_object(ready: Room, line: bytes, code: str) -> None:
    answer = ready.run([PROGRAM], stdin=line)
    assert (answer.status, answer.code, answer.stderr) == (2, code, "")


@pytest.mark.parametrize("verb", VERBS)
def test_nothing_may_follow_the_request(ready: Room, verb: str) -> None:
    before = ready.contents()
    answer = ready.say("launchplane-unit", ready.request(verb), body=b"{}")
    assert (answer.status, answer.code) == (2, "too_much")
    assert ready.contents() == before


@pytest.mark.parametrize("arguments", [["stop"], ["--help"], [""], ["--", LANE]], ids=repr)
def test_no_argument_is_taken(ready: Room, arguments: list[str]) -> None:
    line = json.dumps(ready.request("stop")).encode()
    answer = ready.run([PROGRAM, *arguments], stdin=line)
    assert (answer.status, answer.code) == (6, "arguments")


def test_it_does_nothing_for_anybody_but_root(ready: Room) -> None:
    before = ready.contents()
    for user in ("operator", "lane-cm"):
        answer = ready.say("launchplane-unit", ready.request("stop"), user=user)
        assert (answer.status, answer.code) == (4, "not_root")
    assert ready.contents() == before


def test_a_hostile_environment_changes_nothing_it_does(room: Room) -> None:
    evil = room.path("tmp/evil")
    evil.mkdir()
    (evil / "json.py").write_text("raise SystemExit(99)\n")
    put(evil / "systemctl", "#!/bin/sh\ntouch /tmp/evil/ran\n")
    names = ("PYTHONPATH", "PATH", "PYTHONHOME", "HOME", "PYTHONSTARTUP", "PYTHONINSPECT")
    hostile = ["/usr/bin/env", *(f"{name}=/tmp/evil" for name in names)]
    line = json.dumps(room.request("daemon-reload")).encode()
    assert room.run([*hostile, PROGRAM], stdin=line).status == 0
    assert not (evil / "ran").exists()


def test_an_older_fencing_token_is_refused_and_the_same_one_taken(room: Room) -> None:
    assert room.unit_verb("daemon-reload", fencing_token=9).status == 0
    before = room.contents()
    for verb in VERBS:
        assert room.unit_verb(verb, fencing_token=8).code == "stale_token"
        assert room.unit_verb(verb, OTHER, fencing_token=8).code == "stale_token"
    assert room.contents() == before
    assert room.unit_verb("daemon-reload", fencing_token=9).status == 0


def test_a_dry_run_leaves_the_fencing_token_as_it_was(room: Room) -> None:
    room.unit_verb("daemon-reload", fencing_token=3)
    room.unit_verb("daemon-reload", fencing_token=99, dry_run=True)
    assert room.path("var/lib/launchplane/fencing_token").read_text() == "3\n"


@pytest.mark.parametrize("written", ["", "3", "x\n", "-1\n", "03\n", "9" * 40 + "\n"], ids=repr)
def test_an_unreadable_fencing_token_stops_everything(room: Room, written: str) -> None:
    put(room.path("var/lib/launchplane/fencing_token"), written, mode=0o644)
    assert room.unit_verb("daemon-reload").code in ("fence_unreadable", "odd_file")
    assert room.manager()["orders"] == []


@pytest.mark.req("H28")
def test_only_one_program_changes_a_host_at_a_time(room: Room) -> None:
    script = "import fcntl;f=open('/var/lib/launchplane/lock','r+');fcntl.flock(f,2);print('held',flush=True);input()"
    room.start(["/usr/bin/python3", "-c", script])
    answer = room.unit_verb("daemon-reload")
    assert (answer.status, answer.code) == (3, "busy")
    assert room.manager()["orders"] == []


def test_no_other_user_can_hold_the_lock(room: Room) -> None:
    script = "open('/var/lib/launchplane/lock')"
    assert "PermissionError" in room.run(["/usr/bin/python3", "-c", script], user="lane-cm").stderr
    room.path("var/lib/launchplane/lock").chmod(0o644)
    assert room.unit_verb("daemon-reload").code == "odd_file"
