"""On a machine with real systemd and real sudo: the unit, what becomes of its processes, and who may ask for what."""

import copy
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from launchplane.hosts.command import CommandResult
from onhost import config, door, layout, service, sudoers
from tests.onhost.room import CONFIG, LANE, OTHER, PROGRAMS, SESSION, STANDIN
from tests.onhost.test_registration import ASKED, TOKEN
from tests.testbed.host import DisposableHost

pytestmark = pytest.mark.testbed

HOMES = "/home/runners"
UNIT = f"launchplane-runner@{LANE}.service"
DIRECTORY = f"/srv/runners/{LANE}"
SUDO = "/usr/bin/sudo"
# what `systemd-analyze security` says, from 0 (best) to 10: a build lane needs its network and its own programs
WORST_SCORE = 2.6
RUN_SH = """#!/bin/sh
# takes a job: the first signal is handed on, and a process that ignores it stays
echo "$HOME $DOCKER_CONFIG $(umask) $(pwd) $RUNNER_MANUALLY_TRAP_SIG" >told
echo built >"$HOME/artifact"; echo built >/tmp/artifact
touch /etc/touched /home/touched /srv/runners/touched 2>/dev/null
sh -c 'trap "" TERM INT; while :; do sleep 1; done' &
trap 'exit 143' TERM
wait
"""


@dataclass
class Lane:
    """A lane on the disposable host, asked for by the user that the control plane comes in as."""

    host: DisposableHost
    token: int = 0

    def say(self, verb: str, *, as_user: str = "launchplane", **other: object) -> dict[str, object]:
        """launchplane-unit through sudo; `status` is added to the answer."""
        done = self.sudo(["--user=root", f"{PROGRAMS}/launchplane-unit"], self.request(verb, **other), as_user=as_user)
        told: dict[str, object] = json.loads(done.stdout) if done.stdout.startswith("{") else {"stderr": done.stderr}
        return told | {"status": done.returncode}

    def request(self, verb: str, **other: object) -> str:
        self.token += 1
        told = {"version": "1", "verb": verb, "host": "chris-testing", "lane": LANE, "user": "lane-cm"}
        told |= {"root": "/srv/runners", "unit": UNIT}
        return json.dumps({**told, "dry_run": False, "fencing_token": self.token, "session": SESSION} | other) + "\n"

    def sudo(
        self, arguments: list[str], stdin: str = "", *, as_user: str = "launchplane", env: tuple[str, ...] = ()
    ) -> CommandResult:
        enter = ["runuser", "--user", as_user, "--", "/usr/bin/env", *env, SUDO, "--non-interactive"]
        return self.host.run([*enter, *arguments], stdin=stdin)

    def up(self) -> None:
        self.host.must(["rm", "-f", f"{DIRECTORY}/told"])
        for verb in ("install-or-update-unit", "daemon-reload", "enable-now"):
            assert self.say(verb)["status"] == 0

    def show(self, name: str) -> str:
        return self.host.must(["systemctl", "show", "--value", f"--property={name}", UNIT]).strip()


def told() -> dict[str, Any]:
    """host.json; the other lane lies below /home, which a unit hides."""
    found: dict[str, Any] = copy.deepcopy(CONFIG)
    found["roots"].append(HOMES)
    found["lanes"][OTHER].update(root=HOMES, home=f"{HOMES}/homes/lane-other")
    return found


def installed(host: DisposableHost) -> None:
    """As `hosts install` leaves a host: users, folders, programs, host.json, sudoers."""
    for user in ("launchplane", "lane-cm", "lane-other"):
        host.must(["useradd", "--system", "--shell", "/bin/sh", "--home-dir", f"/srv/runners/homes/{user}", user])
    for place, (source, mode) in layout.files().items():
        _write(host, place, source.read_text(), f"{mode:o}")
    lanes = config.parse(json.dumps(told()).encode())
    _write(host, "/etc/launchplane/host.json", json.dumps(told()), "0644")
    _write(host, "/etc/sudoers.d/launchplane", sudoers.render("launchplane", lanes), "0440")
    _write(host, "/var/lib/launchplane/lock", "", "0600")
    _hold(host)
    for lane in lanes.lanes.values():
        own = ["-o", lane.user, "-g", lane.user]
        host.must(["install", "-d", *own, lane.directory, lane.home])
        for name, text in (("run.sh", RUN_SH), ("config.sh", (STANDIN / "config.sh").read_text())):
            host.must(["install", *own, "-m", "0755", "/dev/stdin", f"{lane.directory}/{name}"], stdin=text)


def _hold(host: DisposableHost) -> None:
    """Somebody holds the host all the time; systemd-run comes back when they do."""
    place = "/var/lib/launchplane/session"
    _write(host, place, f"{SESSION}\n", "0600")
    host.must(["chown", "launchplane:", place])
    ready = ["--property=Type=notify", "--property=NotifyAccess=all", "--property=User=launchplane"]
    stay = ["flock", place, "sh", "-c", "systemd-notify --ready; exec sleep infinity"]
    host.must(["systemd-run", "--collect", "--unit=session-holder", *ready, *stay])


def _write(host: DisposableHost, path: str, text: str, mode: str) -> None:
    host.must(["install", "-D", "-m", mode, "/dev/stdin", path], stdin=text)


@pytest.fixture(scope="module")
def lane(disposable: DisposableHost) -> Iterator[Lane]:
    """One host for all: each test brings the lane to where it begins."""
    installed(disposable)
    yield Lane(disposable)
    disposable.must(["systemctl", "stop", "session-holder"])
    for user in ("launchplane", "lane-cm", "lane-other"):
        disposable.run(["userdel", user])
    disposable.must(["rm", "-r", PROGRAMS, "/etc/launchplane", "/var/lib/launchplane", "/srv/runners", HOMES])
    disposable.must(["rm", "/etc/sudoers.d/launchplane"])


@pytest.fixture(autouse=True)
def _down(lane: Lane) -> Iterator[None]:
    """Whatever a test leaves is taken down by the program itself."""
    yield
    for verb in ("stop", "disable", "remove-unit", "daemon-reload"):
        assert lane.say(verb)["status"] == 0


@pytest.mark.req("M46")
@pytest.mark.req("M47")
@pytest.mark.req("M51")
def test_a_lane_runs_as_its_own_user_from_its_own_folder(lane: Lane) -> None:
    lane.up()
    assert (lane.show("ActiveState"), lane.show("UnitFileState")) == ("active", "enabled")
    assert lane.show("User") == "lane-cm"
    users = lane.host.must(["ps", "-o", "user=", "-p", lane.show("MainPID")]).split()
    assert users == ["lane-cm"]
    _until_told(lane)
    home = "/srv/runners/homes/lane-cm"
    assert lane.host.must(["cat", f"{DIRECTORY}/told"]).split() == [home, f"{home}/.docker", "0077", DIRECTORY, "1"]


def _until_told(lane: Lane) -> None:
    both = "until [ -s $0 ] && pgrep --uid lane-cm sleep; do sleep 0.1; done"
    lane.host.must(["sh", "-c", both, f"{DIRECTORY}/told"])


def test_it_can_write_in_its_folders_and_nowhere_else(lane: Lane) -> None:
    lane.up()
    _until_told(lane)
    assert lane.host.must(["stat", "-c", "%U %a", "/srv/runners/homes/lane-cm/artifact"]) == "lane-cm 600\n"
    for place in ("/etc/touched", "/home/touched", "/srv/runners/touched", "/tmp/artifact"):
        assert lane.host.run(["test", "-e", place]).returncode == 1


def test_a_lane_below_home_sees_its_own_folders_and_no_others(lane: Lane) -> None:
    other = {"lane": OTHER, "user": "lane-other", "root": HOMES, "unit": f"launchplane-runner@{OTHER}.service"}
    for verb in ("install-or-update-unit", "daemon-reload", "enable-now"):
        assert lane.say(verb, **other)["status"] == 0
    ready = "until [ -s $0/told ] && [ -s $1/artifact ]; do sleep 0.1; done; cat $0/told"
    seen = lane.host.must(["sh", "-c", ready, f"{HOMES}/{OTHER}", f"{HOMES}/homes/lane-other"]).split()
    pid = lane.host.must(["systemctl", "show", "--value", "--property=MainPID", str(other["unit"])]).strip()
    homes = lane.host.must(["ls", f"/proc/{pid}/root/home"]).split()
    for verb in ("stop", "disable", "remove-unit", "daemon-reload"):
        assert lane.say(verb, **other)["status"] == 0
    assert seen[:4] == [f"{HOMES}/homes/lane-other", f"{HOMES}/homes/lane-other/.docker", "0077", f"{HOMES}/{OTHER}"]
    assert homes == ["runners"]


@pytest.mark.req("M69")
def test_a_token_is_nowhere_on_the_host_after_a_registration(lane: Lane) -> None:
    request = json.loads(lane.request("configure", **ASKED))
    done = lane.sudo(
        ["--user=lane-cm", f"{PROGRAMS}/launchplane-runner"],
        json.dumps(request) + f"\n{TOKEN}\n",
        as_user="launchplane",
    )
    assert (done.returncode, json.loads(done.stdout)["facts"]["registration"]["agent_id"]) == (0, 7)
    # the stand-in wrote its environment down to show that it has it
    assert f"ACTIONS_RUNNER_INPUT_TOKEN={TOKEN}" in lane.host.must(["cat", f"{DIRECTORY}/environment"])
    lane.host.must(["rm", *(f"{DIRECTORY}/{name}" for name in ("environment", ".runner", ".credentials"))])
    lane.host.must(["journalctl", "--sync"])
    assert TOKEN not in done.stdout + done.stderr
    assert TOKEN not in lane.host.must(["journalctl", "--no-pager", "--output=json", "--all"])
    assert "launchplane-runner" in lane.host.must(["journalctl", "--no-pager"])
    found = lane.host.run(["grep", "-rlF", TOKEN, "/etc", "/var/lib", "/var/log", "/srv", "/tmp", "/run"])
    assert found.stdout == ""


def test_no_process_of_a_job_outlives_its_lane(lane: Lane) -> None:
    lane.up()
    _until_told(lane)
    assert len(lane.host.must(["pgrep", "--uid", "lane-cm"]).split()) >= 2
    answer = lane.say("stop")
    assert answer["status"] == 0
    assert lane.show("Result") == "success"
    assert lane.host.run(["pgrep", "--uid", "lane-cm"]).stdout == ""


def test_a_restart_is_another_process(lane: Lane) -> None:
    lane.up()
    before = lane.show("MainPID")
    assert lane.say("restart")["status"] == 0
    assert lane.show("ActiveState") == "active"
    assert lane.show("MainPID") != before


@pytest.mark.req("M50")
def test_a_lane_whose_runner_is_killed_comes_back(lane: Lane) -> None:
    lane.up()
    before = lane.show("MainPID")
    lane.host.must(["kill", "-KILL", before])
    # systemd counts a restart when it is due, RestartSec later: what is seen at once is that it waits for that
    state = "systemctl show --value --property=SubState $0"
    lane.host.must(["sh", "-c", f"until [ $({state}) = auto-restart ]; do sleep 0.1; done", UNIT])
    assert lane.show("ActiveState") == "activating"


@pytest.mark.req("M59")
def test_it_is_gone_after_stop_disable_and_remove(lane: Lane) -> None:
    lane.up()
    assert lane.say("remove-unit")["error"] != {}
    for verb in ("stop", "disable", "remove-unit", "daemon-reload"):
        assert lane.say(verb)["status"] == 0
    assert lane.show("LoadState") == "not-found"
    assert lane.host.must(["find", "/etc/systemd/system", "-name", "launchplane*"]) == ""


def test_what_the_lanes_user_sees_is_what_systemd_says(lane: Lane) -> None:
    lane.up()
    told = _observed(lane)
    assert told["ours"] is True
    assert (told["active_state"], told["enabled"], told["process_users"]) == ("active", True, ["lane-cm"])
    assert (told["workers"], told["exec_start"]) == (0, f"{DIRECTORY}/run.sh")
    lane.say("stop")
    assert (_observed(lane)["active_state"], _observed(lane)["workers"]) == ("inactive", 0)


def _observed(lane: Lane) -> dict[str, object]:
    request = {name: value for name, value in json.loads(lane.request("observe")).items() if name not in door.CHANGING}
    done = lane.sudo(["--user=lane-cm", f"{PROGRAMS}/launchplane-runner"], json.dumps(request) + "\n")
    told: dict[str, object] = json.loads(done.stdout)["facts"]["service"]
    return told


@pytest.mark.req("M67")
def test_a_drop_in_that_makes_it_root_is_seen_and_nothing_is_started(lane: Lane) -> None:
    lane.up()
    lane.say("stop")
    _write(lane.host, f"/etc/systemd/system/{UNIT}.d/root.conf", "[Service]\nUser=root\n", "0644")
    lane.say("daemon-reload")
    answer = lane.say("enable-now")
    lane.host.must(["rm", "-r", f"/etc/systemd/system/{UNIT}.d"])
    assert answer["error"] == {
        "code": "unit_changed",
        "summary": f"something was added to {UNIT} that changes what it runs, or as whom",
    }


def test_another_unit_on_the_host_is_out_of_reach(lane: Lane) -> None:
    before = lane.host.must(["systemctl", "show", "--value", "--property=ActiveEnterTimestamp", "ssh.service"])
    for verb in ("stop", "restart", "disable", "remove-unit"):
        assert lane.say(verb, unit="ssh.service")["status"] == 4
        assert lane.say(verb, lane="../ssh")["status"] == 4
    assert lane.host.must(["systemctl", "is-active", "ssh.service"]) == "active\n"
    assert lane.host.must(["systemctl", "show", "--value", "--property=ActiveEnterTimestamp", "ssh.service"]) == before


@pytest.mark.req("M52")
@pytest.mark.req("M53")
@pytest.mark.parametrize(
    "arguments",
    [
        ["/bin/sh"],
        ["/usr/bin/systemctl", "restart", UNIT],
        [f"{PROGRAMS}/launchplane-unit", "stop"],
        [f"{PROGRAMS}/launchplane-unit", ""],
        [f"{PROGRAMS}/launchplane-runner"],
        ["--user=lane-cm", f"{PROGRAMS}/launchplane-unit"],
        ["--user=lane-cm", "/bin/sh"],
        ["--user=lane-other", "/usr/bin/id"],
        ["--user=admin", f"{PROGRAMS}/launchplane-runner"],
        ["--preserve-env", f"{PROGRAMS}/launchplane-unit"],
        ["PYTHONPATH=/tmp", f"{PROGRAMS}/launchplane-unit"],
        ["--chdir=/tmp", f"{PROGRAMS}/launchplane-unit"],
    ],
    ids=" ".join,
)
def test_sudo_allows_nothing_but_the_programs_as_they_are(lane: Lane, arguments: list[str]) -> None:
    done = lane.sudo(arguments, lane.request("daemon-reload"))
    assert (done.returncode, done.stdout) == (1, "")


@pytest.mark.req("M52")
@pytest.mark.parametrize("user", ["lane-cm", "lane-other"])
def test_a_lanes_own_user_may_ask_for_nothing(lane: Lane, user: str) -> None:
    for target, program in (("root", "unit"), ("lane-cm", "runner"), ("lane-other", "runner")):
        done = lane.sudo([f"--user={target}", f"{PROGRAMS}/launchplane-{program}"], as_user=user)
        assert (done.returncode, done.stdout) == (1, "")


def test_a_hostile_environment_does_not_come_through_sudo(lane: Lane) -> None:
    _write(lane.host, "/tmp/evil/json.py", "import os; os.system('touch /tmp/evil/ran')\n", "0644")
    _write(lane.host, "/tmp/evil/systemctl", "#!/bin/sh\ntouch /tmp/evil/ran\n", "0755")
    names = ("PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "PATH", "HOME", "SYSTEMD_UNIT_PATH")
    hostile = (*(f"{name}=/tmp/evil" for name in names), "LD_PRELOAD=/tmp/evil/preload.so", "SYSTEMCTL_FORCE_BUS=1")
    done = lane.sudo(["--user=root", f"{PROGRAMS}/launchplane-unit"], lane.request("daemon-reload"), env=hostile)
    assert json.loads(done.stdout)["ok"] is True
    assert lane.host.run(["test", "-e", "/tmp/evil/ran"]).returncode == 1
    lane.host.must(["rm", "-r", "/tmp/evil"])


@pytest.mark.req("M52")
def test_the_sudoers_file_is_good_and_strictly_so(lane: Lane) -> None:
    lane.host.must(["visudo", "--check", "--strict", "--file=/etc/sudoers.d/launchplane"])
    lane.host.must(["visudo", "--check", "--strict"])


@pytest.mark.req("M46")
def test_systemd_finds_nothing_wrong_with_the_unit(lane: Lane) -> None:
    lane.say("install-or-update-unit")
    done = lane.host.run(["systemd-analyze", "verify", f"/etc/systemd/system/{UNIT}"])
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_units_exposure_gets_no_worse(lane: Lane) -> None:
    lane.up()
    told = lane.host.must(["systemd-analyze", "security", "--no-pager", "--json=short", UNIT])
    exposed = [row["name"] for row in json.loads(told) if row["exposure"] and float(row["exposure"]) >= 0.3]
    told = lane.host.run(["systemd-analyze", "security", "--no-pager", UNIT]).stdout
    score = float(told.rsplit("Overall exposure level for", 1)[1].split(":")[1].split()[0])
    assert score <= WORST_SCORE, exposed


def test_what_is_written_is_what_the_control_plane_can_render_itself(lane: Lane) -> None:
    lane.say("install-or-update-unit")
    found = config.parse(json.dumps(CONFIG).encode()).lanes[LANE]
    assert lane.host.must(["cat", f"/etc/systemd/system/{UNIT}"]) == service.render(found)
