"""A host that is reached as the control plane reaches it: by a key that runs launchplane-dispatch and nothing else."""

import json
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from launchplane.hosts.command import CommandResult, run
from onhost import authorized_keys
from tests.onhost.room import CONFIG, DOCKER, LANE, SESSION
from tests.onhost.test_on_a_host import installed, told
from tests.testbed.host import DisposableHost

USER = "launchplane"
SSH_FAILED = 255
HOLD: dict[str, object] = {"version": "1", "verb": "hold", "host": "chris-testing", "session": SESSION}


@dataclass
class Way:
    """The way in with the key, and nothing but the key."""

    host: DisposableHost
    identity: Path
    known_hosts: Path
    token: int = 0

    def ssh(self, *options: str, command: Sequence[str] = (), stdin: str | bytes = "") -> CommandResult:
        """OpenSSH's client with these options, to its end."""
        return run([*self.client(*options), *command], stdin=stdin, timeout_seconds=60)

    def client(self, *options: str) -> list[str]:
        """The command line, up to the host."""
        fixed = ("BatchMode=yes", "IdentitiesOnly=yes", "ControlMaster=no", f"UserKnownHostsFile={self.known_hosts}")
        settings = [word for setting in fixed for word in ("-o", setting)]
        return ["ssh", "-F", "none", "-i", str(self.identity), *settings, *options, f"{USER}@{self.host.address}"]

    def say(self, program: str, verb: str, body: bytes = b"", /, **other: object) -> dict[str, Any]:
        """The answer of a program, with `status`; a field given as ... is left out."""
        done = self.ssh(command=[program], stdin=self.request(verb, **other) + body)
        assert done.stdout.startswith("{"), done
        told: dict[str, Any] = json.loads(done.stdout)
        return told | {"status": done.returncode}

    def request(self, verb: str, **other: object) -> bytes:
        self.token += 1
        told = {"version": "1", "verb": verb, "host": "chris-testing", "dry_run": False} | other
        return json.dumps({name: value for name, value in told.items() if value is not ...}).encode() + b"\n"

    def change(self, program: str, verb: str, body: bytes = b"", /, **other: object) -> dict[str, Any]:
        """`say`, for a verb that changes something."""
        self.token += 1
        return self.say(program, verb, body, **{"fencing_token": self.token, "session": SESSION} | other)

    def lane_change(self, verb: str, **other: object) -> dict[str, Any]:
        """One of launchplane-unit's."""
        unit = f"launchplane-runner@{LANE}.service"
        lane = {"lane": LANE, "user": "lane-cm", "root": "/srv/runners", "unit": unit}
        return self.change("launchplane-unit", verb, **lane | other)

    @contextmanager
    def held(self, **other: object) -> Iterator[subprocess.Popen[bytes]]:
        """Within, the host is held over a connection of its own; yields ssh, which is ended afterwards."""
        with subprocess.Popen(
            [*self.client(), "launchplane-hold"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as holder:
            assert holder.stdin is not None
            assert holder.stdout is not None
            holder.stdin.write(json.dumps(HOLD | other).encode() + b"\n")
            holder.stdin.flush()
            assert json.loads(holder.stdout.readline())["ok"] is True
            try:
                yield holder
            finally:
                holder.kill()


def opened(host: DisposableHost, folder: Path) -> Way:
    """As `hosts install` leaves a host, with a key made in `folder`. Nobody holds it."""
    installed(host)
    host.must(["systemctl", "stop", "session-holder"])
    part = DOCKER | {"socket": "/var/run/docker.sock", "root": "/var/lib/docker"}
    assert told().keys() == CONFIG.keys()
    write(host, "/etc/launchplane/host.json", json.dumps(told() | {"docker": part}))
    identity = folder / "key"
    made = run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(identity)], timeout_seconds=30)
    assert made.returncode == 0, made
    line = authorized_keys.render(identity.with_suffix(".pub").read_text())
    write(host, f"/srv/runners/homes/{USER}/.ssh/authorized_keys", line)
    known_hosts = folder / "known_hosts"
    known_hosts.write_text(f"{host.address} {host.host_key}\n")
    return Way(host, identity, known_hosts)


def write(host: DisposableHost, path: str, text: str, mode: str = "0644") -> None:
    """A file of root's."""
    host.must(["install", "-D", "-m", mode, "/dev/stdin", path], stdin=text)
