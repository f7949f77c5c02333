"""The door for workflows: an OIDC token of GitHub, signed, for us, in time, of a trusted workflow, and used once."""

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Final

import jwt
from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone
from jwt.types import Options

from launchplane.access import secrets_seen
from launchplane.access.callers import Caller
from launchplane.access.models import SpentToken
from launchplane.access.not_let_in import NotLetIn
from launchplane.access.oidc import keys, trusted
from launchplane.access.oidc.claims import LEEWAY_SECONDS, Claims, addressed, in_time, read
from launchplane.access.oidc.parse import ALGORITHM, Unreadable, said

# a server whose clock is ahead forgets no token that another one would still let in
KEPT_LONGER: Final = timedelta(minutes=10)
# what the library looks at once more; `sub` it need not, and `jti` is read by its form below
OPTIONS: Final[Options] = {
    "require": ["exp", "nbf", "iat", "iss", "aud"],
    "strict_aud": True,
    "verify_sub": False,
    "verify_jti": False,
}


def caller_with(token: str, *, address: str) -> Caller:
    """The trusted workflow whose run sent `token`. Raises NotLetIn; Waits where the issuer's keys are not known.

    What it says is looked at before its key is, so that nobody has keys fetched with a token for somebody else.
    """
    try:
        claims = _vouched_for(token)
    except Unreadable as problem:
        raise NotLetIn(problem.code, problem.sentence) from problem
    row = trusted.workflow(claims)
    caller = trusted.caller_of_row(row)
    _spend(claims, caller)
    secrets_seen.remember(token)
    trusted.note_use(row, claims, address=address)
    return caller


def _vouched_for(token: str) -> Claims:
    spoken = said(token)
    addressed(spoken.claims, issuer=settings.OIDC_ISSUER, audience=settings.OIDC_AUDIENCE)
    in_time(spoken.claims, now=timezone.now().timestamp())
    try:
        vouched = jwt.decode(
            token,
            keys.key(settings.OIDC_JWKS_URL, spoken.kid),
            algorithms=[ALGORITHM],
            audience=settings.OIDC_AUDIENCE,
            issuer=settings.OIDC_ISSUER,
            leeway=LEEWAY_SECONDS,
            options=OPTIONS,
        )
    except jwt.InvalidSignatureError as error:
        raise Unreadable("token_signature", "The token was not signed by its issuer, or was altered.") from error
    except jwt.PyJWTError as error:  # it is stricter than we are in something
        raise Unreadable("token_malformed", f"This is no token of a workflow: {type(error).__name__}.") from error
    return read(vouched)


def _spend(claims: Claims, caller: Caller) -> None:
    """Raises NotLetIn `token_replayed` if it was used before. Of many at once the database lets one in."""
    until = datetime.fromtimestamp(claims.expires, UTC) + KEPT_LONGER
    digest = sha256(f"{settings.OIDC_ISSUER}\0{claims.jti}".encode()).hexdigest()
    try:
        with transaction.atomic():
            SpentToken.objects.filter(until__lt=timezone.now()).delete()
            SpentToken.objects.create(digest=digest, until=until)
    except IntegrityError as error:
        sentence = "The token was used before. Ask for a new one just before each call."
        raise NotLetIn("token_replayed", sentence, by=caller.principal) from error
