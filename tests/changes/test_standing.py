"""Standing approvals: two people, bounds, caps, and what ends or suspends them."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import IntegrityError, transaction
from django.utils import timezone
from pytest_django import Settings

from audits.errors import AuditRefused
from audits.models import AuditRecord
from launchplane.access.models import User
from launchplane.access.people import WORKER, Principal
from launchplane.changes import kinds, standing, standing_use
from launchplane.changes.apply import apply_change
from launchplane.changes.models import Change, StandingApproval, Step
from launchplane.changes.recover import recover
from launchplane.changes.routine import run_routine
from launchplane.hosts.models import Host
from launchplane.hosts.signals import host_edited
from launchplane.problems import Problem, Refused, Waits
from launchplane.schedule.models import Schedule
from launchplane.schedule.tick import adopt, run_job
from tests.changes import toy
from tests.changes.test_apply import at
from tests.changes.test_recovery import crashed
from tests.changes.ways import PLENTY, approved, decided, granted, names, outcomes, person, standing_request, told
from tests.factories import a_person
from tests.refusing import refusing_audit


def refusal(act: Callable[[], object]) -> str:
    with pytest.raises(Problem) as caught:
        act()
    return caught.value.code


@pytest.fixture
def live(host: Host, operator: User, approver: User) -> StandingApproval:
    return granted(standing_request(host, operator), approver)


def routine(host: Host) -> str:
    kind = kinds.kind_named(toy.ROUTINE)
    assert kind is not None
    return run_routine(kind, host)


def bound(host: Host, **changed: Any) -> None:
    """Somebody edits what the routine keeps within."""
    toy.sign(host, "keep.json", text=json.dumps({"protected": ["warm"], "budget_bytes": 100} | changed))
    host_edited.send(sender=Host, host=host)


@pytest.mark.req("H59")
def test_a_routine_runs_under_a_standing_approval(host: Host, live: StandingApproval) -> None:
    assert "3 items are queued" in routine(host)
    change = apply_change(Change.objects.get(), by=WORKER)
    assert (change.status, outcomes(change), names(host)) == ("completed", ["done"] * 3, [])
    assert told(change) == [(toy.ROUTINE, "planned"), (toy.ROUTINE, "planned"), (toy.ROUTINE, "completed")]


def test_without_one_no_routine_runs(host: Host) -> None:
    assert refusal(lambda: routine(host)) == "no_standing_approval"
    assert Change.objects.count() == 0


def test_asked_for_and_not_granted_is_not_enough(host: Host, operator: User) -> None:
    standing_request(host, operator)
    assert refusal(lambda: routine(host)) == "no_standing_approval"


@pytest.mark.req("X2")
def test_nobody_grants_an_own_request(host: Host, operator: User) -> None:
    operator.groups.add(Group.objects.get(name="Approvers"))
    row = standing_request(host, operator)
    assert refusal(lambda: granted(row, operator)) == "self_approval"
    assert AuditRecord.objects.filter(kind="standing.denied", status="failed").count() == 1
    with pytest.raises(IntegrityError), transaction.atomic():
        StandingApproval.objects.update(granted_by=operator, granted_at=timezone.now())


def test_a_grant_needs_right_password_reason_and_digest(host: Host, operator: User, approver: User) -> None:
    row = standing_request(host, operator)
    assert refusal(lambda: granted(row, a_person("auditor", group="Auditors"))) == "not_permitted"
    assert refusal(lambda: granted(row, approver, password_at=None)) == "password_needed"
    assert refusal(lambda: granted(row, approver, reason=" ")) == "reason_missing"
    assert refusal(lambda: granted(row, approver, digest="0" * 64)) == "wrong_digest"
    assert granted(row, approver).granted_by_name == "approver"
    assert refusal(lambda: granted(row, approver)) == "not_awaiting"


@pytest.mark.req("H59")
def test_a_change_under_it_can_be_asked_for_by_people_too(host: Host, operator: User, approver: User) -> None:
    from launchplane.changes.planning import plan_change
    from launchplane.changes.requests import find_change, request_change

    change = plan_change(toy.ROUTINE, host, by=person(operator))
    request_change(change, by=person(operator), reason="once, now")
    decided(change, approver)
    assert apply_change(find_change(change.pk), by=WORKER).status == "completed"


def test_only_routine_kinds_have_one(host: Host, operator: User) -> None:
    with pytest.raises(Problem, match="no routine"):
        standing.request_standing(
            toy.ONCE,
            host,
            by=person(operator),
            reason="x",
            caps=PLENTY,
            expires_at=timezone.now() + timedelta(days=1),
        )


def test_a_newer_one_replaces_an_older(live: StandingApproval, host: Host, operator: User, approver: User) -> None:
    newer = granted(standing_request(host, operator), approver)
    live.refresh_from_db()
    assert (live.ended, standing.in_force(toy.ROUTINE, host)) == ("replaced", newer)


def test_an_expired_one_lets_nothing_run(host: Host, live: StandingApproval) -> None:
    StandingApproval.objects.update(expires_at=timezone.now())
    assert refusal(lambda: routine(host)) == "no_standing_approval"


def test_it_can_be_revoked_while_a_run_is_queued(host: Host, live: StandingApproval, operator: User) -> None:
    routine(host)
    standing.revoke(live, by=person(operator), reason="holiday")
    change = apply_change(Change.objects.get(), by=WORKER)
    assert (change.status, change.why_closed, toy.effects(host)) == ("closed", "cancelled", [])


@pytest.mark.parametrize(
    ("looser", "sentence"),
    [({"protected": []}, "warm is not protected any more."), ({"budget_bytes": -1}, "The budget was lowered.")],
)
def test_loosening_a_bound_voids_it(host: Host, live: StandingApproval, looser: dict[str, Any], sentence: str) -> None:
    bound(host, **looser)
    live.refresh_from_db()
    assert (live.ended, sentence in live.sentence) == ("voided", True)
    assert refusal(lambda: routine(host)) == "no_standing_approval"


def test_what_was_loosened_and_put_back_stays_void(host: Host, live: StandingApproval) -> None:
    bound(host, protected=[])
    bound(host)
    live.refresh_from_db()
    assert live.ended == "voided"


def test_tightening_a_bound_does_not_void_it(host: Host, live: StandingApproval) -> None:
    bound(host, protected=["warm", "rubbish-1"], budget_bytes=500)
    live.refresh_from_db()
    assert live.ended == ""
    assert "queued" in routine(host)


def test_a_bound_that_was_loosened_behind_its_back_is_seen_by_the_run(host: Host, live: StandingApproval) -> None:
    toy.sign(host, "keep.json", text=json.dumps({"protected": [], "budget_bytes": 0}))
    assert refusal(lambda: routine(host)) == "bounds_loosened"


@pytest.mark.parametrize(
    ("cap", "value"), [("items_per_run", 2), ("items_per_day", 2), ("bytes_per_run", 29), ("bytes_per_day", 29)]
)
def test_a_run_over_a_cap_does_not_begin(host: Host, live: StandingApproval, cap: str, value: int) -> None:
    StandingApproval.objects.update(**{cap: value})
    assert refusal(lambda: routine(host)) == "over_the_cap"
    assert Change.objects.count() == 0


def test_the_caps_of_a_day_count_all_runs(host: Host, live: StandingApproval) -> None:
    StandingApproval.objects.update(items_per_day=4, bytes_per_day=10**6)
    routine(host)
    apply_change(Change.objects.get(), by=WORKER)
    assert standing_use.used_lately(live) == (3, 30)
    toy.sign(host, "more-1", text="x")
    toy.sign(host, "more-2", text="x")
    assert refusal(lambda: routine(host)) == "over_the_cap"
    Change.objects.update(started_at=timezone.now() - timedelta(hours=25))
    assert "2 items are queued" in routine(host)


def test_a_cap_is_looked_at_again_when_applying(host: Host, live: StandingApproval) -> None:
    routine(host)
    StandingApproval.objects.update(items_per_run=1)
    change = apply_change(Change.objects.get(), by=WORKER)
    assert (change.status, toy.effects(host)) == ("closed", [])


def test_a_failed_protection_check_suspends_it(host: Host, live: StandingApproval, approver: User) -> None:
    routine(host)
    at("after_effect", lambda *_: toy.sign(host, "warm", there=False), step=3)
    assert apply_change(Change.objects.get(), by=WORKER).status == "failed"
    live.refresh_from_db()
    assert live.suspended_at is not None
    toy.hook[0] = toy.nothing
    assert refusal(lambda: routine(host)) == "no_standing_approval"
    standing.resume(live, by=person(approver), reason="seeded again", password_at=timezone.now())
    assert standing.in_force(toy.ROUTINE, host) == live


def test_a_change_in_doubt_suspends_it(host: Host, live: StandingApproval, operator: User) -> None:
    routine(host)
    crashed(Change.objects.get(), "after_effect", step=1)
    recover()
    live.refresh_from_db()
    assert live.suspended_at is not None
    assert refusal(lambda: standing.resume(live, by=person(operator), reason="fine", password_at=timezone.now())) == (
        "not_permitted"
    )


def test_nothing_to_do_leaves_a_sentence_and_no_change(host: Host, live: StandingApproval) -> None:
    toy.remove_all(host)
    adopt(host)
    before = AuditRecord.objects.count()
    schedule = Schedule.objects.get(host=host, job=toy.ROUTINE)
    run_job(schedule.pk)
    schedule.refresh_from_db()
    assert (schedule.last_ok, schedule.last_sentence) == (True, "Nothing to do.")
    assert (Change.objects.count(), AuditRecord.objects.count()) == (0, before)


def test_a_closed_gate_is_on_record_and_makes_no_change(host: Host, live: StandingApproval) -> None:
    toy.sign(host, "closed")
    assert routine(host) == "Skipped. toy: closed is there."
    assert Change.objects.count() == 0
    assert AuditRecord.objects.latest("seq").status == "skipped"


def test_mutating_schedules_start_disabled(host: Host) -> None:
    adopt(host)
    assert Schedule.objects.get(host=host, job=toy.ROUTINE).enabled is False


def test_a_schedule_that_fires_twice_makes_one_change(host: Host, live: StandingApproval) -> None:
    routine(host)
    assert routine(host).startswith("Not run: change ")
    assert Change.objects.count() == 1


def test_the_database_keeps_a_routine_to_one_change_at_a_time(host: Host, live: StandingApproval) -> None:
    routine(host)
    change = Change.objects.get()
    change.pk = "00000000-0000-0000-0000-000000000000"
    with pytest.raises(IntegrityError), transaction.atomic():
        change.save(force_insert=True)


def test_a_frozen_host_has_no_routine(host: Host, live: StandingApproval, operator: User) -> None:
    from launchplane.changes import freeze

    freeze.freeze(host, by=person(operator), reason="incident")
    assert routine(host) == "Not run: operator froze chris-testing: incident"


def test_the_end_of_a_run_is_told_on_its_schedule(host: Host, live: StandingApproval) -> None:
    adopt(host)
    routine(host)
    apply_change(Change.objects.get(), by=WORKER)
    assert Schedule.objects.get(host=host, job=toy.ROUTINE).last_sentence == "3 done, freed 30 B."


def test_a_blocked_plan_is_told(host: Host, live: StandingApproval) -> None:
    toy.sign(host, "unreadable")
    with pytest.raises(Waits, match="Blocked"):
        routine(host)


def test_a_run_waits_for_a_change_of_the_host(
    host: Host, live: StandingApproval, operator: User, approver: User
) -> None:
    crashed(approved(host, operator, approver), "before_act", step=1)
    assert routine(host).startswith("Not run: change ")


def test_in_solo_mode_a_grant_says_that_it_is_one_s_own(host: Host, operator: User, settings: Settings) -> None:
    settings.SOLO_OPERATOR = True
    operator.groups.add(Group.objects.get(name="Approvers"))
    row = granted(standing_request(host, User.objects.get(pk=operator.pk)), User.objects.get(pk=operator.pk))
    assert row.self_approved is True
    routine(host)
    change = apply_change(Change.objects.get(), by=WORKER)
    records = AuditRecord.objects.filter(key=str(change.pk))
    assert all('"self_approved":true' in record.payload for record in records)


def denied() -> list[tuple[str, str]]:
    """What was wanted and why it was refused, of each refusal about a standing approval."""
    rows = AuditRecord.objects.filter(kind="standing.denied", status="failed").order_by("seq")
    payloads = [json.loads(row.payload) for row in rows]
    return [(payload["wanted"], payload["code"]) for payload in payloads]


def test_asking_without_the_right_is_refused_and_on_record(host: Host, approver: User) -> None:
    with pytest.raises(Refused, match="may not ask"):
        standing_request(host, approver)
    assert denied() == [("request", "not_permitted")]


def test_ending_without_the_right_or_a_reason_is_refused_and_on_record(
    host: Host, live: StandingApproval, operator: User
) -> None:
    auditor = person(a_person("auditor", group="Auditors"))
    assert refusal(lambda: standing.revoke(live, by=auditor, reason="x")) == "not_permitted"
    assert refusal(lambda: standing.revoke(live, by=person(operator), reason=" ")) == "reason_missing"
    assert refusal(lambda: standing.revoke(live, by=WORKER, reason="x")) == "not_permitted"
    assert denied() == [("revoke", "not_permitted"), ("revoke", "reason_missing"), ("revoke", "not_permitted")]
    live.refresh_from_db()
    assert live.ended == ""


@pytest.mark.req("X2")
def test_a_grant_has_one_door_and_it_is_the_browser(host: Host, operator: User, approver: User) -> None:
    row = standing_request(host, operator)
    token = Principal("token:1", approver.username, "api", user=approver, responsible=(approver,))
    now = timezone.now()
    assert (
        refusal(lambda: standing.grant(row, by=token, digest=row.bounds_digest, reason="x", password_at=now))
        == "not_permitted"
    )
    assert denied() == [("grant", "not_permitted")]


def test_a_grant_of_somebody_who_lost_the_right_lets_nothing_run(
    host: Host, live: StandingApproval, approver: User
) -> None:
    routine(host)
    approver.groups.clear()
    change = apply_change(Change.objects.get(), by=WORKER)
    assert (change.why_closed, "does not hold any more" in change.sentence) == ("cancelled", True)
    assert refusal(lambda: routine(host)) == "not_permitted"
    assert toy.effects(host) == []


@pytest.mark.req("X2")
def test_without_solo_mode_one_s_own_grant_lets_nothing_run(host: Host, operator: User, settings: Settings) -> None:
    settings.SOLO_OPERATOR = True
    operator.groups.add(Group.objects.get(name="Approvers"))
    granted(standing_request(host, User.objects.get(pk=operator.pk)), User.objects.get(pk=operator.pk))
    routine(host)
    settings.SOLO_OPERATOR = False
    assert apply_change(Change.objects.get(), by=WORKER).why_closed == "cancelled"
    assert refusal(lambda: routine(host)) == "self_approval"
    assert toy.effects(host) == []


def test_what_a_run_took_is_by_whichever_figure_is_larger(host: Host, live: StandingApproval) -> None:
    routine(host)
    apply_change(Change.objects.get(), by=WORKER)
    for actual, freed, taken in ((-10, 10, 30), (5, 0, 5), (None, None, 30), (100, 10, 100)):
        Change.objects.update(actual_bytes=actual)
        Step.objects.update(freed_bytes=freed)
        assert standing_use.used_lately(live) == (3, taken)


def test_a_run_that_frees_more_than_its_cap_stops_there(
    host: Host, live: StandingApproval, monkeypatch: pytest.MonkeyPatch
) -> None:
    act = toy.ToyRun.act
    monkeypatch.setattr(toy.ToyRun, "act", lambda run, step: act(run, step).model_copy(update={"freed_bytes": 10**7}))
    routine(host)
    change = apply_change(Change.objects.get(), by=WORKER)
    assert (change.status, outcomes(change)) == ("completed", ["done", "skipped", "skipped"])
    assert "the standing approval allows" in Step.objects.get(change=change, position=2).detail


@pytest.mark.req("X2")
def test_in_solo_mode_who_asked_may_resume_and_the_record_says_so(
    host: Host, operator: User, approver: User, settings: Settings
) -> None:
    settings.SOLO_OPERATOR = True
    approver.groups.add(Group.objects.get(name="Operators"))
    live = granted(standing_request(host, approver), a_person("second", group="Approvers"))
    assert not live.self_approved
    standing.suspend(host, live.kind, "a check failed")
    live.refresh_from_db()
    standing.resume(live, by=person(approver), reason="fine", password_at=timezone.now())
    assert json.loads(AuditRecord.objects.get(kind="standing.resumed").payload)["self_approved"] is True


def test_a_suspension_that_cannot_be_recorded_is_none(live: StandingApproval, host: Host) -> None:
    with refusing_audit(), pytest.raises(AuditRefused):
        standing.suspend(host, live.kind, "a check failed")
    live.refresh_from_db()
    assert (live.suspended_at, live.sentence) == (None, "Granted by approver.")
