"""GitHub's runners for many lanes: each scope is listed once, however many lanes share it."""

from collections.abc import Callable

from lanes.contracts import Desired, Listing
from lanes.github.client import Github
from lanes.github.connect import github
from lanes.github.errors import GithubProblem
from lanes.names import folded, same
from launchplane.hosts.contracts import Contract


class NotListed(Contract):
    """Why there is no listing, in a sentence."""

    why: str


class Listings:
    """For one look at one or many lanes; whoever looks again takes a new one."""

    def __init__(self, connect: Callable[[], Github] = github) -> None:
        self._connect = connect
        self._found: dict[str, Listing | NotListed] = {}

    def of(self, scope: str) -> Listing | NotListed:
        """The listing of `scope`. What GitHub refuses is not asked again: nothing more is asked of that scope."""
        key = folded(scope)
        if key not in self._found:
            try:
                self._found[key] = self._connect().listing(scope)
            except GithubProblem as problem:
                self._found[key] = NotListed(why=problem.sentence)
        return self._found[key]


def narrowed(listing: Listing, desired: Desired) -> Listing:
    """The same listing as far as one lane goes: the runners of its name and of its id, and whether that is all of them.

    What follows from it for that lane is the same, and it changes only when something of the lane does.
    """
    kept = tuple(
        runner
        for runner in listing.runners
        if same(runner.name, desired.lane_name) or (desired.agent_id is not None and runner.id == desired.agent_id)
    )
    ids = {runner.id for runner in listing.runners}
    whole = listing.complete and len(listing.runners) == listing.total_count == len(ids)
    why = listing.why_incomplete or ("" if whole else f"{len(ids)} of {listing.total_count} runners were listed")
    return listing.model_copy(
        update={"runners": kept, "total_count": len(kept), "complete": whole, "why_incomplete": why}
    )
