"""Four eyes: who may not decide about a change, whatever rights they have. Superusers included."""

from datetime import datetime, timedelta

from django.conf import settings

from launchplane.access.models import CredentialChange, User
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
    """Raises Refused `account_changed` if one of `wishers` changed what `person` can log in with or may do lately."""
    touched = CredentialChange.objects.filter(user=person, by__in=wishers, at__gt=now - ACCOUNT_IS_YOUNG)
    if (last := touched.exclude(by=person).first()) is not None:
        raise Refused(
            "account_changed",
            f"{last.by_name}, who asked for this, changed your account or rights within the last 24 hours: "
            "somebody else has to decide.",
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
