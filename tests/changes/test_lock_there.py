"""The lock on the host itself, for a whole change: other control planes, cut lines, hosts out of reach."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from launchplane.access.models import User
from launchplane.access.people import WORKER
from launchplane.changes import lock
from launchplane.changes.apply import apply_change
from launchplane.changes.recover import recover, resolve
from launchplane.changes.requests import find_change
from launchplane.hosts import carriers
from launchplane.hosts.carriers import Here
from launchplane.hosts.models import Host
from launchplane.hosts.programs import Programs
from tests.changes import toy
from tests.changes.test_apply import at
from tests.changes.test_recovery import crashed
from tests.changes.ways import approved, outcomes, person
from tests.hosts.remote.standin import HOST, StandIn


@pytest.fixture
def there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StandIn:
    """The host's own programs, which this machine has."""
    folder = tmp_path / "programs"
    folder.mkdir()
    there = StandIn(folder)
    monkeypatch.setattr(carriers, "DISPATCH_PATH", there.program)
    return there


@pytest.fixture
def another_control_plane(there: StandIn) -> Iterator[None]:
    """It holds the host."""
    with Programs(HOST, Here(there.program)).session():
        yield


def broken(there: StandIn) -> None:
    there.program.write_text("#!/bin/sh\nexit 1\n")


@pytest.mark.req("H28")
def test_a_host_with_programs_is_held_there_for_the_whole_of_a_change(
    host: Host, operator: User, approver: User, there: StandIn
) -> None:
    seen = []
    at("before_act", lambda *_: seen.append(there.programs.is_held()), step=2)
    at("at_end", lambda *_: seen.append(there.programs.is_held()))
    change = apply_change(approved(host, operator, approver), by=WORKER)
    assert change.status == "completed"
    assert seen == [True]
    assert not there.programs.is_held()


@pytest.mark.req("H28")
@pytest.mark.usefixtures("another_control_plane")
def test_a_change_waits_while_another_control_plane_changes_the_host(
    host: Host, operator: User, approver: User
) -> None:
    change = apply_change(approved(host, operator, approver), by=WORKER)
    assert (change.status, change.fencing_token) == ("approved", None)
    assert "is being changed by another control plane" in change.sentence
    assert toy.effects(host) == []


def test_a_change_waits_for_a_host_that_cannot_be_held(
    host: Host, operator: User, approver: User, there: StandIn
) -> None:
    broken(there)
    change = apply_change(approved(host, operator, approver), by=WORKER)
    assert (change.status, toy.effects(host)) == ("approved", [])
    assert "printed no answer" in change.sentence
    with pytest.raises(lock.OutOfReach), lock.held(host):
        pass


@pytest.mark.req("X17")
def test_after_a_cut_line_nothing_more_is_begun_and_nothing_is_repeated(
    host: Host, operator: User, approver: User, there: StandIn
) -> None:
    def cut(*_: object) -> None:
        there.cut()
        while there.programs.is_held():
            pass

    at("after_effect", cut, step=1)
    change = apply_change(approved(host, operator, approver), by=WORKER)
    assert outcomes(change) == ["done", "skipped", "skipped"]
    assert toy.effects(host) == ["rubbish-1"]
    assert "was cut" in str(change.steps.get(position=2).detail)


@pytest.mark.req("X17")
def test_recovery_takes_the_lock_there_before_it_looks(
    host: Host, operator: User, approver: User, there: StandIn
) -> None:
    change = crashed(approved(host, operator, approver), "after_effect", step=2)
    with Programs(HOST, Here(there.program)).session():
        assert recover() == 0
        assert (find_change(change.pk).status, outcomes(change)) == ("in_doubt", ["done", "", ""])
    assert recover() == 1
    assert outcomes(change) == ["done", "done", "skipped"]


def test_recovery_waits_for_a_host_that_is_out_of_reach_and_the_change_is_in_doubt_meanwhile(
    host: Host, operator: User, approver: User, there: StandIn
) -> None:
    change = crashed(approved(host, operator, approver), "after_effect", step=2)
    broken(there)
    assert recover() == 0
    assert find_change(change.pk).status == "in_doubt"


def test_a_person_can_resolve_a_change_of_a_host_that_never_comes_back(
    host: Host, operator: User, approver: User, there: StandIn
) -> None:
    change = crashed(approved(host, operator, approver), "after_effect", step=2)
    broken(there)
    recover()
    ended = resolve(find_change(change.pk), by=person(approver), reason="the machine burnt down")
    assert ended.status == "failed"
