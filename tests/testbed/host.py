"""The disposable host: booted in an engine of its own, reached over ssh, looked at as root, and gone afterwards."""

import fcntl
import io
import os
import tarfile
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import docker
from docker.models.containers import Container
from docker.models.networks import Network
from docker.types import Mount

from launchplane.hosts.command import CommandResult, run
from launchplane.sandbox.dockerd import PrivateEngine
from tests.testbed.image import image_tar

# the engine's own client: another one may come first on the PATH
CLIENT = "/usr/bin/docker"
IMAGE = "testbed"
ADMIN = "admin"
ADMIN_ID = 1000
BOOT_SECONDS = 90.0
NEVER_RUNNING = ("degraded", "maintenance", "stopping", "offline", "switched off")
# what the machine's own interfaces begin with; behind it are a process and a number
BRIDGE = "lpbed"
COUNT = count(1)
TURN = Path(tempfile.gettempdir()) / f"launchplane-tests-{os.getuid()}.bed"
# privileged would ask for more than every machine has to give
MAY = {
    "cap_add": ["SYS_ADMIN", "NET_ADMIN", "SYS_PTRACE"],
    "security_opt": ["seccomp=unconfined", "apparmor=unconfined"],
}
# systemd keeps its own part of the machine's cgroups
SYSTEMD = {
    "tmpfs": {"/run": "", "/run/lock": ""},
    "stop_signal": "SIGRTMIN+3",
    "cgroupns": "host",
    "volumes": ["/sys/fs/cgroup:/sys/fs/cgroup:rw"],
}


@dataclass(frozen=True)
class DisposableHost:
    """A machine that runs. `user` may do everything by sudo and comes in with `identity`, an ssh key's file.

    `host_key` is what its sshd answers with, as in `known_hosts`. `gateway` is where it can reach this machine; it
    can reach nothing else.
    """

    address: str
    gateway: str
    user: str
    identity: Path
    host_key: str
    docker_url: str
    container_id: str

    def run(
        self, argv: Sequence[str], *, stdin: str | bytes | None = None, timeout_seconds: float = 60
    ) -> CommandResult:
        """Run a program there as root, without ssh: for what a test arranges and looks at by itself."""
        enter = [CLIENT, "--host", self.docker_url, "exec", "--interactive", self.container_id]
        return run([*enter, *argv], stdin=stdin, timeout_seconds=timeout_seconds)

    def must(self, argv: Sequence[str], *, stdin: str | bytes | None = None, timeout_seconds: float = 60) -> str:
        """What it printed. Raises RuntimeError unless it ended with 0."""
        result = self.run(argv, stdin=stdin, timeout_seconds=timeout_seconds)
        if result.returncode != 0:
            raise RuntimeError(f"{list(argv)} ended with {result.returncode}: {result.stderr}{result.stdout}")
        return result.stdout

    def reboot(self) -> None:
        """Shut down and boot again: what was in memory and in /run is gone, what was on its disk is there."""
        again = run([CLIENT, "--host", self.docker_url, "restart", self.container_id], timeout_seconds=60)
        if again.returncode != 0:
            raise RuntimeError(f"The disposable host did not restart: {again.stderr}")
        self.wait_until_up()

    def wait_until_up(self) -> None:
        """Until systemd has started everything. Raises RuntimeError with what failed."""
        deadline = time.monotonic() + BOOT_SECONDS
        while (state := self._state(deadline)) != "running":
            if state in NEVER_RUNNING or time.monotonic() > deadline:
                raise RuntimeError(f"The disposable host did not boot ({state}): {self._last_words()}")
            time.sleep(0.1)
        # an engine that may touch no firewall lets even an internal network out
        self.must(["ip", "route", "flush", "exact", "0.0.0.0/0"])

    def _state(self, deadline: float) -> str:
        """systemd's own word; it is waited for there, once systemd can be asked at all."""
        seconds = max(1.0, deadline - time.monotonic())
        asked = self.run(["systemctl", "is-system-running", "--wait"], timeout_seconds=seconds)
        return "switched off" if "is not running" in asked.stderr else asked.stdout.strip()

    def _last_words(self) -> str:
        failed = self.run(["systemctl", "--failed", "--no-legend", "--plain"])
        journal = self.run(["journalctl", "--no-pager", "--lines=40", "--priority=notice"])
        return failed.stdout + journal.stdout + journal.stderr


@contextmanager
def disposable_host() -> Iterator[DisposableHost]:
    """A machine that was never used, booted. Nothing of it is left afterwards."""
    with engine_with_the_image() as engine, booted(engine) as host:
        yield host


@contextmanager
def engine_with_the_image() -> Iterator[PrivateEngine]:
    """An engine that machines can be `booted` in, one after the other or side by side."""
    tar = image_tar()
    with tempfile.TemporaryDirectory(prefix="lp-testbed-") as folder:
        engine = PrivateEngine(Path(folder))
        engine.start()
        try:
            changes = ['CMD ["/sbin/init"]', "ENV container=docker"]
            with closing(_client(engine)) as client:
                client.api.import_image_from_file(str(tar), repository=IMAGE, changes=changes)
            yield engine
        finally:
            engine.stop()


@contextmanager
def booted(engine: PrivateEngine) -> Iterator[DisposableHost]:
    """A machine that was never used; systemd says `running`. Raises RuntimeError with what failed."""
    with tempfile.TemporaryDirectory(dir=engine.folder) as folder, closing(_client(engine)) as client:
        network = _network(client, Path(folder).name)
        container = client.containers.create(
            IMAGE,
            hostname="runner-1",
            network=network.name,
            mounts=[Mount("/var/lib/docker", None, type="volume")],  # an overlay can't lie on another
            **MAY,
            **SYSTEMD,
        )
        try:
            identity, host_key = _give_keys(container, Path(folder))
            container.start()
            container.reload()
            where = container.attrs["NetworkSettings"]["Networks"][network.name]
            host = DisposableHost(
                where["IPAddress"], where["Gateway"], ADMIN, identity, host_key, engine.url, container.id
            )
            host.wait_until_up()
            yield host
        finally:
            container.remove(force=True, v=True)
            network.remove()


def _client(engine: PrivateEngine) -> docker.DockerClient:
    return docker.DockerClient(base_url=engine.url, version="1.41", timeout=300)


def _network(client: docker.DockerClient, name: str) -> Network:
    """Engines look at the machine's routes for a free range, so one at a time. Bridges of killed runs go first."""
    with TURN.open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        for interface in Path("/sys/class/net").glob(f"{BRIDGE}*"):
            if not Path("/proc", interface.name.removeprefix(BRIDGE).partition("-")[0]).exists():
                run(["ip", "link", "delete", interface.name], timeout_seconds=10)
        bridge = f"{BRIDGE}{os.getpid()}-{next(COUNT)}"
        options = {"com.docker.network.bridge.name": bridge}
        return client.networks.create(name, driver="bridge", internal=True, options=options)


def _give_keys(container: Container, folder: Path) -> tuple[Path, str]:
    """New ones, laid in before it boots: so nobody has to believe what answers first."""
    ours, its = _new_key(folder / "identity"), _new_key(folder / "host_key")
    public = its.with_suffix(".pub").read_text().strip()
    container.put_archive(
        "/",
        _archive(
            ("etc/ssh/ssh_host_ed25519_key", its.read_bytes(), 0o600, 0),
            ("etc/ssh/ssh_host_ed25519_key.pub", public.encode(), 0o644, 0),
            (f"home/{ADMIN}/.ssh/authorized_keys", ours.with_suffix(".pub").read_bytes(), 0o600, ADMIN_ID),
        ),
    )
    return ours, public


def _new_key(path: Path) -> Path:
    result = run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(path)], timeout_seconds=30)
    if result.returncode != 0:
        raise RuntimeError(f"ssh-keygen ended with {result.returncode}: {result.stderr}")
    return path


def _archive(*files: tuple[str, bytes, int, int]) -> bytes:
    """A tar of (path, content, mode, owner)."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        for path, content, mode, owner in files:
            entry = tarfile.TarInfo(path)
            entry.size, entry.mode, entry.uid, entry.gid = len(content), mode, owner, owner
            tar.addfile(entry, io.BytesIO(content))
    return stream.getvalue()
