"""The baseline of a lane: every check by name, and none that is taken for granted."""

from collections.abc import Mapping
from typing import Any

import pytest

from lanes.baseline import BUILD, Needs, baseline_of
from lanes.contracts import Baseline
from lanes.parts import parts_of
from lanes.told import NotTold
from tests.lanes.answering import told_baseline
from tests.lanes.scenes import LABELS, a_listing, a_runner, a_service, seen, wanted

NEEDS = Needs(runner_roots=("/srv/runners",), minimum_free_bytes=20 * 10**9)
ALWAYS = {"service_user", "home", "docker_isolation", "labels", "disk"}
OF_BUILDS = {"docker_client", "docker_engine", "buildx"}


def as_sent(value: Any) -> Any:
    """As the answer of a program comes: lists are tuples."""
    if isinstance(value, Mapping):
        return {name: as_sent(inner) for name, inner in value.items()}
    return tuple(map(as_sent, value)) if isinstance(value, list) else value


def judged(*, labels: tuple[str, ...] = (), listing: Any = ..., service: Any = ..., **told: Any) -> Baseline:
    desired = wanted(labels=(*LABELS, *labels))
    observed = seen(listing=a_listing(a_runner(labels=desired.labels)) if listing is ... else listing)
    facts = {"baseline": as_sent(told_baseline(**told))}
    service = a_service() if service is ... else service
    return baseline_of(desired, facts, needs=NEEDS, parts=parts_of(desired, observed), service=service)


@pytest.mark.req("M33", "L12")
def test_all_that_a_lane_needs_is_ready() -> None:
    found = judged()
    assert found.ready
    assert set(found.checks) == set(found.reasons) == ALWAYS


@pytest.mark.req("M88", "L12")
@pytest.mark.parametrize("label", [*sorted(BUILD), "Docker"])
def test_a_build_lane_needs_docker_s_tools_as_well(label: str) -> None:
    found = judged(labels=(label,))
    assert found.ready
    assert set(found.checks) == ALWAYS | OF_BUILDS
    assert found.reasons["buildx"] == "buildx 0.13.1"


@pytest.mark.req("M33", "M66")
@pytest.mark.parametrize(
    ("told", "check", "state", "why"),
    [
        ({"user": {"uid": 0, "groups": []}}, "service_user", False, "It is root"),
        ({"user": {"uid": 1002, "groups": ["sudo"]}}, "service_user", False, "in the group sudo"),
        ({"home": {"path": "/home/x", "problem": ""}}, "home", False, "none of the host's runner roots"),
        ({"home": {"path": "/srv/runnersx/y", "problem": ""}}, "home", False, "none of the host's runner roots"),
        ({"home": {"path": "/srv/runners/h", "problem": "it is a link"}}, "home", False, "it is a link"),
        ({"readable_logins": ["/root/.docker/config.json"]}, "docker_isolation", False, "/root/.docker/config.json"),
        ({"global_logins": ["/etc/docker/config.json"]}, "docker_isolation", False, "/etc/docker/config.json"),
        ({"docker_config": {"path": "/x", "problem": "others"}}, "docker_isolation", False, "others"),
        ({"service": None}, "docker_isolation", None, "was not read"),
        ({"service": a_service(ours=False)}, "docker_isolation", False, "not the one that Launchplane writes"),
        ({"listing": None}, "labels", None, "Nobody looked"),
        ({"listing": a_listing()}, "labels", None, "does not list it"),
        ({"listing": a_listing(a_runner(labels=("x",)))}, "labels", False, "Missing: "),
        ({"disk": None}, "disk", None, "Nobody could say"),
        ({"disk": {"path": "/srv", "free_bytes": 19_999_999_999, "total_bytes": 10**12}}, "disk", False, "19 GB are"),
    ],
)
def test_each_check_can_fail_by_itself(told: dict[str, Any], check: str, state: bool | None, why: str) -> None:
    found = judged(**told)
    assert (found.ready, found.checks[check]) == (False, state)
    assert why in found.reasons[check]
    assert [name for name, value in found.checks.items() if value is not True] == [check]


@pytest.mark.req("M88")
@pytest.mark.parametrize(
    ("tool", "version", "state"),
    [
        ("docker_client", "20.9.99", False),
        ("docker_client", "20.10", True),
        ("docker_engine", "19.3", False),
        ("docker_engine", None, None),
        ("buildx", "0.9.1", False),
        ("buildx", "0.10.0", True),
        ("buildx", "1.0", True),
        ("buildx", None, None),
    ],
)
def test_each_tool_has_a_minimum_and_a_missing_one_is_not_ready(
    tool: str, version: str | None, state: bool | None
) -> None:
    found = judged(labels=("docker",), **{tool: version})
    assert (found.checks[tool], found.ready) == (state, state is True)


@pytest.mark.req("M33")
@pytest.mark.parametrize(
    "told",
    [
        {"user": None},
        {"user": {"uid": "0", "groups": []}},
        {"user": {"uid": 1}},
        {"readable_logins": None},
        {"readable_logins": ["x"] * 101},
        {"disk": {"path": "/", "free_bytes": -1, "total_bytes": 1}},
        {"disk": {"path": "/", "free_bytes": True, "total_bytes": 1}},
        {"buildx": "1.0\nx"},
        {"docker_engine": "26.1.5; rm"},
        {"home": {"path": "/srv/runners/x", "problem": "x" * 1001}},
    ],
)
def test_a_host_that_tells_it_in_another_shape_has_told_nothing(told: dict[str, Any]) -> None:
    with pytest.raises(NotTold, match="not in order"):
        judged(**told)


def test_a_text_of_the_host_cannot_break_a_line() -> None:
    found = judged(home={"path": "/srv/runners/x", "problem": "a\nb\x1b[2J" + "y" * 900})
    assert found.reasons["home"].isprintable()
    assert len(found.reasons["home"]) == 300


def test_how_much_is_free_is_told_so_roughly_that_it_does_not_change_at_each_look() -> None:
    one, other = (
        judged(disk={"path": "/srv", "free_bytes": free, "total_bytes": 10**12})
        for free in (5_100_000_000, 5_900_000_000)
    )
    assert one == other
