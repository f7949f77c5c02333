"""What launchplane-runner tells of what a lane needs: its user, its home, Docker's logins and versions, the disk."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.onhost.room import PROGRAMS, USERS, Room, put

ME, OTHER = USERS["lane-cm"], USERS["lane-other"]
HOME = "/srv/runners/homes/lane-cm"
LOGIN = json.dumps({"auths": {"ghcr.io": {"auth": "c2VjcmV0OnNlY3JldA=="}}})


def told(room: Room) -> dict[str, Any]:
    return room.runner_verb("observe").fact("baseline")


def own_folder(room: Room, place: str, owner: int, mode: int = 0o700) -> None:
    folder = room.path(place)
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(mode)
    os.chown(folder, owner, owner)


def login(room: Room, place: str, owner: int, *, mode: int = 0o600, text: str = LOGIN) -> None:
    own_folder(room, place.rpartition("/")[0], owner, 0o755)
    put(room.path(place), text, owner, mode)


@pytest.mark.req("M88")
def test_a_host_as_it_must_be_has_no_problem(room: Room) -> None:
    found = told(room)
    assert found["user"] == {"uid": ME, "groups": [str(ME)]}
    assert found["home"] == {"path": HOME, "problem": ""}
    assert found["docker_config"] == {"path": f"{HOME}/.docker", "problem": ""}
    assert (found["readable_logins"], found["global_logins"]) == ([], [])
    assert found["disk"]["free_bytes"] <= found["disk"]["total_bytes"]
    assert room.runner_verb("observe").fact("control_path") == {"problem": ""}


@pytest.mark.req("M88")
@pytest.mark.parametrize(
    "place",
    [
        "/srv/runners/homes/lane-other/.docker/config.json",
        "/srv/runners/homes/lane-other/.dockercfg",
        "/root/.docker/config.json",
        "/nowhere/.docker/config.json",
    ],
)
def test_a_login_of_somebody_else_that_it_can_read_is_told(room: Room, place: str) -> None:
    login(room, place, OTHER, mode=0o644)
    assert told(room)["readable_logins"] == [place]


@pytest.mark.req("M88")
@pytest.mark.parametrize("text", ["{}", '{"auths": {}, "credsStore": ""}', '{"currentContext": "default"}', "  \n"])
def test_settings_without_a_login_are_none(room: Room, text: str) -> None:
    login(room, "/srv/runners/homes/lane-other/.docker/config.json", OTHER, mode=0o644, text=text)
    assert told(room)["readable_logins"] == []


@pytest.mark.parametrize(
    "text", ['{"credsStore": "pass"}', '{"credHelpers": {"a": "b"}}', "{not json", "[]", "x" * 70_000]
)
def test_what_might_be_a_login_counts_as_one(room: Room, text: str) -> None:
    login(room, "/srv/runners/homes/lane-other/.docker/config.json", OTHER, mode=0o644, text=text)
    assert len(told(room)["readable_logins"]) == 1


@pytest.mark.req("M88")
def test_a_login_that_only_its_owner_can_read_is_none_of_its_business(room: Room) -> None:
    login(room, "/srv/runners/homes/lane-other/.docker/config.json", OTHER, mode=0o600)
    assert told(room)["readable_logins"] == []


def test_a_pipe_or_a_device_instead_of_settings_does_not_stop_it(room: Room) -> None:
    own_folder(room, "/srv/runners/homes/lane-other/.docker", OTHER, 0o755)
    os.mkfifo(room.path("/srv/runners/homes/lane-other/.docker/config.json"), 0o666)
    room.path("/srv/runners/homes/lane-other/.dockercfg").symlink_to("/dev/zero")
    assert told(room)["readable_logins"] == []


@pytest.mark.req("M88")
def test_a_login_for_every_user_of_the_machine_is_told(room: Room) -> None:
    login(room, "/etc/docker/config.json", 0, mode=0o644)
    assert told(room)["global_logins"] == ["/etc/docker/config.json"]


@pytest.mark.parametrize("mode", [0o600, 0o644])
def test_its_own_login_behind_a_closed_folder_is_fine(room: Room, mode: int) -> None:
    login(room, f"{HOME}/.docker/config.json", ME, mode=mode)
    own_folder(room, f"{HOME}/.docker", ME, 0o700)
    assert told(room)["docker_config"]["problem"] == ""


@pytest.mark.req("M88")
def test_its_own_login_that_others_can_read_is_a_problem(room: Room) -> None:
    login(room, f"{HOME}/.docker/config.json", ME, mode=0o644)
    assert told(room)["docker_config"]["problem"] == "config.json can be read by others"


def test_a_link_in_the_place_of_its_settings_is_a_problem(room: Room) -> None:
    room.path(f"{HOME}/.docker").symlink_to("/root/.docker")
    assert ".docker is a link" in told(room)["docker_config"]["problem"]


def test_a_home_of_somebody_else_s_is_a_problem(room: Room) -> None:
    os.chown(room.path(HOME), OTHER, OTHER)
    found = told(room)
    assert f"belongs to user id {OTHER}" in found["home"]["problem"]
    assert found["docker_config"]["problem"] == found["home"]["problem"]


@pytest.mark.req("M94")
def test_without_the_program_for_units_there_is_no_way_to_restart_or_remove(room: Room) -> None:
    room.path(f"{PROGRAMS}/launchplane-unit").unlink()
    assert room.runner_verb("observe").fact("control_path") == {"problem": "launchplane-unit is not installed"}


@pytest.mark.req("M94")
def test_a_program_for_units_that_others_can_write_is_none(room: Room) -> None:
    room.path(f"{PROGRAMS}/launchplane-unit").chmod(0o777)
    problem = room.runner_verb("observe").fact("control_path")["problem"]
    assert problem == "launchplane-unit can be written by others than its owner"


DOCKER = """\
#!/bin/sh
echo "$DOCKER_CONFIG $HOME" >>/tmp/asked
case "$1" in
version) printf '%s\\n' 'a warning' 'launchplane client=26.1.5+dfsg1 engine={engine}'; exit {status} ;;
buildx) echo 'github.com/docker/buildx v0.13.1 788433953' ;;
esac
"""


def docker(room: Room) -> Path:
    """Where the first client on the PATH lies."""
    place = room.path("/usr/local/sbin/docker")
    place.parent.mkdir(parents=True, exist_ok=True)
    return place


@pytest.mark.req("M88")
@pytest.mark.parametrize(("engine", "status", "seen"), [("20.10.24+dfsg1", 0, "20.10.24"), ("", 1, None)])
def test_versions_are_told_as_numbers_and_asked_for_without_the_user_s_own_settings(
    room: Room, engine: str, status: int, seen: str | None
) -> None:
    put(docker(room), DOCKER.format(engine=engine, status=status))
    found = told(room)
    assert (found["docker_client"], found["docker_engine"], found["buildx"]) == ("26.1.5", seen, "0.13.1")
    assert set(room.path("/tmp/asked").read_text().splitlines()) == {"/nonexistent /nonexistent"}


@pytest.mark.parametrize("says", ["launchplane client= engine=", "x" * 100_000, "launchplane client=$(id) engine=;id"])
def test_a_client_that_says_anything_else_has_no_version(room: Room, says: str) -> None:
    put(docker(room), f"#!/bin/sh\ncat <<'END'\n{says}\nEND\n")
    found = told(room)
    assert (found["docker_client"], found["docker_engine"], found["buildx"]) == (None, None, None)


def test_more_accounts_than_anybody_looks_through_leave_the_baseline_unread(room: Room) -> None:
    many = "".join(f"user{number}:x:{number}:{number}::/nowhere:/bin/sh\n" for number in range(70_000, 75_001))
    with room.path("/etc/passwd").open("a") as accounts:
        accounts.write(many)
    answer = room.runner_verb("observe")
    facts = answer.told["facts"]
    assert isinstance(facts, dict)
    assert (answer.status, facts["baseline"]) == (0, None)
    assert "more than 5000 accounts" in facts["baseline_unmeasured"]
