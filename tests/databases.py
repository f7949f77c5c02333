"""`--on-another-database`: the run on a second database leaves out the tests that use none.

A test that neither asks for a database nor starts a process that has one goes the same way on any of them.
"""

import pytest

OPTION = "--on-another-database"
FIXTURES = {"db", "transactional_db", "live_server"}
# what is started there has a database of its own, which the fixtures do not tell
STARTS_PROCESSES = ("tests/docs/", "tests/server/", "tests/schedule/", "tests/sandbox/")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(OPTION, action="store_true", help="leave out the tests that use no database")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption(OPTION):
        left_out = [item for item in items if not uses_a_database(item)]
        items[:] = [item for item in items if uses_a_database(item)]
        config.hook.pytest_deselected(items=left_out)


def uses_a_database(item: pytest.Item) -> bool:
    """Whether another database could make a difference to `item`."""
    asked_for = FIXTURES & set(getattr(item, "fixturenames", ()))
    return bool(asked_for or item.get_closest_marker("django_db") or item.nodeid.startswith(STARTS_PROCESSES))
