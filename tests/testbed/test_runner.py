"""The stand-in runner under a lane's unit, with real systemd: what becomes of it, and of its jobs' processes."""

import signal
from collections.abc import Iterator
from itertools import count

import pytest

from onhost.config import Lane
from tests.fakes.github import GithubServer
from tests.fakes.github_things import Runner
from tests.testbed.host import DisposableHost
from tests.testbed.runner import ByHand

pytestmark = pytest.mark.testbed

SCOPE, USER, ROOT = "acme/shop", "lane-by-hand", "/srv/by-hand"
NUMBERS = count(1)


@pytest.fixture
def github() -> Iterator[GithubServer]:
    with GithubServer("0.0.0.0") as server:  # noqa: S104
        yield server
        assert server.complaints == []


@pytest.fixture
def by_hand(disposable: DisposableHost, github: GithubServer) -> Iterator[ByHand]:
    """With a name that no other test's has: the journal keeps what each has said."""
    lane = Lane(f"by-hand-{next(NUMBERS)}", USER, ROOT, f"{ROOT}/homes/by-hand", SCOPE)
    runner = ByHand(disposable, github, lane)
    runner.lay()
    runner.configure("mine")
    yield runner
    runner.clear()


@pytest.fixture
def registered(by_hand: ByHand, github: GithubServer) -> Runner:
    (runner,) = github.runners.values()
    return runner


def work(github: GithubServer, run: str) -> str:
    """What a job printed."""
    job = github.queue(SCOPE, "mine", run=run)
    github.until(lambda: job in github.finished)
    assert github.finished[job].result == "Succeeded", github.finished[job]
    return github.finished[job].log


def test_it_is_online_and_does_jobs_as_the_lanes_user(
    by_hand: ByHand, github: GithubServer, registered: Runner
) -> None:
    by_hand.start()
    seen = work(github, "id -un; cat /proc/$PPID/comm; echo $HOME; umask; cat /proc/self/cgroup").splitlines()
    assert registered.online
    assert seen[:4] == [USER, "Runner.Worker", by_hand.lane.home, "0077"]
    assert any(line.endswith(f"/{by_hand.lane.unit}") for line in seen[4:])
    assert "Listening for Jobs" in by_hand.journal()


def test_after_a_restart_it_is_online_again_as_another_process(
    by_hand: ByHand, github: GithubServer, registered: Runner
) -> None:
    by_hand.start()
    github.until(lambda: registered.online)
    before = by_hand.show("MainPID"), registered.session
    by_hand.host.must(["systemctl", "restart", by_hand.lane.unit])
    assert work(github, "echo again") == "again\n"
    assert registered.online
    assert before[0] != by_hand.show("MainPID")
    assert before[1] != registered.session


def test_a_stop_leaves_no_process_of_a_job(by_hand: ByHand, github: GithubServer, registered: Runner) -> None:
    by_hand.start()
    stubborn = "sh -c 'trap \"\" TERM INT HUP; while :; do sleep 1; done' >/dev/null 2>&1 &"
    assert work(github, f"{stubborn} echo left") == "left\n"
    assert len(by_hand.host.must(["pgrep", "--uid", USER]).split()) > 2
    by_hand.host.must(["systemctl", "stop", by_hand.lane.unit])
    assert by_hand.host.run(["pgrep", "--uid", USER]).stdout == ""
    assert (registered.online, by_hand.show("ActiveState")) == (False, "inactive")
    assert "Exiting..." in by_hand.journal()


def test_systemd_takes_a_deleted_registration_for_a_normal_end(
    by_hand: ByHand, github: GithubServer, registered: Runner
) -> None:
    """Why it is dead is in the journal and in `_diag`, and nowhere else."""
    del github.runners[registered.id]
    by_hand.start()
    by_hand.wait_until("SubState", "auto-restart")
    assert (by_hand.show("Result"), by_hand.show("ExecMainStatus")) == ("success", "0")
    assert "The runner registration has been deleted from the server" in by_hand.journal()
    assert "Runner execution has finished with return code 1" in by_hand.diagnostics()


def test_a_version_that_is_over_is_not_started_again(by_hand: ByHand, github: GithubServer) -> None:
    github.deprecations["2.337.0"] = {"runtime_deprecates_at": "2026-01-01T00:00:00Z"}
    by_hand.start()
    by_hand.wait_until("ActiveState", "failed")
    assert (by_hand.show("Result"), by_hand.show("ExecMainStatus")) == ("exit-code", "7")
    assert "is deprecated and cannot receive messages" in by_hand.journal()


def test_a_second_session_is_a_conflict_that_ends_it(by_hand: ByHand, github: GithubServer, registered: Runner) -> None:
    github.take_session(registered)
    by_hand.start()
    by_hand.wait_until("SubState", "auto-restart")
    assert by_hand.show("ExecMainStatus") == "0"
    assert "A session for this runner already exists." in by_hand.journal()
    assert "Runner execution has finished with return code 5" in by_hand.diagnostics()


def test_after_a_crash_systemd_starts_it_again(by_hand: ByHand, github: GithubServer, registered: Runner) -> None:
    github.tell(registered, crash=int(signal.SIGABRT))
    by_hand.start()
    by_hand.wait_until("SubState", "auto-restart")
    assert "Exiting with unknown error code: 134" in by_hand.journal()
