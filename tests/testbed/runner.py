"""The stand-in runner on a disposable host as an administrator would set it up by hand, without Launchplane."""

from dataclasses import dataclass

from onhost import service
from onhost.config import Lane
from tests.fakes.github import GithubServer
from tests.fakes.runner.package import package
from tests.testbed.host import DisposableHost


@dataclass(frozen=True)
class ByHand:
    """One runner in its folder, with a user of its own and a unit like a lane's."""

    host: DisposableHost
    github: GithubServer
    lane: Lane
    unit: str = ""

    @property
    def its_unit(self) -> str:
        """A lane's own, unless another one was named."""
        return self.unit or self.lane.unit

    def lay(self) -> None:
        """User, folders and package; not configured, and no unit."""
        lane, own = self.lane, ["-o", self.lane.user, "-g", self.lane.user]
        self.host.must(["useradd", "--system", "--shell", "/bin/sh", "--home-dir", lane.home, lane.user])
        self.host.must(["install", "-d", *own, lane.directory, lane.home])
        self.host.must([*self._as_user(), "tar", "-xz", "-C", lane.directory], stdin=package().content)

    def configure(self, *labels: str) -> None:
        """Register it, as the user, with a token from the stand-in itself."""
        token = self.github.make_token("registration", self.lane.scope).document["token"]
        address = f"http://{self.host.gateway}:{self.github.port}/{self.lane.scope}"
        options = ["--unattended", "--url", address, "--name", self.lane.name, "--labels", ",".join(labels)]
        self.host.must([*self._as_user(f"ACTIONS_RUNNER_INPUT_TOKEN={token}"), "./config.sh", *options])

    def start(self) -> None:
        """Under systemd, as the unit of a lane is written, now and at each boot."""
        path = f"/etc/systemd/system/{self.its_unit}"
        self.host.must(["install", "-m", "0644", "/dev/stdin", path], stdin=service.render(self.lane))
        self.host.must(["systemctl", "daemon-reload"])
        self.host.must(["systemctl", "enable", "--now", self.its_unit])

    def show(self, name: str) -> str:
        """A property of its unit."""
        return self.host.must(["systemctl", "show", "--value", f"--property={name}", self.its_unit]).strip()

    def wait_until(self, name: str, value: str) -> None:
        """Until its unit's property is that. Raises RuntimeError after a minute."""
        state = f"systemctl show --value --property={name} $0"
        self.host.must(["sh", "-c", f'until [ "$({state})" = "$1" ]; do sleep 0.1; done', self.its_unit, value])

    def journal(self) -> str:
        """What its unit said."""
        self.host.must(["journalctl", "--sync"])
        return self.host.must(["journalctl", "--no-pager", "--output=cat", f"--unit={self.its_unit}"])

    def diagnostics(self) -> str:
        """What its listeners wrote into `_diag`."""
        return self.host.must(["sh", "-c", f"cat {self.lane.directory}/_diag/Runner_*.log"])

    def clear(self) -> None:
        """Nothing of it is left on the host."""
        self.host.run(["systemctl", "disable", "--now", self.its_unit])
        self.host.must(["rm", "-rf", f"/etc/systemd/system/{self.its_unit}", self.lane.directory, self.lane.home])
        self.host.must(["systemctl", "daemon-reload"])
        self.host.run(["systemctl", "reset-failed", self.its_unit])
        self.host.run(["userdel", self.lane.user])

    def _as_user(self, *env: str) -> list[str]:
        return ["runuser", "--user", self.lane.user, "--", "env", f"--chdir={self.lane.directory}", *env]
