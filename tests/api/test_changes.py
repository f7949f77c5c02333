"""`/v1/changes`: what there is, as the command shows it, and only of what the caller may see."""

from collections.abc import Iterator
from uuid import uuid4

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from launchplane.access.actions import Action
from launchplane.access.models import User
from launchplane.changes.models import Change
from launchplane.hosts.models import Host
from tests.access.making import a_token, bearer
from tests.api.reading import problem, read
from tests.changes import toy
from tests.changes.ways import approved, planned, requested
from tests.factories import a_host, a_person, allow
from tests.shell import manage

pytestmark = pytest.mark.django_db


@pytest.fixture
def made(folder: Host, person: User) -> Change:
    return planned(folder, person)


def test_one_change_is_what_the_command_shows(session: Client, made: Change) -> None:
    assert read(session, f"/v1/changes/{made.pk}") == manage("changes", "show", str(made.pk), "--json").json


def test_a_change_that_somebody_decided_is_told_as_a_whole(session: Client, folder: Host, person: User) -> None:
    change = approved(folder, person, a_person("approver", group="Approvers"))

    shown = read(session, f"/v1/changes/{change.pk}")

    assert (shown["status"], shown["approvals"][0]["approver"]) == ("approved", "approver")
    assert shown == manage("changes", "show", str(change.pk), "--json").json


def test_the_list_is_what_the_command_lists(session: Client, folder: Host, person: User) -> None:
    requested(folder, person)
    planned(folder, person)

    found = read(session, "/v1/changes")

    assert found["changes"] == manage("changes", "list", "--json").json
    assert [change["status"] for change in found["changes"]] == ["planned", "awaiting_approval"]


@pytest.mark.parametrize("limit", [1, 2, 5, 6])
def test_the_pages_have_each_change_once_the_newest_first(
    session: Client, folder: Host, person: User, limit: int
) -> None:
    made = [str(planned(folder, person).pk) for _ in range(5)]
    same = Change.objects.latest("planned_at").planned_at
    Change.objects.filter(pk__in=made[:3]).update(planned_at=same)

    found = [change for page in pages(session, limit) for change in page]

    assert sorted(found) == sorted(made)
    assert found[-1] == made[3]


def pages(client: Client, limit: int) -> Iterator[list[str]]:
    before: str | None = ""
    while before is not None:
        answer = read(client, "/v1/changes", before=before, limit=limit)
        yield [change["id"] for change in answer["changes"]]
        before = answer["next_before"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"status": "planned"}, 1),
        ({"status": "completed"}, 0),
        ({"kind": toy.ONCE}, 1),
        ({"kind": "no.such"}, 0),
        ({"host": "folder"}, 1),
        ({"host": "none"}, 0),
        ({"subject": "website"}, 0),
    ],
)
def test_a_filter_leaves_what_fits_it(session: Client, made: Change, query: dict[str, str], found: int) -> None:
    assert len(read(session, "/v1/changes", **query)["changes"]) == found


@pytest.mark.parametrize("name", ["host", "kind", "status", "subject", "before"])
@pytest.mark.parametrize("value", ["../x", "a\0b", "\u202e", "x" * 300, "A B"])
def test_a_filter_that_can_fit_nothing_is_not_valid(session: Client, name: str, value: str) -> None:
    assert problem(session.get("/v1/changes", {name: value})) == (422, "invalid")


def test_a_list_does_not_go_on_from_a_change_that_is_not_there(session: Client, made: Change) -> None:
    assert problem(session.get("/v1/changes", {"before": str(uuid4())})) == (422, "invalid")


def test_the_list_makes_the_same_number_of_queries_for_any_number_of_changes(
    session: Client, folder: Host, person: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(20):
        planned(folder, person)

    with django_assert_max_num_queries(6):
        read(session, "/v1/changes")


@pytest.mark.parametrize("id", ["none", "1", "%00", "..%2f", "A" * 36, "00000000-0000-0000-0000-000000000000"])
def test_a_change_that_is_not_there_is_404(session: Client, made: Change, id: str) -> None:
    assert problem(session.get(f"/v1/changes/{id}"))[0] == 404


def test_a_change_of_a_host_that_one_may_not_see_is_like_one_that_is_not_there(client: Client, made: Change) -> None:
    guest = a_person("guest", group="")
    allow(guest, "hosts.view_host", a_host("elsewhere"))
    client.force_login(guest)

    unseen, missing = client.get(f"/v1/changes/{made.pk}"), client.get(f"/v1/changes/{uuid4()}")

    assert problem(unseen) == problem(missing) == (404, "no_such_change")
    assert unseen.content == missing.content
    assert read(client, "/v1/changes") == {"changes": [], "next_before": None}
    assert problem(client.get("/v1/changes", {"before": str(made.pk)})) == (422, "invalid")


def test_a_token_reads_the_changes_of_its_hosts(client: Client, person: User, made: Change) -> None:
    there, elsewhere = (bearer(a_token(person, [Action.CHANGE_READ], [host])) for host in (made.host, a_host("other")))

    assert client.get(f"/v1/changes/{made.pk}", headers=there).status_code == 200
    assert problem(client.get(f"/v1/changes/{made.pk}", headers=elsewhere)) == (404, "no_such_change")


def test_a_token_without_the_action_reads_none(client: Client, person: User, made: Change) -> None:
    headers = bearer(a_token(person, [Action.HOST_READ]))

    assert problem(client.get("/v1/changes", headers=headers)) == (403, "not_granted")
    assert problem(client.get(f"/v1/changes/{made.pk}", headers=headers)) == (403, "not_granted")
