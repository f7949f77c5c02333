"""Every order of asking, deciding, freezing, applying, crashing and recovering that hypothesis can think of.

It never finds an effect without an approval that held, an effect twice, or an effect without a record. A worker may
end at any statement that it sends to the database, before or after that was carried out; another may begin, or
recovery may come, at any window of its run.
"""

import hashlib
import json
import re
import tempfile
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from itertools import count
from pathlib import Path

from django.contrib.auth.models import Group
from django.db import connection
from django.utils import timezone
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from audits.models import AuditRecord
from launchplane.access.acting import acting_as
from launchplane.access.models import User
from launchplane.access.people import FIRST_START, NOBODY, WORKER
from launchplane.access.rights import may
from launchplane.changes import freeze, lock
from launchplane.changes.apply import apply_change
from launchplane.changes.approvals import reject, revoke
from launchplane.changes.claim import claim
from launchplane.changes.contracts import PlannedStep
from launchplane.changes.digest import is_unaltered
from launchplane.changes.kinds import kind_named
from launchplane.changes.models import Approval, Change, Freeze, HostLease, StandingApproval
from launchplane.changes.recover import recover, resolve
from launchplane.changes.requests import cancel, expire_due, find_change
from launchplane.changes.routine import run_routine
from launchplane.changes.standing import end, in_force, review
from launchplane.changes.tick import queue_due
from launchplane.hosts.models import Host
from launchplane.problems import Problem
from tests.changes import toy
from tests.changes.test_recovery import Crash, crash
from tests.changes.ways import a_folder_host, decided, granted, person, requested, standing_request

WINDOWS = ("at_start", "before_intent", "before_act", "after_effect", "at_end")
WHICH = st.integers(0, 9)
SOME = st.lists(st.sampled_from([f"rubbish-{number}" for number in range(1, 5)]), min_size=1, unique=True)
numbers = count(1)
# how far the runs came: promises that are never put to the test are kept easily
reached: Counter[str] = Counter()
EVERYWHERE = {
    *("change.approved completed", "change.in_doubt failed", "change.revoked completed", "change.denied failed"),
    *(f"{toy.ONCE} completed", f"{toy.ONCE} failed", f"{toy.ROUTINE} planned", "freeze.on completed"),
}


class Changes(RuleBasedStateMachine):
    """One host, an operator, two approvers, and any number of changes of its files."""

    def __init__(self) -> None:
        super().__init__()
        toy.hook[0] = toy.nothing
        self.room = tempfile.TemporaryDirectory(prefix="lp-machine-")
        number = next(numbers)
        self.host = a_folder_host(Path(self.room.name) / "host", f"host-{number}", files=4)
        self.operator = _member(f"operator-{number}", "Operators")
        self.approvers = [_member(f"approver-{number}-{which}", "Approvers") for which in (1, 2)]
        self.changes: list[Change] = []
        # how often each file was there to be removed
        self.appeared = Counter(path.name for path in toy.rubbish(self.host))
        self.wrong: list[str] = []
        toy.witness[:] = [self.see]

    def see(self, host: Host, step: PlannedStep) -> None:
        """An effect, now: is somebody allowed to make it? What is wrong is kept: who acts catches what is raised."""
        change = Change.objects.filter(host=host, status="applying").select_related("standing").first()
        if change is None or change.started_at is None:
            self.wrong.append(f"{step.target} went while nothing was being applied")
            return
        self._see_authority(change, host)
        row = change.steps.get(position=step.position)
        if not is_unaltered(change.pk, change.plan, change.digest):
            self.wrong.append("what was planned is not what runs")
        if change.fencing_token != HostLease.objects.get(host=host).token:
            self.wrong.append("the claim had been taken")
        if row.target != step.target or row.intent_at is None or row.outcome:
            self.wrong.append("no open intent was stored for it")
        elif Freeze.objects.filter(lifted_at=None, at__lt=row.intent_at).exists():
            self.wrong.append("it was frozen before that item began")
        if not any(mode == "apply" for mode in self._planned_modes(change)):
            self.wrong.append("nothing on record said that it would begin")

    def _see_authority(self, change: Change, host: Host) -> None:
        """Who allowed it, as things stand when an effect happens."""
        if change.standing is not None:
            row = change.standing
            if row.granted_by is None or row.granted_by_id == row.requested_by_id or row.expires_at < timezone.now():
                self.wrong.append("no standing approval held")
            if row.ended_at is not None and row.ended_at < change.started_at:  # type: ignore[operator]
                self.wrong.append("the standing approval had ended")
            return
        used = Approval.objects.filter(change=change, digest=change.digest, consumed_at__isnull=False).first()
        if used is None or used.revoked_at is not None:
            self.wrong.append("no approval was used for it")
        elif change.started_at is None or used.expires_at < change.started_at:
            self.wrong.append("the approval had expired")
        elif not may(self._fresh(used.approver), "hosts.approve_change", host):
            self.wrong.append("the approver had lost the right")

    def teardown(self) -> None:
        told = AuditRecord.objects.filter(host=self.host.name).values_list("kind", "status")
        reached.update(f"{kind} {status}" for kind, status in told)
        reached["effects"] += len(toy.effects(self.host))
        toy.hook[0] = toy.nothing
        toy.witness.clear()
        Freeze.objects.filter(lifted_at=None).update(lifted_at=timezone.now())
        Change.objects.filter(host=self.host, status__in=("applying", "in_doubt")).update(status="failed")
        self.room.cleanup()

    # --- what people do ---

    @initialize()
    def begin(self) -> None:
        self.ask_and_approve(["rubbish-1", "rubbish-2"])

    @rule(items=SOME)
    def ask(self, items: list[str]) -> None:
        self._try(lambda: self.changes.append(requested(self.host, self.operator, items=items)))

    @rule(items=SOME)
    def ask_and_approve(self, items: list[str]) -> None:
        self.ask(items)
        self.approve(-1, 0)

    @rule(which=WHICH, who=st.sampled_from([0, 1]))
    def approve(self, which: int, who: int) -> None:
        self._try(lambda: decided(self._change(which, "awaiting_approval"), self._fresh(self.approvers[who])))

    @rule(which=WHICH)
    def approve_oneself(self, which: int) -> None:
        change = self._change(which, "awaiting_approval")
        before = Approval.objects.filter(change=change).count()
        self._try(lambda: decided(change, self._fresh(self.operator)))
        assert Approval.objects.filter(change=change).count() == before

    @rule(which=WHICH, how=st.sampled_from(["revoke", "reject", "cancel"]))
    def somebody_says_no(self, which: int, how: str) -> None:
        approver, operator = (person(self._fresh(user)) for user in (self.approvers[1], self.operator))
        match how:
            case "revoke":
                self._try(lambda: revoke(self._change(which, "approved"), by=approver, reason="doubts"))
            case "reject":
                self._try(lambda: reject(self._change(which, "awaiting_approval"), by=approver, reason="no"))
            case "cancel":
                self._try(lambda: cancel(self._change(which, "approved"), by=operator, reason="not needed"))

    @rule(which=WHICH)
    def resolve(self, which: int) -> None:
        approver = person(self._fresh(self.approvers[1]))
        self._try(lambda: resolve(self._change(which, "in_doubt"), by=approver, reason="looked"))

    @rule(who=st.sampled_from([0, 1]), there=st.booleans())
    def move_an_approver(self, who: int, there: bool) -> None:
        group = Group.objects.get(name="Approvers")
        with acting_as(FIRST_START):
            (self.approvers[who].groups.add if there else self.approvers[who].groups.remove)(group)
        self._apply(0)

    # --- what time and the world do ---

    @rule(which=WHICH, what=st.sampled_from(["deadline", "approval", "plan", "revocation", "digest"]))
    def something_stops_holding(self, which: int, what: str) -> None:
        """Time runs out for a change, its approval grows old, or somebody alters its plan in the database."""
        change = self._change(which, "approved", "awaiting_approval")
        row = Change.objects.filter(pk=change.pk)
        match what:
            case "deadline":
                row.filter(deadline__isnull=False).update(deadline=timezone.now())
                expire_due()
            case "approval":
                Approval.objects.filter(change=change).update(expires_at=timezone.now() - timedelta(hours=1))
            case "plan":
                row.update(plan=_aimed_at_others(change.plan))
            case "revocation":
                Approval.objects.filter(change=change, consumed_at=None).update(revoked_at=timezone.now())
            case "digest":
                Approval.objects.filter(change=change).update(digest="0" * 64)
        self._apply(which)

    @rule(which=WHICH)
    def somebody_says_in_the_database_that_it_is_approved(self, which: int) -> None:
        """As a torn restore or a hand in the database might: the status alone is no approval."""
        change = self._change(which, "awaiting_approval", "completed", "failed", "closed")
        rows = Change.objects.filter(pk=change.pk, deadline__isnull=False)
        rows.exclude(status__in=("applying", "in_doubt")).update(status="approved", why_closed="")
        self._apply(which)

    @rule(which=WHICH, how=st.sampled_from(["revoke", "cancel", "approve", "claim"]))
    def somebody_acts_on_what_they_saw_earlier(self, which: int, how: str) -> None:
        """Between look and deed a worker carries it out, up to a crash: what is done then is refused in words."""
        change = self._change(which, "awaiting_approval" if how == "approve" else "approved")
        self._at("before_act", 1, crash)
        self._apply(which)
        match how:
            case "revoke":
                self._try(lambda: revoke(change, by=person(self._fresh(self.approvers[1])), reason="doubts"))
            case "cancel":
                self._try(lambda: cancel(change, by=person(self._fresh(self.operator)), reason="not needed"))
            case "approve":
                self._try(lambda: decided(change, self._fresh(self.approvers[1])))
            case "claim":
                self._try(lambda: claim(change, by=WORKER))

    @rule(name=st.sampled_from(["closed", "closed-step", "unreadable", "freeze"]), everything=st.booleans())
    def something_comes_up(self, name: str, everything: bool) -> None:
        if name == "freeze":
            self._try(lambda: freeze.freeze(None if everything else self.host, by=NOBODY, reason="incident"))
        else:
            toy.sign(self.host, name)

    @rule()
    def all_is_quiet_again(self) -> None:
        for name in ("closed", "closed-step", "unreadable"):
            toy.sign(self.host, name, there=False)
        for host in (None, self.host):
            self._try(lambda host=host: freeze.lift(host, by=NOBODY, reason="over"))

    @rule()
    def files_come_back(self) -> None:
        for number in range(1, 5):
            path = toy.folder_of(self.host) / f"rubbish-{number}"
            if not path.exists():
                path.write_text(f"rubbish {number}\n")
                self.appeared[path.name] += 1

    # --- what workers do ---

    @rule(which=WHICH)
    def apply(self, which: int) -> None:
        self._apply(which)

    @rule(which=WHICH, window=st.sampled_from(WINDOWS), step=st.integers(1, 3), seen=st.booleans())
    def apply_and_crash(self, which: int, window: str, step: int, seen: bool) -> None:
        self._at(window, step, crash)
        self._apply(which)
        if seen:
            recover()

    @rule(which=WHICH, statement=st.integers(1, 80), done=st.booleans(), seen=st.booleans())
    def apply_and_die_at_a_statement(self, which: int, statement: int, done: bool, seen: bool) -> None:
        """The process ends at its so-many-th statement, before the database carried it out or after."""
        with connection.execute_wrapper(_death(statement, done=done)):
            self._apply(which)
        if seen:
            recover()

    @rule(statement=st.integers(1, 40), done=st.booleans())
    def recovery_that_dies_itself(self, statement: int, done: bool) -> None:
        Change.objects.filter(host=self.host, status="in_doubt").update(next_try_at=timezone.now())
        with suppress(Crash), connection.execute_wrapper(_death(statement, done=done)):
            recover()

    @rule(loosen=st.booleans(), ended=st.booleans())
    def a_routine(self, loosen: bool, ended: bool) -> None:
        """Its schedule plans and queues it; before a worker comes, its approval may end or its bounds be loosened."""
        kind = kind_named(toy.ROUTINE)
        assert kind is not None
        if in_force(toy.ROUTINE, self.host) is None:
            asked = standing_request(self.host, self._fresh(self.operator))
            self._try(lambda: granted(asked, self._fresh(self.approvers[1])))
        self._try(lambda: run_routine(kind, self.host))
        for change in Change.objects.filter(host=self.host, standing__isnull=False, status="approved"):
            self.changes += [change] if change.pk not in {known.pk for known in self.changes} else []
        if ended and (row := in_force(toy.ROUTINE, self.host)) is not None:
            end(row, StandingApproval.Ended.REVOKED, "no", by=WORKER)
        if loosen:
            toy.sign(self.host, "keep.json", text=json.dumps({"protected": [], "budget_bytes": 0}))
            review(self.host)
        for change in Change.objects.filter(host=self.host, standing__isnull=False, status="approved"):
            self._try(lambda change=change: apply_change(change, by=WORKER))
        toy.sign(self.host, "keep.json", there=False)

    @rule(which=WHICH, window=st.sampled_from(WINDOWS), step=st.integers(1, 3), other=WHICH)
    def two_workers(self, which: int, window: str, step: int, other: int) -> None:
        def second(*_: object) -> None:
            hook, toy.hook[0] = toy.hook[0], toy.nothing
            recover()
            self._apply(other)
            self._apply(which)
            toy.hook[0] = hook

        self._at(window, step, second)
        self._apply(which)

    @rule(which=WHICH, window=st.sampled_from(WINDOWS), step=st.integers(1, 3))
    def a_worker_that_loses_its_lock(self, which: int, window: str, step: int) -> None:
        def taken_over(*_: object) -> None:
            hook, toy.hook[0] = toy.hook[0], toy.nothing
            lock.lock_path(self.host).unlink(missing_ok=True)
            recover()
            toy.hook[0] = hook

        self._at(window, step, taken_over)
        self._apply(which)

    @rule(which=WHICH, window=st.sampled_from(WINDOWS), step=st.integers(1, 3))
    def a_freeze_in_the_middle(self, which: int, window: str, step: int) -> None:
        self._at(window, step, lambda *_: self.something_comes_up("freeze", False))
        self._apply(which)

    @rule()
    def recovery(self) -> None:
        Change.objects.filter(host=self.host, status="in_doubt").update(next_try_at=timezone.now())
        recover()

    @rule()
    def tick(self) -> None:
        Change.objects.filter(host=self.host, next_try_at__isnull=False).update(next_try_at=timezone.now())
        queue_due()

    # --- what must hold after each of them ---

    @invariant()
    def whoever_saw_an_effect_saw_nothing_wrong(self) -> None:
        assert self.wrong == []

    @invariant()
    def no_effect_comes_twice(self) -> None:
        """A file is removed at most as often as it appeared; each effect belongs to one step that was begun."""
        removed = Counter(toy.effects(self.host))
        assert all(removed[name] <= self.appeared[name] for name in removed)
        for name, times in removed.items():
            begun = self._steps_on(name)
            assert times <= len(begun)

    @invariant()
    def every_effect_has_an_approval_by_another_person(self) -> None:
        for change in Change.objects.filter(host=self.host, steps__intent_at__isnull=False).distinct():
            if change.standing is not None:
                assert change.standing.granted_by_id not in (None, self.operator.pk)
                continue
            used = Approval.objects.get(change=change, consumed_at__isnull=False)
            assert used.approver_id != self.operator.pk

    @invariant()
    def every_effect_has_a_record(self) -> None:
        """Before it one that says `planned`; after it one that says how it went, or it is still open."""
        for change in Change.objects.filter(host=self.host, steps__intent_at__isnull=False).distinct():
            assert "apply" in self._planned_modes(change)
            if change.status in ("completed", "failed"):
                told = AuditRecord.objects.filter(key=str(change.pk), kind=change.kind)
                assert told.filter(status__in=("completed", "failed")).exists()

    @invariant()
    def nothing_is_carried_out_twice(self) -> None:
        """One start and one end on record for each change that something was begun of."""
        for change in Change.objects.filter(host=self.host, steps__intent_at__isnull=False).distinct():
            told = AuditRecord.objects.filter(key=str(change.pk), kind=change.kind)
            assert told.filter(status__in=("completed", "failed")).count() <= 1
            assert Counter(self._planned_modes(change))["apply"] - told.filter(status="skipped").count() <= 1

    @invariant()
    def the_protected_file_is_there(self) -> None:
        assert (toy.folder_of(self.host) / "warm").exists()

    @invariant()
    def what_is_at_an_end_has_an_outcome_for_each_item(self) -> None:
        ended = Change.objects.filter(host=self.host, status__in=("completed", "failed"))
        assert not ended.filter(steps__outcome="").exists()

    # --- helpers ---

    def _planned_modes(self, change: Change) -> list[str]:
        records = AuditRecord.objects.filter(key=str(change.pk), kind=change.kind, status="planned")
        return [str(json.loads(record.payload).get("mode")) for record in records]

    def _apply(self, which: int) -> None:
        try:
            self._try(lambda: apply_change(self._change(which, "approved"), by=WORKER))
        except Crash:
            pass
        finally:
            toy.hook[0] = toy.nothing

    def _at(self, window: str, step: int, do: toy.Hook) -> None:
        """Have `do` happen once, the `step`-th time that a run comes to that window."""
        passed = count(1)

        def happen(now: str, planned_step: object) -> None:
            if now == window and (window in ("at_start", "at_end") or next(passed) == step):
                toy.hook[0] = toy.nothing
                do(now, None)

        toy.hook[0] = happen

    def _try(self, act: object) -> None:
        """What is refused is fine here, as long as it is refused in words."""
        try:
            act()  # type: ignore[operator]
        except Problem as problem:
            assert problem.sentence

    def _change(self, which: int, *fitting: str) -> Change:
        """One of the changes; one in a fitting status as long as there is one, for all but one in ten numbers."""
        among = [change.pk for change in self.changes]
        if which != 9:
            fit = Change.objects.filter(pk__in=among, status__in=fitting).order_by("planned_at")
            among = list(fit.values_list("pk", flat=True)) or among
        return find_change(among[which % len(among)])

    def _fresh(self, user: User) -> User:
        """Read again: a person's rights are kept on the object once they were asked for."""
        return User.objects.get(pk=user.pk)

    def _steps_on(self, name: str) -> list[int]:
        changes = Change.objects.filter(host=self.host)
        return list(changes.filter(steps__target=name, steps__intent_at__isnull=False).values_list("steps", flat=True))


def _death(statement: int, *, done: bool) -> Callable[..., object]:
    """Wraps statements: the one of that number is the last that this process sends."""
    passed = count(1)

    def run(execute: Callable[..., object], *call: object) -> object:
        number = next(passed)
        if number == statement and not done:
            raise Crash
        result = execute(*call)
        if number == statement:
            raise Crash
        return result

    return run


def _aimed_at_others(plan: str) -> str:
    """A plan that would act: each file's name and digest stand where another's stood."""
    names = [f"rubbish-{number}" for number in range(1, 5)]
    digests = [hashlib.sha256(f"rubbish {number}\n".encode()).hexdigest() for number in range(1, 5)]
    for words in (names, digests):
        swapped = dict(zip(words, reversed(words), strict=True))
        plan = re.sub("|".join(words), lambda match, swapped=swapped: swapped[match[0]], plan)  # type: ignore[misc]
    return plan


def _member(name: str, group: str) -> User:
    with acting_as(FIRST_START):
        user = User.objects.create(username=name)
        user.groups.add(Group.objects.get(name=group))
    return user


def test_no_order_of_events_breaks_the_promises(db: None) -> None:
    examples = 2 * settings().max_examples
    run_state_machine_as_test(
        Changes,
        settings=settings(
            max_examples=examples, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
    # the inner loop's few examples do not come everywhere
    assert examples < 100 or set(reached) >= EVERYWHERE, reached
    assert examples < 100 or reached["effects"] > 50
