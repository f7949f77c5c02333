"""The boundary of one run: the calls that its plan declares, spent from one allowance over all of its steps."""

from collections.abc import Callable

from launchplane.changes.contracts import Plan
from launchplane.hosts.boundary import Allowance


def allowance_of(plan: Plan, *, still_mine: Callable[[], bool], fencing_token: int) -> Allowance:
    """What the whole run may call, and how often. A name that is declared twice counts together."""
    left: dict[str, int] = {}
    for call in plan.boundary.calls:
        left[call.name] = left.get(call.name, 0) + call.at_most
    return Allowance(left, still_mine, fencing_token)
