"""A key that leaks: with real sshd and real sudo it observes and runs the typed verbs, and nothing else."""

import json
import os
import socket
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import pytest

from tests.onhost.over_ssh import HOLD, SSH_FAILED, Way, write
from tests.onhost.room import PROGRAMS, SESSION

pytestmark = pytest.mark.testbed

CANARY = "canary-of-the-host"
FILE = f"/root/{CANARY}"
BODY = json.dumps({"Image": "busybox", "Cmd": ["sh"], "HostConfig": {"Privileged": True, "Binds": ["/:/host"]}})


@pytest.fixture(scope="module")
def way(key_holder: Way) -> Way:
    """The way in, and a file that only root can read."""
    write(key_holder.host, FILE, CANARY, "0600")
    return key_holder


def refused(way: Way, *command: str, options: tuple[str, ...] = ()) -> str:
    """The code with which a command is refused, whatever its standard input says."""
    done = way.ssh(*options, command=command, stdin=way.request("identify"))
    assert done.returncode in (2, 4), done
    assert CANARY not in done.stdout + done.stderr
    return str(json.loads(done.stdout)["error"]["code"])


@pytest.mark.parametrize(
    "command",
    [
        (),
        ("id",),
        ("/bin/sh",),
        ("sh", "-c", "id"),
        ("sudo", "-n", "id"),
        ("cat", FILE),
        ("tee", "/tmp/written"),
        ("docker", "ps"),
        ("docker", "system", "dial-stdio"),
        ("launchplane-docker", "--help"),
        ("launchplane-docker; id",),
        ("launchplane-docker\nid",),
        ("launchplane-docker && touch /tmp/written",),
        ("$(touch /tmp/written)",),
        ("`touch /tmp/written`",),
        (f"{PROGRAMS}/launchplane-docker",),
        ("LD_PRELOAD=/tmp/x", "launchplane-docker"),
        ("scp", "-f", FILE),
        ("scp", "-t", "/tmp"),
        ("rsync", "--server", "--sender", ".", FILE),
        ("/usr/lib/openssh/sftp-server",),
        ("internal-sftp",),
        ("git-upload-pack", "/"),
    ],
    ids=" ".join,
)
def test_no_command_but_the_programs(way: Way, command: tuple[str, ...]) -> None:
    assert refused(way, *command) == "unknown_program"
    assert way.host.run(["test", "-e", "/tmp/written"]).returncode == 1


def test_no_subsystem_and_no_copy(way: Way, tmp_path: Path) -> None:
    assert refused(way, "sftp", options=("-s",)) == "unknown_program"
    client = [
        "-F",
        "none",
        "-i",
        str(way.identity),
        "-o",
        f"UserKnownHostsFile={way.known_hosts}",
        "-o",
        "BatchMode=yes",
    ]
    source = f"launchplane@{way.host.address}:{FILE}"
    for protocol in ([], ["-O"]):
        done = subprocess.run(
            ["scp", *protocol, *client, source, str(tmp_path / "taken")],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=60,
            check=False,
        )
        assert done.returncode != 0
    assert not (tmp_path / "taken").exists()


def test_no_terminal(way: Way) -> None:
    done = way.ssh("-tt", command=["launchplane-docker"], stdin=way.request("identify"))
    assert (done.returncode, done.stdout) == (SSH_FAILED, "")
    assert "PTY allocation request failed" in done.stderr


def test_the_key_has_no_option_but_its_command(way: Way) -> None:
    said = way.ssh("-v", "-A", "-X", command=["launchplane-docker"], stdin=way.request("identify")).stderr
    options = {line.split("key options:")[1].strip() for line in said.splitlines() if "key options:" in line}
    assert options == {"command"}


def test_no_port_of_the_host_can_be_reached_through_it(way: Way) -> None:
    done = way.ssh("-W", "127.0.0.1:22")
    assert (done.returncode, done.stdout) == (SSH_FAILED, "")
    assert "administratively prohibited" in done.stderr


def test_no_socket_of_the_host_can_be_reached_through_it(way: Way) -> None:
    """The end that is ours is there, and what comes in at it is let go: sshd opens nothing at the other end."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    forward = way.client("-N", "-o", "ExitOnForwardFailure=yes", "-L", f"127.0.0.1:{port}:/var/run/docker.sock")
    with subprocess.Popen(forward, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as client:
        try:
            with _connected(port, client) as end:
                answer = _answered(end)
        finally:
            client.kill()
    assert answer == b""


def _answered(end: socket.socket) -> bytes:
    """What comes back; nothing from a connection that is cut off."""
    with suppress(ConnectionResetError, BrokenPipeError):
        end.sendall(b"GET /version HTTP/1.0\r\n\r\n")
        return end.recv(100)
    return b""


def _connected(port: int, client: "subprocess.Popen[str]") -> socket.socket:
    """As soon as the client listens; it ends by itself when it may not."""
    while client.poll() is None:
        with suppress(ConnectionRefusedError):
            return socket.create_connection(("127.0.0.1", port), timeout=30)
        time.sleep(0.05)
    raise AssertionError("the client does not listen")


@pytest.mark.parametrize("option", [("-R", "0:127.0.0.1:9"), ("-R", "/tmp/theirs.sock:127.0.0.1:9")], ids=" ".join)
def test_nothing_of_ours_can_be_reached_from_the_host(way: Way, option: tuple[str, str]) -> None:
    done = way.ssh("-N", "-o", "ExitOnForwardFailure=yes", *option)
    assert done.returncode == SSH_FAILED
    assert "remote port forwarding failed" in done.stderr


def test_nothing_of_its_environment_gets_there(way: Way) -> None:
    write(way.host, "/tmp/evil/json.py", "import os; os.system('touch /tmp/evil/ran')\n")
    names = ("PYTHONPATH", "PATH", "LC_ALL", "LC_EVIL", "ENV", "BASH_ENV", "SSH_ORIGINAL_COMMAND")
    options = [f"-oSetEnv={' '.join(f'{name}=/tmp/evil' for name in names)} LD_PRELOAD=/tmp/evil/x.so"]
    done = way.ssh(*options, command=["launchplane-docker"], stdin=way.request("identify"))
    assert json.loads(done.stdout)["ok"] is True
    assert way.host.run(["test", "-e", "/tmp/evil/ran"]).returncode == 1


def test_a_hostile_environment_does_not_come_through_dispatch_and_sudo(way: Way) -> None:
    write(way.host, "/tmp/evil/json.py", "import os; os.system('touch /tmp/evil/ran')\n")
    write(way.host, "/tmp/evil/sudo", "#!/bin/sh\ntouch /tmp/evil/ran\n", "0755")
    names = ("PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "PATH", "HOME", "SUDO_ASKPASS", "LD_LIBRARY_PATH")
    hostile = [f"{name}=/tmp/evil" for name in names]
    command = ["/usr/bin/env", *hostile, "LD_PRELOAD=/tmp/evil/x.so", "SSH_ORIGINAL_COMMAND=launchplane-docker"]
    done = way.host.run(
        ["runuser", "--user", "launchplane", "--", *command, f"{PROGRAMS}/launchplane-dispatch"],
        stdin=way.request("identify"),
    )
    assert json.loads(done.stdout)["ok"] is True
    assert way.host.run(["test", "-e", "/tmp/evil/ran"]).returncode == 1


def test_its_user_cannot_use_docker_by_itself_or_write_what_runs(way: Way) -> None:
    as_user = ["runuser", "--user", "launchplane", "--"]
    assert way.host.must([*as_user, "id", "-nG"]).split() == ["launchplane"]
    for what in (
        ["docker", "ps"],
        ["sudo", "-n", "docker", "ps"],
        ["touch", f"{PROGRAMS}/launchplane-dispatch"],
        ["touch", "/etc/launchplane/host.json"],
        ["touch", "/var/lib/launchplane/lock"],
        ["rm", "/var/lib/launchplane/session"],
        ["touch", "/srv/runners/homes/launchplane/.ssh/authorized_keys"],
        ["cat", FILE],
    ):
        assert way.host.run([*as_user, *what]).returncode != 0, what


def test_no_raw_docker_request_gets_through(way: Way) -> None:
    before = way.host.must(["docker", "ps", "--all", "--quiet"])
    good = {"engine_id": "x", "min_age_seconds": 0, "keep_bytes": 0, "max_bytes": None}
    with way.held():
        for verb in ("POST /containers/create", "exec", "containers/create", "run", "system_prune"):
            assert way.change("launchplane-docker", verb)["error"]["code"] == "unknown_verb"
        for field in ("body", "path", "method", "HostConfig", "Cmd"):
            answer = way.change("launchplane-docker", "prune_build_cache", **good | {field: BODY})
            assert answer["error"]["code"] == "fields"
        answer = way.change("launchplane-docker", "prune_build_cache", BODY.encode(), **good)
        assert answer["error"]["code"] == "too_much"
    assert way.host.must(["docker", "ps", "--all", "--quiet"]) == before


@pytest.mark.req("M53")
def test_no_unit_of_the_host_and_no_other_user(way: Way) -> None:
    with way.held():
        for field, value in (("unit", "ssh.service"), ("user", "root"), ("root", "/"), ("lane", "../ssh")):
            assert way.lane_change("stop", **{field: value})["status"] == 4
    runner: dict[str, object] = {"lane": "root", "user": "root", "root": "/", "unit": "x"}
    assert way.say("launchplane-runner", "observe", **runner)["error"]["code"] == "unknown_lane"


def test_a_read_of_the_machine_opens_no_file_of_its_choosing(way: Way) -> None:
    asked: dict[str, object] = {
        "docker_root": "/root",
        "runner_roots": ["/root"],
        "docker_configs": [FILE],
        "seconds": 30,
    }
    answer = way.say("launchplane-docker", "machine", **asked)
    assert CANARY not in json.dumps(answer["facts"]["machine"]["registry_logins"])
    assert answer["facts"]["machine"]["runner_roots"] is None
    assert answer["facts"]["machine"]["container_logs"] is None


@pytest.mark.req("H28")
def test_one_holder_at_a_time_and_each_change_is_its_own(way: Way) -> None:
    with way.held():
        second = way.ssh(command=["launchplane-hold"], stdin=json.dumps(HOLD | {"session": "f" * 32}) + "\n")
        assert (second.returncode, json.loads(second.stdout)["error"]["code"]) == (3, "busy")
        assert way.lane_change("daemon-reload")["ok"] is True
        assert way.lane_change("daemon-reload", session="f" * 32)["error"]["code"] == "not_held"
        assert way.lane_change("daemon-reload", fencing_token=1)["error"]["code"] == "stale_token"


@pytest.mark.req("H28")
def test_a_hold_whose_connection_is_cut_frees_the_host(way: Way) -> None:
    with way.held() as holder:
        os.kill(holder.pid, 9)
        holder.wait()
    lock = "/var/lib/launchplane/session"
    way.host.must(["flock", "--timeout", "50", lock, "true"])
    assert way.lane_change("daemon-reload", session=SESSION)["error"]["code"] == "not_held"
    with way.held(session="f" * 32):
        assert way.lane_change("daemon-reload", session="f" * 32)["ok"] is True


@pytest.mark.parametrize("place", ["onhost/engine", "onhost/door.py", "launchplane-dispatch", "launchplane-docker"])
def test_it_does_nothing_when_others_can_write_what_it_is_made_of(way: Way, place: str) -> None:
    way.host.must(["chmod", "g+w", f"{PROGRAMS}/{place}"])
    answer = way.say("launchplane-docker", "identify")
    way.host.must(["chmod", "g-w", f"{PROGRAMS}/{place}"])
    assert (answer["status"], answer["error"]["code"]) == (6, "installation")


def test_it_does_nothing_when_others_can_write_its_configuration(way: Way) -> None:
    way.host.must(["chmod", "o+w", "/etc/launchplane/host.json"])
    answer = way.say("launchplane-docker", "identify")
    way.host.must(["chmod", "o-w", "/etc/launchplane/host.json"])
    assert (answer["status"], answer["error"]["code"]) == (6, "config")
