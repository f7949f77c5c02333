"""After a restore somebody answers for what was forgotten, and nothing that happened can happen a second time."""

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from audits import disk, rebuild, segments, sign
from audits.errors import Forked
from audits.models import AuditRecord
from audits.verify import verify_database
from launchplane.access import tokens
from launchplane.access.actions import Action
from launchplane.access.models import User
from launchplane.access.not_let_in import NotLetIn
from launchplane.access.people import WORKER
from launchplane.changes import accept, freeze, lock, restored, standing
from launchplane.changes.apply import apply_change
from launchplane.changes.models import Approval, Change, Freeze, HostLease, StandingApproval
from launchplane.changes.recover import recover
from launchplane.changes.requests import cancel, find_change, request_change
from launchplane.hosts.models import Host
from launchplane.problems import Problem
from tests.audits.making import a_record
from tests.changes import toy
from tests.changes.restoring import after_the_backup
from tests.changes.test_standing import routine
from tests.changes.ways import approved, decided, granted, names, outcomes, person, planned, requested, standing_request
from tests.docs.reading import PROJECT
from tests.factories import a_person
from tests.shell import manage

pytestmark = pytest.mark.req("X19")

ACCEPT = ("audits", "accept", "--as", "root", "--reason", "restored from Monday's backup")


@pytest.fixture
def root(monkeypatch: pytest.MonkeyPatch, db: None) -> User:
    user = a_person("root")
    user.is_superuser = True
    user.set_password("a long enough password")
    user.save()
    monkeypatch.setenv("LAUNCHPLANE_PASSWORD", "a long enough password")
    return user


def accepted(root: User) -> accept.Accepted:
    return accept.accept(by=person(root), reason="restored from Monday's backup")


def carried_out_and_forgotten(change: Change, host: Host) -> Change:
    """`change` was applied after the backup, and later on there are files of the same names and contents again."""
    with after_the_backup():
        assert apply_change(change, by=WORKER).status == "completed"
    for number in (1, 2, 3):
        toy.sign(host, f"rubbish-{number}", text=f"rubbish {number}\n")
    return find_change(change.pk)


@pytest.fixture
def forgotten(host: Host, operator: User, approver: User, root: User) -> Change:
    return carried_out_and_forgotten(approved(host, operator, approver), host)


def test_what_was_carried_out_after_the_backup_is_closed_and_stays_undone(
    forgotten: Change, root: User, host: Host
) -> None:
    said = accepted(root)
    change = find_change(forgotten.pk)
    assert (change.status, change.why_closed) == ("closed", "restored")
    assert change.sentence.startswith("It completed after the backup")
    assert said.changes == {"closed": [str(change.pk)], "ended": [], "in_doubt": []}
    with pytest.raises(Problem, match="Only an approved change"):
        apply_change(change, by=WORKER)
    assert len(names(host)) == 3
    assert outcomes(change) == ["done", "done", "done"]


@pytest.mark.parametrize("way", [planned, requested])
def test_nor_is_it_asked_for_or_approved_again_if_the_backup_is_older_than_that(
    way: Callable[[Host, User], Change], host: Host, operator: User, approver: User, root: User
) -> None:
    change = way(host, operator)
    with after_the_backup():
        if change.status == "planned":
            request_change(change, by=person(operator), reason="disk is full")
        decided(find_change(change.pk), approver)
        apply_change(find_change(change.pk), by=WORKER)
    accepted(root)
    assert find_change(change.pk).why_closed == "restored"
    with pytest.raises(Problem, match="there is nothing to decide"):
        decided(find_change(change.pk), approver)


def test_the_records_come_back_and_one_more_says_who_answers(forgotten: Change, root: User) -> None:
    own, lines = AuditRecord.objects.count(), len(list(segments.lines()))
    said = accepted(root)
    assert (said.after_seq, said.first_seq, said.last_seq, said.put_away) == (own, own + 1, lines, "")
    assert AuditRecord.objects.get(seq=lines).hash == said.head_hash
    told = AuditRecord.objects.latest("seq")
    assert (told.kind, told.actor_name) == ("restore.accepted", "root")
    payload = json.loads(told.payload)
    assert (payload["fencing_tokens"], payload["put_away"]) == ({"chris-testing": 1}, "")
    assert (payload["reason"], payload["first_seq"], payload["last_seq"]) == (
        "restored from Monday's backup",
        own + 1,
        lines,
    )
    assert verify_database().intact


def test_after_it_work_goes_on(forgotten: Change, host: Host, operator: User, approver: User, root: User) -> None:
    with pytest.raises(Forked):
        restored.require_no_restore()
    accepted(root)
    restored.require_no_restore()
    assert apply_change(approved(host, operator, approver), by=WORKER).status == "completed"
    assert verify_database().intact


def test_one_that_was_cancelled_after_the_backup_is_closed(
    host: Host, operator: User, approver: User, root: User
) -> None:
    change = approved(host, operator, approver)
    with after_the_backup():
        cancel(find_change(change.pk), by=person(operator), reason="no more")
    accepted(root)
    assert find_change(change.pk).sentence.startswith("It was closed after the backup")
    assert not Approval.objects.filter(revoked_at=None).exists()


def test_an_approval_of_which_the_records_say_nothing_is_taken_back_too(
    host: Host, operator: User, approver: User, root: User
) -> None:
    other = approved(host, operator, approver, items=["rubbish-2"])
    with after_the_backup():
        planned(host, operator)
    assert accepted(root).withdrawn == 1
    assert find_change(other.pk).status == "awaiting_approval"


def test_one_that_was_put_off_after_the_backup_is_planned_anew(
    host: Host, operator: User, approver: User, root: User
) -> None:
    change = approved(host, operator, approver)
    toy.sign(host, "closed")
    with after_the_backup():
        assert apply_change(change, by=WORKER).status == "approved"
    accepted(root)
    assert find_change(change.pk).why_closed == "restored"


def test_one_that_may_have_been_under_way_is_in_doubt_until_each_item_was_looked_at(
    host: Host, operator: User, approver: User, root: User
) -> None:
    change = approved(host, operator, approver)
    with after_the_backup():
        died_in_the_middle(change)
    assert accepted(root).changes["in_doubt"] == [str(change.pk)]
    doubtful = find_change(change.pk)
    assert (doubtful.status, doubtful.steps.filter(intent_at=None).count()) == ("in_doubt", 0)
    assert recover() == 1
    assert outcomes(change) == ["done", "skipped", "skipped"]
    assert toy.effects(host) == ["rubbish-1"]


def died_in_the_middle(change: Change) -> None:
    def die(window: str, _step: object) -> None:
        if window == "after_effect":
            raise SystemExit

    toy.hook[0] = die
    with pytest.raises(SystemExit):
        apply_change(change, by=WORKER)
    toy.hook[0] = toy.nothing


def test_one_that_was_under_way_in_the_backup_ends_as_it_did(
    host: Host, operator: User, approver: User, root: User
) -> None:
    change = approved(host, operator, approver)
    died_in_the_middle(change)
    with after_the_backup():
        recover()
        assert find_change(change.pk).status == "failed"
    assert find_change(change.pk).status == "applying"
    assert accepted(root).changes["ended"] == [str(change.pk)]
    assert (find_change(change.pk).status, outcomes(change)) == ("failed", ["done", "skipped", "skipped"])
    restored.require_no_restore()


def test_one_that_was_under_way_in_the_backup_and_did_not_end_is_looked_at_as_a_whole(
    host: Host, operator: User, approver: User, root: User
) -> None:
    change = approved(host, operator, approver)
    died_in_the_middle(change)
    with after_the_backup():
        planned(host, operator)
    accepted(root)
    assert (find_change(change.pk).status, change.steps.filter(intent_at=None).count()) == ("in_doubt", 0)


def test_of_one_that_the_database_does_not_know_at_all_the_host_is_frozen(
    host: Host, operator: User, approver: User, root: User
) -> None:
    with after_the_backup():
        change = approved(host, operator, approver)
        died_in_the_middle(change)
    said = accepted(root)
    assert (said.unknown, said.frozen) == ([f"{change.pk} on {host.name}"], [host.name])
    assert "does not know" in Freeze.objects.get().reason


def test_a_host_gets_no_fencing_token_that_it_has_seen(forgotten: Change, host: Host, root: User) -> None:
    assert not HostLease.objects.filter(host=host).exists()
    assert accepted(root).fencing_tokens == {host.name: 1}
    assert lock.next_token(host) == 2


def test_a_token_that_is_higher_already_stays(forgotten: Change, host: Host, root: User) -> None:
    HostLease.objects.create(host=host, token=7)
    accepted(root)
    assert HostLease.objects.get().token == 7


def test_what_outsiders_say_raises_no_token_and_closes_nothing(
    host: Host, operator: User, approver: User, root: User
) -> None:
    change = approved(host, operator, approver)
    with after_the_backup():
        forged = {"about": "applying", "to": "completed", "fencing_token": 2**40}
        a_record(kind="hygiene.evidence", key=str(change.pk), payload=forged, host=host.name)
    assert accepted(root).fencing_tokens == {}
    assert find_change(change.pk).status == "awaiting_approval"


def test_a_standing_approval_is_suspended_and_one_that_was_ended_stays_ended(
    host: Host, operator: User, approver: User, root: User
) -> None:
    row = granted(standing_request(host, operator), approver)
    with after_the_backup():
        planned(host, operator)
    accepted(root)
    row.refresh_from_db()
    assert (row.suspended_at is not None, row.ended_at) == (True, None)
    with after_the_backup():
        standing.revoke(row, by=person(approver), reason="never again")
    assert accepted(root).standing_ended == [row.pk]
    assert StandingApproval.objects.get().ended == "revoked"
    with pytest.raises(Problem, match="no standing approval"):
        routine(host)


def test_what_was_frozen_is_frozen_again(host: Host, operator: User, root: User) -> None:
    with after_the_backup():
        freeze.freeze(host, by=person(operator), reason="the disk smells")
    assert accepted(root).frozen == [host.name]
    assert Freeze.objects.get().reason == f"Frozen before the restore by {operator.username}: the disk smells"


def test_a_freeze_that_was_lifted_is_not_put_on(host: Host, operator: User, root: User) -> None:
    with after_the_backup():
        freeze.freeze(host, by=person(operator), reason="the disk smells")
        freeze.lift(host, by=person(operator), reason="it does not")
    assert accepted(root).frozen == []


def test_while_edits_are_forgotten_everything_is_frozen(host: Host, operator: User, root: User) -> None:
    with after_the_backup():
        operator.is_active = False
        operator.save()
    said = accepted(root)
    assert (said.frozen, said.edits) == (["*"], ["1 access.account"])
    assert "1 access.account" in Freeze.objects.get().reason


def test_an_api_token_that_was_revoked_after_the_backup_lets_nobody_in_again(
    host: Host, operator: User, root: User
) -> None:
    shown = a_token(operator)
    with after_the_backup():
        tokens.revoke(shown.row, by=person(root))
        a_token(operator, name="another")
    tokens.caller_with(shown.text, address="")
    assert accepted(root).revoked == [shown.row.pk]
    with pytest.raises(NotLetIn) as refused:
        tokens.caller_with(shown.text, address="")
    assert refused.value.code == "token_revoked"


def a_token(owner: User, name: str = "nightly") -> tokens.Shown:
    expires_at = timezone.now() + timedelta(days=1)
    said = {"actions": [Action.HOST_READ], "hosts": None, "expires_at": expires_at, "by": person(owner)}
    return tokens.make(name=name, owner=owner, **said)  # type: ignore[arg-type]


def test_everybody_has_to_log_in_again(forgotten: Change, client: Client, root: User) -> None:
    client.force_login(root)
    accepted(root)
    assert client.get("/").status_code == 302


def test_there_has_to_be_something_to_accept(host: Host, operator: User, root: User) -> None:
    planned(host, operator)
    segments.flush()
    with pytest.raises(Problem) as refused:
        accepted(root)
    assert refused.value.code == "nothing_to_accept"
    assert AuditRecord.objects.latest("seq").kind == "evidence.denied"


def test_only_a_superuser_accepts(forgotten: Change, operator: User) -> None:
    with pytest.raises(Problem, match="Only a superuser") as refused:
        accept.accept(by=person(operator), reason="restored")
    assert refused.value.code == "not_permitted"
    assert find_change(forgotten.pk).status == "approved"
    with pytest.raises(Forked):
        segments.flush()


def test_a_reason_has_to_be_given(forgotten: Change, root: User) -> None:
    with pytest.raises(Problem) as refused:
        accept.accept(by=person(root), reason=" \n")
    assert refused.value.code == "reason_missing"


def test_the_command_asks_who_it_is_and_says_what_came_of_it(forgotten: Change, root: User) -> None:
    said = manage(*ACCEPT)
    assert (said.code, said.err) == (0, "")
    assert "came back.\n" in said.out
    assert "Changes closed: 1, ended as recorded: 0, in doubt: 0." in said.out
    again = manage(*ACCEPT, "--json")
    assert (again.code, again.error["code"]) == (4, "nothing_to_accept")


def test_a_wrong_password_accepts_nothing(forgotten: Change, root: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAUNCHPLANE_PASSWORD", "wrong")
    assert manage(*ACCEPT, "--json").error["code"] == "not_authenticated"
    assert find_change(forgotten.pk).status == "approved"


class TestAfterRebuilding:
    def test_records_that_came_back_alone_let_nothing_begin(self, forgotten: Change, host: Host) -> None:
        rebuild.from_segments()
        segments.flush()
        with pytest.raises(Forked, match="audits accept"):
            restored.require_no_restore()
        assert find_change(forgotten.pk).status == "awaiting_approval"
        decided(find_change(forgotten.pk), a_person("second", group="Approvers"))
        assert apply_change(forgotten, by=WORKER).status == "awaiting_approval"
        assert len(names(host)) == 3

    def test_accepting_reads_what_came_back_before(self, forgotten: Change, root: User) -> None:
        found = rebuild.from_segments()
        restored.watch()
        said = accepted(root)
        assert (said.first_seq, said.last_seq) == (found.own.seq + 1, found.end.seq)
        assert find_change(forgotten.pk).why_closed == "restored"
        restored.require_no_restore()

    def test_what_the_database_did_since_is_not_taken_for_forgotten(
        self, forgotten: Change, operator: User, root: User
    ) -> None:
        rebuild.from_segments()
        operator.is_active = False
        operator.save()
        segments.flush()
        assert accepted(root).edits == []


class TestWhereTheDatabaseWentOn:
    """Its workers ran before anybody knew: both hold records of the same numbers."""

    @pytest.fixture
    def forked(self, forgotten: Change) -> Change:
        restored.watch()
        return forgotten

    def test_the_records_are_put_away_and_read(self, forked: Change, root: User) -> None:
        lines = list(segments.lines())
        said = accepted(root)
        assert said.put_away == f"put-away-{said.after_seq + 1}-{len(lines)}-{said.head_hash[:12]}.ndjson"
        kept = (segments.folder() / said.put_away).read_bytes().splitlines(keepends=True)
        assert kept[:-1] == lines[said.after_seq :]
        assert (find_change(forked.pk).status, find_change(forked.pk).why_closed) == ("closed", "restored")
        assert verify_database().intact
        restored.require_no_restore()

    def test_what_was_put_away_verifies_without_us(self, forked: Change, root: User) -> None:
        said = accepted(root)
        path = segments.folder() / said.put_away
        argv = [
            sys.executable,
            str(PROJECT / "docs" / "verify_audit.py"),
            str(path),
            f"{said.last_seq}:{said.head_hash}",
        ]
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")

    def test_a_head_that_was_signed_of_them_goes_with_them(
        self, host: Host, operator: User, approver: User, root: User
    ) -> None:
        change = approved(host, operator, approver)
        sign.checkpoint()
        with after_the_backup():
            apply_change(change, by=WORKER)
            sign.checkpoint()
        restored.watch()
        sign.checkpoint()
        said = accepted(root)
        assert [head.seq for head in sign.kept_checkpoints()] == [said.after_seq, said.after_seq + 1]
        heads = segments.folder() / said.put_away.replace(".ndjson", ".heads.ndjson")
        assert json.loads(heads.read_bytes())["hash"] == said.head_hash
        assert verify_database().intact

    def test_verifying_finds_what_was_done_to_what_was_put_away(self, forked: Change, root: User) -> None:
        path = segments.folder() / accepted(root).put_away
        text = path.read_bytes()
        path.write_bytes(text.replace(b"approver", b"somebody", 1))
        (fault,) = verify_database().faults
        altered = int(fault.seq or 0)
        assert (
            fault.code,
            text.splitlines()[altered - json.loads(text.splitlines()[0])["seq"]].count(b"approver") > 0,
        ) == (
            "put_away_altered",
            True,
        )
        path.unlink()
        assert [fault.code for fault in verify_database().faults] == ["put_away_missing"]

    @pytest.mark.parametrize("cut", [0, 1])
    def test_one_that_was_cut_off_while_they_were_put_away_goes_on(
        self, forked: Change, root: User, monkeypatch: pytest.MonkeyPatch, cut: int
    ) -> None:
        name = ("write_whole", "cut")[cut]
        with monkeypatch.context() as crashing:
            crashing.setattr(disk, name, die)
            with pytest.raises(KeyboardInterrupt):
                accepted(root)
        with pytest.raises(Forked):
            segments.flush()
        first = AuditRecord.objects.get(kind="restore.accepted")
        said = accepted(root)
        assert json.loads(first.payload)["put_away"] == said.put_away
        assert AuditRecord.objects.filter(kind="restore.accepted").count() == 1
        assert verify_database().intact

    def test_a_second_restore_is_accepted_like_the_first(
        self, forked: Change, host: Host, operator: User, approver: User, root: User
    ) -> None:
        accepted(root)
        again = carried_out_and_forgotten(approved(host, operator, approver), host)
        restored.watch()
        accepted(root)
        assert find_change(again.pk).why_closed == "restored"
        assert verify_database().intact


def die(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


def test_nothing_is_approved_at_the_moment_of_acceptance(
    host: Host, operator: User, approver: User, root: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody decides while it is under way: that is taken back too."""
    change = requested(host, operator)
    with after_the_backup():
        planned(host, operator, items=["rubbish-1"])
    real = accept._freeze

    def decide_meanwhile(*told: object, **by: object) -> list[str]:
        decided(find_change(change.pk), approver)
        return real(*told, **by)  # type: ignore[arg-type]

    monkeypatch.setattr(accept, "_freeze", decide_meanwhile)
    assert accepted(root).withdrawn == 1
    assert find_change(change.pk).status == "awaiting_approval"


@pytest.mark.req("X19")
def test_a_host_that_is_entered_anew_begins_above_the_tokens_that_the_records_name(
    host: Host, operator: User, approver: User
) -> None:
    apply_change(approved(host, operator, approver), by=WORKER)
    HostLease.objects.update(token=41)
    apply_change(approved_again(host, operator, approver), by=WORKER)
    HostLease.objects.all().delete()
    assert lock.next_token(host) == 43


def test_nor_does_it_begin_below_what_was_put_away(forgotten: Change, host: Host, root: User) -> None:
    restored.watch()
    assert accepted(root).put_away
    HostLease.objects.all().delete()
    assert lock.next_token(host) == 2


def test_what_an_outsider_names_is_no_token(host: Host) -> None:
    a_record(kind="hygiene.evidence", payload={"fencing_token": 2**40}, host=host.name)
    assert lock.next_token(host) == 1


def approved_again(host: Host, operator: User, approver: User) -> Change:
    toy.sign(host, "rubbish-9", text="rubbish 9\n")
    return approved(host, operator, approver)
