"""The one door to an approval: it binds another person to exactly one change and digest, and can be taken back."""

from datetime import datetime, timedelta

from django.db import IntegrityError
from django.db.models import Q
from django.utils import timezone
from django_q.tasks import async_task

from launchplane.access.models import User
from launchplane.access.people import Principal
from launchplane.changes import eyes, notify, records, states
from launchplane.changes.digest import is_unaltered
from launchplane.changes.door import require_person_at_browser
from launchplane.changes.models import Approval, Change
from launchplane.changes.models.change import Status, Why
from launchplane.changes.planning import known_kind
from launchplane.changes.requests import revoke_live_approval
from launchplane.problems import Refused

TO_EXECUTE = timedelta(hours=4)
APPLY = "launchplane.changes.apply.apply_queued"
# a task that was lost is queued again by the tick; one that is only late finds the change taken
QUEUED_AGAIN_AFTER = timedelta(minutes=5)


def approve(
    change: Change,
    *,
    by: Principal,
    digest: str,
    reason: str,
    password_at: datetime | None,
    phrase: str = "",
) -> Approval:
    """Bind `by` to exactly this plan; it is applied at once if the request said so.

    `password_at` is when this person's password was last checked. Raises Refused: `not_awaiting`, `expired`,
    `wrong_digest`, `plan_altered`, `reason_missing`, `password_needed`, `not_permitted`, `self_approval`,
    `account_changed`, `wrong_phrase`, `approved_before`, or states.Moved. Every refusal is recorded.
    """
    try:
        person, now = require_person_at_browser(by), timezone.now()
        _still_the_same(change, digest, now)
        eyes.require_right(person, known_kind(change.kind).approve_right, change.host)
        wishers = eyes.wishers_of(change)
        self_approved = eyes.require_other_eyes(person, wishers)
        eyes.require_untouched_account(person, wishers, now=now)
        eyes.require_recent_password(password_at, now=now)
        reason = eyes.require_reason(reason)
        require_phrase(change, phrase)
        return _grant(change, by, person, reason, now=now, self_approved=self_approved)
    except Refused as problem:
        raise records.deny(change, problem, by=by, wanted="approve") from problem


def reject(change: Change, *, by: Principal, reason: str) -> Change:
    """Close a change that waits. Raises Refused `not_awaiting`, `not_permitted`, `self_approval`, `reason_missing`."""
    try:
        person = _person(by)
        _awaiting(change)
        eyes.require_right(person, known_kind(change.kind).approve_right, change.host)
        eyes.require_other_eyes(person, eyes.wishers_of(change))
        reason = eyes.require_reason(reason)
        told = records.Telling("rejected", payload={"reason": reason})
        sentence = f"Rejected by {by.name}: {reason}"
        with states.moving(change, Status.CLOSED, by=by, told=told, why_closed=Why.REJECTED, sentence=sentence):
            notify.about(change, "rejected", sentence)
    except Refused as problem:
        raise records.deny(change, problem, by=by, wanted="reject") from problem
    return change


def revoke(change: Change, *, by: Principal, reason: str) -> Change:
    """Take an approval back that was not used yet: the change waits for approval again.

    Raises Refused `not_approved`, `not_permitted`, `reason_missing`, or states.Moved if a worker was first.
    """
    try:
        person = _person(by)
        if change.status != Status.APPROVED:
            raise Refused("not_approved", f"There is no approval to take back: it is {change.get_status_display()}.")
        eyes.require_right(person, known_kind(change.kind).approve_right, change.host)
        reason = eyes.require_reason(reason)
        withdraw(change, by=by, why=f"Revoked by {by.name}: {reason}")
    except Refused as problem:
        raise records.deny(change, problem, by=by, wanted="revoke") from problem
    return change


def withdraw(change: Change, *, by: Principal, why: str) -> None:
    """The approval does not hold any more, and somebody has to decide anew. Raises states.Moved."""
    if change.standing_id is not None:
        told = records.Telling("revoked", "skipped", {"why": why})
        with states.moving(change, Status.CLOSED, by=by, told=told, why_closed=Why.CANCELLED, sentence=why):
            return
    told = records.Telling("revoked", payload={"why": why})
    with states.moving(
        change,
        Status.AWAITING_APPROVAL,
        by=by,
        told=told,
        deadline=_deadline_to_approve(change),
        next_try_at=None,
        sentence=why,
    ):
        revoke_live_approval(change, by=by, why=why)


def require_phrase(change: Change, phrase: str) -> None:
    """Raises Refused `wrong_phrase` unless the kind's phrase, if it has one, was typed."""
    wanted = known_kind(change.kind).phrase(change.planned())
    if wanted is not None and phrase != wanted:
        raise Refused("wrong_phrase", f"Type {wanted!r}, exactly, to say that you know what will happen.")


def _person(by: Principal) -> User:
    if by.user is None or not by.user.is_active:
        raise Refused("not_permitted", "Only a person can decide.")
    return by.user


def _awaiting(change: Change) -> None:
    if change.status != Status.AWAITING_APPROVAL:
        raise Refused("not_awaiting", f"This change is {change.get_status_display()}: there is nothing to decide.")


def _still_the_same(change: Change, digest: str, now: datetime) -> None:
    _awaiting(change)
    if change.deadline is None or change.deadline <= now:
        raise Refused("expired", "Nobody approved it in time. Plan it again: the host has moved on.")
    if digest != change.digest:
        raise Refused("wrong_digest", "What you looked at is not this plan. Open the change again and read it.")
    if not is_unaltered(change.pk, change.plan, change.digest):
        raise Refused("plan_altered", "The stored plan is not what was planned. Plan again, and look at the database.")


def _grant(change: Change, by: Principal, person: User, reason: str, *, now: datetime, self_approved: bool) -> Approval:
    expires_at = now + TO_EXECUTE
    told = records.Telling("approved", payload={"reason": reason, "expires_at": expires_at.isoformat()})
    approval = Approval(
        change=change,
        digest=change.digest,
        approver=person,
        approver_name=by.name,
        requester_id=change.requester_id,
        self_approved=self_approved,
        reason=reason,
        granted_at=now,
        expires_at=expires_at,
    )
    try:
        with states.moving(
            change,
            Status.APPROVED,
            by=by,
            told=told,
            only_if=Q(digest=change.digest, plan=change.plan, deadline__gt=now),
            deadline=expires_at,
            next_try_at=now + QUEUED_AGAIN_AFTER if change.apply_at_once else None,
            sentence=f"Approved by {by.name}.",
        ):
            approval.save(force_insert=True)
            notify.about(change, "approved", reason)
            if change.apply_at_once:
                # inside: with the queue in the same database the task exists exactly if the approval does
                async_task(APPLY, str(change.pk), cluster="apply")
    except IntegrityError as error:
        sentence = "The database refused this approval: an earlier one was used, or it is not another person's."
        raise Refused("approved_before", sentence) from error
    return approval


def _deadline_to_approve(change: Change) -> datetime:
    from launchplane.changes.requests import TO_APPROVE

    return (change.requested_at or change.planned_at) + TO_APPROVE
