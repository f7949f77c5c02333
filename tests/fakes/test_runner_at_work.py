"""The stand-in runner by itself: online, at work, and each of its ends."""

import os
import signal
from datetime import timedelta

import pytest

from tests.fakes.github import GithubServer
from tests.fakes.loopback import answers
from tests.fakes.unpacked import SCOPE, Unpacked

# many processes, and seconds of waiting: no test for while one writes code
pytestmark = pytest.mark.testbed


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
