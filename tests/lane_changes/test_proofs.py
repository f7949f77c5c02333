"""A change of a lane is completed only if every proof is in."""

from typing import Any

import pytest

from lanes import proofs
from lanes.contracts import Observed
from tests.lanes.scenes import (
    EMPTY_DIRECTORY,
    LABELS,
    NO_DIRECTORY,
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


def missing(kind: str, observed: Observed) -> list[str]:
    """The names of the proofs that are not in."""
    return [proof.name for proof in proofs.proofs(kind, wanted(), observed, now=NOW) if not proof.is_open]


@pytest.mark.req("M63")
@pytest.mark.parametrize("kind", ["lane.create", "lane.adopt", "lane.reconcile", "lane.restart"])
def test_a_lane_that_is_as_it_must_be_has_every_proof(kind: str) -> None:
    assert missing(kind, seen()) == []


@pytest.mark.parametrize(
    ("part", "proof"),
    [
        pytest.param(
            {"listing": a_listing(a_runner(online=False))},
            "lane_online",
            marks=pytest.mark.req("M64"),
            id="active but offline",
        ),
        pytest.param(
            {"service": a_service(**STOPPED)},
            "service_active",
            marks=pytest.mark.req("M65"),
            id="online but inactive",
        ),
        pytest.param(
            {"service": a_service(enabled=False)},
            "service_active",
            marks=pytest.mark.req("M63"),
            id="active but not enabled",
        ),
        pytest.param(
            {"baseline": a_baseline(disk=False)}, "baseline_ready", marks=pytest.mark.req("M66"), id="baseline wrong"
        ),
        pytest.param(
            {"baseline": a_baseline(disk=None)}, "baseline_ready", marks=pytest.mark.req("M66"), id="baseline unread"
        ),
        pytest.param({"baseline": None}, "baseline_ready", marks=pytest.mark.req("M33"), id="no baseline"),
        pytest.param(
            {"service": a_service(process_user="root")},
            "service_active",
            marks=pytest.mark.req("M67"),
            id="wrong process user",
        ),
        pytest.param(
            {"listing": a_listing(a_runner(labels=LABELS[1:-1]))},
            "labels_correct",
            marks=pytest.mark.req("M67"),
            id="missing label",
        ),
        pytest.param({"control_path": None}, "control_path", marks=pytest.mark.req("M94"), id="no control path"),
    ],
)
def test_one_thing_that_is_not_so_is_one_proof_that_is_missing(part: dict[str, Any], proof: str) -> None:
    assert missing("lane.create", seen(**part)) == [proof]


def test_what_could_not_be_read_proves_nothing() -> None:
    unread = seen(listing=None, service=None, directory=None, baseline=None, control_path=None)
    assert len(missing("lane.reconcile", unread)) == 5


@pytest.mark.req("M71")
@pytest.mark.parametrize("directory", [NO_DIRECTORY, EMPTY_DIRECTORY], ids=["no folder", "an empty one"])
def test_a_lane_of_which_nothing_is_left_is_removed(directory: dict[str, Any]) -> None:
    assert missing("lane.remove", seen_nothing(directory=a_directory(**directory))) == []


@pytest.mark.req("L6")
def test_a_runner_of_its_name_that_was_never_ours_is_not_its_registration() -> None:
    assert missing("lane.remove", seen_nothing(listing=a_listing(a_runner(id=77)))) == []


@pytest.mark.req("M71")
@pytest.mark.parametrize(
    ("part", "proof"),
    [
        ({"service": a_service(**(STOPPED | {"exists": True}))}, "unit_gone"),
        ({"service": None}, "unit_gone"),
        ({"listing": a_listing(a_runner())}, "registration_gone"),
        ({"listing": a_listing(complete=False)}, "registration_gone"),
        ({"listing": None}, "registration_gone"),
        ({"directory": a_directory()}, "not_configured"),
        ({"directory": a_directory(agent_id=77)}, "not_configured"),
        ({"directory": None}, "not_configured"),
    ],
)
def test_whatever_is_left_or_unread_is_no_removal(part: dict[str, Any], proof: str) -> None:
    assert missing("lane.remove", seen_nothing(**part)) == [proof]


def test_what_is_missing_is_said_with_why() -> None:
    found = proofs.proofs("lane.create", wanted(), seen(baseline=None, unmeasured={"baseline": "down"}), now=NOW)
    assert proofs.missing(found) == ("baseline ready (down. Counts as closed)",)


def test_a_unit_that_is_not_there_is_no_unit_left() -> None:
    assert missing("lane.remove", seen_nothing(service=a_service(**NO_SERVICE))) == []
