"""What every test may stand on: a state directory of its own, the groups' needs, and a private Docker engine."""

import os
import signal
import tempfile
from collections.abc import Generator, Iterator
from itertools import count
from pathlib import Path

import pytest
from django.db import connection
from django.test import TransactionTestCase
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from pytest_django import DjangoDbBlocker, Settings

from launchplane.sandbox.dockerd import PrivateEngine
from launchplane.sandbox.leftovers import plant
from tests import groups
from tests.engines import an_engine
from tests.flushing import AsMigrated

pytest_plugins = ["tests.requirements", "tests.databases", "tests.turns", "tests.testbed.fixtures"]

NOT_RUN = pytest.StashKey[dict[str, str]]()
# No verdict on speed: the machine may be busy with the other half of the suite.
for name, examples in (("launchplane", 50), ("quick", 10)):
    hypothesis_settings.register_profile(
        name, max_examples=examples, deadline=None, suppress_health_check=[HealthCheck.too_slow]
    )
hypothesis_settings.load_profile("launchplane")

STATE = tempfile.TemporaryDirectory(prefix="lp-state-")
STORES = count(1)


def pytest_configure(config: pytest.Config) -> None:
    """Nothing that a test or its child processes write may land in the project's own var/."""
    from django.conf import settings

    config.stash[NOT_RUN] = {}
    # as Ctrl-C: fixtures end what they started. A shell's background job is told to end in no other way
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    settings.VAR = Path(os.environ.setdefault("LAUNCHPLANE_VAR", STATE.name))
    # a page's files are looked for when they are asked for: each test's client would list them all at its first page
    settings.WHITENOISE_AUTOREFRESH = True
    if "sqlite3" in settings.DATABASES["default"]["ENGINE"]:
        # a file, not memory: other processes and threads have connections of their own to it, as in earnest
        settings.DATABASES["default"].setdefault("TEST", {})["NAME"] = str(Path(STATE.name) / "test.sqlite3")


def _groups(item: pytest.Item) -> list[str]:
    return [group for group in groups.NAMES if item.get_closest_marker(group)]


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test whose group cannot run here, and say why."""
    for group in _groups(item):
        if reason := groups.missing(group):
            item.config.stash[NOT_RUN][group] = reason
            pytest.skip(f"{group}: {reason}")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """With CI=true a skipped test of a group is a failed one, whatever skipped it."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and _groups(item) and groups.skips_are_failures():
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome, report.longrepr = "failed", f"with CI=true no group may be skipped: {reason}"
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Name each group that could not run, and why."""
    for group, reason in config.stash[NOT_RUN].items():
        terminalreporter.write_line(f"GROUP NOT RUN {group}: {reason}", yellow=True)


@pytest.fixture(autouse=True)
def _evidence_of_its_own(settings: Settings) -> None:
    """Each test begins with an empty evidence store, as it begins with an empty database."""
    settings.EVIDENCE_DIR = Path(STATE.name) / "evidence" / str(next(STORES))


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """After a test with transactions of its own the database is as it was after it was migrated."""
    with django_db_blocker.unblock():
        migrated = AsMigrated(connection)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", lambda _: migrated.restore())
        yield


@pytest.fixture(scope="session")
def private_engine() -> Iterator[PrivateEngine]:
    """A Docker engine of our own, empty at first: `.url`, `.socket`, `.data_root`, `.folder`, `.pid`."""
    with an_engine() as engine:
        yield engine


@pytest.fixture(scope="session")
def planted_engine(private_engine: PrivateEngine) -> PrivateEngine:
    """The private engine with the sandbox's leftovers in it."""
    plant(private_engine.url)
    return private_engine
