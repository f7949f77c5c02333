"""A database that was restored: the evidence store remembers what it has forgotten, and no approval is used again."""

from pathlib import Path

import pytest
from django.db import transaction
from pytest_django import Settings

from audits import segments
from launchplane.access.models import User
from launchplane.access.people import WORKER
from launchplane.changes import restored, standing
from launchplane.changes.apply import apply_change
from launchplane.changes.models import Approval, Change
from launchplane.changes.requests import find_change
from launchplane.hosts.models import Host
from launchplane.problems import Problem
from tests.changes import toy
from tests.changes.test_standing import routine
from tests.changes.ways import approved, decided, granted, names, outcomes, person, standing_request
from tests.factories import a_person

pytestmark = pytest.mark.req("X19")


def restored_from_before(change: Change, host: Host) -> Change:
    """`change` was carried out; then the database comes back as it was before, and so does what was cleaned up."""
    backup = transaction.savepoint()
    assert apply_change(change, by=WORKER).status == "completed"
    transaction.savepoint_rollback(backup)
    for number in (1, 2, 3):
        toy.sign(host, f"rubbish-{number}", text=f"rubbish {number}\n")
    change = find_change(change.pk)
    assert (change.status, outcomes(change)) == ("approved", ["", "", ""])
    return change


def test_an_approval_that_was_used_before_the_restore_is_not_used_again(
    host: Host, operator: User, approver: User
) -> None:
    change = apply_change(restored_from_before(approved(host, operator, approver), host), by=WORKER)
    assert (change.status, len(names(host))) == ("awaiting_approval", 3)
    assert change.fencing_token is None


def test_it_stays_unusable_when_the_evidence_store_is_mended(
    host: Host, operator: User, approver: User, settings: Settings, tmp_path: Path
) -> None:
    change = restored_from_before(approved(host, operator, approver), host)
    assert restored.watch() == 1
    settings.EVIDENCE_DIR = tmp_path / "another"
    with pytest.raises(Problem, match="Only an approved change"):
        apply_change(change, by=WORKER)
    assert len(names(host)) == 3
    decided(find_change(change.pk), a_person("second", group="Approvers"))
    assert apply_change(change, by=WORKER).status == "completed"


def test_every_approval_of_that_database_is_taken_back(host: Host, operator: User, approver: User) -> None:
    other = approved(host, operator, approver, items=["rubbish-2"])
    apply_change(restored_from_before(approved(host, operator, approver), host), by=WORKER)
    assert find_change(other.pk).status == "awaiting_approval"
    assert not Approval.objects.filter(revoked_at=None).exists()


def test_a_decision_made_while_the_store_is_ahead_is_not_used_either(
    host: Host, operator: User, approver: User
) -> None:
    change = restored_from_before(approved(host, operator, approver), host)
    restored.watch()
    decided(find_change(change.pk), approver)
    assert apply_change(change, by=WORKER).status == "awaiting_approval"
    assert len(names(host)) == 3


def test_a_standing_approval_that_was_ended_after_the_backup_lets_nothing_run(
    host: Host, operator: User, approver: User
) -> None:
    row = granted(standing_request(host, operator), approver)
    backup = transaction.savepoint()
    standing.revoke(row, by=person(approver), reason="never again")
    segments.flush()
    transaction.savepoint_rollback(backup)
    row.refresh_from_db()
    assert row.ended_at is None
    restored.watch()
    with pytest.raises(Problem, match="no standing approval"):
        routine(host)


def test_a_store_that_cannot_be_reached_takes_nothing_back(
    host: Host, operator: User, approver: User, settings: Settings, tmp_path: Path
) -> None:
    change = approved(host, operator, approver)
    (tmp_path / "file").touch()
    settings.EVIDENCE_DIR = tmp_path / "file" / "evidence"
    assert restored.watch() == 0
    assert find_change(change.pk).status == "approved"


def test_a_store_that_is_behind_is_brought_up(host: Host, operator: User, approver: User) -> None:
    change = approved(host, operator, approver)
    assert restored.watch() == 0
    assert apply_change(change, by=WORKER).status == "completed"
