"""Programs that are let in, made as the settings make them."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import count

from django.utils import timezone

from launchplane.access import tokens
from launchplane.access.actions import Action
from launchplane.access.models import User
from launchplane.access.people import FIRST_START, Principal
from launchplane.hosts.models import Host

EVERYTHING = tuple(Action)
_numbers = count(1)


def made_token(
    owner: User,
    actions: Iterable[Action] = EVERYTHING,
    hosts: Iterable[Host] | None = None,
    *,
    name: str = "",
    expires_at: datetime | None = None,
    by: Principal = FIRST_START,
) -> tokens.Shown:
    """A token of `owner` for `hosts` (None: all), with its row; made by nobody who would answer for it, too."""
    return tokens.make(
        name=name or f"program {next(_numbers)}",
        owner=owner,
        actions=actions,
        hosts=hosts,
        expires_at=expires_at or timezone.now() + timedelta(days=30),
        by=by,
    )


def a_token(owner: User, actions: Iterable[Action] = EVERYTHING, hosts: Iterable[Host] | None = None) -> str:
    """The text of one, such as `lp_…`."""
    return made_token(owner, actions, hosts).text


def bearer(token: str) -> dict[str, str]:
    """The headers of a call with it."""
    return {"Authorization": f"Bearer {token}"}
