"""Four eyes where a program asked: whoever answers for it approves nothing that it planned, whoever else wants it."""

import pytest
from django.contrib.auth.models import Group

from launchplane.access import tokens
from launchplane.access.acting import acting_as
from launchplane.access.actions import Action
from launchplane.access.models import User
from launchplane.access.oidc.trusted import caller_of_row
from launchplane.access.people import FIRST_START, Principal
from launchplane.api.app import api
from launchplane.changes.models import Change
from launchplane.changes.planning import plan_change
from launchplane.changes.requests import request_change
from launchplane.hosts.models import Host
from launchplane.problems import Refused
from tests.access.making import a_workflow, made_token
from tests.changes import toy
from tests.changes.ways import decided, person
from tests.factories import a_person

pytestmark = [pytest.mark.django_db, pytest.mark.req("H51")]


@pytest.fixture
def both(operator: User) -> User:
    """Somebody who may ask and approve, and so could do either."""
    user = a_person("both")
    with acting_as(FIRST_START):
        user.groups.add(Group.objects.get(name="Approvers"))
    return user


def asked_by_another(host: Host, by: Principal, operator: User) -> Change:
    return request_change(plan_change(toy.ONCE, host, by=by), by=person(operator), reason="it is full")


def refusal(change: Change, by: User) -> str:
    with pytest.raises(Refused) as caught:
        decided(change, by)
    return caught.value.code


def test_the_owner_of_a_token_does_not_approve_what_it_planned(host: Host, operator: User, both: User) -> None:
    caller = tokens.caller_with(made_token(both, name="script").text, address="")

    change = asked_by_another(host, caller.principal, operator)

    assert refusal(change, both) == "self_approval"


def test_nor_does_whoever_made_it_and_saw_it(host: Host, operator: User, approver: User, both: User) -> None:
    made = made_token(operator, by=person(both))

    change = asked_by_another(host, tokens.caller_with(made.text, address="").principal, operator)

    assert refusal(change, both) == "self_approval"
    assert decided(change, approver)


def test_nor_does_whoever_let_a_workflow_in_or_let_it_do_more(
    host: Host, operator: User, approver: User, both: User
) -> None:
    other = a_person("other", group="Approvers")
    row = a_workflow([Action.CHANGE_REQUEST], by=person(both))
    row.widened_by = other
    row.save()

    change = asked_by_another(host, caller_of_row(row).principal, operator)

    assert refusal(change, both) == refusal(change, other) == "self_approval"
    assert decided(change, approver)


def test_no_address_for_programs_approves_anything() -> None:
    assert not [path for path in api.get_openapi_schema()["paths"] if "approv" in path or "grant" in path]
