"""An evidence folder that is gone took with it what the database forgot: nothing begins until somebody answers."""

import json

import pytest
from pytest_django import Settings

from audits import segments
from audits.errors import Forked
from audits.models import AuditRecord
from audits.verify import verify_database
from launchplane.access.models import User
from launchplane.access.people import WORKER
from launchplane.changes import adopt, restored
from launchplane.changes.apply import apply_change
from launchplane.changes.models import Change
from launchplane.changes.requests import find_change
from launchplane.hosts.models import Host
from launchplane.problems import Problem
from tests.changes.test_restored import restored_from_before
from tests.changes.ways import approved, decided, granted, names, person, standing_request
from tests.factories import a_person
from tests.shell import manage

pytestmark = pytest.mark.req("X19")

ADOPT = ("audits", "adopt", "--as", "root", "--reason", "the machine burnt down")


@pytest.fixture
def restored_with_a_new_folder(
    host: Host, operator: User, approver: User, settings: Settings, tmp_path_factory: pytest.TempPathFactory
) -> Change:
    """The machine burnt down: the database comes from a backup, and the evidence folder is new."""
    change = approved(host, operator, approver)
    segments.flush()
    change = restored_from_before(change, host)
    settings.EVIDENCE_DIR = tmp_path_factory.mktemp("another")
    return change


@pytest.fixture
def root(monkeypatch: pytest.MonkeyPatch) -> User:
    user = a_person("root")
    user.is_superuser = True
    user.set_password("a long enough password")
    user.save()
    monkeypatch.setenv("LAUNCHPLANE_PASSWORD", "a long enough password")
    return user


def test_a_database_from_a_backup_beside_an_empty_folder_uses_no_approval(
    restored_with_a_new_folder: Change, host: Host
) -> None:
    change = apply_change(restored_with_a_new_folder, by=WORKER)
    assert (change.status, len(names(host))) == ("awaiting_approval", 3)
    assert segments.files() == []


def test_every_minute_an_empty_folder_takes_the_approvals_back(restored_with_a_new_folder: Change) -> None:
    assert restored.watch() == 1
    assert find_change(restored_with_a_new_folder.pk).status == "awaiting_approval"


def test_a_folder_that_is_emptied_under_way_is_not_begun_anew(host: Host, operator: User, approver: User) -> None:
    change = approved(host, operator, approver)
    segments.flush()
    for path in segments.files():
        path.unlink()
    with pytest.raises(Forked, match="audits adopt"):
        segments.flush()
    assert apply_change(change, by=WORKER).status == "awaiting_approval"
    assert [fault.code for fault in verify_database().faults] == ["segments_missing"]


def test_a_new_folder_is_begun_by_a_superuser_on_record(
    restored_with_a_new_folder: Change, host: Host, root: User
) -> None:
    assert json.loads(manage(*ADOPT, "--json").out) == {"withdrawn": 1}
    assert find_change(restored_with_a_new_folder.pk).status == "awaiting_approval"
    told = AuditRecord.objects.latest("seq")
    assert (told.kind, told.actor_name) == ("evidence.adopted", "root")
    assert json.loads(told.payload) == {"reason": "the machine burnt down", "withdrawn": 1}
    assert verify_database().intact


def test_after_that_what_is_approved_anew_is_done(
    restored_with_a_new_folder: Change, host: Host, root: User, approver: User
) -> None:
    assert manage(*ADOPT).out.startswith("A new evidence folder was begun. Approvals taken back: 1.")
    with pytest.raises(Problem, match="Only an approved change"):
        apply_change(restored_with_a_new_folder, by=WORKER)
    decided(find_change(restored_with_a_new_folder.pk), approver)
    assert apply_change(restored_with_a_new_folder, by=WORKER).status == "completed"


def test_standing_approvals_are_suspended_by_a_new_folder(
    host: Host, operator: User, approver: User, root: User
) -> None:
    row = granted(standing_request(host, operator), approver)
    adopt.adopt(by=person(root), reason="the folder was lost")
    row.refresh_from_db()
    assert row.suspended_at is not None


def test_only_a_superuser_begins_a_new_folder(restored_with_a_new_folder: Change, operator: User) -> None:
    with pytest.raises(Problem, match="Only a superuser"):
        adopt.adopt(by=person(operator), reason="the folder was lost")
    told = AuditRecord.objects.latest("seq")
    assert (told.kind, json.loads(told.payload)["code"]) == ("evidence.denied", "not_permitted")
    assert segments.files() == []


def test_a_folder_that_holds_segments_is_not_written_anew(host: Host, operator: User, root: User) -> None:
    adopt_once = manage(*ADOPT)
    again = manage(*ADOPT, "--json")
    assert (adopt_once.code, again.code, again.error["code"]) == (0, 4, "evidence_there")
