"""The real cause of a dead lane, told apart on a machine with real systemd and from the runner's own logs."""

import json
import re
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import count

import pytest
from pytest_django import Settings

from lanes.contracts import Observed
from lanes.looking import observe_now
from lanes.models import Lane
from launchplane.hosts import programs
from launchplane.hosts.command import CommandResult
from launchplane.hosts.models import Host
from launchplane.hosts.opened import Opened
from onhost import config, layout
from tests.fakes.github import GithubServer
from tests.fakes.github_things import Runner
from tests.lanes.asking import TOKEN
from tests.lanes.records import a_grant, a_lane, a_lane_host
from tests.testbed.host import DisposableHost
from tests.testbed.runner import ByHand

pytestmark = [pytest.mark.testbed, pytest.mark.django_db]

SCOPE, USER, ROOT = "acme/shop", "lane-of-causes", "/srv/causes"
PROGRAM = "/usr/local/lib/launchplane/launchplane-runner"
MINE = ("launchplane", "launchplane-managed", "chris-testing")
NUMBERS = count(1)


@dataclass(frozen=True)
class AsItsUser:
    """Carries a request to launchplane-runner, which runs as the lane's user: what sudo does for the dispatcher."""

    host: DisposableHost

    def run(self, word: str, stdin: bytes, *, timeout_seconds: float, max_answer_bytes: int) -> CommandResult:
        assert word == "launchplane-runner"
        return self.host.run(["runuser", "--user", USER, "--", PROGRAM], stdin=stdin, timeout_seconds=timeout_seconds)

    def opened(self, word: str, stdin: bytes, *, timeout_seconds: float) -> AbstractContextManager[Opened]:
        raise NotImplementedError("nothing is held to look")

    def is_expected(self) -> bool:
        return True


@pytest.fixture
def github(settings: Settings) -> Iterator[GithubServer]:
    with GithubServer("0.0.0.0") as server:  # noqa: S104
        server.accept(TOKEN)
        settings.GITHUB_API_URL, settings.GITHUB_TOKEN = f"http://127.0.0.1:{server.port}", TOKEN
        yield server
        assert server.complaints == []


@pytest.fixture
def by_hand(disposable: DisposableHost, github: GithubServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[ByHand]:
    """A runner with its unit as it is written, and the programs that look at it."""
    name = f"causes-{next(NUMBERS)}"
    runner = ByHand(disposable, github, config.Lane(name, USER, ROOT, f"{ROOT}/homes/causes", SCOPE))
    runner.lay()
    runner.configure(*MINE)
    _install(runner)
    monkeypatch.setattr(programs, "carrier_of", lambda _: AsItsUser(disposable))
    yield runner
    runner.clear()
    disposable.must(["rm", "-rf", "/usr/local/lib/launchplane", "/etc/launchplane", ROOT])


def _install(runner: ByHand) -> None:
    lane = {"user": USER, "root": ROOT, "home": runner.lane.home, "scope": SCOPE}
    told = {"version": 1, "host": "chris-testing", "roots": [ROOT], "lanes": {runner.lane.name: lane}}
    write = ["install", "-D", "-m"]
    for place, (source, mode) in layout.files().items():
        runner.host.must([*write, f"{mode:o}", "/dev/stdin", place], stdin=source.read_text())
    runner.host.must([*write, "0644", "/dev/stdin", "/etc/launchplane/host.json"], stdin=json.dumps(told))


@pytest.fixture
def registered(by_hand: ByHand, github: GithubServer) -> Runner:
    (runner,) = github.runners.values()
    return runner


@pytest.fixture
def look(by_hand: ByHand, registered: Runner) -> Callable[[], Observed]:
    """What is seen of it, through the record."""
    host = a_lane_host(runner_roots=[ROOT], service_users=[USER])
    a_grant(host, scope=SCOPE)
    Host.objects.update(minimum_free_bytes=1)
    lane = a_lane(
        host,
        name=by_hand.lane.name,
        scope=SCOPE,
        registration_root=ROOT,
        service_user=USER,
        labels=["self-hosted", *MINE],
        agent_id=registered.id,
    )
    return lambda: observe_now(Lane.objects.select_related("host").get(pk=lane.pk), asked_by="a test")


@pytest.mark.req("M14", "M88", "L12")
def test_a_lane_at_work_is_seen_in_every_part(
    by_hand: ByHand, github: GithubServer, registered: Runner, look: Callable[[], Observed]
) -> None:
    by_hand.start()
    github.until(lambda: registered.online)
    observed = look()
    assert observed.unmeasured == {}
    assert (observed.condition, observed.cause, observed.control_path) == ("none", "", True)
    assert observed.service is not None
    assert (observed.service.ours, observed.service.process_user, observed.service.workers) == (True, USER, 0)
    assert observed.baseline is not None
    assert observed.baseline.ready, observed.baseline.reasons


@pytest.mark.req("X12")
def test_its_registration_was_deleted(
    by_hand: ByHand, github: GithubServer, registered: Runner, look: Callable[[], Observed]
) -> None:
    del github.runners[registered.id]
    by_hand.start()
    by_hand.wait_until("SubState", "auto-restart")
    assert look().condition == "registration_expired"


@pytest.mark.req("X12", "X13")
def test_its_version_is_over(by_hand: ByHand, github: GithubServer, look: Callable[[], Observed]) -> None:
    github.deprecations["2.337.0"] = {"runtime_deprecates_at": "2026-01-01T00:00:00Z"}
    by_hand.start()
    by_hand.wait_until("ActiveState", "failed")
    assert look().condition == "version_deprecated"


@pytest.mark.req("X12")
def test_another_process_is_connected_as_it(
    by_hand: ByHand, github: GithubServer, registered: Runner, look: Callable[[], Observed]
) -> None:
    github.take_session(registered)
    by_hand.start()
    by_hand.wait_until("SubState", "auto-restart")
    assert look().condition == "session_conflict"


@pytest.mark.req("X12")
def test_somebody_stopped_it(
    by_hand: ByHand, github: GithubServer, registered: Runner, look: Callable[[], Observed]
) -> None:
    by_hand.start()
    github.until(lambda: registered.online)
    by_hand.host.must(["systemctl", "stop", by_hand.lane.unit])
    observed = look()
    assert observed.condition == "none"
    assert observed.cause.startswith("Somebody stopped it, or it was not started since the host booted.")


@pytest.mark.req("X12")
def test_it_crashed(by_hand: ByHand, github: GithubServer, registered: Runner, look: Callable[[], Observed]) -> None:
    github.tell(registered, crash=int(signal.SIGABRT))
    by_hand.start()
    by_hand.wait_until("SubState", "auto-restart")
    observed = look()
    assert (observed.condition, observed.cause) == ("none", "It crashed, and systemd starts it again.")


@pytest.mark.req("M88")
def test_a_build_lane_has_evidence_of_docker_s_tools(
    by_hand: ByHand, github: GithubServer, registered: Runner, look: Callable[[], Observed]
) -> None:
    by_hand.host.must(["usermod", "--append", "--groups", "docker", USER])
    Lane.objects.update(labels=["self-hosted", *MINE, "docker"])
    registered.labels.append("docker")
    by_hand.start()
    github.until(lambda: registered.online)
    baseline = look().baseline
    assert baseline is not None
    assert baseline.ready, baseline.reasons
    for tool in ("docker_client", "docker_engine", "buildx"):
        assert re.fullmatch(rf"{tool.replace('_', ' ')} \d+\.\d+\.\d+", baseline.reasons[tool])


@pytest.mark.req("M88")
def test_a_login_that_the_lane_could_read_is_seen(
    by_hand: ByHand, github: GithubServer, registered: Runner, look: Callable[[], Observed]
) -> None:
    login = '{"auths": {"registry.example.org": {"auth": "c2VjcmV0OnNlY3JldA=="}}}'
    path = "/home/admin/.docker/config.json"
    mode = by_hand.host.must(["stat", "--format=%a", "/home/admin"]).strip()
    by_hand.host.must(["chmod", "0755", "/home/admin"])
    by_hand.host.must(["install", "-D", "-m", "0644", "/dev/stdin", path], stdin=login)
    try:
        by_hand.start()
        baseline = look().baseline
        assert baseline is not None
        assert (baseline.ready, baseline.checks["docker_isolation"]) == (False, False)
        assert baseline.reasons["docker_isolation"] == f"It can read the logins in {path}"
    finally:
        by_hand.host.must(["rm", "-r", "/home/admin/.docker"])
        by_hand.host.must(["chmod", mode, "/home/admin"])
