"""The run on a second database, `--on-another-database`, and databases of their own for processes that tests start.

A test that neither asks for a database nor starts a process on one goes the same way on any of them: it is left out.
So is one that is marked `any_database`: they take long, and are about how pages look or what an engine does.
"""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import psycopg
import pytest

OPTION = "--on-another-database"
FIXTURES = {"db", "transactional_db", "live_server", "database", "database_of_the_module"}


@contextmanager
def a_database() -> Iterator[dict[str, str]]:
    """A new database of the kind that this run is about, as the environment of a process names it: SQLite if empty."""
    url = urlsplit(os.environ.get("LAUNCHPLANE_DATABASE_URL", ""))
    if not url.scheme.startswith("postgres"):
        yield {}
        return
    name = f"own_{os.getpid()}_{time.monotonic_ns()}"
    with psycopg.connect(url.geturl(), autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
        try:
            yield {"LAUNCHPLANE_DATABASE_URL": url._replace(path=f"/{name}").geturl()}
        finally:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
def database() -> Iterator[dict[str, str]]:
    """`a_database` for one test."""
    with a_database() as environment:
        yield environment


@pytest.fixture(scope="module")
def database_of_the_module() -> Iterator[dict[str, str]]:
    """`a_database` for the tests of one file."""
    with a_database() as environment:
        yield environment


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(OPTION, action="store_true", help="leave out the tests that use no database")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption(OPTION):
        left_out = [item for item in items if not uses_a_database(item)]
        items[:] = [item for item in items if uses_a_database(item)]
        config.hook.pytest_deselected(items=left_out)


def uses_a_database(item: pytest.Item) -> bool:
    """Whether another database could make a difference to `item`."""
    if item.get_closest_marker("any_database"):
        return False
    asked_for = FIXTURES & set(getattr(item, "fixturenames", ()))
    return bool(asked_for or item.get_closest_marker("django_db"))
