"""What is different between two plans, and between before and after a run."""

from collections.abc import Mapping
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from launchplane.changes.contracts import Boundary, DeclaredCall, Plan, PlannedStep
from launchplane.web.compare import Line, compare_facts, compare_plans, leaves


def a_plan(*targets: str, protections: tuple[str, ...] = ("warm",), bounds: Mapping[str, Any] | None = None) -> Plan:
    steps = tuple(
        PlannedStep(
            position=position,
            verb="remove-image",
            target=target,
            title=target,
            expected={},
            undo={},
            reversible="no",
            predicted_bytes=1,
        )
        for position, target in enumerate(targets, start=1)
    )
    return Plan(
        kind="toy.remove",
        host="folder",
        subject="",
        title="Remove",
        target_identity="ENGINE",
        rules_version=1,
        steps=steps,
        protections=protections,
        bounds=bounds or {},
        boundary=Boundary(
            host="folder",
            user="nobody",
            through="a door",
            calls=(DeclaredCall(name="remove_image", at_most=len(steps)),),
            before="",
            after="",
            rollback="",
        ),
        predicted_bytes=len(steps),
        blockers=(),
        next_steps=(),
        facts={},
    )


def test_a_plan_does_not_differ_from_itself() -> None:
    assert compare_plans(a_plan("a", "b"), a_plan("a", "b")).is_empty


def test_new_and_missing_items_are_named() -> None:
    found = compare_plans(a_plan("a", "b"), a_plan("b", "c"))
    assert (found.new_items, found.items_not_there_now, found.in_both) == (("remove image c",), ("remove image a",), 1)


def test_what_is_not_protected_any_more_is_told_apart_from_what_newly_is() -> None:
    found = compare_plans(a_plan(protections=("a", "b")), a_plan(protections=("b", "c")))
    assert (found.no_longer_protected, found.newly_protected) == (("a",), ("c",))


def test_a_bound_that_moved_is_shown_with_what_it_was() -> None:
    found = compare_plans(a_plan(bounds={"images": {"max_bytes": 5}}), a_plan(bounds={"images": {"max_bytes": 3}}))
    assert found.bounds == (Line("images · max_bytes", 5, 3),)


def test_another_target_is_a_difference() -> None:
    assert compare_plans(a_plan(), a_plan().model_copy(update={"target_identity": "OTHER"})).identity_differs


def test_facts_are_compared_value_by_value() -> None:
    found = compare_facts({"disk": {"used": 5, "path": "/"}}, {"disk": {"used": 3, "path": "/"}, "freed": {"by_df": 2}})
    assert found.changed == (Line("disk · used", 5, 3),)
    assert found.same == (Line("disk · path", "/", "/"),)
    assert found.new == (Line("freed · by_df", None, 2),)


FACTS = st.dictionaries(st.text(max_size=5), st.integers() | st.dictionaries(st.text(max_size=5), st.integers()))


@given(FACTS, FACTS)
def test_no_value_is_lost_in_a_comparison(before: dict[str, Any], after: dict[str, Any]) -> None:
    found = compare_facts(before, after)
    assert len(found.changed) + len(found.same) == len(leaves(before))
    assert {line.name for line in found.new} == leaves(after).keys() - leaves(before).keys()
