"""What a budget says of the resources that nothing else decides."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from hypothesis import given
from hypothesis import strategies as st

from hygiene.budgets import Claim, Decision, decide
from hygiene.contracts import BudgetRule, Class, Kind
from hygiene.models import Budget
from launchplane.words import CENTURY_SECONDS
from tests.factories import a_host

DAY = timedelta(days=1)
GB = 10**9


def claim(name: str, days: float, size_bytes: int = GB, *, scope: str = "images") -> Claim:
    return Claim((Kind.IMAGE, name), scope, days * DAY, size_bytes, "an image")


def rule(*, most: int | None = None, reserve: int = 0, days: int = 7, scope: str = "images") -> BudgetRule:
    return BudgetRule(scope=scope, max_bytes=most, reserve_bytes=reserve, min_age_seconds=days * 86_400)


def decided(claims: list[Claim], *rules: BudgetRule) -> dict[str, Decision]:
    return {made.key[1]: decision for made, decision in decide(claims, rules)}


def going(claims: list[Claim], *rules: BudgetRule) -> set[str]:
    return {name for name, decision in decided(claims, *rules).items() if decision[0] == Class.CANDIDATE}


def test_without_a_budget_for_its_scope_nothing_goes() -> None:
    found = decided([claim("a", 900)], rule(scope="containers"))
    assert found["a"] == (Class.KEPT, "no_budget", "No budget is set for images, so nothing there goes.")


@pytest.mark.parametrize(("days", "gone"), [(6.99, False), (7, True), (8, True), (-1, False)])
def test_without_a_maximum_age_alone_decides(days: float, gone: bool) -> None:
    assert going([claim("a", days)], rule()) == ({"a"} if gone else set())


def test_what_is_too_young_says_which_age_keeps_it() -> None:
    reason = "The budget for images keeps what was used within 7 days."
    assert decided([claim("a", 1)], rule())["a"] == (Class.KEPT, "budget.images.age", reason)


def test_with_a_maximum_the_longest_unused_go_until_the_rest_fits() -> None:
    claims = [claim("new", 10), claim("old", 30), claim("older", 40), claim("young", 1)]
    found = decided(claims, rule(most=2 * GB))
    assert {name for name, decision in found.items() if decision[0] == Class.CANDIDATE} == {"old", "older"}
    assert found["new"] == (
        Class.KEPT,
        "budget.images.size",
        "What nothing else keeps of images fits the budget of 2 GB.",
    )


def test_nothing_goes_where_everything_fits() -> None:
    assert going([claim("a", 90), claim("b", 90)], rule(most=2 * GB)) == set()


def test_nothing_younger_goes_in_the_place_of_what_the_reserve_keeps() -> None:
    claims = [claim("large", 30, 5 * GB), claim("small", 20)]
    assert going(claims, rule(reserve=0)) == {"large", "small"}
    assert going(claims, rule(reserve=2 * GB)) == set()


def test_the_reserve_is_never_gone_below() -> None:
    found = decided([claim("a", 30), claim("b", 20), claim("c", 10)], rule(reserve=2 * GB))
    assert {name for name, decision in found.items() if decision[0] == Class.CANDIDATE} == {"a"}
    assert found["b"] == (
        Class.KEPT,
        "budget.images.reserve",
        "The budget for images keeps 2 GB beyond what else is kept.",
    )


@pytest.mark.parametrize(
    ("bounds", "reason"),
    [
        (rule(), "It is an image, unused for 30 days; the budget for images keeps 7 days."),
        (rule(days=0), "It is an image, and the budget for images lets those go at once."),
        (rule(most=0), "It is an image, unused for 30 days; the budget for images keeps 7 days, and at most 0 B."),
    ],
)
def test_what_may_go_says_all_the_bounds_that_let_it(bounds: BudgetRule, reason: str) -> None:
    assert decided([claim("a", 30)], bounds)["a"] == (Class.CANDIDATE, "budget.images", reason)


def test_each_scope_is_counted_for_itself() -> None:
    claims = [claim("a", 30), claim("b", 30, scope="containers")]
    assert going(claims, rule(most=GB), rule(most=0, scope="containers")) == {"b"}


@pytest.mark.parametrize("seconds", [-1, CENTURY_SECONDS + 1, 99_999_999_999 * 86_400])
def test_no_rule_has_an_age_that_no_calendar_can_hold(seconds: int) -> None:
    with pytest.raises(ValueError, match="min_age_seconds"):
        BudgetRule(scope="images", max_bytes=None, reserve_bytes=0, min_age_seconds=seconds)


def test_a_century_is_an_age_that_keeps_everything() -> None:
    assert going([claim("a", 900)], rule(days=36_500)) == set()


@pytest.mark.django_db
def test_no_budget_has_an_age_that_no_calendar_can_hold() -> None:
    budgets = Budget.objects.filter(host=a_host())
    with pytest.raises(ValidationError, match="min_age_seconds"):
        Budget(host=a_host("other"), scope="images", min_age_seconds=CENTURY_SECONDS + 1).full_clean()
    with pytest.raises(IntegrityError, match="budget_age_within_a_century"), transaction.atomic():
        budgets.update(min_age_seconds=CENTURY_SECONDS + 1)


def test_of_what_is_equally_old_the_first_name_goes_first() -> None:
    assert going([claim("b", 30), claim("a", 30)], rule(most=GB)) == {"a"}


claims = st.lists(
    st.builds(claim, st.sampled_from("abcdefgh"), st.integers(0, 40), st.integers(0, 9)),
    max_size=8,
    unique_by=lambda made: made.key,
)
bounds = st.tuples(st.integers(0, 40), st.integers(0, 20), st.integers(0, 20)).map(
    lambda drawn: rule(days=drawn[0], most=drawn[1] + drawn[2], reserve=drawn[1])
)


@given(claims, bounds)
def test_no_budget_goes_below_its_reserve(found: list[Claim], budget: BudgetRule) -> None:
    gone = going(found, budget)
    total = sum(made.size_bytes for made in found)
    left = sum(made.size_bytes for made in found if made.key[1] not in gone)
    assert left >= min(budget.reserve_bytes, total)


@given(claims, bounds)
def test_what_fits_its_maximum_loses_nothing(found: list[Claim], budget: BudgetRule) -> None:
    if sum(made.size_bytes for made in found) <= (budget.max_bytes or 0):
        assert going(found, budget) == set()


@given(claims, bounds, st.randoms(use_true_random=False))
def test_the_order_of_the_claims_decides_nothing(found: list[Claim], budget: BudgetRule, random: object) -> None:
    shuffled = random.sample(found, len(found))  # type: ignore[attr-defined]
    assert decided(shuffled, budget) == decided(found, budget)
