"""Four eyes: who may not decide about a change, whatever rights they have. Superusers included."""

from datetime import datetime, timedelta

from django.conf import settings

from launchplane.access import one_person
from launchplane.access.models import CredentialChange, User
from launchplane.access.rights import may
from launchplane.changes.models import Change
from launchplane.hosts.models import Host
from launchplane.problems import Refused

PASSWORD_IS_RECENT = timedelta(minutes=15)


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
    """Raises Refused `account_changed` if one person could be on both sides, by what was edited within 24 hours.

    That is: somebody could act as `person` and as one of `wishers`, through however many accounts
    (`access.one_person`), or somebody who is not known (a shell, an account that is gone) could act as one of them. In
    solo mode one person may be both, so nothing is asked.
    """
    if is_solo():
        return
    edit = one_person.edit_between(person.pk, wishers, now=now)
    if edit is not None:
        until = f"{edit.at + one_person.ACCOUNT_IS_YOUNG:%Y-%m-%d %H:%M} UTC"
        raise Refused(
            "account_changed",
            f"{_who(edit, person, wishers)} changed {_whose(edit, person, wishers)} within the last 24 hours, so one "
            f"person could be on both sides: somebody else has to decide, or you, after {until}.",
        )


def _who(edit: CredentialChange, person: User, wishers: set[int]) -> str:
    if edit.by_id is None:
        return f"Somebody who is not known ({edit.by_name})"
    if edit.by_id == person.pk:
        return "You"
    return edit.by_name + (", who asked for this," if edit.by_id in wishers else "")


def _whose(edit: CredentialChange, person: User, wishers: set[int]) -> str:
    if edit.user_id == person.pk:
        return "your account or rights"
    asked = ", who asked for this," if edit.user_id in wishers else ""
    return f"the account or rights of {edit.user.get_username()}{asked}"


def require_recent_password(password_at: datetime | None, *, now: datetime) -> None:
    """Raises Refused `password_needed` unless the password was given within the last 15 minutes."""
    if password_at is None or not now - PASSWORD_IS_RECENT <= password_at <= now:
        raise Refused("password_needed", "Give your password again: the last time is more than 15 minutes ago.")


def require_right(person: User, right: str, host: Host) -> None:
    """Raises Refused `not_permitted`. A person who is not active has no rights."""
    if not (person.is_active and may(person, right, host)):
        raise Refused("not_permitted", f"You may not decide this for {host.name}. An administrator can allow it.")


def require_reason(reason: str) -> str:
    """`reason` without blanks around it, and without the one character that PostgreSQL cannot hold.

    Raises Refused `reason_missing`.
    """
    if not (stripped := reason.replace("\0", "\N{REPLACEMENT CHARACTER}").strip()):
        raise Refused("reason_missing", "Say why, in a few words: the reason stays in the record.")
    return stripped[:4000]


def wishers_of(change: Change) -> set[int]:
    """The keys of everybody who must not decide about `change`."""
    own = {change.requester_id} if change.requester_id is not None else set()
    return own | set(change.responsible.values_list("pk", flat=True))
