"""Each of the seven shapes, and what is never taken for absence."""

from typing import Any

import pytest

from lanes.parts import Listed, parts_of
from lanes.shapes import shape_of
from tests.lanes.scenes import (
    ANOTHERS,
    LABELS,
    LANE,
    NO_DIRECTORY,
    NO_SERVICE,
    OURS,
    SCOPE,
    STOPPED,
    a_directory,
    a_listing,
    a_runner,
    a_service,
    seen,
    seen_nothing,
    wanted,
)

GONE = a_directory(**NO_DIRECTORY)
NONE = a_service(**NO_SERVICE)


@pytest.mark.req("M17")
def test_absent_is_no_runner_no_configured_directory_and_no_unit() -> None:
    assert shape_of(wanted(agent_id=None), seen_nothing()) == "absent"


@pytest.mark.req("M17")
def test_github_only_is_a_runner_without_a_unit() -> None:
    assert shape_of(wanted(), seen(directory=GONE, service=NONE)) == "github_only"


@pytest.mark.req("M17")
def test_local_service_only_is_a_unit_whose_runner_github_does_not_know() -> None:
    assert shape_of(wanted(), seen(listing=a_listing())) == "local_service_only"


@pytest.mark.req("M17")
def test_supervised_active_is_our_runner_under_its_unit_that_runs() -> None:
    assert shape_of(wanted(), seen()) == "supervised_active"


@pytest.mark.req("M17")
def test_supervised_inactive_is_our_runner_under_its_unit_that_does_not_run() -> None:
    assert shape_of(wanted(), seen(service=a_service(**STOPPED))) == "supervised_inactive"


@pytest.mark.req("M17")
@pytest.mark.parametrize("labels", [LABELS[:-1], (*LABELS, "another-product"), ()])
def test_mismatched_labels_is_a_supervised_runner_with_a_label_too_few_or_too_many(labels: tuple[str, ...]) -> None:
    observed = seen(listing=a_listing(a_runner(labels=labels)))
    assert shape_of(wanted(), observed) == "mismatched_labels"
    stopped = observed.model_copy(update={"service": a_service(**STOPPED)})
    assert shape_of(wanted(), stopped) == "mismatched_labels"


@pytest.mark.req("M17")
def test_unknown_conflict_is_two_runners_of_one_name() -> None:
    listing = a_listing(a_runner(), a_runner(id=ANOTHERS, name=LANE.upper()))
    assert shape_of(wanted(), seen(listing=listing)) == "unknown_conflict"


@pytest.mark.req("M36")
def test_a_label_in_another_case_is_the_same_label() -> None:
    labels = tuple(label.upper() for label in LABELS)
    assert shape_of(wanted(), seen(listing=a_listing(a_runner(labels=labels)))) == "supervised_active"


@pytest.mark.req("M36")
def test_a_runner_whose_name_differs_only_in_case_is_of_that_name() -> None:
    observed = seen_nothing(listing=a_listing(a_runner(id=ANOTHERS, name=LANE.upper())))
    assert parts_of(wanted(), observed).registration == "foreign"


@pytest.mark.req("M17")
@pytest.mark.parametrize(
    "different",
    [
        {"listing": None},
        {"listing": a_listing(complete=False)},
        {"listing": a_listing(total_count=2)},
        {"listing": a_listing(total_count=0)},
        {"listing": a_listing(scope="cbusillo/another")},
        {"listing": a_listing(a_runner(id=5, name="has the id of another"))},
        {"directory": None},
        {"directory": a_directory(**NO_DIRECTORY, path="/srv/runners/another")},
        {"service": None},
        {"service": a_service(**NO_SERVICE, unit="launchplane-runner@another.service")},
        {"lane_name": "another"},
    ],
)
def test_what_was_not_read_is_never_absent(different: dict[str, Any]) -> None:
    assert shape_of(wanted(), seen_nothing(**different)) == "unknown_conflict"


@pytest.mark.parametrize(
    ("different", "why"),
    [
        ({"problem": "it is a symbolic link"}, "it is a symbolic link"),
        ({"agent_id": ANOTHERS}, "Its .runner has the id 77: ours is 42"),
        ({"agent_id": None}, "Its .runner could not be understood"),
        ({"agent_name": "another"}, "Its .runner is called another"),
        (
            {"github_url": "https://github.com/cbusillo/another"},
            "Its .runner belongs to https://github.com/cbusillo/another",
        ),
        ({"github_url": ""}, "Its .runner belongs to "),
    ],
)
def test_a_directory_is_ours_only_by_id_name_and_scope(different: dict[str, Any], why: str) -> None:
    parts = parts_of(wanted(), seen(directory=a_directory(**different)))
    assert parts.folder != "ours"
    assert parts.why["directory"] == why


@pytest.mark.parametrize(
    ("different", "why"),
    [
        ({"exec_start": "/bin/sh"}, "It runs /bin/sh"),
        ({"exec_start": ""}, "It runs nothing"),
        ({"working_directory": "/"}, "It works in /"),
        ({"active_state": "purple"}, "It is in a state that nobody knows: purple"),
        ({"active_state": ""}, "It is in a state that nobody knows: none was told"),
    ],
)
def test_a_unit_is_the_lanes_own_only_by_what_it_runs(different: dict[str, Any], why: str) -> None:
    """Also where its text is ours: a drop-in may say otherwise."""
    parts = parts_of(wanted(), seen(service=a_service(**different)))
    assert parts.unit in ("foreign", "unread")
    assert parts.why["service"] == why


@pytest.mark.parametrize("state", ["inactive", "failed", "activating", "deactivating", "reloading", "maintenance"])
def test_a_unit_in_any_state_but_active_does_not_run(state: str) -> None:
    assert parts_of(wanted(), seen(service=a_service(active_state=state))).unit == "inactive"


@pytest.mark.req("X11")
def test_our_id_under_another_name_is_a_conflict_and_not_an_absence() -> None:
    parts = parts_of(wanted(), seen_nothing(listing=a_listing(a_runner(name="renamed"))))
    assert parts.registration == "ambiguous"
    assert parts.why["listing"] == "GitHub lists our runner 42 under another name: renamed"


@pytest.mark.req("X11")
def test_a_runner_of_our_name_is_not_ours_without_our_id() -> None:
    for agent_id in (None, ANOTHERS):
        parts = parts_of(wanted(agent_id=agent_id), seen())
        assert parts.registration == "foreign"
        assert parts.folder == "foreign"


def test_an_organizations_runner_is_ours_by_its_organization() -> None:
    directory = a_directory(github_url="https://github.com/Acme/")
    listing = a_listing(a_runner(), scope="ACME")
    parts = parts_of(wanted(scope="acme"), seen(directory=directory, listing=listing))
    assert (parts.registration, parts.folder) == ("ours", "ours")


def test_an_index_of_another_listing_is_not_used() -> None:
    """One that says the runner is gone, beside an observation that lists it."""
    parts = parts_of(wanted(), seen(), Listed(a_listing()))
    assert parts.registration == "ours"


def test_the_reason_why_nothing_was_read_is_kept() -> None:
    observed = seen(listing=None, unmeasured={"listing": f"GitHub refuses {SCOPE}"})
    assert parts_of(wanted(), observed).why == {"listing": f"GitHub refuses {SCOPE}"}
    assert parts_of(wanted(), seen(service=None)).why == {"service": "Nobody looked"}


def test_the_runner_that_is_meant_is_named() -> None:
    runner = parts_of(wanted(), seen()).runner
    assert runner is not None
    assert runner.id == OURS
