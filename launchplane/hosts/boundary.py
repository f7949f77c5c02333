"""What may be done to a host right now: the calls that the running change declared, and nothing outside of one.

Every door that changes something on a host spends a call here first, by its name. Threads and processes that a step
starts do not inherit the permission.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from launchplane.problems import Refused


@dataclass(slots=True)
class Allowance:
    """How often each call may still be made. `still_mine` says whether the change is still this worker's to apply.

    `fencing_token` is the change's, from 1; 0 where no program on a host is asked.
    """

    left: dict[str, int]
    still_mine: Callable[[], bool]
    fencing_token: int = 0


_allowance: ContextVar[Allowance | None] = ContextVar("allowance", default=None)


@contextmanager
def within(allowance: Allowance) -> Iterator[Allowance]:
    """Within, calls are spent from `allowance`."""
    token = _allowance.set(allowance)
    try:
        yield allowance
    finally:
        _allowance.reset(token)


def spend(call: str) -> None:
    """Make use of one declared call, just before it is made. Raises Refused, and nothing may be done then.

    `no_running_change` outside of a step, `undeclared_call`, `call_too_often`, `claim_lost`.
    """
    allowance = _allowance.get()
    if allowance is None:
        raise Refused("no_running_change", f"{call} changes a host, and no change is being applied here.")
    if call not in allowance.left:
        raise Refused("undeclared_call", f"The change that is being applied did not declare {call}.")
    if allowance.left[call] < 1:
        raise Refused("call_too_often", f"The change declared {call}, and has made it as often as it declared.")
    if not allowance.still_mine():
        raise Refused("claim_lost", f"This worker lost its claim to the change: {call} is not made.")
    allowance.left[call] -= 1


def fencing_token() -> int:
    """The running change's. Raises Refused `no_running_change` outside of a step."""
    allowance = _allowance.get()
    if allowance is None or allowance.fencing_token < 1:
        raise Refused("no_running_change", "A host is asked to change something, and no change is being applied here.")
    return allowance.fencing_token
