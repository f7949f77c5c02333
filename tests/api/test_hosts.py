"""`/v1/hosts…`: for a logged-in session, and only what this person may see."""

from collections.abc import Iterator

import pytest
from django.test import Client
from guardian.shortcuts import assign_perm
from pytest_django import DjangoAssertNumQueries

from hygiene.models import Snapshot
from launchplane.hosts.models import Host
from tests.api.reading import problem, read
from tests.factories import a_host, a_person, a_volume, an_inventory, observed
from tests.shell import manage

pytestmark = pytest.mark.django_db

ADDRESSES = ["/v1/hosts", "/v1/hosts/ci-1", "/v1/hosts/ci-1/report", "/v1/hosts/ci-1/inventory"]
OF_A_HOST = ["", "/report", "/inventory"]


@pytest.mark.parametrize("address", ADDRESSES)
def test_without_a_session_nothing_is_told(client: Client, host: Host, address: str) -> None:
    assert problem(client.get(address)) == (401, "not_authenticated")


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_session_of_somebody_who_was_deactivated_tells_nothing(session: Client, host: Host, address: str) -> None:
    type(a_person("another")).objects.filter(username="operator").update(is_active=False)

    assert problem(session.get(address)) == (401, "not_authenticated")


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_it_only_allows_get(session: Client, host: Host, address: str, method: str) -> None:
    response = getattr(session, method)(address)

    assert problem(response) == (405, "method_not_allowed")
    assert response["Allow"] == "GET"


def test_one_host_has_these_fields(session: Client, host: Host) -> None:
    assert read(session, "/v1/hosts/ci-1") == {
        "name": "ci-1",
        "connection": "local",
        "engine_id": "ENGINE:ci-1",
        "docker_root": "",
        "approved": False,
        "sandbox": False,
    }


@pytest.mark.req("H65")
def test_the_list_has_every_host_by_name(session: Client, host: Host) -> None:
    a_host("b-2")

    found = read(session, "/v1/hosts")

    assert [entry["name"] for entry in found["hosts"]] == ["b-2", "ci-1"]
    assert found["next_after"] is None


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 8])
def test_the_pages_of_the_list_have_each_host_once(session: Client, limit: int) -> None:
    names = [f"h{number}" for number in range(7)]
    for name in reversed(names):
        a_host(name)

    assert list(pages(session, limit)) == [names[start : start + limit] for start in range(0, 7, limit)]


def pages(session: Client, limit: int) -> Iterator[list[str]]:
    after: str | None = ""
    while after is not None:
        page = read(session, "/v1/hosts", after=after, limit=limit)
        yield [entry["name"] for entry in page["hosts"]]
        after = page["next_after"]


def test_the_list_makes_the_same_number_of_queries_for_any_number_of_hosts(
    session: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(30):
        a_host(f"h{number}")

    with django_assert_max_num_queries(6):
        read(session, "/v1/hosts")


@pytest.mark.parametrize("what", ["report", "inventory"])
def test_the_api_says_what_the_command_says(session: Client, host: Host, what: str) -> None:
    stored = ["--stored"] if what == "report" else []

    assert read(session, f"/v1/hosts/ci-1/{what}") == manage("hygiene", what, "ci-1", "--json", *stored).json


def test_somebody_without_a_right_sees_no_host(client: Client, host: Host) -> None:
    client.force_login(a_person("guest", group=""))

    assert read(client, "/v1/hosts") == {"hosts": [], "next_after": None}


@pytest.mark.parametrize("part", OF_A_HOST)
def test_a_host_that_one_may_not_see_is_like_one_that_is_not_there(client: Client, host: Host, part: str) -> None:
    client.force_login(a_person("guest", group=""))

    unseen, missing = client.get(f"/v1/hosts/ci-1{part}"), client.get(f"/v1/hosts/ci-2{part}")

    assert problem(unseen) == problem(missing) == (404, "no_such_host")
    assert unseen.content == missing.content


@pytest.mark.parametrize("part", OF_A_HOST)
def test_a_right_for_one_host_shows_just_that_host(client: Client, host: Host, part: str) -> None:
    another = a_host("ci-2")
    observed(another, an_inventory())
    guest = a_person("guest", group="")
    assign_perm("hosts.view_host", guest, host)
    client.force_login(guest)

    assert [entry["name"] for entry in read(client, "/v1/hosts")["hosts"]] == ["ci-1"]
    read(client, f"/v1/hosts/ci-1{part}")
    assert problem(client.get(f"/v1/hosts/ci-2{part}")) == (404, "no_such_host")


@pytest.mark.parametrize("name", ["a%00b", "..%2f..", "A", "x" * 3000, "%ff", "%2e%2e"])
def test_what_can_be_no_name_is_no_host(session: Client, host: Host, name: str) -> None:
    assert problem(session.get(f"/v1/hosts/{name}"))[0] == 404


@pytest.mark.parametrize("part", ["/report", "/inventory"])
def test_a_host_that_was_never_observed_has_neither(session: Client, part: str) -> None:
    a_host("new")

    assert problem(session.get(f"/v1/hosts/new{part}")) == (404, "never_observed")


@pytest.mark.req("H47")
@pytest.mark.parametrize(("limit", "truncated"), [(1, True), (29, True), (30, False), (31, False)])
def test_an_inventory_that_is_cut_says_so_and_what_the_whole_counts(
    session: Client, limit: int, truncated: bool
) -> None:
    observed(a_host("long"), an_inventory(volumes=[a_volume(f"v{number:02}", size=number) for number in range(30)]))

    found = read(session, "/v1/hosts/long/inventory", limit=limit)

    assert (found["total"], found["truncated"], len(found["resources"])) == (30, truncated, min(limit, 30))
    assert [row["name"] for row in found["resources"]] == [f"v{number:02}" for number in range(29, -1, -1)][:limit]


@pytest.mark.parametrize(
    ("query", "field", "values"),
    [
        ({"kind": "volume"}, "kind", {"volume"}),
        ({"class": "in_use"}, "class", {"in_use"}),
        ({"text": "NIGHTLY"}, "name", {"odoo-docker:18-nightly"}),
        ({"kind": "image", "class": "protected"}, "kind", {"image"}),
    ],
    ids=lambda value: "+".join(value) if isinstance(value, dict) else "",
)
def test_an_inventory_can_be_narrowed(
    session: Client, host: Host, query: dict[str, str], field: str, values: set[str]
) -> None:
    found = read(session, "/v1/hosts/ci-1/inventory", **query)

    assert found["total"] == len(found["resources"]) > 0
    assert {row[field] for row in found["resources"]} == values


@pytest.mark.parametrize(
    ("address", "query"),
    [
        ("inventory", {"kind": "pod"}),
        ("inventory", {"class": "rubbish"}),
        ("inventory", {"limit": "0"}),
        ("inventory", {"limit": "10001"}),
        ("inventory", {"limit": "many"}),
        ("inventory", {"sort": "name;drop"}),
        ("inventory", {"text": "x" * 201}),
        ("", {"limit": "101"}),
        ("", {"after": "a\0"}),
        ("", {"after": "x" * 65}),
    ],
    ids=str,
)
def test_a_query_that_is_not_valid_is_named(session: Client, host: Host, address: str, query: dict[str, str]) -> None:
    response = session.get(f"/v1/hosts/ci-1/{address}" if address else "/v1/hosts", query)

    assert problem(response) == (422, "invalid")
    assert next(iter(query)) in response.json()["detail"]


def test_a_damaged_snapshot_is_an_error_without_a_word_of_what_went_wrong(session: Client, host: Host) -> None:
    session.raise_request_exception = False
    Snapshot.objects.get().document.__class__.objects.update(compressed=b"torn")

    response = session.get("/v1/hosts/ci-1/inventory")

    assert problem(response) == (500, "unexpected")
    assert response.json()["detail"] == "Something went wrong here. The log has the details."
