"""A standing approval: lets a routine kind run on one host, within bounds and caps, until it is ended."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from audits.kept import kept
from launchplane import canonical
from launchplane.access.models import User
from launchplane.access.people import WORKER, Principal
from launchplane.access.rights import may
from launchplane.changes import eyes, standing_records
from launchplane.changes.contracts import BoundsInForce, Plan
from launchplane.changes.door import require_person_at_browser
from launchplane.changes.kinds import ChangeKind, kind_named
from launchplane.changes.models import Change, StandingApproval
from launchplane.changes.planning import known_kind
from launchplane.changes.standing_use import used_lately
from launchplane.hosts.models import Host
from launchplane.problems import Problem, Refused

LONGEST = timedelta(days=366)
Ended = StandingApproval.Ended


class DoesNotCover(Refused):
    """A run is not what the standing approval allows."""


@dataclass(frozen=True, slots=True)
class Caps:
    """How much one run, and all runs of 24 hours, may take away."""

    items_per_run: int
    items_per_day: int
    bytes_per_run: int
    bytes_per_day: int


def request_standing(
    kind_name: str, host: Host, *, by: Principal, reason: str, caps: Caps, expires_at: datetime
) -> StandingApproval:
    """Ask for it: bound to the bounds in force now.

    Raises Refused, each of which is recorded, or Problem `not_routine`, `bad_expiry`.
    """
    kind, now = known_kind(kind_name), timezone.now()
    bounds = bounds_in_force(kind, host)
    try:
        person, reason = _may_ask(kind, host, by), eyes.require_reason(reason)
    except Refused as problem:
        raise standing_records.deny_request(kind.name, host, problem, by=by) from problem
    if not now < expires_at <= now + LONGEST:
        raise Problem("bad_expiry", f"It has to end after now and within {LONGEST.days} days.")
    text = canonical.canonical(bounds)
    row = StandingApproval(
        host=host,
        kind=kind.name,
        bounds=text.decode(),
        bounds_digest=canonical.digest(text),
        reason=reason,
        requested_by=person,
        requested_by_name=by.name,
        requested_at=now,
        expires_at=expires_at,
        items_per_run=caps.items_per_run,
        items_per_day=caps.items_per_day,
        bytes_per_run=caps.bytes_per_run,
        bytes_per_day=caps.bytes_per_day,
    )
    with transaction.atomic():
        row.save(force_insert=True)
        standing_records.tell("requested", row, by=by)
    return row


def grant(
    row: StandingApproval, *, by: Principal, digest: str, reason: str, password_at: datetime | None
) -> StandingApproval:
    """Let it run; one that was in force for the same is replaced. Raises Refused, each of which is recorded."""
    try:
        person, now = require_person_at_browser(by), timezone.now()
        if row.granted_at is not None or row.ended_at is not None or row.expires_at <= now:
            raise Refused("not_awaiting", "There is nothing to decide about it any more.")
        self_approved = _may_decide(row, person, digest=digest, password_at=password_at, now=now)
        if looser := loosened(row):
            raise Refused("bounds_changed", f"The bounds are not those that were asked for: {' '.join(looser)}")
        return _put_in_force(row, by, person, eyes.require_reason(reason), self_approved=self_approved)
    except Refused as problem:
        raise standing_records.deny(row, problem, by=by, wanted="grant") from problem


def resume(row: StandingApproval, *, by: Principal, reason: str, password_at: datetime | None) -> StandingApproval:
    """End a suspension, after somebody understood what had happened: whoever may grant may. Raises Refused."""
    try:
        now = timezone.now()
        if row.suspended_at is None or row.ended_at is not None:
            raise Refused("not_suspended", "It is not suspended.")
        person = require_person_at_browser(by)
        self_approved = _may_decide(row, person, digest=row.bounds_digest, password_at=password_at, now=now)
        reason = eyes.require_reason(reason)
    except Refused as problem:
        raise standing_records.deny(row, problem, by=by, wanted="resume") from problem
    with transaction.atomic():
        live = StandingApproval.objects.filter(pk=row.pk, ended_at=None, suspended_at__isnull=False)
        if live.update(suspended_at=None, sentence=kept(f"Resumed by {by.name}: {reason}")):
            standing_records.tell("resumed", row, by=by, why=reason, self_approved=self_approved)
    row.refresh_from_db()
    return row


def revoke(row: StandingApproval, *, by: Principal, reason: str) -> StandingApproval:
    """End it, or reject what was asked for. Whoever may ask or approve may do so. Raises Refused, which is recorded."""
    try:
        kind, person = known_kind(row.kind), _person(by)
        if not any(may(person, right, row.host) for right in (kind.request_right, kind.approve_right)):
            raise Refused("not_permitted", f"You may not decide this for {row.host.name}.")
        reason = eyes.require_reason(reason)
    except Refused as problem:
        raise standing_records.deny(row, problem, by=by, wanted="revoke") from problem
    end(row, Ended.REVOKED if row.granted_at else Ended.REJECTED, f"{by.name}: {reason}", by=by)
    return row


def end(row: StandingApproval, ended: str, why: str, *, by: Principal) -> None:
    """It is over, for this reason; nothing if it was over already."""
    with transaction.atomic():
        if _end_row(row, ended, why):
            standing_records.tell(ended, row, by=by, why=why)
    row.refresh_from_db()


def suspend(host: Host, kind_name: str, why: str, *, by: Principal = WORKER) -> None:
    """No run of this kind on this host until somebody resumes it: a check failed, or a change is in doubt.

    It appends records: within another transaction it comes after everything that changes rows.
    """
    now = timezone.now()
    with transaction.atomic():
        live = StandingApproval.objects.live(now).filter(host=host, kind=kind_name).select_related("host")
        rows = list(live.select_for_update(of=("self",)).order_by("pk"))
        StandingApproval.objects.filter(pk__in=[row.pk for row in rows]).update(suspended_at=now, sentence=kept(why))
        for row in rows:
            standing_records.tell("suspended", row, by=by, why=why)


def review(host: Host) -> None:
    """End every standing approval of `host` whose bounds were loosened since. For whoever edited something."""
    for row in StandingApproval.objects.filter(host=host, ended_at=None).select_related("host"):
        if looser := loosened(row):
            end(row, Ended.VOIDED, f"A bound was loosened: {' '.join(looser)}", by=WORKER)


def in_force(kind_name: str, host: Host) -> StandingApproval | None:
    """What lets a routine kind run on `host` now."""
    live = StandingApproval.objects.live(timezone.now())
    return live.filter(kind=kind_name, host=host).select_related("host").first()


def require_covers(row: StandingApproval, plan: Plan) -> None:
    """Raises DoesNotCover if `plan` is of something else, has looser bounds, or is more than a run or the day may take.

    Who granted it is asked about again, as with any approval.
    """
    kind = known_kind(row.kind)
    if (plan.kind, plan.host) != (row.kind, row.host.name):
        raise DoesNotCover("another_routine", f"The standing approval is for {row.kind} on {row.host.name}.")
    if canonical.digest(row.bounds.encode()) != row.bounds_digest:
        raise DoesNotCover("bounds_altered", "The stored bounds are not those that were approved.")
    _require_it_holds(row, kind)
    now = BoundsInForce(bounds=plan.bounds, protections=plan.protections)
    if looser := kind.loosened(granted_bounds(row), now):
        raise DoesNotCover("bounds_loosened", f"A bound is looser than approved: {' '.join(looser)}")
    items, size = len(plan.steps), plan.predicted_bytes
    if size is None:
        raise DoesNotCover("size_unknown", "How much it would free is not known, so the cap cannot be kept.")
    used_items, used_bytes = used_lately(row)
    for what, wanted, cap in (
        ("items in a run", items, row.items_per_run),
        ("items in 24 hours", used_items + items, row.items_per_day),
        ("bytes in a run", size, row.bytes_per_run),
        ("bytes in 24 hours", used_bytes + size, row.bytes_per_day),
    ):
        if wanted > cap:
            raise DoesNotCover(
                "over_the_cap",
                f"It would be {wanted} {what}; the standing approval allows {cap}. People can ask for it.",
            )


def use(row: StandingApproval, change: Change) -> dict[str, Any]:
    """Inside the claim: `row` is in force and covers `change`. What allowed it, for the record. Raises DoesNotCover."""
    live = StandingApproval.objects.live(timezone.now()).filter(pk=row.pk)
    if live.update(used_at=timezone.now()) != 1:
        raise DoesNotCover("no_standing_approval", "The standing approval is not in force any more.")
    require_covers(row, change.planned())
    said = {"standing_approval": row.pk, "granted_by": row.granted_by_name, "bounds_digest": row.bounds_digest}
    return said | ({"self_approved": True} if row.self_approved else {})


def bounds_in_force(kind: ChangeKind, host: Host) -> BoundsInForce:
    """The bounds of a routine kind now. Raises Problem `not_routine`."""
    if kind.authority != "standing" or kind.bounds is None:
        raise Problem("not_routine", f"{kind.title} is no routine: each change is approved by itself.")
    return kind.bounds(host)


def granted_bounds(row: StandingApproval) -> BoundsInForce:
    """The bounds that people agreed on."""
    return BoundsInForce.model_validate_json(row.bounds)


def loosened(row: StandingApproval) -> tuple[str, ...]:
    """What got looser since it was asked for, each in a sentence; a kind that is gone counts as that."""
    kind = kind_named(row.kind)
    if kind is None or kind.bounds is None:
        return ("The kind is not installed any more.",)
    return kind.loosened(granted_bounds(row), kind.bounds(row.host))


def _may_ask(kind: ChangeKind, host: Host, by: Principal) -> User:
    person = _person(by)
    if not may(person, kind.request_right, host):
        raise Refused("not_permitted", f"You may not ask for changes of {host.name}.")
    return person


def _require_it_holds(row: StandingApproval, kind: ChangeKind) -> None:
    """Rights go, and solo mode can be switched off. Raises DoesNotCover."""
    if (granter := User.objects.filter(pk=row.granted_by_id or 0).first()) is None:
        raise DoesNotCover("not_granted", "Nobody has granted it.")
    try:
        eyes.require_right(granter, kind.approve_right, row.host)
        eyes.require_other_eyes(granter, {row.requested_by_id})
    except Refused as problem:
        sentence = f"The grant of {row.granted_by_name} does not hold any more: {problem.sentence}"
        raise DoesNotCover(problem.code, sentence) from problem


def _may_decide(
    row: StandingApproval, person: User, *, digest: str, password_at: datetime | None, now: datetime
) -> bool:
    """True if it is one person's own wish, in solo mode. Raises Refused."""
    if digest != row.bounds_digest or canonical.digest(row.bounds.encode()) != row.bounds_digest:
        raise Refused("wrong_digest", "What you looked at are not these bounds. Open it again and read it.")
    eyes.require_right(person, known_kind(row.kind).approve_right, row.host)
    wishers = {row.requested_by_id}
    self_approved = eyes.require_other_eyes(person, wishers)
    eyes.require_untouched_account(person, wishers, now=now)
    eyes.require_recent_password(password_at, now=now)
    return self_approved


def _put_in_force(
    row: StandingApproval, by: Principal, person: User, reason: str, *, self_approved: bool
) -> StandingApproval:
    same = StandingApproval.objects.filter(host=row.host_id, kind=row.kind, ended_at=None).select_related("host")
    older = same.filter(granted_at__isnull=False).exclude(pk=row.pk)
    why = f"Replaced by a newer one, granted by {by.name}."
    try:
        with transaction.atomic():
            # all rows first, in one order for everybody, and only then the records, whose head everybody waits for
            list(same.select_for_update(of=("self",)).order_by("pk"))
            replaced = [before for before in older if _end_row(before, Ended.REPLACED, why)]
            granted = same.filter(pk=row.pk, granted_at=None).update(
                granted_by=person,
                granted_by_name=by.name,
                granted_at=timezone.now(),
                grant_reason=reason,
                self_approved=self_approved,
                sentence=f"Granted by {by.name}.",
            )
            if granted != 1:
                raise Refused("not_awaiting", "Somebody else decided about it just now.")
            row.refresh_from_db()
            for before in replaced:
                standing_records.tell(Ended.REPLACED, before, by=by, why=why)
            standing_records.tell("granted", row, by=by, why=reason)
    except IntegrityError as error:
        raise Refused("not_awaiting", "Somebody else granted another one just now.") from error
    return row


def _end_row(row: StandingApproval, ended: str, why: str) -> bool:
    """True for whoever ended it. The record is still to be told."""
    live = StandingApproval.objects.filter(pk=row.pk, ended_at=None)
    return live.update(ended_at=timezone.now(), ended=ended, sentence=kept(why)) == 1


def _person(by: Principal) -> User:
    if by.user is None or not by.user.is_active:
        raise Refused("not_permitted", "Only a person can ask for this or decide it.")
    return by.user
