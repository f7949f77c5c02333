"""Each gate of a lane's change: what opens it, what closes it, and that what was not seen is unknown."""

from datetime import timedelta
from typing import Any

import pytest

from lanes import gates
from lanes.contracts import Observed
from lanes.parts import parts_of
from launchplane.changes.contracts import Blocker, Gate
from tests.lanes.scenes import NO_SERVICE, NOW, STOPPED, a_listing, a_runner, a_service, seen, wanted


def busy(observed: Observed, **record: Any) -> Gate:
    return gates.not_busy(parts_of(wanted(**record), observed), observed)


@pytest.mark.req("L24")
def test_a_lane_that_nothing_works_on_is_not_busy() -> None:
    gate = busy(seen())
    assert gate.is_open
    assert (gate.evidence["busy"], gate.evidence["workers"]) == (False, 0)


@pytest.mark.req("L24")
@pytest.mark.parametrize(
    "part",
    [{"listing": a_listing(a_runner(busy=True))}, {"service": a_service(workers=1)}],
    ids=["GitHub says so", "the host says so"],
)
def test_a_job_that_one_of_two_witnesses_sees_closes_the_gate(part: dict[str, Any]) -> None:
    assert busy(seen(**part)).state == "closed"


@pytest.mark.req("L24")
@pytest.mark.parametrize(
    "part",
    [{"listing": None}, {"service": None}, {"service": a_service(workers=None)}],
    ids=["GitHub", "the host", "nobody could count"],
)
def test_a_witness_that_was_not_heard_is_unknown_and_no_no(part: dict[str, Any]) -> None:
    gate = busy(seen(**part, unmeasured={"listing": "down", "service": "down"}))
    assert gate.state == "unknown"
    assert gate.reason.endswith("Counts as closed.")


def test_an_offline_lane_without_a_unit_is_not_busy() -> None:
    observed = seen(listing=a_listing(a_runner(online=False)), service=a_service(**NO_SERVICE))
    assert busy(observed).is_open


def test_a_runner_that_shows_online_without_its_unit_is_unknown() -> None:
    assert busy(seen(service=a_service(**STOPPED))).state == "unknown"


def test_only_the_machine_that_was_added_is_let_in() -> None:
    assert gates.identity("A", "A").is_open
    assert gates.identity("B", "A").state == "closed"
    assert gates.identity(None, "A", why_unseen="It does not answer.").state == "unknown"


@pytest.mark.parametrize(("old", "state"), [(0, "open"), (5 * 60, "open"), (5 * 60 + 1, "closed"), (-1, "closed")])
def test_a_look_is_fresh_for_five_minutes(old: int, state: str) -> None:
    assert gates.fresh(seen(), (), NOW + timedelta(seconds=old)).state == state


def test_the_older_of_two_looks_counts() -> None:
    listing = a_listing(a_runner(), seen_at=NOW - timedelta(minutes=6))
    assert gates.fresh(seen(listing=listing), (), NOW).state == "closed"


def test_what_was_not_read_is_not_fresh() -> None:
    gate = gates.fresh(seen(), [Blocker(code="not_measured", summary="Listing: GitHub was down.")], NOW)
    assert (gate.state, gate.reason) == ("unknown", "Listing: GitHub was down. Counts as closed.")


@pytest.mark.req("L3", "L17")
def test_what_the_record_does_not_allow_closes_the_grant() -> None:
    against = [Blocker(code="repository_not_allowed", summary="acme/shop may have no lanes here.")]
    gate = gates.grant(against, {"max_lanes": None})
    assert gate.state == "closed"
    assert gate.evidence == {"max_lanes": None, "against": ("repository_not_allowed",)}
    assert gates.grant((), {}).is_open


@pytest.mark.req("L24")
@pytest.mark.parametrize(
    ("kind", "verbs", "asked"),
    [
        ("lane.restart", ("restart",), True),
        ("lane.remove", ("disable",), True),
        ("lane.reconcile", ("stop", "install-unit"), True),
        ("lane.create", ("fetch", "configure"), False),
    ],
)
def test_whatever_may_end_a_job_asks_whether_one_runs(kind: str, verbs: Any, asked: bool) -> None:
    assert (gates.NOT_BUSY in gates.names_for(kind, verbs)) == asked


def test_text_of_a_host_stays_on_one_line() -> None:
    gate = gates.identity(None, "A", why_unseen="down\n\x1b[31mred" + "x" * 1000)
    assert gate.reason.isprintable()
    assert len(gate.reason) < 400
