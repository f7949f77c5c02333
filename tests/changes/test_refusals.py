"""Refusals are on record, but nobody fills the audit with them."""

import json
from datetime import timedelta

import pytest

from audits.models import AuditRecord
from launchplane.access.models import Tries, User
from launchplane.access.tries import REFUSALS_ON_RECORD
from launchplane.changes import freeze
from launchplane.changes.models import Change
from launchplane.hosts.grants import grant
from launchplane.hosts.models import Host
from launchplane.problems import Refused
from tests.changes.ways import decided, person, requested
from tests.factories import a_person

LIMIT = REFUSALS_ON_RECORD.count


def payloads(kind: str) -> list[dict[str, str]]:
    return [json.loads(row.payload) for row in AuditRecord.objects.filter(kind=kind).order_by("seq")]


def refused_approvals(change: Change, by: User, times: int) -> None:
    for _ in range(times):
        with pytest.raises(Refused):
            decided(change, by)


def test_so_many_refusals_an_hour_are_recorded_and_the_last_says_that_more_are_not(host: Host, operator: User) -> None:
    change = requested(host, operator)
    refused_approvals(change, operator, LIMIT + 3)
    said = payloads("change.denied")
    assert len(said) == LIMIT
    assert ["more" in payload for payload in said] == [False] * (LIMIT - 1) + [True]
    Tries.objects.update(since=Tries.objects.get().since - timedelta(hours=1))
    refused_approvals(change, operator, 1)
    assert len(payloads("change.denied")) == LIMIT + 1


def test_they_are_counted_for_each_person_and_each_thing(host: Host, operator: User) -> None:
    change = requested(host, operator)
    refused_approvals(change, operator, LIMIT)
    refused_approvals(change, a_person("second"), 1)
    with pytest.raises(Refused):
        freeze.lift(host, by=person(operator), reason=" ")
    assert (len(payloads("change.denied")), len(payloads("freeze.denied"))) == (LIMIT + 1, 1)


def test_rights_that_are_refused_count_together_whatever_right_was_asked_for(host: Host, operator: User) -> None:
    for number in range(LIMIT + 2):
        with pytest.raises(Refused):
            grant(f"hosts.right_{number}", to=operator, host=host, by=person(operator))
    assert len(payloads("access.denied")) == LIMIT
