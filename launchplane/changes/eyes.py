"""Four eyes: who may not decide about a change, whatever rights they have. Superusers included."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q

from launchplane.access.models import CredentialChange, User
from launchplane.access.people import FIRST_START
from launchplane.access.rights import may
from launchplane.changes.models import Change
from launchplane.hosts.models import Host
from launchplane.problems import Refused

PASSWORD_IS_RECENT = timedelta(minutes=15)
ACCOUNT_IS_YOUNG = timedelta(hours=24)


def asked_by(person: User, change: Change) -> bool:
    """Whether `person` is the requester, or one of those who are responsible for the requester."""
    return person.pk == change.requester_id or change.responsible.filter(pk=person.pk).exists()


def is_solo() -> bool:
    """Whether one person may do both, which every record then says."""
    return bool(settings.SOLO_OPERATOR)


def require_other_eyes(person: User, wishers: set[int]) -> bool:
    """True if `person` decides about an own wish in solo mode. Raises Refused `self_approval` without that mode."""
    if person.pk not in wishers:
        return False
    if not is_solo():
        raise Refused("self_approval", "You asked for this, or answer for who did: somebody else has to decide.")
    return True


def require_untouched_account(person: User, wishers: set[int], *, now: datetime) -> None:
    """Raises Refused `account_changed` if within 24 hours one side could have become the other.

    That is: one of `wishers`, or nobody known (a shell, an account that is gone), changed what `person` can log in with
    or may do; or `person` did so to one of `wishers`. In solo mode one person may be both, so nothing is asked.
    """
    if is_solo():
        return
    lately = CredentialChange.objects.filter(at__gt=now - ACCOUNT_IS_YOUNG)
    unknown = Q(by=None) & ~Q(by_name=FIRST_START.name)
    own = lately.filter(unknown | Q(by__in=wishers), user=person).exclude(by=person).first()
    if own is not None:
        who = f"{own.by_name}, who asked for this," if own.by_id else f"Somebody who is not known ({own.by_name})"
        raise _touched(f"{who} changed your account or rights", own)
    theirs = lately.filter(user__in=wishers, by=person).exclude(user=person).select_related("user").first()
    if theirs is not None:
        raise _touched(
            f"You changed the account or rights of {theirs.user.get_username()}, who asked for this,", theirs
        )


def _touched(what: str, change: CredentialChange) -> Refused:
    until = f"{change.at + ACCOUNT_IS_YOUNG:%Y-%m-%d %H:%M} UTC"
    return Refused(
        "account_changed",
        f"{what} within the last 24 hours: somebody else has to decide, or you, after {until}.",
    )


def require_recent_password(password_at: datetime | None, *, now: datetime) -> None:
    """Raises Refused `password_needed` unless the password was given within the last 15 minutes."""
    if password_at is None or not now - PASSWORD_IS_RECENT <= password_at <= now:
        raise Refused("password_needed", "Give your password again: the last time is more than 15 minutes ago.")


def require_right(person: User, right: str, host: Host) -> None:
    """Raises Refused `not_permitted`. A person who is not active has no rights."""
    if not (person.is_active and may(person, right, host)):
        raise Refused("not_permitted", f"You may not decide this for {host.name}. An administrator can allow it.")


def require_reason(reason: str) -> str:
    """`reason` without blanks around it. Raises Refused `reason_missing`."""
    if not (stripped := reason.strip()):
        raise Refused("reason_missing", "Say why, in a few words: the reason stays in the record.")
    return stripped[:4000]


def wishers_of(change: Change) -> set[int]:
    """The keys of everybody who must not decide about `change`."""
    own = {change.requester_id} if change.requester_id is not None else set()
    return own | set(change.responsible.values_list("pk", flat=True))
