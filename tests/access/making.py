"""Programs that are let in, made as the settings make them."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from django.utils import timezone
from pytest_django import Settings

from launchplane.access import tokens, workflows
from launchplane.access.actions import Action
from launchplane.access.models import TrustedWorkflow, User
from launchplane.access.people import FIRST_START, Principal
from launchplane.hosts.models import Host
from tests.fakes.issuer import OWNER_ID, REPOSITORY_ID, Issuer

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


def a_workflow(
    actions: Iterable[Action] = EVERYTHING,
    hosts: Iterable[Host] | None = None,
    *,
    by: Principal = FIRST_START,
    **conditions: Any,
) -> TrustedWorkflow:
    """A trusted workflow of the issuer that is set, by default that of `Issuer.token`; `ref` and others narrow it."""
    numbers = {"repository_id": REPOSITORY_ID, "owner_id": OWNER_ID}
    row = TrustedWorkflow(actions=[str(action) for action in actions], **numbers | conditions)
    return workflows.add(row, hosts=hosts, by=by)


@contextmanager
def believed(settings: Settings) -> Iterator[Issuer]:
    """An issuer whose tokens are believed within. Use it in a fixture, for the time of one test."""
    with Issuer() as issuer:
        settings.OIDC_ISSUER, settings.OIDC_AUDIENCE = issuer.url, issuer.audience
        settings.OIDC_JWKS_URL = issuer.jwks_url
        yield issuer
