"""The stand-in runner by itself: its scripts against the strict stand-in for GitHub, as a user who is not root."""

import io
import os
import shutil
import signal
import stat
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
import requests

from onhost.package import check
from tests.fakes.github import GithubServer
from tests.fakes.loopback import answers
from tests.fakes.runner.package import package
from tests.lanes.asking import TOKEN as OURS
from tests.lanes.asking import asking, declared

# many processes, and seconds of waiting: no test for while one writes code
pytestmark = pytest.mark.testbed

SCOPE, NAME = "acme/shop", "lane-a"
NOBODY = 65534
OPTIONS = ["--unattended", "--name", NAME, "--labels", "self-hosted,mine", "--work", "_work", "--disableupdate"]


@dataclass
class Unpacked:
    """A runner's folder, and what is asked of it there."""

    folder: Path
    server: GithubServer

    def script(self, name: str, *words: str, token: str = "", **env: str) -> subprocess.CompletedProcess[str]:
        with self.started(name, *words, token=token, **env) as process:
            out, _ = process.communicate(timeout=60)
        return subprocess.CompletedProcess(words, process.returncode, out, "")

    def started(self, name: str, *words: str, token: str = "", **env: str) -> "subprocess.Popen[str]":
        own = {"PATH": "/usr/bin:/bin", "HOME": str(self.folder)} | env
        own |= {"ACTIONS_RUNNER_INPUT_TOKEN": token} if token else {}
        return subprocess.Popen(
            [str(self.folder / name), *words],
            cwd=self.folder,
            env=own,
            user=NOBODY if os.geteuid() == 0 else None,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def configure(self, *more: str) -> subprocess.CompletedProcess[str]:
        return self.script("config.sh", *self.options(), *more, token=self.token("registration"))

    def options(self) -> list[str]:
        return ["--url", f"{self.server.url}/{SCOPE}", *OPTIONS]

    def token(self, kind: str) -> str:
        github = asking(self.server.url)
        with declared(), (github.registration_token if kind == "registration" else github.remove_token)(SCOPE) as held:
            return held.reveal()

    def files(self) -> set[str]:
        """What being configured leaves."""
        return {path.name for path in self.folder.glob(".*")} - {".env", ".path"}


@pytest.fixture
def server() -> Iterator[GithubServer]:
    with GithubServer() as server:
        server.accept(OURS)
        yield server
        assert server.complaints == []


@pytest.fixture
def runner(server: GithubServer) -> Iterator[Unpacked]:
    folder = Path(tempfile.mkdtemp(prefix="lp-runner-"))
    subprocess.run(["tar", "-xz", "-C", str(folder)], input=package().content, check=True)
    if os.geteuid() == 0:
        for path in (folder, *folder.rglob("*")):
            os.chown(path, NOBODY, NOBODY)
    yield Unpacked(folder, server)
    shutil.rmtree(folder)


def test_its_package_is_the_same_bytes_each_time() -> None:
    assert package().sha256 == package().sha256
    assert package("2.328.0").sha256 != package().sha256


def test_its_package_is_one_that_a_host_unpacks() -> None:
    with tarfile.open(fileobj=io.BytesIO(package().content)) as archive:
        members = check(archive)
    assert {"config.sh", "run.sh", "bin/Runner.Listener", "bin/Runner.Worker"} <= set(members)


def test_it_is_offered_for_download_as_github_offers_its_own(server: GithubServer) -> None:
    server.offer(package())
    (found,) = asking(server.url).downloads(SCOPE)
    assert (found.os, found.architecture, found.sha256_checksum) == ("linux", "x64", package().sha256)
    assert requests.get(found.download_url, timeout=10).content == package().content


def test_it_registers_with_a_token_from_its_environment(runner: Unpacked, server: GithubServer) -> None:
    done = runner.configure()
    assert done.returncode == 0, done.stdout
    assert runner.files() == {".runner", ".credentials", ".credentials_rsaparams"}
    (found,) = server.runners.values()
    assert (found.name, found.labels, found.online) == (NAME, ["mine"], False)
    assert stat.S_IMODE((runner.folder / ".credentials_rsaparams").stat().st_mode) == 0o600
    text = (runner.folder / ".runner").read_text(encoding="utf-8-sig")
    for word in (f'"agentId": {found.id}', f'"agentName": "{NAME}"', f'"gitHubUrl": "{server.url}/{SCOPE}"'):
        assert word in text


def test_it_keeps_its_token_nowhere(runner: Unpacked) -> None:
    token = runner.token("registration")
    done = runner.script("config.sh", *runner.options(), token=token)
    assert token not in done.stdout
    assert not [path for path in runner.folder.rglob("*") if path.is_file() and token.encode() in path.read_bytes()]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be refused for being root")
@pytest.mark.parametrize("script", ["config.sh", "run.sh"])
def test_it_refuses_root(runner: Unpacked, script: str) -> None:
    path = {"PATH": "/usr/bin:/bin"}
    done = subprocess.run([str(runner.folder / script)], env=path, capture_output=True, text=True, check=False)
    assert "Must not run" in done.stdout
    assert runner.files() == set()


def test_it_refuses_when_it_is_configured(runner: Unpacked, server: GithubServer) -> None:
    runner.configure()
    before = len(server.calls)
    done = runner.script("config.sh", *runner.options(), token="A" * 29)
    assert (done.returncode, len(server.calls)) == (1, before)
    assert "already configured" in done.stdout


@pytest.mark.parametrize("more", [["--token", "A" * 29], ["--no-such"], []], ids=" ".join)
def test_it_registers_with_no_token_that_others_can_read(runner: Unpacked, more: list[str]) -> None:
    assert runner.script("config.sh", *runner.options(), *more).returncode == 1
    assert runner.files() == set()


def test_a_token_that_is_not_good_leaves_nothing(runner: Unpacked, server: GithubServer) -> None:
    done = runner.script("config.sh", *runner.options(), token="A" * 29)
    assert (done.returncode, runner.files(), server.runners) == (1, set(), {})
    assert "Http response code: 404" in done.stdout


def test_a_name_that_is_taken_is_left_alone(runner: Unpacked, server: GithubServer) -> None:
    other = server.add_runner(SCOPE, NAME.upper(), "theirs")
    done = runner.configure()
    assert (done.returncode, runner.files()) == (1, set())
    assert "A runner exists with the same name" in done.stdout
    assert server.runners == {other.id: other}


def test_whoever_replaces_is_found_out(runner: Unpacked, server: GithubServer) -> None:
    other = server.add_runner(SCOPE, NAME, "theirs")
    assert runner.configure("--replace").returncode == 0
    assert [call.path for call in server.calls if call.identity == "runner"] == ["/_runner/replace"]
    assert list(server.runners) == [other.id]


def test_it_takes_its_registration_back(runner: Unpacked, server: GithubServer) -> None:
    runner.configure()
    done = runner.script("config.sh", "remove", token=runner.token("remove"))
    assert (done.returncode, runner.files(), server.runners) == (0, set(), {})


def test_a_remove_token_that_is_not_good_changes_nothing(runner: Unpacked, server: GithubServer) -> None:
    runner.configure()
    done = runner.script("config.sh", "remove", token=runner.token("registration"))
    assert (done.returncode, len(runner.files()), len(server.runners)) == (1, 3, 1)


def test_a_registration_that_is_gone_is_forgotten(runner: Unpacked, server: GithubServer) -> None:
    runner.configure()
    server.runners.clear()
    done = runner.script("config.sh", "remove", token=runner.token("remove"))
    assert (done.returncode, runner.files()) == (0, set())
    assert "Does not exist. Skipping Removing runner from the server" in done.stdout


def test_it_can_be_forgotten_here_alone(runner: Unpacked, server: GithubServer) -> None:
    runner.configure()
    before = len(server.calls)
    done = runner.script("config.sh", "remove", "--local")
    assert (done.returncode, runner.files(), len(server.calls)) == (0, set(), before)
    assert len(server.runners) == 1


def test_it_goes_online_does_a_job_and_goes_offline(runner: Unpacked, server: GithubServer) -> None:
    runner.configure()
    (registered,) = server.runners.values()
    job = server.queue(SCOPE, "mine", run='cat "/proc/$PPID/comm"; echo "$GITHUB_REPOSITORY in $PWD"')
    with runner.started("run.sh", RUNNER_MANUALLY_TRAP_SIG="1") as process:
        server.until(lambda: job in server.finished)
        assert registered.online
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate(timeout=60)
    # a wait that a signal ends has that signal's status
    assert process.returncode == 128 + signal.SIGTERM
    assert not registered.online
    assert server.finished[job].result == "Succeeded"
    assert server.finished[job].log == f"Runner.Worker\n{SCOPE} in {runner.folder}/_work/shop/shop\n"
    assert f"Job job-{job} completed with result: Succeeded" in out
    assert "Listening for Jobs" in out
    logs = {path.name.partition("_")[0] for path in (runner.folder / "_diag").glob("*.log")}
    assert {"Runner", "Worker"} <= logs


def test_a_job_that_fails_is_told(runner: Unpacked, server: GithubServer) -> None:
    runner.configure("--ephemeral")
    job = server.queue(SCOPE, run="false; echo not here")
    done = runner.script("run.sh")
    assert (done.returncode, server.finished[job].result, server.finished[job].log) == (0, "Failed", "")
    assert server.runners == {}


def test_a_signal_cancels_the_job_in_hand(runner: Unpacked, server: GithubServer) -> None:
    """systemctl stop does not drain: who wants the job to end well has to wait for it."""
    runner.configure()
    ready = runner.folder / "ready"
    os.mkfifo(ready, 0o622)
    ready.chmod(0o622)
    job = server.queue(SCOPE, run=f"echo >{ready}; sleep 600")
    with runner.started("run.sh", RUNNER_MANUALLY_TRAP_SIG="1") as process:
        ready.read_text()
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
    assert server.finished[job].result == "Canceled"


@pytest.mark.parametrize(
    ("fault", "status", "code", "said"),
    [
        ("deleted", 0, 1, "The runner registration has been deleted from the server, please re-configure."),
        ("deprecated", 7, 7, "Runner version v2.337.0 is deprecated and cannot receive messages."),
        ("conflict", 0, 5, "A session for this runner already exists."),
    ],
)
def test_it_ends_as_the_original_does(
    runner: Unpacked, server: GithubServer, fault: str, status: int, code: int, said: str
) -> None:
    runner.configure()
    (registered,) = server.runners.values()
    if fault == "deleted":
        del server.runners[registered.id]
    elif fault == "deprecated":
        server.deprecations["2.337.0"] = {"runtime_deprecates_at": "2026-01-01T00:00:00Z"}
    else:
        server.take_session(registered)
    words = {"RUNNER_MANUALLY_TRAP_SIG": "1", "ACTIONS_RUNNER_RETURN_VERSION_DEPRECATED_EXIT_CODE": "1"}
    done = runner.script("run.sh", **words)
    assert done.returncode == status
    assert said in done.stdout
    told = "".join(path.read_text() for path in (runner.folder / "_diag").glob("Runner_*.log"))
    assert said in told
    assert f"Runner execution has finished with return code {code}\n" in told


def test_a_crash_is_no_status_that_anybody_knows(runner: Unpacked, server: GithubServer) -> None:
    runner.configure()
    (registered,) = server.runners.values()
    server.tell(registered, crash=int(signal.SIGABRT))
    done = runner.script("run.sh", RUNNER_MANUALLY_TRAP_SIG="1")
    assert done.returncode == 0
    assert "Exiting with unknown error code: 134" in done.stdout


def test_after_a_crash_its_session_is_free_again_in_a_while(runner: Unpacked, server: GithubServer) -> None:
    runner.configure("--ephemeral")
    (registered,) = server.runners.values()
    server.tell(registered, crash=int(signal.SIGKILL))
    runner.script("run.sh")
    assert registered.online
    server.ahead = timedelta(minutes=1)
    server.queue(SCOPE)
    assert runner.script("run.sh").returncode == 0
    assert server.runners == {}


def test_it_comes_back_as_another_version(runner: Unpacked, server: GithubServer) -> None:
    update = [option for option in runner.options() if option != "--disableupdate"]
    runner.script("config.sh", *update, "--ephemeral", token=runner.token("registration"))
    (registered,) = server.runners.values()
    server.tell(registered, update="2.338.0")
    server.queue(SCOPE)
    done = runner.script("run.sh")
    assert "Restarting runner..." in done.stdout
    assert "Current runner version: '2.338.0'" in done.stdout


def test_one_whose_updates_are_off_stays_what_it_is(runner: Unpacked, server: GithubServer) -> None:
    runner.configure("--ephemeral")
    (registered,) = server.runners.values()
    server.tell(registered, update="2.338.0")
    server.queue(SCOPE)
    assert "Restarting" not in runner.script("run.sh").stdout


def test_it_waits_for_a_server_that_does_not_answer(runner: Unpacked, server: GithubServer) -> None:
    runner.configure("--ephemeral")
    server.fault("POST /_runner/.*/online", answers(503), times=1)
    server.queue(SCOPE)
    done = runner.script("run.sh")
    assert done.returncode == 0
    assert "Retrying until reconnected." in done.stdout
    assert "Runner reconnected." in done.stdout
