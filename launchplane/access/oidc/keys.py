"""The issuer's keys: kept in the database, fetched anew once an hour, and for an unknown key once a minute at most.

The limit is one row's, so it holds for all processes together. What cannot be fetched, or is empty, takes no key away.
"""

import logging
from datetime import datetime, timedelta
from typing import Final

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from django.db.models import Q
from django.utils import timezone

from launchplane.access.models import IssuerKeys
from launchplane.access.not_let_in import NotLetIn
from launchplane.access.oidc.fetch import Unfetched, fetch
from launchplane.access.oidc.key_set import keys_in
from launchplane.problems import Waits

AGED: Final = timedelta(hours=1)
KEPT: Final = timedelta(days=7)  # without a fetch for that long it is not known any more which keys are good
BETWEEN_FETCHES: Final = timedelta(minutes=1)

log = logging.getLogger(__name__)


class KeysUnavailable(Waits):
    """It is not known whether the token is good: that is no 401."""

    def __init__(self) -> None:
        sentence = "The keys of the tokens' issuer could not be fetched yet. Try again."
        super().__init__("issuer_keys_unavailable", sentence)


def key(url: str, kid: str) -> RSAPublicKey:
    """The key of that id at `url`. Raises NotLetIn `token_key_unknown`; KeysUnavailable if that is not known."""
    now = timezone.now()
    row = _row(url)
    found = _keys(row, now).get(kid)
    if (found is None or _older(row, AGED, now)) and _may_fetch(row, now):
        _fetch(row)
        found = _keys(row, now).get(kid)
    elif found is None:  # somebody else may have fetched it meanwhile
        row.refresh_from_db()
        found = _keys(row, now).get(kid)
    if found is not None:
        return found
    if _last_fetch_gave_keys(row):
        raise NotLetIn("token_key_unknown", "The token is signed with a key that its issuer does not have.")
    raise KeysUnavailable


def _row(url: str) -> IssuerKeys:
    found = IssuerKeys.objects.filter(url=url).first()
    if found is None:
        IssuerKeys.objects.bulk_create([IssuerKeys(url=url)], ignore_conflicts=True)
        found = IssuerKeys.objects.get(url=url)
    return found


def _keys(row: IssuerKeys, now: datetime) -> dict[str, RSAPublicKey]:
    return {} if _older(row, KEPT, now) else dict(keys_in(row.document))


def _older(row: IssuerKeys, age: timedelta, now: datetime) -> bool:
    return row.fetched_at is None or row.fetched_at <= now - age


def _last_fetch_gave_keys(row: IssuerKeys) -> bool:
    return row.fetched_at is not None and row.tried_at is not None and row.fetched_at >= row.tried_at


def _may_fetch(row: IssuerKeys, now: datetime) -> bool:
    """True for one caller a minute, of all processes. A time from the future is one of a clock that was wrong."""
    due = Q(tried_at=None) | Q(tried_at__lte=now - BETWEEN_FETCHES) | Q(tried_at__gt=now + BETWEEN_FETCHES)
    tried = row.tried_at
    if tried is not None and now - BETWEEN_FETCHES < tried <= now + BETWEEN_FETCHES:
        return False  # without asking the database for its lock: a flood of unknown keys comes here
    return IssuerKeys.objects.filter(due, pk=row.pk).update(tried_at=now) == 1


def _fetch(row: IssuerKeys) -> None:
    """Fetch the keys and keep them; else say why in the log, and keep those that there are."""
    try:
        document = fetch(row.url)
    except Unfetched as error:
        log.warning("the keys of the tokens' issuer could not be fetched: %s", error)
    else:
        if not keys_in(document):
            log.warning("there is no key at %s that could be used; those from before are kept", row.url)
            return
        IssuerKeys.objects.filter(pk=row.pk).update(document=document, fetched_at=timezone.now())
    row.refresh_from_db()
