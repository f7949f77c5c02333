"""What the claims of a token have to be, each by its type: what it is compared with decides who calls. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from launchplane.access.oidc.parse import Unreadable

LEEWAY_SECONDS: Final = 30
LONGEST_LIFE_SECONDS: Final = 3600  # GitHub's are over after some minutes
LATEST: Final = 2**40  # far beyond any time that a clock says
LARGEST_ID: Final = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Claims:
    """Of whom a run is, what it runs and why. `repository`, `run` are for people and decide nothing."""

    jti: str
    expires: int
    repository_id: int
    owner_id: int
    event: str
    ref: str
    environment: str
    workflow_ref: str
    repository: str
    run: str


def addressed(claims: Mapping[str, Any], *, issuer: str, audience: str) -> None:
    """Raises Unreadable unless it is from `issuer` and for `audience` alone, each exactly so.

    A list is refused though it held ours: whoever else is in it could call here with the same token.
    """
    if claims.get("iss") != issuer:
        raise Unreadable("token_issuer", "The token is of another issuer.")
    if claims.get("aud") != audience:
        raise Unreadable("token_audience", f"The token has to be for the audience {audience}, and for no other.")


def in_time(claims: Mapping[str, Any], *, now: float) -> None:
    """Raises Unreadable where `exp`, `nbf` and `iat` (seconds since 1970) are not all there, or `now` is not within."""
    expires, begins, made = (_seconds(claims, name) for name in ("exp", "nbf", "iat"))
    if expires <= now - LEEWAY_SECONDS:
        raise Unreadable("token_expired", "The token is over. Ask for a new one just before each call.")
    if max(begins, made) > now + LEEWAY_SECONDS:
        raise Unreadable("token_not_yet_valid", "The token is not valid yet. Do the clocks agree?")
    if not 0 < expires - made <= LONGEST_LIFE_SECONDS:
        raise Unreadable("token_lifetime", f"A token has to be over within {LONGEST_LIFE_SECONDS} seconds.")


def read(claims: Mapping[str, Any]) -> Claims:
    """Claims that somebody vouched for. `sub` is not read: its form changes. Raises Unreadable `token_claims`."""
    return Claims(
        jti=_text(claims, "jti", r"[\x21-\x7e]{1,200}"),
        expires=_seconds(claims, "exp"),
        repository_id=_number(claims, "repository_id"),
        owner_id=_number(claims, "repository_owner_id"),
        event=_text(claims, "event_name", r"[a-z_]{1,40}"),
        ref=_optional(claims, "ref"),
        environment=_optional(claims, "environment"),
        workflow_ref=_optional(claims, "job_workflow_ref"),
        repository=_shown(claims, "repository", r"[A-Za-z0-9._/-]{1,200}"),
        run=_shown(claims, "run_id", r"[0-9]{1,20}"),
    )


def _seconds(claims: Mapping[str, Any], name: str) -> int:
    value = claims.get(name)
    if type(value) is not int or not 0 < value < LATEST:  # True is an int, too
        raise Unreadable("token_claims", f"The token does not say {name}, or not as a number.")
    return value


def _text(claims: Mapping[str, Any], name: str, form: str) -> str:
    value = claims.get(name)
    if not isinstance(value, str) or not re.fullmatch(form, value):
        raise Unreadable("token_claims", f"The token does not say {name}, or not in its form.")
    return value


def _number(claims: Mapping[str, Any], name: str) -> int:
    """GitHub writes ids as texts."""
    number = int(_text(claims, name, r"[1-9][0-9]{0,18}"))
    if number > LARGEST_ID:
        raise Unreadable("token_claims", f"The token's {name} is larger than any.")
    return number


def _optional(claims: Mapping[str, Any], name: str) -> str:
    """What is not there is "", which fits no condition."""
    value = claims.get(name, "")
    if not isinstance(value, str):
        raise Unreadable("token_claims", f"The token says {name}, and not as a text.")
    return value


def _shown(claims: Mapping[str, Any], name: str, form: str) -> str:
    value = claims.get(name)
    return value if isinstance(value, str) and re.fullmatch(form, value) else ""
