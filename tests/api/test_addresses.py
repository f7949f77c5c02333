"""The edges of the API: addresses that are none, and the probe."""

from pathlib import Path

import pytest
from django.db import connection
from django.test import Client

from tests.api.reading import problem, read
from tests.installation import Installation


@pytest.mark.parametrize(
    "address", ["/v1/", "/v1/docs", "/v1/nothing", "/v1/hosts/ci-1/secrets", "/v1//hosts", "/v1/%00"]
)
def test_an_address_that_is_none_is_a_problem_document(client: Client, address: str) -> None:
    assert problem(client.get(address)) == (404, "not_found")


def test_a_host_header_that_is_not_ours_is_a_problem_document(client: Client) -> None:
    assert problem(client.get("/v1/hosts", headers={"host": "evil.example"})) == (400, "bad_request")


def test_a_problem_has_the_content_policy_of_every_answer(client: Client) -> None:
    assert "frame-ancestors 'none'" in client.get("/v1/nothing")["Content-Security-Policy"]


def test_an_error_of_a_page_stays_a_page(client: Client) -> None:
    assert client.get("/nothing/")["Content-Type"] == "text/html; charset=utf-8"


@pytest.mark.req("H57")
def test_the_probe_names_the_storage_without_a_login(client: Client, db: None) -> None:
    expected = {"postgresql": "postgres", "sqlite": "sqlite"}[connection.vendor]

    assert read(client, "/health") == {"status": "ok", "storage_backend": expected}


def test_the_probe_only_allows_reading(client: Client, db: None) -> None:
    assert client.head("/health").status_code == 200
    assert client.post("/health").status_code == 405


@pytest.mark.req("H57")
def test_the_probe_says_that_the_database_does_not_answer(tmp_path: Path) -> None:
    nobody_there = Installation(
        tmp_path, {"LAUNCHPLANE_DATABASE_URL": f"postgres://launchplane@/launchplane?host={tmp_path}"}
    )
    ask = "from django.test import Client; r = Client(headers={'host': 'localhost'}).get('/health')"

    done = nobody_there.run("shell", "-c", f"{ask}; print(r.status_code, r.json())")

    assert done.stdout.splitlines()[-1] == "503 {'status': 'unavailable', 'storage_backend': 'postgres'}"
