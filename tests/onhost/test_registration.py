"""configure and unconfigure: the token goes to config.sh's environment, and to nobody and nothing else (M69)."""

import hashlib
import os
import select
from pathlib import Path

import pytest

from onhost import child, names
from tests.onhost.room import LANE, USERS, Answer, Room, put
from tests.onhost.test_runner import URL, registered
from tests.onhost.test_unit import up

TOKEN = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234"
ASKED: dict[str, object] = {
    "scope": "cbusillo/odoo-tenant-cm-website",
    "labels": ["launchplane", "launchplane-managed", "chris-testing", "cm-website"],
    "update": True,
}


def configured(room: Room, body: bytes = TOKEN.encode() + b"\n", /, **other: object) -> Answer:
    return room.runner_verb("configure", body, **ASKED | other)


def behaving(room: Room, how: str) -> None:
    put(room.directory() / "behave", how, USERS["lane-cm"])


def said(room: Room, name: str) -> str:
    return (room.directory() / name).read_text()


def ends(pid: int) -> bool:
    """Whether a process that was killed is gone, as soon as it is."""
    try:
        watched = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    return bool(select.select([watched], [], [], 30)[0])


def test_a_runner_is_registered_and_what_it_wrote_is_read_back(room: Room) -> None:
    answer = configured(room)
    assert (answer.status, answer.stderr) == (0, "")
    assert answer.fact("registration") == {
        "configured": True,
        "agent_id": 7,
        "agent_name": LANE,
        "github_url": URL,
    }
    assert said(room, "arguments").split() == [
        *("--url", URL, "--name", LANE),
        *("--labels", "launchplane,launchplane-managed,chris-testing,cm-website"),
        *("--work", "_work", "--unattended"),
    ]
    assert (room.directory() / ".runner").stat().st_mode & 0o777 == 0o600


@pytest.mark.req("M69")
def test_the_token_is_in_its_environment_and_nowhere_else(room: Room) -> None:
    answer = configured(room)
    assert f"ACTIONS_RUNNER_INPUT_TOKEN={TOKEN}" in said(room, "environment").splitlines()
    assert TOKEN not in said(room, "cmdline") + said(room, "arguments") + answer.stdout + answer.stderr
    (room.directory() / "environment").unlink()
    assert not [path for path in room.root.rglob("*") if path.is_file() and TOKEN.encode() in path.read_bytes()]


def test_its_environment_is_the_lanes_own_and_nothing_of_the_callers(room: Room) -> None:
    configured(room)
    told = dict(line.split("=", 1) for line in said(room, "environment").splitlines())
    home = "/srv/runners/homes/lane-cm"
    assert (told["HOME"], told["DOCKER_CONFIG"]) == (home, f"{home}/.docker")
    shells_own = {"PWD", "SHLVL", "_", "OLDPWD"}
    assert set(told) - shells_own == {"HOME", "DOCKER_CONFIG", "PATH", "LC_ALL", "ACTIONS_RUNNER_INPUT_TOKEN"}


def test_updates_can_be_switched_off(room: Room) -> None:
    configured(room, update=False)
    assert "--disableupdate" in said(room, "arguments").split()


@pytest.mark.req("M69")
@pytest.mark.parametrize("how", ["fail", "flood"])
def test_what_config_sh_says_is_told_without_the_token(room: Room, how: str) -> None:
    behaving(room, how)
    answer = configured(room)
    facts = answer.told["facts"]
    assert isinstance(facts, dict)
    assert "[token]" in facts["output"]
    assert TOKEN not in answer.stdout
    assert len(facts["output"]) <= child.TOLD_BYTES
    assert "\033" not in facts["output"]


@pytest.mark.req("L8")
@pytest.mark.parametrize(
    ("how", "code", "configured_afterwards"),
    [("fail", "config_failed", False), ("half", "config_failed", True), ("nothing", "not_configured", False)],
)
def test_a_failure_tells_what_is_registered_now(room: Room, how: str, code: str, configured_afterwards: bool) -> None:
    behaving(room, how)
    answer = configured(room)
    assert (answer.status, answer.code) == (5, code)
    assert answer.fact("registration")["configured"] is configured_afterwards


def test_an_odd_file_after_config_sh_is_a_failure_and_no_mere_refusal(room: Room) -> None:
    behaving(room, "odd")
    answer = configured(room)
    assert (answer.status, answer.code) == (5, "odd_file")


def test_a_runner_that_calls_itself_otherwise_is_no_success(room: Room) -> None:
    behaving(room, "other")
    answer = configured(room)
    assert (answer.status, answer.code) == (5, "not_configured")


@pytest.mark.req("M2")
def test_what_config_sh_leaves_running_is_ended_with_it(room: Room) -> None:
    behaving(room, "leave")
    assert configured(room).status == 0
    assert ends(int(said(room, "left")))


def test_one_that_hangs_is_ended_with_all_its_children(tmp_path: Path) -> None:
    script = tmp_path / "hangs"
    put(script, "#!/bin/sh\nsleep 1000 & echo $!; echo $ACTIONS_RUNNER_INPUT_TOKEN; wait\n")
    ended = child.run(
        [str(script)],
        cwd=str(tmp_path),
        env={"ACTIONS_RUNNER_INPUT_TOKEN": TOKEN, "PATH": "/usr/bin:/bin"},
        secret=TOKEN.encode(),
        seconds=3,
    )
    pid, token = ended.output.split()
    assert (ended.returncode, token) == (None, "[token]")
    assert ends(int(pid))


@pytest.mark.req("M69")
@pytest.mark.parametrize("offset", [1, 7, 500, 1017, 1023])
def test_no_part_of_a_token_survives_where_the_output_was_cut_off(offset: int) -> None:
    secret = b"".join(hashlib.sha512(bytes([part])).hexdigest().encode() for part in range(8))
    repeated = secret * (child.KEPT_BYTES // len(secret) + 2)
    kept = bytearray(repeated[offset : offset + child.KEPT_BYTES - 2000] + b"x" * 2000)
    told = child.without(kept, secret)
    parts = {secret[at : at + 8].decode() for at in range(len(secret) - 8)}
    # the end was cut off by this test, not by what keeps it
    assert not [part for part in parts if part in told[: -2000 - len(secret)]]
    assert told.endswith("x" * 900)


def test_a_whole_output_is_told_from_its_beginning() -> None:
    assert child.without(bytearray(TOKEN.encode() + b" is bad"), TOKEN.encode()) == "[token] is bad"


@pytest.mark.parametrize("body", [b"", TOKEN.encode() + b"\n"])
def test_a_dry_run_takes_no_token_and_starts_nothing(room: Room, body: bytes) -> None:
    before = room.contents()
    answer = configured(room, body, dry_run=True)
    assert answer.code == ("too_much" if body else "")
    assert TOKEN not in answer.stdout
    assert room.contents() == before


@pytest.mark.req("M62")
@pytest.mark.parametrize(
    ("other", "code"),
    [
        ({"scope": "cbusillo/other"}, "wrong_scope"),
        ({"scope": "evil/repository"}, "wrong_scope"),
        ({"labels": []}, "fields"),
        ({"labels": ["a,b"]}, "fields"),
        ({"labels": ["--replace"]}, "fields"),
        ({"labels": ["a\nb"]}, "fields"),
        ({"labels": ["a"] * 21}, "fields"),
        ({"labels": "launchplane"}, "fields"),
        ({"labels": [7]}, "fields"),
        ({"update": "yes"}, "fields"),
    ],
    ids=repr,
)
def test_a_registration_elsewhere_or_with_odd_labels_is_refused(
    room: Room, other: dict[str, object], code: str
) -> None:
    before = room.contents()
    assert configured(room, **other).code == code
    assert room.contents() == before


@pytest.mark.req("L13")
def test_a_registered_runner_is_not_registered_over(room: Room) -> None:
    registered(room)
    assert configured(room).code == "configured"
    assert not (room.directory() / "arguments").exists()


def test_an_odd_config_sh_is_not_started(room: Room) -> None:
    (room.directory() / "config.sh").unlink()
    assert configured(room).code == "package_missing"
    (room.directory() / "config.sh").symlink_to("/bin/true")
    os.lchown(room.directory() / "config.sh", USERS["lane-cm"], USERS["lane-cm"])
    assert configured(room).code == "odd_file"


def test_a_registration_is_taken_back_with_a_token(room: Room) -> None:
    configured(room)
    answer = room.runner_verb("unconfigure", TOKEN.encode(), agent_id=7, local=False)
    assert (answer.status, said(room, "arguments").split()) == (0, ["remove"])
    assert answer.fact("registration")["configured"] is False
    assert f"ACTIONS_RUNNER_INPUT_TOKEN={TOKEN}" in said(room, "environment")


def test_one_that_github_no_longer_has_is_forgotten_without_a_token(room: Room) -> None:
    registered(room)
    assert room.runner_verb("unconfigure", TOKEN.encode(), agent_id=7, local=True).code == "too_much"
    answer = room.runner_verb("unconfigure", agent_id=7, local=True)
    assert (answer.status, said(room, "arguments").split()) == (0, ["remove", "--local"])
    assert "ACTIONS_RUNNER_INPUT_TOKEN" not in said(room, "environment")


@pytest.mark.req("L13")
def test_only_our_own_registration_is_taken_back(room: Room) -> None:
    registered(room)
    assert room.runner_verb("unconfigure", agent_id=8, local=True).code == "other_runner"
    registered(room, "not readable")
    assert room.runner_verb("unconfigure", agent_id=7, local=True).code == "other_runner"
    assert (room.directory() / ".runner").exists()


def test_nothing_is_taken_back_while_its_service_runs(room: Room) -> None:
    registered(room)
    up(room)
    assert room.runner_verb("unconfigure", agent_id=7, local=True, fencing_token=99).code == "still_active"
    assert (room.directory() / ".runner").exists()


def test_what_is_not_registered_needs_no_taking_back(room: Room) -> None:
    answer = room.runner_verb("unconfigure", agent_id=7, local=True)
    assert (answer.status, answer.told["changed"]) == (0, False)


def test_a_registration_token_and_a_longer_one_are_taken() -> None:
    assert names.TOKEN.fullmatch(TOKEN.encode())
    assert names.TOKEN.fullmatch(b"ghs_" + b"a.b-c_" * 80)
    assert not names.TOKEN.fullmatch(TOKEN.encode() + b"\n")
