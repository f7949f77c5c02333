"""API tokens: `lp_`, a part to find it by, and 256 random bits of which only a hash is kept.

The hash is plain SHA-256. A slow one protects what people choose, which can be guessed; nobody guesses 256 random bits,
and a slow one would be paid for at each call.
"""

import hmac
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final

from django.db import transaction
from django.db.models import Model
from django.utils import timezone

from audits import record
from launchplane.access import secrets_seen
from launchplane.access.acting import acting, acting_as
from launchplane.access.actions import Action
from launchplane.access.callers import Caller
from launchplane.access.models import ApiToken, User
from launchplane.access.not_let_in import NotLetIn
from launchplane.access.people import Principal
from launchplane.access.token_rows import find

PREFIX: Final = "lp_"
FORM: Final = re.compile(r"lp_([0-9a-f]{12})_([A-Za-z0-9_-]{43})")
USE_IS_NOTED_EVERY: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, repr=False)
class Shown:
    """A token as it is shown once, and its row."""

    row: ApiToken
    text: str


def issue(row: ApiToken) -> str:
    """Store a new `row`; the token, which nobody can ask for again. `record_edit` and the hosts are the caller's."""
    row.public, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
    row.secret_hash = _hash(secret)
    by = acting()
    row.made_by, row.made_by_name = by.user, by.name
    row.save()
    return f"{PREFIX}{row.public}_{secret}"


def make(
    *,
    name: str,
    owner: User,
    actions: Iterable[Action],
    hosts: Iterable[Model] | None,
    expires_at: datetime,
    by: Principal,
) -> Shown:
    """A new token for `hosts` (None: all), on record. Raises ValidationError, AuditRefused."""
    row = ApiToken(name=name, owner=owner, actions=[str(action) for action in actions], expires_at=expires_at)
    row.all_hosts = hosts is None
    row.full_clean(exclude=["public", "secret_hash"])
    with transaction.atomic(), acting_as(by):
        text = issue(row)
        row.hosts.set(hosts or [])  # type: ignore[arg-type]  # hosts.Host, which is not known here
        record_edit(row, "made")
    return Shown(row, text)


def revoke(row: ApiToken, *, by: Principal) -> bool:
    """From now on it lets nobody in; False if it was revoked before. Raises AuditRefused."""
    with transaction.atomic(), acting_as(by):
        if not ApiToken.objects.filter(pk=row.pk, revoked_at=None).update(revoked_at=timezone.now()):
            return False
        row.refresh_from_db()
        record_edit(row, "revoked")
    return True


def record_edit(row: ApiToken, verb: str, values: dict[str, dict[str, object]] | None = None) -> None:
    """Who `verb` ("made", "changed", "revoked") it, and what it may now. Raises AuditRefused, which undoes the edit."""
    by = acting()
    may = {
        "actions": sorted(row.actions),
        "hosts": "all" if row.all_hosts else sorted(str(host) for host in row.hosts.all()),
        "expires_at": row.expires_at.isoformat(),
    }
    record.append(
        kind="access.api_token",
        key=known_as(row),
        status="completed",
        payload={
            "what": f"{verb} API token {row}",
            "owner": row.owner.get_username(),
            "may": may,
            "values": values or {},
        },
        actor=by.actor(),
        source=by.source,
    )


def caller_with(text: str, *, address: str) -> Caller:
    """Whoever calls with this token. Raises NotLetIn, whose code is one of `token_unknown`, `token_revoked`,
    `token_expired` and `token_owner_inactive`.
    """
    row = _row_of(text)
    caller = caller_of_row(row)
    now = timezone.now()
    if row.revoked_at is not None:
        raise NotLetIn("token_revoked", "This token was revoked.", by=caller.principal)
    if row.expires_at <= now:
        raise NotLetIn("token_expired", "This token is over. Make a new one.", by=caller.principal)
    if not row.owner.is_active:
        raise NotLetIn("token_owner_inactive", "The owner of this token may not log in any more.", by=caller.principal)
    secrets_seen.remember(text)
    _note_use(row, address, now)
    return caller


def caller_of_row(row: ApiToken) -> Caller:
    """Its owner, as far as the token goes. Whoever made it saw it, and so answers for what is done with it, too."""
    owner = row.owner
    other = row.made_by_id != row.owner_id and row.made_by
    makers = (other,) if other else ()
    return Caller(
        Principal(
            id=known_as(row),
            # as long as a record has room for (audits.models)
            name=f"{owner.get_username()} by token {row.name}"[:200],
            source="api",
            user=owner,
            responsible=(owner, *makers),
        ),
        identity=known_as(row),
        granted=granted_by(row.actions),
        host_ids=None if row.all_hosts else frozenset(row.hosts.values_list("pk", flat=True)),
    )


def known_as(row: ApiToken) -> str:
    """Its name in records. Not with a colon: the redactor takes what follows “token:” for a secret."""
    return f"token-{row.pk}"


def granted_by(names: Iterable[str]) -> frozenset[Action]:
    """The actions of these names; one that there is no more is nothing."""
    return frozenset(action for action in Action if action.value in set(names))


def _row_of(text: str) -> ApiToken:
    """By its public part; whether the other is right takes equally long for any that is wrong."""
    parts = FORM.fullmatch(text)
    found = parts and find(parts[1])
    if parts is None or found is None or not hmac.compare_digest(found.secret_hash, _hash(parts[2])):
        raise NotLetIn("token_unknown", "There is no such token here.")
    return found


def _note_use(row: ApiToken, address: str, now: datetime) -> None:
    """At most once a minute: a token that calls a hundred times a second is not a hundred writes."""
    before = now - USE_IS_NOTED_EVERY
    if row.last_used_at is None or row.last_used_at < before or row.last_used_at > now:
        mine = ApiToken.objects.filter(pk=row.pk, last_used_at=row.last_used_at)
        mine.update(last_used_at=now, last_used_from=address[:60])


def _hash(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()
