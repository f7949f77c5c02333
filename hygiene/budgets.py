"""What a budget says of the resources that nothing else decides. Pure.

Age first: younger, or used more recently, than `min_age_seconds` is kept. Of the rest all may go if there is no
`max_bytes`; with one, the longest unused go until what nothing else keeps fits, and never below `reserve_bytes` of it.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import NamedTuple

from hygiene.contracts import BudgetRule, Class, Kind
from launchplane.words import human_bytes, human_duration


class Claim(NamedTuple):
    """A resource that its scope's budget decides on: how long it is unused, and what its removal frees alone.

    `idle` is sure; `idle_as_seen` is longer where events were lost since, and a use with them perhaps.
    """

    key: tuple[Kind, str]
    scope: str
    idle: timedelta
    size_bytes: int
    noun: str
    idle_as_seen: timedelta | None = None


Decision = tuple[Class, str, str]


def decide(claims: Sequence[Claim], budgets: Sequence[BudgetRule]) -> Iterator[tuple[Claim, Decision]]:
    """Class, rule and reason for each claim."""
    by_scope: dict[str, list[Claim]] = defaultdict(list)
    for claim in claims:
        by_scope[claim.scope].append(claim)
    rules = {budget.scope: budget for budget in budgets}
    for scope, members in by_scope.items():
        budget = rules.get(scope)
        if budget is None:
            yield from ((claim, _unbounded(claim)) for claim in members)
        else:
            yield from _within(members, budget)


def _unbounded(claim: Claim) -> Decision:
    return Class.KEPT, "no_budget", f"No budget is set for {claim.scope}, so nothing there goes."


def _within(claims: list[Claim], budget: BudgetRule) -> Iterator[tuple[Claim, Decision]]:
    """Oldest first, so that what goes is what was unused the longest; ties in the order of keys, always the same."""
    min_age = timedelta(seconds=budget.min_age_seconds)
    bound = human_duration(min_age)
    young = (
        Class.KEPT,
        f"budget.{budget.scope}.age",
        f"The budget for {budget.scope} keeps what was used within {bound}.",
    )
    missed = (
        Class.KEPT,
        f"budget.{budget.scope}.gap",
        "No use of it was seen, but events were lost and one may have been missed; "
        f"the budget for {budget.scope} keeps what may have been used within {bound}.",
    )
    fits, reserved = _fits(budget), _reserved(budget)
    left, at_the_reserve = sum(claim.size_bytes for claim in claims), False
    for claim in sorted(claims, key=lambda claim: (-claim.idle, claim.key)):
        if claim.idle < min_age:
            yield claim, missed if (claim.idle_as_seen or claim.idle) >= min_age else young
        elif budget.max_bytes is not None and left <= budget.max_bytes:
            yield claim, fits
        elif at_the_reserve or left - claim.size_bytes < budget.reserve_bytes:
            # nothing younger goes in its place: a larger reserve never lets more go
            at_the_reserve = True
            yield claim, reserved
        else:
            left -= claim.size_bytes
            yield claim, _may_go(claim, budget, bound)


def _fits(budget: BudgetRule) -> Decision:
    reason = f"What nothing else keeps of {budget.scope} fits the budget of {human_bytes(budget.max_bytes)}."
    return Class.KEPT, f"budget.{budget.scope}.size", reason


def _reserved(budget: BudgetRule) -> Decision:
    reason = f"The budget for {budget.scope} keeps {human_bytes(budget.reserve_bytes)} beyond what else is kept."
    return Class.KEPT, f"budget.{budget.scope}.reserve", reason


def _may_go(claim: Claim, budget: BudgetRule, bound: str) -> Decision:
    if budget.min_age_seconds:
        why = f"unused for {human_duration(claim.idle)}; the budget for {budget.scope} keeps {bound}"
    else:
        why = f"and the budget for {budget.scope} lets those go at once"
    most = "" if budget.max_bytes is None else f", and at most {human_bytes(budget.max_bytes)}"
    return Class.CANDIDATE, f"budget.{budget.scope}", f"It is {claim.noun}, {why}{most}."
