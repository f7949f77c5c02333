"""Every blocker from real rows, GitHub's own answers and a host's: what stands in a plan's way, seen from outside."""

from collections.abc import Callable
from typing import Any

import pytest

from lanes.looking import scene_now
from lanes.models import Lane, LaneGrant
from lanes.plan.assemble import plan_lane
from lanes.plan.decide import phrase_of
from lanes.plan.scene import Asked
from launchplane.hosts.models import Host
from tests.factories import edited
from tests.fakes.github import GithubServer
from tests.fakes.github_things import Runner
from tests.lanes.answering import (
    TOLD_NO_DIRECTORY,
    TOLD_NO_SERVICE,
    Answering,
    all_told,
    told_baseline,
    told_directory,
    told_journal,
    told_service,
)
from tests.lanes.records import a_grant, a_lane, a_lane_host
from tests.lanes.scenes import LABELS, LANE, SCOPE, USER, blocked_by

pytestmark = pytest.mark.django_db
ANOTHERS = 4711
NOWHERE = {"directory": told_directory(**TOLD_NO_DIRECTORY), "service": told_service(**TOLD_NO_SERVICE)}


@pytest.fixture
def host() -> Host:
    host = a_lane_host()
    a_grant(host)
    return host


@pytest.fixture
def runner(connected: GithubServer) -> Runner:
    return connected.add_runner(SCOPE, LANE, *LABELS[1:], online=True)


@pytest.fixture
def tells(host: Host, there: Answering, runner: Runner) -> Callable[..., None]:
    """Have the host tell of a lane that is as it must be, but for these facts."""

    def tell(**different: Any) -> None:
        there.tells(host, **all_told(**({"directory": told_directory(agent_id=runner.id)} | different)))

    return tell


@pytest.fixture
def lane(host: Host, tells: Callable[..., None], runner: Runner) -> Lane:
    """Registered, supervised, idle: nothing stands against it."""
    tells()
    return a_lane(host, agent_id=runner.id)


@pytest.fixture
def unmade(host: Host, there: Answering, connected: GithubServer) -> Lane:
    """On record, and nowhere else."""
    there.tells(host, **all_told(**NOWHERE, baseline=None, journal=told_journal()))
    return a_lane(host, agent_id=None)


def found(lane: Lane, **asked: Any) -> set[str]:
    """The codes of a plan that is made now, from the rows as they are now."""
    row = Lane.objects.select_related("host").get(pk=lane.pk)
    return blocked_by(plan_lane(scene_now(row, Asked(**asked))))


@pytest.mark.parametrize("operation", ["plan", "restart", "remove"])
def test_nothing_stands_against_a_lane_that_is_as_it_must_be(lane: Lane, operation: str) -> None:
    assert found(lane, operation=operation) == set()


@pytest.mark.req("M11")
def test_one_that_is_not_managed_any_more(lane: Lane) -> None:
    Lane.objects.update(managed=False)
    assert found(lane) == {"not_managed"}


@pytest.mark.req("M23", "L3")
def test_a_repository_without_a_grant_on_this_host(lane: Lane) -> None:
    LaneGrant.objects.all().delete()
    a_grant(a_lane_host("another"))
    a_grant(lane.host, scope="cbusillo/another")
    assert found(lane) == {"repository_not_allowed"}


@pytest.mark.req("M23", "L1")
@pytest.mark.parametrize(("most", "codes"), [(1, {"too_many_lanes"}), (2, set())])
def test_more_lanes_than_were_granted(unmade: Lane, most: int, codes: set[str]) -> None:
    LaneGrant.objects.update(max_lanes=most)
    a_lane(unmade.host, name="another", service_user="lane-other")
    assert found(unmade) == codes


@pytest.mark.req("M24", "L17")
@pytest.mark.parametrize(
    ("opt_in", "code"), [("approved", "host_not_approved"), ("lanes_enabled", "lanes_not_enabled")]
)
def test_a_host_that_is_not_approved_or_has_no_lanes(unmade: Lane, opt_in: str, code: str) -> None:
    edited(unmade.host, **{opt_in: False})
    assert found(unmade) == {code}


@pytest.mark.req("M25")
@pytest.mark.parametrize("roots", [[], ["/srv/others"], ["/srv"], ["/srv/runners/"], ["/srv/Runners"]])
def test_a_root_that_is_not_one_of_the_host_s_to_the_letter(unmade: Lane, roots: list[str]) -> None:
    edited(unmade.host, runner_roots=roots)
    assert found(unmade) == {"root_not_allowed"}


@pytest.mark.req("M26", "M12")
@pytest.mark.parametrize(
    ("label", "code"), [("launchplane-managed", "managed_label_missing"), ("launchplane", "required_label_missing")]
)
def test_a_record_without_the_labels_that_every_lane_has(unmade: Lane, label: str, code: str) -> None:
    Lane.objects.update(labels=[kept for kept in LABELS if kept != label])
    assert found(unmade) == {code}


@pytest.mark.req("M27", "L13", "M36")
@pytest.mark.parametrize("name", [LANE, LANE.upper()])
def test_a_runner_of_its_name_that_nobody_here_registered(unmade: Lane, connected: GithubServer, name: str) -> None:
    connected.add_runner(SCOPE, name)
    assert "unmanaged_runner" in found(unmade)


@pytest.mark.req("M28", "M36", "L24")
def test_two_runners_of_its_name(lane: Lane, connected: GithubServer) -> None:
    connected.add_runner(SCOPE, LANE.title())
    assert "duplicate_lane" in found(lane)


@pytest.mark.req("M29")
def test_a_user_that_is_not_one_of_the_host_s(unmade: Lane) -> None:
    edited(unmade.host, service_users=["lane-other"])
    assert found(unmade) == {"service_user_mismatch"}


@pytest.mark.req("M29")
def test_a_process_of_somebody_else(lane: Lane, tells: Callable[..., None]) -> None:
    tells(service=told_service(process_users=["root"]))
    assert found(lane) == {"service_user_mismatch"}


@pytest.mark.req("M30")
@pytest.mark.parametrize("different", [{"exec_start": "/bin/sh"}, {"working_directory": "/tmp"}])
def test_a_unit_of_its_name_that_runs_something_else(
    lane: Lane, tells: Callable[..., None], different: dict[str, Any]
) -> None:
    tells(service=told_service(ours=False, **different))
    assert "unit_mismatch" in found(lane)


@pytest.mark.req("M31")
@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("name", "../etc", "unsafe_name"),
        ("name", "a%n", "unsafe_name"),
        ("scope", "owner/../x", "unsafe_name"),
        ("service_user", "root", "unsafe_name"),
        ("labels", [*LABELS, "a,b"], "unsafe_name"),
        ("registration_root", "/srv/../etc", "unsafe_path"),
    ],
)
def test_a_row_that_no_form_would_have_let_in(unmade: Lane, field: str, value: object, code: str) -> None:
    Lane.objects.update(**{field: value})
    assert code in found(unmade)


@pytest.mark.req("M32", "X11")
def test_a_folder_that_is_configured_for_another_runner(unmade: Lane, there: Answering) -> None:
    there.tells(unmade.host, **all_told(**NOWHERE | {"directory": told_directory(agent_id=ANOTHERS)}))
    assert "stale_state" in found(unmade)


@pytest.mark.req("M20")
def test_a_folder_that_is_not_safe(unmade: Lane, there: Answering) -> None:
    odd = told_directory(problem="/srv/runners is a link or no folder", configured=None, agent_id=None)
    there.tells(unmade.host, **all_told(**NOWHERE | {"directory": odd}))
    assert "unsafe_path" in found(unmade)


@pytest.mark.req("M33", "M66")
@pytest.mark.parametrize(
    "baseline",
    [None, told_baseline(readable_logins=["/root/.docker/config.json"]), told_baseline(disk=None), {"user": "me"}],
)
def test_a_baseline_that_is_missing_or_not_ready(lane: Lane, tells: Callable[..., None], baseline: Any) -> None:
    tells(baseline=baseline)
    assert found(lane) == {"baseline_not_ready"}


@pytest.mark.req("M33", "L12")
def test_a_build_lane_without_buildx(lane: Lane, tells: Callable[..., None], runner: Runner) -> None:
    Lane.objects.update(labels=[*LABELS, "docker"])
    runner.labels.append("docker")
    tells(baseline=told_baseline(buildx=None))
    assert found(lane) == {"baseline_not_ready"}


@pytest.mark.req("M35")
def test_a_create_needs_no_baseline_that_cannot_exist_yet(unmade: Lane) -> None:
    assert found(unmade) == set()


@pytest.mark.req("M34")
@pytest.mark.parametrize(
    ("asked", "codes"),
    [
        ({}, {"idempotency_key_missing", "confirmation_missing"}),
        ({"idempotency_key": "k"}, {"confirmation_missing"}),
        ({"confirmation": phrase_of("create", LANE)}, {"idempotency_key_missing"}),
        ({"confirmation": f"create {LANE} ", "idempotency_key": "k"}, {"confirmation_missing"}),
        ({"confirmation": phrase_of("create", LANE), "idempotency_key": "k"}, set()),
    ],
)
def test_carrying_out_without_a_key_or_the_phrase(unmade: Lane, asked: dict[str, str], codes: set[str]) -> None:
    assert found(unmade, mutates=True, **asked) == codes


@pytest.mark.req("L24")
@pytest.mark.parametrize("operation", ["restart", "remove"])
@pytest.mark.parametrize(
    ("workers", "busy", "code"), [(1, False, "lane_busy"), (0, True, "lane_busy"), (None, False, "work_unknown")]
)
def test_a_job_or_no_proof_that_there_is_none(
    lane: Lane, tells: Callable[..., None], runner: Runner, operation: str, workers: int | None, busy: bool, code: str
) -> None:
    runner.job = 1 if busy else None
    tells(service=told_service(workers=workers))
    assert found(lane, operation=operation) == {code}


@pytest.mark.req("X12")
@pytest.mark.parametrize(
    ("sign", "code"), [("session_conflict", "session_conflict"), ("registration_deleted", "registration_expired")]
)
def test_a_log_that_speaks_against_it(lane: Lane, tells: Callable[..., None], sign: str, code: str) -> None:
    tells(journal=told_journal("listening", sign))
    assert found(lane) == {code}


@pytest.mark.req("X13")
def test_a_version_that_its_record_keeps_and_github_does_not_serve(lane: Lane, tells: Callable[..., None]) -> None:
    Lane.objects.update(runner_version_policy="fixed")
    tells(service=told_service(active_state="failed", exit_status=7, result="exit-code", process_users=[]))
    assert "version_deprecated" in found(lane)


@pytest.mark.req("M94", "M71")
def test_a_host_without_the_program_that_restarts_and_removes(lane: Lane, tells: Callable[..., None]) -> None:
    tells(control_path={"problem": "launchplane-unit is not installed"})
    assert found(lane, operation="restart") == {"control_path_missing"}


@pytest.mark.req("M2", "M65")
def test_a_runner_that_is_online_without_its_unit(lane: Lane, tells: Callable[..., None]) -> None:
    tells(service=told_service(active_state="inactive", process_users=[]))
    assert "runs_unsupervised" in found(lane)


def test_a_record_of_another_user_than_the_host_s_administrator_wrote(lane: Lane, there: Answering) -> None:
    there.refuses(lane.host, code="wrong_user", summary=f"this lane's user is not {USER}")
    assert "not_measured" in found(lane)
