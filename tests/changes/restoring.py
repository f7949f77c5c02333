"""A database from a backup, and what happened after it. The evidence folder remembers; the host is as it was left."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import transaction

from audits import segments


@contextmanager
def after_the_backup() -> Iterator[None]:
    """What is done within reaches the segments, and is then forgotten by the database."""
    backup = transaction.savepoint()
    yield
    segments.flush()
    transaction.savepoint_rollback(backup)
