"""What is the same for every address under `/v1`: methods, what may be asked for, caches, errors of the database."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client

from launchplane.hosts.models import Host
from tests.api.reading import problem, read

pytestmark = pytest.mark.django_db

ANSWERS = ["/v1/hosts", "/v1/hosts/none", "/v1/nothing", "/v1/openapi.json"]


@pytest.mark.parametrize("address", ANSWERS)
def test_no_answer_is_kept_by_a_cache(session: Client, host: Host, address: str) -> None:
    assert session.get(address)["Cache-Control"] == "no-store"


def test_head_says_what_get_would_without_its_body(session: Client, host: Host) -> None:
    got, head = session.get("/v1/hosts/ci-1"), session.head("/v1/hosts/ci-1")

    assert (head.status_code, head.content) == (200, b"")
    assert head["Content-Length"] == str(len(got.content))
    assert head["Content-Type"] == got["Content-Type"]


def test_head_of_what_is_not_there_is_404_without_a_body(session: Client, host: Host) -> None:
    head = session.head("/v1/hosts/none")

    assert (head.status_code, head.content, head["Content-Type"]) == (404, b"", "application/problem+json")


@pytest.mark.parametrize("method", ["options", "trace", "delete"])
def test_another_method_is_refused_with_those_that_there_are(session: Client, host: Host, method: str) -> None:
    response = getattr(session, method)("/v1/hosts")

    assert problem(response) == (405, "method_not_allowed")
    assert response["Allow"] == "GET"


@pytest.mark.parametrize("accept", ["text/html", "image/png, application/xml", "application/json;q=0"])
def test_who_accepts_nothing_that_is_answered_here_is_told_so(session: Client, accept: str) -> None:
    assert problem(session.get("/v1/hosts", headers={"accept": accept})) == (406, "not_acceptable")


@pytest.mark.parametrize("accept", ["*/*", "application/*", "text/html, application/json;q=0.1", "application/json"])
def test_who_accepts_json_gets_it(session: Client, accept: str) -> None:
    assert session.get("/v1/hosts", headers={"accept": accept}).status_code == 200


@pytest.mark.parametrize("accept", [",", ";;;", "a" * 5000, "/", "q=", "application/json;q=x"])
def test_an_accept_that_says_nothing_is_no_error_of_ours(session: Client, accept: str) -> None:
    assert session.get("/v1/hosts", headers={"accept": accept}).status_code in (200, 406)


def test_who_is_not_let_in_is_told_how_one_is(client: Client) -> None:
    assert client.get("/v1/hosts")["WWW-Authenticate"].startswith("Bearer ")


def test_a_database_that_does_not_answer_is_not_available(session: Client, host: Host) -> None:
    with connection.execute_wrapper(gone):
        response = session.get("/v1/hosts/ci-1")

    assert problem(response) == (503, "no_database")
    assert int(response["Retry-After"]) > 0


def gone(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
    """As a server that is gone does."""
    if "hosts_host" in sql:
        raise OperationalError("server closed the connection unexpectedly")
    return execute(sql, *rest)


def test_the_description_needs_no_login_and_tells_nothing_of_this_installation(client: Client, host: Host) -> None:
    host.name = "secret-host-name"
    host.save()

    assert "secret-host-name" not in str(read(client, "/v1/openapi.json"))
