"""launchplane-runner looks: at the folder, at who is registered in it, and at the service; as the lane's user only."""

import json
import os
from collections.abc import Callable
from itertools import product

import pytest

from tests.onhost.room import CONFIG, LANE, USERS, Room, put
from tests.onhost.test_unit import UNIT, up
from tests.onhost.test_unit_paths import SPOILT, dangling, device, endless, fifo, folder, link, second_name

URL = "https://github.com/cbusillo/odoo-tenant-cm-website"
SETTINGS = '\ufeff{"agentId": 7, "agentName": "' + LANE + '", "poolId": 1, "gitHubUrl": "' + URL + '"}'
ME = USERS["lane-cm"]
VERBS: dict[str, dict[str, object]] = {
    "observe": {"fencing_token": ..., "session": ...},
    "fetch": {"size_bytes": 1, "sha256": "0" * 64},
    "configure": {"scope": "cbusillo/odoo-tenant-cm-website", "labels": ["launchplane"], "update": True},
    "unconfigure": {"agent_id": 7, "local": True},
}


def registered(room: Room, text: str = SETTINGS) -> None:
    put(room.directory() / ".runner", text, ME, 0o600)
    put(room.directory() / ".credentials", "{}", ME, 0o600)


def test_a_configured_runner_is_seen_with_who_it_is(room: Room) -> None:
    registered(room)
    answer = room.runner_verb("observe")
    assert (answer.status, answer.stderr) == (0, "")
    assert answer.fact("directory") == {
        "path": f"/srv/runners/{LANE}",
        "exists": True,
        "problem": "",
        "configured": True,
        "agent_id": 7,
        "agent_name": LANE,
        "github_url": URL,
        "package_sha256": None,
    }


def test_observing_changes_nothing(room: Room) -> None:
    registered(room)
    before = room.contents()
    room.runner_verb("observe")
    assert room.contents() == before


def test_a_folder_without_a_registration_is_not_configured(room: Room) -> None:
    told = room.runner_verb("observe").fact("directory")
    assert (told["exists"], told["configured"], told["agent_id"]) == (True, False, None)


def test_a_missing_folder_is_absent_and_no_problem(room: Room) -> None:
    room.directory().rename(room.path("srv/elsewhere"))
    told = room.runner_verb("observe").fact("directory")
    assert (told["exists"], told["problem"], told["configured"]) == (False, "", False)


@pytest.mark.parametrize("place", [f"srv/runners/{LANE}", "srv/runners"])
@pytest.mark.parametrize("spoil", SPOILT, ids=lambda spoil: spoil.__name__)
def test_an_unsafe_folder_is_a_problem_and_nothing_in_it_is_believed(
    room: Room, place: str, spoil: Callable[[Room, str], None]
) -> None:
    registered(room)
    spoil(room, place)
    told = room.runner_verb("observe").fact("directory")
    assert told["agent_id"] is None
    assert told["problem"] or told["exists"] is False or place == "srv/runners"
    assert told["configured"] is not True


@pytest.mark.parametrize(
    ("name", "make"),
    # how long the credentials are is not looked at: nobody reads them here
    [*product([".runner", ".credentials"], [link, dangling, fifo, folder, second_name, device]), (".runner", endless)],
)
def test_an_odd_file_of_the_runner_is_a_problem(room: Room, name: str, make: Callable[..., None]) -> None:
    registered(room)
    (room.directory() / name).unlink()
    make(room.directory() / name, room)
    os.lchown(room.directory() / name, ME, ME)
    told = room.runner_verb("observe").fact("directory")
    assert (told["configured"], told["agent_id"]) == (None, None)
    assert str(told["problem"]).startswith(name)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", '{"agentId": "7"}', '{"agentId": true}', "\udcff", "[" * 9000, '{"agentName": 1}']
)
def test_a_registration_that_cannot_be_understood_is_configured_with_no_id(room: Room, text: str) -> None:
    (room.directory() / ".runner").write_bytes(text.encode("utf-8", "surrogateescape"))
    os.chown(room.directory() / ".runner", ME, ME)
    told = room.runner_verb("observe").fact("directory")
    assert (told["configured"], told["agent_id"], told["agent_name"]) == (True, None, "")


def test_the_service_is_seen_as_it_is(room: Room) -> None:
    assert room.runner_verb("observe").fact("service")["exists"] is False
    up(room)
    told = room.runner_verb("observe").fact("service")
    assert (told["ours"], told["enabled"], told["active_state"], told["user"]) == (True, True, "active", "lane-cm")
    assert (told["working_directory"], told["exec_start"]) == (
        f"/srv/runners/{LANE}",
        f"/srv/runners/{LANE}/run.sh",
    )


@pytest.mark.parametrize("change", ["text", "drop-in"])
def test_a_unit_that_was_changed_or_added_to_is_not_ours(room: Room, change: str) -> None:
    up(room)
    if change == "text":
        with room.unit().open("a") as file:
            file.write("# and more\n")
    else:
        room.manager(drop_ins=[f"/etc/systemd/system/{UNIT}.d/override.conf"])
    assert room.runner_verb("observe").fact("service")["ours"] is False


def test_jobs_and_users_are_counted_in_the_units_own_cgroup(room: Room) -> None:
    up(room)
    put(room.path("tmp/Runner.Worker"), "#!/usr/bin/python3\nprint('up', flush=True)\ninput()\n")
    job = room.start(["/tmp/Runner.Worker"], user="lane-cm")
    group = room.path(f"sys/fs/cgroup/system.slice/{UNIT}")
    group.mkdir(parents=True)
    (group / "cgroup.procs").write_text(f"{job.pid}\n1\n")
    running = {"active": "active", "sub": "running", "pid": str(job.pid), "cgroup": f"/system.slice/{UNIT}"}
    room.manager(services={UNIT: running})
    told = room.runner_verb("observe").fact("service")
    assert (told["workers"], told["process_users"]) == (1, ["lane-cm", "root"])


def test_jobs_are_unknown_where_nobody_can_count_them(room: Room) -> None:
    up(room)
    assert room.runner_verb("observe").fact("service")["workers"] is None


def test_without_systemd_the_service_is_unmeasured_with_a_reason(room: Room) -> None:
    room.path("usr/bin/systemctl").chmod(0o644)
    answer = room.runner_verb("observe")
    facts = answer.told["facts"]
    assert isinstance(facts, dict)
    assert (answer.status, facts["service"]) == (0, None)
    assert "systemctl cannot be run" in facts["service_unmeasured"]


@pytest.mark.parametrize("verb", VERBS)
def test_it_never_runs_as_root_nor_as_another_user(room: Room, verb: str) -> None:
    before = room.contents()
    request = room.request(verb, **VERBS[verb])
    for user, code in (("root", "is_root"), ("lane-other", "other_user"), ("operator", "other_user")):
        answer = room.say("launchplane-runner", request, user=user)
        assert (answer.status, answer.code) == (4, code)
    assert room.contents() == before


@pytest.mark.req("M54")
@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("lane", "../other-lane", "unknown_lane"),
        ("lane", f"{LANE}\n", "unknown_lane"),
        ("lane", "other-lane", "wrong_user"),
        ("host", "another", "wrong_host"),
        ("user", "lane-other", "wrong_user"),
        ("root", "/srv", "wrong_root"),
        ("unit", "ssh.service", "wrong_unit"),
        ("version", "0", "version_skew"),
        ("verb", "run", "unknown_verb"),
        ("more", 1, "fields"),
    ],
)
def test_a_bad_request_is_refused_for_each_verb(room: Room, verb: str, field: str, value: object, code: str) -> None:
    before = room.contents()
    request = room.request(verb, **VERBS[verb]) | {field: value}
    answer = room.say("launchplane-runner", request, user="lane-cm")
    assert (answer.code, answer.stderr) == (code, "")
    assert answer.status in (2, 4)
    assert room.contents() == before


@pytest.mark.parametrize("verb", ["fetch", "configure", "unconfigure"])
def test_a_change_with_an_older_fencing_token_is_refused(room: Room, verb: str) -> None:
    room.unit_verb("daemon-reload", fencing_token=50)
    before = room.contents()
    request = room.request(verb, **VERBS[verb]) | {"fencing_token": 49}
    assert room.say("launchplane-runner", request, user="lane-cm").code == "stale_token"
    assert room.contents() == before


def test_two_changes_of_one_lane_are_never_at_work_together(room: Room) -> None:
    lock = f"/srv/runners/{LANE}/.launchplane-lock"
    put(room.path(lock), "", ME, 0o600)
    script = f"import fcntl;f=open('{lock}','r+');fcntl.flock(f,2);print('held',flush=True);input()"
    room.start(["/usr/bin/python3", "-c", script], user="lane-cm")
    answer = room.runner_verb("unconfigure", agent_id=7, local=True)
    assert (answer.status, answer.code) == (3, "busy")


def test_a_host_json_for_all_lanes_can_be_read_by_each(room: Room) -> None:
    put(room.path("etc/launchplane/host.json"), json.dumps(CONFIG), mode=0o600)
    assert room.runner_verb("observe").code == "config"
