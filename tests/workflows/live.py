"""A job whose tokens are those of an issuer that Launchplane believes, and Launchplane itself."""

from collections.abc import Iterator

import pytest
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from tests.access.making import believed
from tests.fakes.actions import TokenDoor
from tests.fakes.issuer import Issuer
from tests.workflows.acting import REQUEST_TOKEN

BRANCH = "refs/heads/main"


def workflow_ref(name: str) -> str:
    """The file where a user copied it to, as GitHub names it in a token."""
    return f"acme/shop/.github/workflows/{name}@{BRANCH}"


@pytest.fixture
def issuer(settings: Settings) -> Iterator[Issuer]:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    with believed(settings) as issuer:
        yield issuer


@pytest.fixture
def variables(live_server: LiveServer, issuer: Issuer) -> dict[str, str]:
    """The repository's variables that lead to Launchplane."""
    return {"LAUNCHPLANE_URL": live_server.url, "LAUNCHPLANE_AUDIENCE": issuer.audience}


def door_of(issuer: Issuer, file: str) -> TokenDoor:
    """Gives the tokens of a run of this file that somebody started by hand."""

    def mint(audience: str) -> str:
        ref = workflow_ref(file)
        return issuer.token(
            aud=audience,
            event_name="workflow_dispatch",
            repository="acme/shop",
            workflow_ref=ref,
            job_workflow_ref=ref,
        )

    return TokenDoor(REQUEST_TOKEN, mint=mint)
