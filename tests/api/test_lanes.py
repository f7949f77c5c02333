"""`/v1/lanes…`: for a logged-in session, only what this person may see, and nothing that nobody saw."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from guardian.shortcuts import assign_perm
from pytest_django import DjangoAssertNumQueries

from lanes.models import Lane, LaneDocument
from lanes.stored import AT_MOST_OLD
from launchplane.hosts.models import Host
from tests.api.reading import problem, read
from tests.factories import a_person
from tests.lanes.looked import looked_at, seen_of
from tests.lanes.records import a_lane, a_lane_host
from tests.lanes.scenes import LANE, NO_SERVICE, STOPPED, a_baseline, a_listing, a_runner, a_service, seen, seen_nothing

pytestmark = pytest.mark.django_db

ADDRESSES = ["/v1/lanes", f"/v1/lanes/{LANE}", f"/v1/lanes/{LANE}/readiness"]
OF_A_LANE = ["", "/readiness"]
FIVE = ["lane_online", "service_active", "labels_correct", "baseline_ready", "control_path"]


@pytest.fixture
def lanes_host() -> Host:
    return a_lane_host()


@pytest.fixture
def lane(lanes_host: Host) -> Lane:
    return a_lane(lanes_host)


def ready(session: Client) -> dict[str, Any]:
    answer: dict[str, Any] = read(session, f"/v1/lanes/{LANE}/readiness")
    return answer


def states(answer: dict[str, Any]) -> dict[str, str]:
    return {proof["name"]: proof["state"] for proof in answer["proofs"]}


@pytest.mark.parametrize("address", ADDRESSES)
def test_without_a_session_nothing_is_told(client: Client, lane: Lane, address: str) -> None:
    assert problem(client.get(address)) == (401, "not_authenticated")


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_it_only_allows_get(session: Client, lane: Lane, address: str, method: str) -> None:
    response = getattr(session, method)(address)

    assert problem(response) == (405, "method_not_allowed")
    assert response["Allow"] == "GET"


@pytest.mark.parametrize("part", OF_A_LANE)
def test_a_lane_of_a_host_that_one_may_not_see_is_like_one_that_is_not_there(
    client: Client, lane: Lane, part: str
) -> None:
    looked_at(lane)
    client.force_login(a_person("guest", group=""))

    unseen, missing = client.get(f"/v1/lanes/{LANE}{part}"), client.get(f"/v1/lanes/none{part}")

    assert problem(unseen) == problem(missing) == (404, "no_such_lane")
    assert unseen.content == missing.content
    assert read(client, "/v1/lanes") == {"lanes": [], "next_after": None}


@pytest.mark.parametrize("part", OF_A_LANE)
def test_a_right_for_one_host_shows_just_its_lanes(client: Client, lane: Lane, part: str) -> None:
    a_lane(a_lane_host("elsewhere"), name="another")
    guest = a_person("guest", group="")
    assign_perm("hosts.view_host", guest, lane.host)
    client.force_login(guest)

    assert [entry["name"] for entry in read(client, "/v1/lanes")["lanes"]] == [LANE]
    read(client, f"/v1/lanes/{LANE}{part}")
    assert problem(client.get(f"/v1/lanes/another{part}")) == (404, "no_such_lane")


@pytest.mark.parametrize("name", ["a%00b", "..%2f..", "A", "x" * 3000, "%ff", "%2e%2e"])
def test_what_can_be_no_name_is_no_lane(session: Client, lane: Lane, name: str) -> None:
    assert problem(session.get(f"/v1/lanes/{name}"))[0] == 404


@pytest.mark.parametrize("query", [{"limit": "0"}, {"limit": "101"}, {"after": "a\0"}, {"after": "x" * 65}], ids=str)
def test_a_query_that_is_not_valid_is_named(session: Client, lane: Lane, query: dict[str, str]) -> None:
    response = session.get("/v1/lanes", query)

    assert problem(response) == (422, "invalid")
    assert next(iter(query)) in response.json()["detail"]


@pytest.mark.parametrize("limit", [1, 2, 6, 7])
def test_the_pages_of_the_list_have_each_lane_once(session: Client, lanes_host: Host, limit: int) -> None:
    names = [f"lane-{number}" for number in range(6)]
    for name in reversed(names):
        a_lane(lanes_host, name=name, service_user=f"user-{name}", agent_id=None)

    assert list(pages(session, limit)) == [names[start : start + limit] for start in range(0, 6, limit)]


def pages(session: Client, limit: int) -> Iterator[list[str]]:
    after: str | None = ""
    while after is not None:
        page = read(session, "/v1/lanes", after=after, limit=limit)
        yield [entry["name"] for entry in page["lanes"]]
        after = page["next_after"]


def test_the_list_makes_the_same_number_of_queries_for_any_number_of_lanes(
    session: Client, lanes_host: Host, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(1, 21):
        lane = a_lane(lanes_host, name=f"lane-{number}", service_user=f"user-{number}", agent_id=number)
        looked_at(lane, seen_of(lane))

    with django_assert_max_num_queries(7):
        assert len(read(session, "/v1/lanes")["lanes"]) == 20


def test_a_lane_in_the_list_has_these_fields(session: Client, lane: Lane) -> None:
    observed = looked_at(lane)

    (entry,) = read(session, "/v1/lanes")["lanes"]

    assert entry == {
        "name": LANE,
        "host": "chris-testing",
        "scope": lane.scope,
        "managed": True,
        "shape": "supervised_active",
        "condition": "none",
        "online": True,
        "busy": False,
        "seen_at": observed.seen_at.isoformat().replace("+00:00", "Z"),
    }


def test_of_a_lane_that_nobody_looked_at_nothing_is_known(session: Client, lane: Lane) -> None:
    answer = read(session, f"/v1/lanes/{LANE}")

    unknown = {"shape", "condition", "online", "busy", "seen_at", "observed"}
    assert {answer[field] for field in unknown} == {None}
    assert answer["never_seen"] == "Nobody has looked at it yet."
    assert answer["desired"]["service_user"] == lane.service_user


def test_what_could_not_be_read_is_null_with_why(session: Client, lane: Lane) -> None:
    looked_at(lane, seen(listing=None, service=None, unmeasured={"listing": "GitHub is down", "service": "No answer"}))

    answer = read(session, f"/v1/lanes/{LANE}")

    assert (answer["shape"], answer["online"], answer["busy"]) == ("unknown_conflict", None, None)
    assert (answer["observed"]["service"], answer["observed"]["runner"]) == (None, None)
    assert answer["observed"]["unmeasured"] == {"listing": "GitHub is down", "service": "No answer"}


def test_a_foreign_runner_of_that_name_is_not_told_to_be_online_for_it(session: Client, lane: Lane) -> None:
    looked_at(lane, seen(listing=a_listing(a_runner(id=77))))

    assert read(session, f"/v1/lanes/{LANE}")["online"] is None


@pytest.mark.req("M94")
def test_readiness_is_open_on_exactly_five_proofs_each_with_its_link(session: Client, lane: Lane) -> None:
    looked_at(lane)

    answer = ready(session)

    assert answer["is_open"] is True
    assert list(states(answer)) == FIVE
    assert {proof["state"] for proof in answer["proofs"]} == {"open"}
    assert all(proof["link"].endswith(f"/lanes/{LANE}/#proof-{proof['name']}") for proof in answer["proofs"])


@pytest.mark.req("M94")
@pytest.mark.parametrize(
    ("short", "different"),
    [
        ("lane_online", {"listing": a_listing(a_runner(online=False))}),
        ("service_active", {"service": a_service(**STOPPED)}),
        ("labels_correct", {"listing": a_listing(a_runner(labels=("self-hosted", "Linux")))}),
        ("baseline_ready", {"baseline": a_baseline(disk=False)}),
        ("baseline_ready", {"baseline": None}),
        ("control_path", {"control_path": False}),
        ("control_path", {"control_path": None}),
    ],
)
def test_it_is_closed_as_soon_as_one_of_them_is_not_in(
    session: Client, lane: Lane, short: str, different: dict[str, Any]
) -> None:
    looked_at(lane, seen(**different))

    answer = ready(session)

    assert answer["is_open"] is False
    assert states(answer)[short] in ("closed", "unknown")


@pytest.mark.req("M94")
@pytest.mark.parametrize("ago", [AT_MOST_OLD + timedelta(seconds=5), timedelta(days=3), -timedelta(minutes=1)])
def test_an_old_look_or_one_from_the_future_proves_nothing(session: Client, lane: Lane, ago: timedelta) -> None:
    looked_at(lane, ago=ago)

    answer = ready(session)

    assert answer["is_open"] is False
    assert set(states(answer).values()) == {"unknown"}


@pytest.mark.req("M9")
def test_a_record_that_nobody_has_looked_at_is_closed_whatever_it_says(session: Client, lane: Lane) -> None:
    answer = ready(session)

    assert (answer["is_open"], answer["seen_at"]) == (False, None)
    assert set(states(answer).values()) == {"unknown"}


@pytest.mark.req("M94")
def test_labels_that_the_record_got_since_the_look_are_not_proven(session: Client, lane: Lane) -> None:
    looked_at(lane)
    Lane.objects.update(labels=[*lane.labels, "gpu"])

    assert states(ready(session))["labels_correct"] == "closed"


def test_nothing_is_there_of_an_absent_lane(session: Client, lane: Lane) -> None:
    looked_at(lane, seen_nothing(service=a_service(**NO_SERVICE)))

    assert read(session, f"/v1/lanes/{LANE}")["shape"] == "absent"
    assert states(ready(session))["lane_online"] == "closed"


def test_a_look_that_is_damaged_is_unknown_and_spoils_no_other_lane(session: Client, lane: Lane) -> None:
    looked_at(lane)
    LaneDocument.objects.update(compressed=b"torn")
    other = a_lane(lane.host, name="second", service_user="lane-other", agent_id=7)
    looked_at(other, seen_of(other))

    first, second = read(session, "/v1/lanes")["lanes"]

    assert (first["shape"], second["shape"]) == (None, "supervised_active")
    assert set(states(ready(session)).values()) == {"unknown"}
