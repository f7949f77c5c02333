"""The door for programs: what came in the header `Authorization`, and who that is (RFC 6750)."""

import re
from typing import Final

from launchplane.access import tokens
from launchplane.access.callers import Caller
from launchplane.access.not_let_in import NotLetIn, tell
from launchplane.access.oidc import door
from launchplane.problems import Waits

# a token's own characters are those of RFC 6750, section 2.1; the scheme is in any case (RFC 9110, section 11.1)
HEADER: Final = re.compile(r"bearer +([A-Za-z0-9._~+/-]+=*)", re.IGNORECASE)
LONGEST: Final = 8000  # gunicorn takes no header that is longer than 8190; GitHub's tokens have about 2000


def caller_by(header: str, *, address: str) -> Caller:
    """Whoever calls, by that header. Raises NotLetIn, or Waits where that cannot be known now, and puts it on record.

    Raises AuditRefused if it cannot.
    """
    try:
        return _caller(header, address)
    except (NotLetIn, Waits) as problem:
        tell(problem, address=address)
        raise


def _caller(header: str, address: str) -> Caller:
    if len(header) > LONGEST:
        raise NotLetIn("token_too_long", f"The header Authorization has more than {LONGEST} characters.")
    if (found := HEADER.fullmatch(header)) is None:
        raise NotLetIn("bearer_malformed", "The header Authorization has to be “Bearer”, a blank and one token, once.")
    if found[1].startswith(tokens.PREFIX):
        return tokens.caller_with(found[1], address=address)
    if found[1].count(".") == 2:
        return door.caller_with(found[1], address=address)
    raise NotLetIn("token_unknown", "This is neither an API token nor the token of a workflow.")
