"""After a crash: in doubt, looked at, settled; nothing is lost and nothing is done twice."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from launchplane.access.models import User
from launchplane.access.people import WORKER
from launchplane.changes import lock
from launchplane.changes.apply import apply_change
from launchplane.changes.models import Change, HostLease
from launchplane.changes.recover import LEASE, recover, resolve
from launchplane.changes.requests import find_change
from launchplane.hosts.models import Host
from launchplane.problems import Refused
from tests.changes import toy
from tests.changes.test_apply import at, last_record
from tests.changes.ways import approved, decided, names, outcomes, person, requested
from tests.factories import a_person


class Crash(BaseException):
    """What no code of ours catches, like the end of the process."""


def crash(*_: object) -> None:
    raise Crash


def crashed(change: Change, window: str, *, step: int | None = None) -> Change:
    """Apply `change` until it dies there."""
    at(window, crash, step=step)
    with pytest.raises(Crash):
        apply_change(change, by=WORKER)
    toy.hook[0] = toy.nothing
    return find_change(change.pk)


@pytest.mark.req("X17")
@pytest.mark.parametrize(
    ("window", "step", "left", "settled"),
    [
        ("at_start", None, ["", "", ""], ["skipped", "skipped", "skipped"]),
        ("before_intent", None, ["", "", ""], ["skipped", "skipped", "skipped"]),
        ("before_act", 2, ["done", "", ""], ["done", "skipped", "skipped"]),
        ("after_effect", 2, ["done", "", ""], ["done", "done", "skipped"]),
        ("at_end", None, ["done", "done", "done"], ["done", "done", "done"]),
    ],
)
def test_what_a_dead_worker_left_is_settled_by_looking(
    host: Host, operator: User, approver: User, window: str, step: int | None, left: list[str], settled: list[str]
) -> None:
    change = crashed(approved(host, operator, approver), window, step=step)
    assert (change.status, outcomes(change)) == ("applying", left)
    before = toy.effects(host)
    assert recover() == 1
    change.refresh_from_db()
    assert outcomes(change) == settled
    assert change.status == ("completed" if window == "at_end" else "failed")
    assert toy.effects(host) == before
    assert last_record(change)["nothing_changed"] is (not before and window != "before_act")


def test_a_host_takes_other_changes_again_after_recovery(host: Host, operator: User, approver: User) -> None:
    crashed(approved(host, operator, approver), "before_act", step=2)
    other = approved(host, operator, approver)
    assert apply_change(other, by=WORKER).status == "approved"
    recover()
    assert apply_change(other, by=WORKER).status == "completed"


def test_a_worker_that_is_alive_is_left_alone(host: Host, operator: User, approver: User) -> None:
    change = approved(host, operator, approver)
    at("before_act", lambda *_: recover(), step=2)
    assert apply_change(change, by=WORKER).status == "completed"


@pytest.mark.req("X17")
def test_a_worker_that_was_silent_for_too_long_begins_nothing_more(host: Host, operator: User, approver: User) -> None:
    change = approved(host, operator, approver)

    def silence(*_: object) -> None:
        Change.objects.update(beat_at=timezone.now() - LEASE - timedelta(minutes=1))
        recover()
        assert find_change(change.pk).status == "in_doubt"

    at("after_effect", silence, step=2)
    change = apply_change(change, by=WORKER)
    assert (change.status, outcomes(change)) == ("in_doubt", ["done", "done", ""])
    recover()
    change.refresh_from_db()
    assert (change.status, outcomes(change)) == ("failed", ["done", "done", "skipped"])


def test_a_worker_that_lost_lock_and_claim_does_nothing_even_in_the_middle_of_an_item(
    host: Host, operator: User, approver: User
) -> None:
    change = approved(host, operator, approver)

    def taken_over(*_: object) -> None:
        lock.lock_path(host).unlink()
        recover()

    at("before_act", taken_over, step=2)
    change = apply_change(change, by=WORKER)
    assert (change.status, outcomes(change)) == ("failed", ["done", "skipped", "skipped"])
    assert toy.effects(host) == ["rubbish-1"]


def test_a_run_on_another_machine_is_only_marked(host: Host, operator: User, approver: User) -> None:
    change = crashed(approved(host, operator, approver), "before_act", step=2)
    Change.objects.update(machine="elsewhere")
    recover()
    assert find_change(change.pk).status == "applying"
    Change.objects.update(beat_at=timezone.now() - LEASE - timedelta(minutes=1))
    recover()
    assert find_change(change.pk).status == "in_doubt"


@pytest.fixture
def in_doubt(host: Host, operator: User, approver: User) -> Change:
    """A change with an item that cannot be seen."""
    change = crashed(approved(host, operator, approver), "after_effect", step=2)
    toy.sign(host, "unreadable")
    recover()
    change.refresh_from_db()
    assert (change.status, outcomes(change)) == ("in_doubt", ["done", "unknown", "skipped"])
    return change


def test_recovery_looks_again_later(in_doubt: Change, host: Host) -> None:
    toy.sign(host, "unreadable", there=False)
    assert recover() == 0
    Change.objects.update(next_try_at=timezone.now())
    assert recover() == 1
    assert outcomes(in_doubt) == ["done", "done", "skipped"]


def test_a_person_resolves_what_cannot_be_seen(in_doubt: Change, approver: User) -> None:
    change = resolve(in_doubt, by=person(approver), reason="looked on the host: it is gone")
    assert change.status == "failed"
    assert change.sentence.startswith("Resolved by approver: looked on the host: it is gone")
    assert outcomes(change) == ["done", "unknown", "skipped"]


def refusal(act: Callable[[], object]) -> str:
    with pytest.raises(Refused) as caught:
        act()
    return caught.value.code


def test_not_everybody_resolves(in_doubt: Change, operator: User, approver: User) -> None:
    assert refusal(lambda: resolve(in_doubt, by=person(operator), reason="x")) == "not_permitted"
    assert refusal(lambda: resolve(in_doubt, by=person(a_person("a", group="Auditors")), reason="x")) == "not_permitted"
    assert refusal(lambda: resolve(in_doubt, by=person(approver), reason=" ")) == "reason_missing"


def test_only_what_is_in_doubt_is_resolved(host: Host, operator: User, approver: User) -> None:
    change = requested(host, operator)
    assert refusal(lambda: resolve(change, by=person(approver), reason="x")) == "not_in_doubt"


def test_a_kind_that_is_gone_stays_in_doubt(host: Host, operator: User, approver: User) -> None:
    from launchplane.changes import kinds

    change = crashed(approved(host, operator, approver), "after_effect", step=1)
    kinds.unregister(toy.ONCE)
    recover()
    assert (find_change(change.pk).status, outcomes(change)[0]) == ("in_doubt", "unknown")


def test_recovery_takes_the_lock_before_it_looks(host: Host, operator: User, approver: User) -> None:
    change = crashed(approved(host, operator, approver), "after_effect", step=1)
    with lock.held(host):
        assert recover() == 0
    assert find_change(change.pk).status == "applying"
    assert recover() == 1
    assert (HostLease.objects.get(host=host).token, find_change(change.pk).fencing_token) == (2, 2)
    assert names(host) == ["rubbish-2", "rubbish-3"]


def test_an_approval_is_not_used_again_after_a_crash(host: Host, operator: User, approver: User) -> None:
    change = crashed(approved(host, operator, approver), "before_act", step=1)
    recover()
    with pytest.raises(Refused):
        apply_change(change, by=WORKER)
    with pytest.raises(Refused):
        decided(find_change(change.pk), approver)
