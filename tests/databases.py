"""Which tests are run on each database, and databases of their own for processes that tests start.

`--part databases` takes the tests that ask for a database or start a process on one, and is run on each. `--part
machines` takes those of them that work on an engine or a host, or in a browser: they take long and are about that, so
they are run once, but for some of each kind, marked `each_database`, that are in the first part. `--part others` takes
all that go the same way on any database; to those belong the ones marked `any_database`.
"""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import psycopg
import pytest

OPTION, PARTS = "--part", ("databases", "machines", "others")
MACHINES = ("engine", "testbed", "browser")
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
    parser.addoption(OPTION, choices=PARTS, help="only the tests that are run on each database, or once")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if part := config.getoption(OPTION):
        wanted = [item for item in items if part_of(item) == part]
        config.hook.pytest_deselected(items=[item for item in items if item not in wanted])
        items[:] = wanted


def part_of(item: pytest.Item) -> str:
    """The part to which `item` belongs."""
    if not uses_a_database(item):
        return "others"
    once = any(item.get_closest_marker(group) for group in MACHINES) and not item.get_closest_marker("each_database")
    return "machines" if once else "databases"


def uses_a_database(item: pytest.Item) -> bool:
    """Whether another database could make a difference to `item`."""
    if item.get_closest_marker("any_database"):
        return False
    asked_for = FIXTURES & set(getattr(item, "fixturenames", ()))
    return bool(asked_for or item.get_closest_marker("django_db"))
