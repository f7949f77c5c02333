"""Reading evidence: lists, one audit, histories; whole and verifiable, and only of what the caller may see."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from audits import chain
from audits.contracts import Record
from audits.models import AuditRecord
from launchplane.access.actions import Action
from launchplane.access.models import User
from launchplane.api import records
from launchplane.hosts.models import Host
from tests.access.making import a_token, bearer
from tests.api.reading import problem, read
from tests.audits.making import a_record
from tests.factories import a_host, a_person, allow
from tests.lanes.records import a_lane

pytestmark = pytest.mark.django_db

HYGIENE = "/v1/evidence/runner-host-hygiene"
LANES = "/v1/evidence/runner-lane-maintainer"
DOMAINS = {HYGIENE: "hygiene.evidence", LANES: "lane.evidence"}


def sent(key: str = "nightly-1", *, host: str = "ci-1", kind: str = "hygiene.evidence", **fields: Any) -> AuditRecord:
    """A record as an outsider hands one in."""
    payload = {"action": "aged", "mode": "apply", "predicted_bytes": 5_000_000, "reason": "", "failures": []}
    return a_record(**{"kind": kind, "key": key, "host": host, "payload": payload, "source": "api"} | fields)


def keys_of(client: Client, address: str, **query: Any) -> list[str]:
    return [entry["key"] for entry in read(client, address, **query)["audits"]]


@pytest.mark.req("H53")
def test_a_record_is_there_in_short_as_what_was_said_and_to_be_verified(session: Client, host: Host) -> None:
    row = sent()

    (entry,) = read(session, f"{HYGIENE}/audits")["audits"]
    record = Record.model_validate(entry["record"])

    assert (entry["action"], entry["mode"], entry["predicted_bytes"], entry["failures"]) == (
        "aged",
        "apply",
        5_000_000,
        0,
    )
    assert entry["payload"] == json.loads(record.payload)
    assert chain.sha256(record.payload) == record.payload_hash
    assert chain.record_hash(record) == record.hash == row.hash
    assert entry["receipt"] == {"seq": row.seq, "hash": row.hash}


@pytest.mark.req("H53")
@pytest.mark.parametrize("place", DOMAINS)
def test_each_list_has_the_records_of_its_domain(session: Client, host: Host, place: str) -> None:
    for kind in (
        "hygiene.evidence",
        "hygiene.retire",
        "hygiene.regret",
        "change.approved",
        "lane.evidence",
        "lane.create",
    ):
        sent(kind, kind=kind)

    found = keys_of(session, f"{place}/audits")

    hygiene = ["hygiene.regret", "hygiene.retire", "hygiene.evidence"]
    assert found == (hygiene if place == HYGIENE else ["lane.create", "lane.evidence"])


@pytest.mark.parametrize("limit", [1, 3, 7, 8])
def test_the_pages_have_each_record_once(session: Client, host: Host, limit: int) -> None:
    for number in range(7):
        sent(f"key-{number}")

    found = [key for page in pages(session, limit) for key in page]

    assert found == [f"key-{number}" for number in reversed(range(7))]


def pages(client: Client, limit: int) -> Iterator[list[str]]:
    query: dict[str, int] = {"limit": limit}
    while True:
        answer = read(client, f"{HYGIENE}/audits", **query)
        yield [entry["key"] for entry in answer["audits"]]
        if answer["next_before"] is None:
            return
        query["before"] = answer["next_before"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"host": "ci-2"}, ["other"]),
        ({"status": "completed"}, ["ended"]),
        ({"key": "other"}, ["other"]),
        ({"kind": "hygiene.retire"}, ["ours"]),
        ({"source": "web"}, ["ours"]),
        ({"lane": "none"}, []),
        ({"host": "ci-2", "status": "completed"}, []),
        ({"kind": "lane.create"}, []),
        ({"kind": "access.password"}, []),
        ({"key": "nothing"}, []),
    ],
)
def test_a_filter_leaves_what_fits_it(session: Client, host: Host, query: dict[str, str], found: list[str]) -> None:
    a_host("ci-2")
    sent("other", host="ci-2")
    sent("ended", status="completed")
    sent("ours", kind="hygiene.retire", source="web")
    a_record(kind="access.password", key="ann")

    assert keys_of(session, f"{HYGIENE}/audits", **query) == found


@pytest.mark.parametrize("name", ["host", "lane", "key", "kind", "source", "status"])
@pytest.mark.parametrize("value", ["../etc", "a\0b", "a/b", "\u202e", "x" * 300, "' OR 1=1", "\ud7ff", " "])
def test_a_filter_that_can_fit_nothing_is_not_valid(session: Client, host: Host, name: str, value: str) -> None:
    assert problem(session.get(f"{HYGIENE}/audits", {name: value})) == (422, "invalid")


@pytest.mark.parametrize(
    "query", [{"limit": 0}, {"limit": 101}, {"before": 0}, {"before": 2**63}, {"after": -1}], ids=str
)
def test_a_page_that_cannot_be_is_not_valid(session: Client, host: Host, query: dict[str, int]) -> None:
    assert problem(session.get(f"{HYGIENE}/audits", query)) == (422, "invalid")


@pytest.mark.req("H53")
def test_one_audit_has_its_records_with_the_last_state_on_top(session: Client, host: Host) -> None:
    planned = sent("run-7", status="planned")
    sent("run-8")
    ended = sent("run-7", status="completed")

    found = read(session, f"{HYGIENE}/audits/run-7")

    assert (found["key"], found["latest"]["status"], found["next_before"]) == ("run-7", "completed", None)
    assert [entry["receipt"]["seq"] for entry in found["records"]] == [ended.seq, planned.seq]


@pytest.mark.req("M44")
@pytest.mark.parametrize(
    "key", ["nothing", "a%00b", "..", "%2e%2e", "..%2f..%2fetc", "x" * 2000, "%F0%9F%92%A9", "%ff"]
)
def test_a_key_that_is_not_there_is_404(session: Client, host: Host, key: str) -> None:
    sent()

    assert problem(session.get(f"{HYGIENE}/audits/{key}"))[0] == 404


def test_an_audit_of_the_other_domain_is_not_there(session: Client, host: Host) -> None:
    sent("run-7", kind="lane.evidence")

    assert problem(session.get(f"{HYGIENE}/audits/run-7")) == (404, "no_such_audit")


@pytest.mark.req("H53")
def test_the_history_of_a_host_has_the_last_state_of_each_audit(session: Client, host: Host) -> None:
    sent("run-7", status="planned")
    sent("run-8", status="planned")
    sent("run-7", status="completed")

    found = read(session, f"{HYGIENE}/history", host="ci-1")["history"]

    assert [(entry["key"], entry["status"]) for entry in found] == [("run-7", "completed"), ("run-8", "planned")]
    assert "payload" not in found[0]


@pytest.mark.req("H53")
def test_the_history_of_a_lane_has_the_last_state_of_each_audit(session: Client, host: Host) -> None:
    a_lane(host, name="website")
    sent("run-1", kind="lane.evidence", lane="website")
    sent("run-2", kind="lane.evidence", lane="other")

    assert [entry["key"] for entry in read(session, f"{LANES}/history", lane="website")["history"]] == ["run-1"]


def test_a_history_without_records_is_empty(session: Client, host: Host) -> None:
    a_lane(host, name="website")

    assert read(session, f"{HYGIENE}/history", host="ci-1") == {"history": [], "next_before": None}
    assert read(session, f"{LANES}/history", lane="website") == {"history": [], "next_before": None}


@pytest.mark.parametrize(("address", "code"), [(f"{HYGIENE}/history", "host"), (f"{LANES}/history", "lane")])
def test_a_history_needs_a_host_or_a_lane(session: Client, host: Host, address: str, code: str) -> None:
    assert problem(session.get(address)) == (422, "invalid")
    assert problem(session.get(address, {code: "none"})) == (404, f"no_such_{code}")


def test_who_sees_all_hosts_reads_about_one_that_is_gone(session: Client, host: Host) -> None:
    sent(host="long-gone")

    assert keys_of(session, f"{HYGIENE}/audits") == ["nightly-1"]
    assert len(read(session, f"{HYGIENE}/history", host="long-gone")["history"]) == 1


@pytest.fixture
def for_one_host(person: User, host: Host) -> dict[str, str]:
    """The headers of a token for ci-1; there are records of ci-2, too."""
    other = a_host("ci-2")
    a_lane(host, name="mine")
    a_lane(other, name="theirs")
    for name, lane in (("ci-1", "mine"), ("ci-2", "theirs")):
        sent(f"key-{name}", host=name)
        sent(f"lane-{name}", host=name, kind="lane.evidence", lane=lane)
    return bearer(a_token(person, hosts=[host]))


@pytest.mark.parametrize("place", DOMAINS)
def test_a_token_for_one_host_reads_of_that_host(client: Client, for_one_host: dict[str, str], place: str) -> None:
    found = client.get(f"{place}/audits", headers=for_one_host).json()["audits"]

    assert {entry["host"] for entry in found} == {"ci-1"}
    assert client.get(f"{place}/audits", {"host": "ci-2"}, headers=for_one_host).json()["audits"] == []


@pytest.mark.parametrize(
    ("unseen", "missing"),
    [
        (f"{HYGIENE}/audits/key-ci-2", f"{HYGIENE}/audits/key-none"),
        (f"{LANES}/audits/lane-ci-2", f"{LANES}/audits/lane-none"),
        (f"{HYGIENE}/history?host=ci-2", f"{HYGIENE}/history?host=none"),
        (f"{LANES}/history?lane=theirs", f"{LANES}/history?lane=none"),
    ],
)
def test_what_one_may_not_see_is_like_what_is_not_there(
    client: Client, for_one_host: dict[str, str], unseen: str, missing: str
) -> None:
    answers = [client.get(address, headers=for_one_host) for address in (unseen, missing)]

    assert problem(answers[0]) == problem(answers[1])
    assert answers[0].status_code == 404
    assert answers[0].content == answers[1].content


@pytest.mark.parametrize(("place", "action"), [(HYGIENE, Action.LANE_AUDIT_READ), (LANES, Action.HYGIENE_AUDIT_READ)])
def test_the_action_of_one_domain_does_not_read_the_other(
    client: Client, person: User, place: str, action: Action
) -> None:
    response = client.get(f"{place}/audits", headers=bearer(a_token(person, [action])))

    assert problem(response) == (403, "not_granted")


def test_who_may_not_read_the_audit_reads_no_evidence(client: Client, host: Host) -> None:
    guest = a_person("guest", group="")
    allow(guest, "hosts.view_host", host)
    client.force_login(guest)

    assert problem(client.get(f"{HYGIENE}/audits")) == (403, "not_granted")


@pytest.mark.req("M9")
def test_what_somebody_says_of_a_lane_makes_it_no_readier(session: Client, host: Host) -> None:
    a_lane(host, name="website")
    state = {"online": True, "service_active": True, "baseline_ready": True, "shape": "supervised_active"}
    said = {"action": "create", "mode": "apply", "post_state": state}
    sent(kind="lane.evidence", status="completed", lane="website", payload=said)

    answer = read(session, "/v1/lanes/website/readiness")

    assert answer["is_open"] is False
    assert {proof["state"] for proof in answer["proofs"]} == {"unknown"}


def test_a_page_holds_no_more_than_one_answer_can_and_goes_on_from_there(
    session: Client, host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        sent(f"key-{number}", payload={"much": "x" * 1000})
    monkeypatch.setattr(records, "MOST_PAYLOAD", 2500)

    assert [len(found) for found in pages(session, 100)] == [2, 2, 1]


def test_a_payload_as_deep_as_one_can_be_is_read(session: Client, host: Host) -> None:
    deep: dict[str, Any] = {}
    for _ in range(300):
        deep = {"in": deep}
    sent(payload=deep)

    (entry,) = read(session, f"{HYGIENE}/audits")["audits"]

    assert entry["payload"] == deep
