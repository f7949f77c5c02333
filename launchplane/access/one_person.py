"""Whether one person could be on both sides: whoever edits an account, or makes it, can act as it.

That goes on along a chain: who resets A, and as A resets B, can be B. So can the maker of both A and B be either. Only
what was done within a day counts, and not what a first start did, which is no person.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from launchplane.access.models import CredentialChange
from launchplane.access.people import FIRST_START

ACCOUNT_IS_YOUNG = timedelta(hours=24)

# an account and who edited it: None for somebody who is not known, and so could be anybody
Edit = tuple[int, int | None]


def edit_between(person: int, others: set[int], *, now: datetime) -> CredentialChange | None:
    """The edit without which nobody could be both `person` and one of `others` (keys of users); None if nobody could.

    There may be many ways from the one to the others. This is the edit that is the last to stand in the way: once it
    is ACCOUNT_IS_YOUNG old, none does any more.
    """
    lately = CredentialChange.objects.filter(at__gt=now - ACCOUNT_IS_YOUNG).exclude(by=None, by_name=FIRST_START.name)
    rows = list(lately.order_by("-at", "-pk").values_list("user_id", "by_id", "pk"))
    edits: list[Edit] = [(user, by) for user, by, _pk in rows]
    if not _meet(person, others, edits):
        return None
    newest = bisect_left(range(len(edits) + 1), True, key=lambda count: _meet(person, others, edits[:count]))
    return CredentialChange.objects.select_related("user").get(pk=rows[newest - 1][2])


def _meet(person: int, others: set[int], edits: Sequence[Edit]) -> bool:
    """Whether somebody could be both. An editor who is not known could be anybody, also one whose account is gone."""
    here, there = _could_be({person}, edits), _could_be(others - {person}, edits)
    return None in here | there or not here.isdisjoint(there)


def _could_be(people: Iterable[int], edits: Sequence[Edit]) -> set[int | None]:
    """`people`, and all who could act as one of them."""
    editors: defaultdict[int | None, set[int | None]] = defaultdict(set)
    for user, by in edits:
        editors[user].add(by)
    found: set[int | None] = set(people)
    new = found
    while new:
        new = {editor for account in new for editor in editors[account]} - found
        found = found | new
    return found
