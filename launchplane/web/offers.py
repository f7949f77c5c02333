"""What this person may do with this change now. The services decide; this is so that nobody is offered a dead end."""

from dataclasses import dataclass

from django.utils import timezone

from launchplane.access.models import User
from launchplane.access.rights import may
from launchplane.changes import eyes
from launchplane.changes.apply_now import is_handed_over
from launchplane.changes.kinds import ChangeKind
from launchplane.changes.models import Change
from launchplane.changes.models.change import Status
from launchplane.changes.recover import RIGHT as RESOLVE
from launchplane.problems import Refused

NO_RIGHT_TO_REQUEST = "Asking for it needs the right “Can ask for changes of host”, which Operators have."
NO_RIGHT_TO_APPROVE = "Deciding needs the right “Can approve changes of host”, which Approvers have."
OWN_WISH = "You asked for this: somebody else has to decide."
NO_RIGHT_TO_RESOLVE = "Resolving it needs the right “Can say what became of a change of host that is in doubt”."


@dataclass(frozen=True, slots=True)
class Offers:
    """Which forms the page has, and in `why_not` why the one that it waits for is not among them."""

    request: bool = False
    approve: bool = False
    reject: bool = False
    revoke: bool = False
    apply: bool = False
    cancel: bool = False
    resolve: bool = False
    own: bool = False
    why_not: str = ""

    @property
    def any(self) -> bool:
        decides = self.approve or self.reject or self.revoke or self.resolve
        return decides or self.request or self.apply or self.cancel


def offers(change: Change, kind: ChangeKind | None, user: User, *, nothing_to_do: str | None) -> Offers:
    """Nothing at all for a change that is at an end, or whose kind is not installed."""
    if kind is None:
        return Offers(why_not="The part of Launchplane that knows this kind of change is not installed.")
    if change.status == Status.PLANNED and nothing_to_do is not None:
        return Offers(why_not=nothing_to_do)
    asks, decides = may(user, kind.request_right, change.host), may(user, kind.approve_right, change.host)
    return _by_status(change, user, asks=asks, decides=decides)


def _by_status(change: Change, user: User, *, asks: bool, decides: bool) -> Offers:
    match change.status:
        case Status.PLANNED:
            return Offers(request=asks, cancel=asks, why_not="" if asks else NO_RIGHT_TO_REQUEST)
        case Status.AWAITING_APPROVAL:
            return _to_decide(change, user, asks=asks, decides=decides)
        case Status.APPROVED:
            can_be_ordered = asks and not is_handed_over(change)
            return Offers(revoke=decides, apply=can_be_ordered, cancel=asks or eyes.asked_by(user, change))
        case Status.IN_DOUBT:
            can = may(user, RESOLVE, change.host)
            return Offers(resolve=can, why_not="" if can else NO_RIGHT_TO_RESOLVE)
        case _:
            return Offers()


def _to_decide(change: Change, user: User, *, asks: bool, decides: bool) -> Offers:
    wishers = eyes.wishers_of(change)
    own = user.pk in wishers
    if not decides:
        return Offers(cancel=own or asks, own=own, why_not=OWN_WISH if own else NO_RIGHT_TO_APPROVE)
    try:
        eyes.require_other_eyes(user, wishers)
    except Refused as problem:
        return Offers(cancel=True, own=own, why_not=problem.sentence)
    try:
        eyes.require_untouched_account(user, wishers, now=timezone.now())
    except Refused as problem:
        return Offers(reject=True, cancel=own or asks, own=own, why_not=problem.sentence)
    return Offers(approve=True, reject=True, cancel=own, own=own)
