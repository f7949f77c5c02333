"""Chains for the tests of audits."""

import pytest

from audits.models import AuditRecord
from tests.audits.making import a_record


@pytest.fixture
def held(transactional_db: None) -> list[AuditRecord]:
    """Five records, in the database and in the segments."""
    return [a_record(key=f"change-{number}") for number in range(5)]
