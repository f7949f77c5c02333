"""Asking for a planned change, and taking that back."""

from contextlib import suppress
from datetime import timedelta
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from audits.kept import kept
from launchplane.access.people import WORKER, Principal
from launchplane.access.rights import may
from launchplane.changes import eyes, keys, notify, records, states
from launchplane.changes.digest import is_unaltered
from launchplane.changes.models import Approval, Change
from launchplane.changes.models.change import Status, Why
from launchplane.changes.planning import known_kind
from launchplane.problems import Problem, Refused

TO_APPROVE = timedelta(hours=24)


def find_change(change_id: UUID | str) -> Change:
    """The change of that id, read now. Raises Problem `no_such_change`."""
    try:
        change = Change.objects.select_related("host", "standing").filter(pk=change_id).first()
    except (ValueError, TypeError, ValidationError):
        change = None
    if change is None:
        raise Problem(
            "no_such_change", f"There is no change {str(change_id)[:40]}. `manage.py changes list` shows them."
        )
    return change


def request_change(change: Change, *, by: Principal, reason: str, apply_at_once: bool = True) -> Change:
    """Ask other people to approve `change`; whoever asks becomes its requester, beside whoever planned it.

    Raises Refused: `not_permitted`, `reason_missing`, `not_planned`, `nothing_to_do`, `plan_altered`.
    """
    try:
        reason = _may_request(change, by, reason)
        now = timezone.now()
        told = records.Telling("requested", payload={"reason": reason, "apply_at_once": apply_at_once})
        with states.moving(
            change,
            Status.AWAITING_APPROVAL,
            by=by,
            told=told,
            requester=by.user,
            requester_name=by.name,
            reason=reason,
            requested_at=now,
            deadline=now + TO_APPROVE,
            apply_at_once=apply_at_once,
            sentence="Waits for somebody else's approval.",
        ):
            change.responsible.add(*by.responsible)
            change.requester_name = by.name
            notify.about(change, "requested", reason)
            _supersede_older(change, by=by)
    except Refused as problem:
        raise records.deny(change, problem, by=by, wanted="request") from problem
    return change


def cancel(change: Change, *, by: Principal, reason: str) -> Change:
    """Take a change back before anything was done. Raises Refused `not_permitted`, `reason_missing`, `not_open`."""
    try:
        _may_cancel(change, by)
        told = records.Telling("cancelled", payload={"reason": (reason := eyes.require_reason(reason))})
        sentence = f"Cancelled by {by.name}: {reason}"
        with states.moving(change, Status.CLOSED, by=by, told=told, why_closed=Why.CANCELLED, sentence=sentence):
            revoke_live_approval(change, by=by, why=sentence)
    except Refused as problem:
        raise records.deny(change, problem, by=by, wanted="cancel") from problem
    return change


def revoke_live_approval(change: Change, *, by: Principal, why: str) -> None:
    """Whatever approval `change` has and did not use yet is no longer one."""
    live = Approval.objects.filter(change=change, revoked_at=None, consumed_at=None)
    live.update(revoked_at=timezone.now(), revoked_by_name=by.name, revoked_why=kept(why))


def expire_due() -> int:
    """Close what nobody approved, or nobody could apply, in time. Returns how many."""
    due = Change.objects.filter(status__in=(Status.AWAITING_APPROVAL, Status.APPROVED), deadline__lte=timezone.now())
    return sum(_expire(change) for change in due.select_related("host", "standing"))


def _expire(change: Change) -> bool:
    waited_for = "approved" if change.status == Status.AWAITING_APPROVAL else "applied"
    why = f"It was not {waited_for} by {change.deadline:%Y-%m-%d %H:%M} UTC. {change.sentence}"
    told = records.Telling("expired", "skipped", {"why": why})
    only_if = Q(deadline__lte=timezone.now())
    try:
        with states.moving(
            change, Status.CLOSED, by=WORKER, told=told, only_if=only_if, why_closed=Why.EXPIRED, sentence=why
        ):
            revoke_live_approval(change, by=WORKER, why=why)
    except states.Moved:
        return False
    return True


def _may_request(change: Change, by: Principal, reason: str) -> str:
    kind = known_kind(change.kind)
    if by.user is None or not (by.user.is_active and may(by.user, kind.request_right, change.host)):
        raise Refused("not_permitted", f"You may not ask for changes of {change.host.name}.")
    if change.status != Status.PLANNED:
        raise Refused("not_planned", f"Only a ready plan can be asked for; this one is {change.get_status_display()}.")
    if not is_unaltered(change.pk, change.plan, change.digest):
        raise Refused("plan_altered", "The stored plan is not what was planned. Plan again, and look at the database.")
    if (nothing := kind.nothing_to_do(change.planned())) is not None:
        raise Refused("nothing_to_do", nothing)
    return eyes.require_reason(reason)


def _may_cancel(change: Change, by: Principal) -> None:
    kind = known_kind(change.kind)
    own = by.user is not None and eyes.asked_by(by.user, change)
    rights = (kind.request_right, kind.approve_right)
    if by.user is None or not (own or any(may(by.user, right, change.host) for right in rights)):
        raise Refused("not_permitted", f"You may not cancel changes of {change.host.name}.")
    if change.status not in (Status.PLANNED, Status.AWAITING_APPROVAL, Status.APPROVED):
        raise Refused("not_open", f"There is nothing to take back: the change is {change.get_status_display()}.")


def _supersede_older(change: Change, *, by: Principal) -> None:
    """Somebody's older wish for the same, still undecided, would be decided on yesterday's facts."""
    same = Change.objects.filter(host=change.host_id, kind=change.kind, subject=change.subject)
    waiting = same.filter(status=Status.AWAITING_APPROVAL).exclude(pk=change.pk).select_related("host", "standing")
    # taken all at once, before the first record: who decides about one holds its row, and waits for the head
    for older in list(waiting.select_for_update(of=("self",)).order_by("pk")):
        told = records.Telling("superseded", "skipped", {"by_change": str(change.pk)})
        sentence = f"A newer request for the same is {change.pk}."
        # decided about just now: then it is not superseded
        with (
            suppress(states.Moved),
            states.moving(older, Status.CLOSED, by=by, told=told, why_closed=Why.SUPERSEDED, sentence=sentence),
        ):
            pass


def take_apply_key(change: Change, key: str) -> bool:
    """True if this is the first order with `key` to apply `change`, or a repetition while it still waits.

    False for a repetition after it was carried out: there is nothing to do again. Raises Refused `key_conflict` if the
    key belongs to another change, or the change was ordered with another key; Problem `bad_key`.
    """
    keys.well_formed(key)
    try:
        with transaction.atomic():
            Change.objects.filter(pk=change.pk, apply_key=None).update(apply_key=key)
    except IntegrityError as error:
        raise Refused("key_conflict", "This idempotency key was used for another change. Use a new key.") from error
    change.refresh_from_db()
    if change.apply_key != key:
        raise Refused("key_conflict", "This change was ordered before, with another idempotency key.")
    return change.status not in (Status.COMPLETED, Status.FAILED, Status.IN_DOUBT, Status.APPLYING)
