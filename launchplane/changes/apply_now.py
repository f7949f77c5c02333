"""Ordering that an approved change is applied now: one that was asked for with "later", or that waits for its next try.

The order only queues it. What makes an effect happen once is the claim, as ever.
"""

from django.db import transaction
from django.utils import timezone
from django_q.tasks import async_task

from audits import outside
from audits.models import AuditRecord
from launchplane.access.people import Principal
from launchplane.access.rights import may
from launchplane.changes import records
from launchplane.changes.approvals import APPLY, QUEUED_AGAIN_AFTER
from launchplane.changes.models import Change
from launchplane.changes.models.change import Status
from launchplane.changes.obstacles import PUT_OFF
from launchplane.changes.planning import known_kind
from launchplane.changes.requests import find_change
from launchplane.changes.states import Moved
from launchplane.problems import Refused

# whoever has it in hand already, or had it, needs no order
TAKEN = (Status.APPLYING, Status.IN_DOUBT, Status.COMPLETED, Status.FAILED)
HANDED_OVER = ("change.approved", "change.ordered")
# a refusal changes nothing, and what came from outside may have any key
NO_STEP = ("change.denied", *outside.KINDS)


def order(change: Change, *, by: Principal, digest: str) -> Change:
    """Queue `change` for a worker now. One that is queued, or was carried out, is given back as it is.

    Raises Refused `not_permitted`, `wrong_digest`, `not_approved`, `expired` (each recorded), or states.Moved.
    """
    try:
        _may_order(change, by, digest)
        if change.status in TAKEN or is_handed_over(change) or _ordered(change, by):
            return find_change(change.pk)
    except Refused as problem:
        raise records.deny(change, problem, by=by, wanted="apply") from problem
    return _as_somebody_else_left_it(change)


def is_handed_over(change: Change) -> bool:
    """Whether a worker's turn has come: it was approved to be applied at once, or ordered, and nothing has come of it.

    A gate that was closed is on record since; a host that was busy is only in the sentence.
    """
    if (
        change.status != Status.APPROVED
        or change.next_try_at is None
        or change.sentence.startswith(("Waits:", PUT_OFF))
    ):
        return False
    told = AuditRecord.objects.filter(key=str(change.pk)).exclude(kind__in=NO_STEP).order_by("-seq")
    return told.values_list("kind", flat=True).first() in HANDED_OVER


def _may_order(change: Change, by: Principal, digest: str) -> None:
    kind = known_kind(change.kind)
    if by.user is None or not (by.user.is_active and may(by.user, kind.request_right, change.host)):
        raise Refused("not_permitted", f"You may not have changes of {change.host.name} applied.")
    if digest != change.digest:
        raise Refused("wrong_digest", "What you looked at is not this plan. Read it again, then decide.")
    if change.status in TAKEN:
        return
    if change.status != Status.APPROVED:
        raise Refused("not_approved", f"Only an approved change is applied; this one is {change.get_status_display()}.")
    if change.deadline is None or change.deadline <= timezone.now():
        raise Refused("expired", "Its approval has run out. Plan it again: the host has moved on.")


def _ordered(change: Change, by: Principal) -> bool:
    """True if this order was the one that queued it."""
    now = timezone.now()
    as_it_was = Change.objects.filter(
        pk=change.pk, status=Status.APPROVED, next_try_at=change.next_try_at, sentence=change.sentence
    )
    with transaction.atomic():
        sentence = f"Ordered by {by.name}: a worker applies it as soon as it can."
        if as_it_was.update(next_try_at=now + QUEUED_AGAIN_AFTER, sentence=sentence) != 1:
            return False
        # inside: with the queue in the same database the task exists exactly if the order does
        async_task(APPLY, str(change.pk), cluster="apply")
        records.tell(change, records.Telling("ordered"), by=by)
    return True


def _as_somebody_else_left_it(change: Change) -> Change:
    """Two orders at once are one; anything else that happened meanwhile has to be looked at first."""
    now_is = find_change(change.pk)
    if now_is.status in TAKEN or is_handed_over(now_is):
        return now_is
    raise Moved("not_any_more", "This change is not as it was: look at it again.")
