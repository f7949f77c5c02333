"""Readiness: open on five proofs that were seen, and closed on anything less."""

from collections.abc import Mapping
from datetime import timedelta
from itertools import product
from typing import Any

import pytest

from lanes.contracts import Observed
from lanes.readiness import PROOFS, Readiness, readiness
from tests.lanes.scenes import (
    ANOTHERS,
    LABELS,
    LANE,
    NO_SERVICE,
    NOW,
    STOPPED,
    a_baseline,
    a_directory,
    a_listing,
    a_runner,
    a_service,
    seen,
    seen_nothing,
    wanted,
)

OLD = timedelta(minutes=5)


def ready(observed: Observed, **record: Any) -> Readiness:
    return readiness(wanted(**record), observed, now=NOW + timedelta(minutes=1), at_most_old=OLD)


def states(found: Readiness) -> dict[str, str]:
    return {proof.name: proof.state for proof in found.proofs if proof.state != "open"}


@pytest.mark.req("M94")
def test_it_is_open_when_all_five_are_seen_to_hold() -> None:
    found = ready(seen())
    assert found.is_open
    assert [proof.name for proof in found.proofs] == list(PROOFS)
    assert [proof.reason for proof in found.proofs] == [
        "GitHub shows runner 42 online.",
        f"launchplane-runner@{LANE}.service is active and enabled, as lane-cm-website.",
        f"GitHub lists {', '.join(LABELS)}.",
        "All 3 checks of the baseline hold.",
        "The programs on chris-testing can restart and remove it.",
    ]


# each closes one proof alone
CLOSING: Mapping[str, list[tuple[dict[str, Any], str, str]]] = {
    "lane_online": [
        ({"listing": a_listing(a_runner(online=False))}, "closed", "GitHub shows it offline."),
        ({"condition": "session_conflict"}, "closed", "Its log speaks against it: session conflict."),
        ({"condition": "version_deprecated"}, "closed", "Its log speaks against it: version deprecated."),
    ],
    "service_active": [
        ({"service": a_service(**STOPPED)}, "closed", f"launchplane-runner@{LANE}.service is not active."),
        (
            {"service": a_service(enabled=False)},
            "closed",
            f"launchplane-runner@{LANE}.service will not start again after a reboot.",
        ),
        ({"service": a_service(process_user="root")}, "closed", "Its process does not run as lane-cm-website."),
        (
            {"service": a_service(process_user="")},
            "unknown",
            "Whom its process runs as was not read. Counts as closed.",
        ),
    ],
    "labels_correct": [
        ({"listing": a_listing(a_runner(labels=LABELS[:-1]))}, "closed", "Missing: cm-website."),
        ({"listing": a_listing(a_runner(labels=(*LABELS, "other")))}, "closed", "Unwanted: other."),
    ],
    "baseline_ready": [
        ({"baseline": None}, "unknown", "Nobody looked at the baseline. Counts as closed."),
        ({"baseline": a_baseline(disk=None)}, "unknown", "Not read: disk. Counts as closed."),
        ({"baseline": a_baseline(disk=False, service_user=None)}, "closed", "Not as it must be: disk."),
    ],
    "control_path": [
        ({"control_path": None}, "unknown", "Nobody asked the programs on its host. Counts as closed."),
        ({"control_path": False}, "closed", "The programs that restart and remove it are not on its host."),
        ({"service": a_service(ours=False)}, "closed", "Its unit is not the one that Launchplane writes."),
        ({"directory": a_directory(agent_id=ANOTHERS)}, "closed", "Its .runner has the id 77: ours is 42."),
        ({"directory": a_directory(configured=False)}, "closed", "Its directory is not configured."),
        ({"directory": None}, "unknown", "Nobody looked. Counts as closed."),
    ],
}


@pytest.mark.req("M94")
@pytest.mark.parametrize(
    ("name", "different", "state", "sentence"),
    [(name, *line) for name, lines in CLOSING.items() for line in lines],
)
def test_one_proof_that_does_not_hold_closes_it(name: str, different: Any, state: str, sentence: str) -> None:
    found = ready(seen(**different))
    assert not found.is_open
    assert states(found) == {name: state}
    assert next(proof.reason for proof in found.proofs if proof.name == name) == sentence


@pytest.mark.req("M94")
def test_it_is_open_for_exactly_one_of_all_combinations_of_five() -> None:
    firsts = [lines[0][0] for lines in CLOSING.values()]
    for kept in product([False, True], repeat=5):
        different: dict[str, Any] = {}
        for change, keep in zip(firsts, kept, strict=True):
            for field, value in {} if keep else change.items():
                different[field] = _both(different.get(field), value)
        found = ready(seen(**different))
        assert found.is_open == all(kept)
        assert [proof.is_open for proof in found.proofs] == list(kept)


def _both(one: Any, other: Any) -> Any:
    """The two closed listings in one: offline, and without a label."""
    return other if one is None else a_listing(a_runner(online=False, labels=LABELS[:-1]))


@pytest.mark.req("M94")
def test_a_listing_that_is_not_whole_proves_neither_online_nor_labels() -> None:
    listing = a_listing(a_runner(), complete=False, why_incomplete="page 2 did not come")
    assert states(ready(seen(listing=listing))) == {"lane_online": "unknown", "labels_correct": "unknown"}


@pytest.mark.req("M94")
def test_somebody_elses_runner_of_that_name_proves_nothing() -> None:
    found = states(ready(seen(listing=a_listing(a_runner(id=ANOTHERS)))))
    assert found == {"lane_online": "closed", "labels_correct": "closed"}


@pytest.mark.req("M94")
def test_an_absent_lane_is_closed_on_all_five() -> None:
    assert set(states(ready(seen_nothing()))) == set(PROOFS)


@pytest.mark.req("M9")
def test_a_record_alone_proves_nothing() -> None:
    nothing = {"listing": None, "directory": None, "service": None, "baseline": None, "control_path": None}
    assert states(ready(seen(**nothing))) == dict.fromkeys(PROOFS, "unknown")


@pytest.mark.req("M11")
def test_a_lane_that_is_not_managed_has_no_control_path() -> None:
    assert states(ready(seen(), managed=False)) == {"control_path": "closed"}


@pytest.mark.parametrize(
    ("age", "state"),
    [
        (timedelta(0), "open"),
        (OLD, "open"),
        (OLD + timedelta(seconds=1), "unknown"),
        (-timedelta(seconds=1), "unknown"),
    ],
)
def test_an_observation_that_is_not_of_now_proves_nothing(age: timedelta, state: str) -> None:
    found = readiness(wanted(), seen(), now=NOW + age, at_most_old=OLD)
    assert {proof.state for proof in found.proofs} == {state}


def test_a_listing_that_is_older_than_the_look_counts_with_its_own_age() -> None:
    observed = seen(listing=a_listing(a_runner(), seen_at=NOW - timedelta(hours=1)))
    found = ready(observed)
    assert not found.is_open
    assert found.seen_at == NOW - timedelta(hours=1)
    assert found.proofs[0].reason == "What is known of it is 1 h old. Counts as closed."


def test_a_unit_that_nobody_read_closes_what_rests_on_it() -> None:
    observed = seen(service=None, unmeasured={"service": "the host did not answer"})
    assert states(ready(observed)) == {"service_active": "unknown", "control_path": "unknown"}


def test_no_unit_is_closed_and_not_unknown() -> None:
    observed = seen(service=a_service(**NO_SERVICE))
    assert states(ready(observed)) == {"service_active": "closed", "control_path": "closed"}
