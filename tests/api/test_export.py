"""`/v1/evidence/export` and `/v1/evidence/head`: who may take evidence away, what it is called, and how it goes on."""

import csv
import gc
import io
import json
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from audits import lines, sign
from audits.contracts import Checkpoint
from audits.export_csv import BEGIN_FORMULAS, COLUMNS
from audits.models import AuditRecord
from audits.verify_export import verify_export
from launchplane.access.actions import Action
from launchplane.access.models import User
from launchplane.api import sending
from launchplane.api.export import places
from launchplane.api.refusing import NotTaken
from launchplane.hosts.models import Host
from tests.access.making import a_token, a_workflow, bearer
from tests.api.reading import problem, read
from tests.audits.making import a_record, exported_lines, sql
from tests.factories import a_person, allow
from tests.fakes.issuer import Issuer

EXPORT, HEAD = "/v1/evidence/export", "/v1/evidence/head"
pytestmark = pytest.mark.django_db


@pytest.fixture
def person(db: None) -> User:
    """An auditor."""
    return a_person("auditor", group="Auditors")


@pytest.fixture
def ten(monkeypatch: pytest.MonkeyPatch, session: Client) -> list[AuditRecord]:
    """The last ten records of the chain, which is read three at once."""
    monkeypatch.setattr(lines, "AT_ONCE", 3)
    return [a_record(key=f"change-{number}") for number in range(10)]


def body(response: Any) -> bytes:
    """All of a stream, to its end."""
    assert response.status_code == 200, response.content
    return b"".join(response.streaming_content)


def narrow_person(host: Host) -> User:
    """Somebody who may read the audit, and sees one host only."""
    somebody = a_person("narrow", group="")
    somebody.user_permissions.add(Permission.objects.get(codename="view_auditrecord"))
    allow(somebody, "hosts.view_host", host)
    return somebody


@pytest.mark.req("H53", "X15")
def test_what_is_sent_are_the_bytes_that_the_command_prints(session: Client, ten: list[AuditRecord]) -> None:
    response = session.get(EXPORT)
    assert body(response).splitlines(keepends=True) == exported_lines()
    assert response["Content-Type"] == "application/x-ndjson"
    assert response["Evidence-Head"] == f"{ten[-1].seq}:{ten[-1].hash}"


def test_it_has_a_name_of_its_own_for_each_of_its_kinds(session: Client, ten: list[AuditRecord]) -> None:
    last, asked = ten[-1], [{}, {"format": "csv"}, {"from_seq": 2}, {"to_seq": ten[-2].seq}]
    answers = [session.head(EXPORT, query) for query in asked]
    assert len({answer["ETag"] for answer in answers}) == len(asked)
    assert answers[0]["ETag"] == f'"ndjson.1-{last.seq}.{last.hash}"'
    assert answers[1]["Content-Disposition"] == f'attachment; filename="evidence-1-{last.seq}.csv"'


def test_head_answers_what_get_does_without_a_body(session: Client, ten: list[AuditRecord]) -> None:
    got = session.get(EXPORT)
    asked = session.head(EXPORT)  # also while one is being sent
    assert body(got)
    assert body(asked) == b""
    assert dict(asked.headers) == dict(got.headers)


def test_one_that_did_not_change_is_not_sent_again(session: Client, ten: list[AuditRecord]) -> None:
    etag = session.head(EXPORT)["ETag"]
    assert session.get(EXPORT, headers={"If-None-Match": etag}).status_code == 304
    a_record()
    assert body(session.get(EXPORT, headers={"If-None-Match": etag}))


@pytest.mark.parametrize("kept", [1, 2, 3, 9])
def test_one_that_broke_off_goes_on_behind_the_last_whole_record(
    session: Client, ten: list[AuditRecord], kept: int
) -> None:
    first = session.get(EXPORT)
    whole, etag = body(first), first["ETag"]
    a_record()
    begun = whole.splitlines(keepends=True)[:kept]
    asked = {"to_seq": ten[-1].seq, "after_seq": json.loads(begun[-1])["seq"]}
    rest = session.get(EXPORT, asked, headers={"If-Match": etag})
    assert b"".join(begun) + body(rest) == whole
    assert rest["ETag"] == etag


def test_what_goes_on_with_another_export_is_refused(session: Client, ten: list[AuditRecord]) -> None:
    etag = session.head(EXPORT)["ETag"]
    a_record()
    answer = session.get(EXPORT, {"after_seq": 3}, headers={"If-Match": etag})
    assert problem(answer) == (412, "another_export")


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"format": "xml"}, "invalid"),
        ({"from_seq": "0"}, "invalid"),
        ({"from_seq": "first"}, "invalid"),
        ({"from_seq": str(10**30)}, "invalid"),
        ({"from_seq": "99"}, "beyond_the_head"),
        ({"to_seq": "99"}, "beyond_the_head"),
        ({"from_seq": "5", "to_seq": "3"}, "bad_number"),
        ({"from_seq": "5", "after_seq": "4"}, "bad_number"),
        ({"format": "csv\0"}, "invalid"),
    ],
)
def test_what_cannot_be_exported_is_422(
    session: Client, ten: list[AuditRecord], asked: dict[str, str], code: str
) -> None:
    assert problem(session.get(EXPORT, asked)) == (422, code)


def test_behind_the_head_there_is_nothing_yet_and_that_verifies(session: Client, ten: list[AuditRecord]) -> None:
    only = body(session.get(EXPORT, {"from_seq": ten[-1].seq + 1})).splitlines(keepends=True)
    assert verify_export(only).intact
    assert json.loads(only[0])["trailer"]["head_hash"] == ten[-1].hash


def test_where_it_has_to_end_without_a_record_is_a_conflict(session: Client, ten: list[AuditRecord]) -> None:
    sql(f"DELETE FROM audits_auditrecord WHERE seq = {ten[4].seq}")  # noqa: S608  a number of ours
    assert problem(session.get(EXPORT, {"to_seq": ten[4].seq})) == (409, "out_of_place")


@pytest.mark.parametrize("kind", ["ndjson", "csv"])
def test_a_gap_breaks_the_stream_behind_a_line_that_says_so(session: Client, ten: list[AuditRecord], kind: str) -> None:
    sql(f"DELETE FROM audits_auditrecord WHERE seq = {ten[6].seq}")  # noqa: S608  a number of ours
    response, arrived = session.get(EXPORT, {"format": kind}), []
    with pytest.raises(Exception, match=f"Record {ten[6].seq} is missing"):
        arrived.extend(response.streaming_content)  # type: ignore[attr-defined]
    assert b"fault" in b"".join(arrived).splitlines()[-1]
    assert b"trailer" not in b"".join(arrived)


def test_who_sees_some_hosts_is_refused_and_told_why(client: Client, host: Host) -> None:
    client.force_login(narrow_person(host))
    answer = client.get(EXPORT)
    assert problem(answer) == (403, "not_every_host")
    assert "cannot be verified" in answer.json()["detail"]


def test_a_token_for_some_hosts_or_without_the_action_is_refused(client: Client, person: User, host: Host) -> None:
    narrow = a_token(person, hosts=[host])
    other = a_token(person, [Action.HYGIENE_AUDIT_READ])
    answers = [client.get(EXPORT, headers=bearer(token)) for token in (narrow, other)]
    assert [problem(answer) for answer in answers] == [(403, "not_every_host"), (403, "not_granted")]


def test_who_may_not_read_the_audit_is_refused(client: Client) -> None:
    client.force_login(a_person("stranger", group=""))
    assert [problem(client.get(address)) for address in (EXPORT, HEAD)] == [(403, "not_granted")] * 2


def test_a_token_of_an_auditor_takes_all_of_it(client: Client, person: User) -> None:
    token = a_token(person, [Action.EVIDENCE_EXPORT])
    exported = body(client.get(EXPORT, headers=bearer(token))).splitlines(keepends=True)
    assert verify_export(exported).intact


def test_so_does_a_trusted_workflow(client: Client, issuer: Issuer) -> None:
    a_workflow([Action.EVIDENCE_EXPORT])
    exported = body(client.get(EXPORT, headers=bearer(issuer.token()))).splitlines(keepends=True)
    assert verify_export(exported).intact


def test_a_bad_bearer_is_401_whatever_cookie_comes_with_it(session: Client) -> None:
    assert session.get(EXPORT, headers=bearer("lp_nonsense")).status_code == 401


def cells(table: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(table.decode(), newline=""), strict=True))


def as_recorded(cell: str) -> str:
    """The documented rule: an apostrophe at the beginning is ours."""
    return cell.removeprefix("'")


FORMULA = st.builds(
    lambda first, rest: first + rest,
    st.sampled_from(["", "'", *BEGIN_FORMULAS]),
    st.text("a=\"',\r\n;é", min_size=1, max_size=20),
)


@pytest.mark.req("X15")
@given(said=st.fixed_dictionaries({name: FORMULA for name in ("kind", "key", "host", "lane", "source")}))
@examples(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_table_says_what_was_recorded_and_calculates_nothing(session: Client, said: dict[str, str]) -> None:
    record = a_record(**said)
    titles, row, last = cells(body(session.get(EXPORT, {"format": "csv", "from_seq": str(record.seq)})))
    assert titles == list(COLUMNS)
    assert not [cell for cell in row if cell.startswith(BEGIN_FORMULAS)]
    assert {name: as_recorded(cell) for name, cell in zip(titles, row, strict=True)} == {
        name: json.dumps(value, separators=(",", ":")) if name == "responsible" else str(value)
        for name, value in {column: getattr(record, column) for column in COLUMNS}.items()
        if name != "at"
    } | {"at": record.as_record().at}
    assert last[0] == "trailer"


def test_a_table_ends_with_what_must_have_come_before(session: Client, ten: list[AuditRecord]) -> None:
    table = body(session.get(EXPORT, {"format": "csv"}))
    rows = cells(table)
    last = dict(zip(COLUMNS, rows[-1], strict=True))
    count = str(ten[-1].seq)
    assert (last["seq"], last["at"], last["kind"], last["key"], last["host"], last["hash"]) == (
        *("trailer", "launchplane-audit-1", count, "1", count),
        ten[-1].hash,
    )
    assert [row[0] for row in rows[1:-1]] == [str(seq) for seq in range(1, ten[-1].seq + 1)]
    assert table.count(b"\r\n") == len(rows)


def test_a_table_that_broke_off_goes_on_without_titles(session: Client, ten: list[AuditRecord]) -> None:
    whole = body(session.get(EXPORT, {"format": "csv"}))
    rows = whole.split(b"\r\n")
    rest = body(session.get(EXPORT, {"format": "csv", "after_seq": "4"}))
    assert b"\r\n".join(rows[:5]) + b"\r\n" + rest == whole


def test_one_caller_is_sent_one_export_at_once(session: Client, ten: list[AuditRecord]) -> None:
    first = session.get(EXPORT)
    second = session.get(EXPORT)
    assert (problem(second), second["Retry-After"]) == ((429, "export_running"), "15")
    body(first)
    body(session.get(EXPORT))


def test_others_are_told_to_come_back_when_all_places_are_taken(session: Client, ten: list[AuditRecord]) -> None:
    taken = [places.send(iter([b""]), identity=f"token:{number}") for number in range(sending.AT_ONCE)]
    answer = session.get(EXPORT)
    assert (problem(answer), answer["Retry-After"]) == ((503, "exports_busy"), "15")
    taken[0].close()
    body(session.get(EXPORT))
    taken[1].close()


def test_a_place_is_given_back_also_where_nobody_began_to_send() -> None:
    places = sending.Places(at_once=1)
    unsent = places.send(iter([b"never"]), identity="token:1")
    with pytest.raises(NotTaken):
        places.send(iter([]), identity="token:2")
    del unsent
    gc.collect()
    places.send(iter([]), identity="token:2").close()


def test_nobody_has_a_place_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "LONGEST_SECONDS", -1)
    with pytest.raises(BrokenPipeError):
        next(sending.Places().send(iter([b"late"]), identity="token:1"))


@pytest.mark.req("X15")
def test_the_signed_head_is_that_of_the_chain(session: Client, ten: list[AuditRecord]) -> None:
    signed = Checkpoint.model_validate(read(session, HEAD))
    assert (signed.seq, signed.hash) == (ten[-1].seq, ten[-1].hash)
    assert sign.is_genuine(signed)


def test_the_head_is_for_whoever_may_read_some_audits(client: Client, host: Host) -> None:
    client.force_login(narrow_person(host))
    assert read(client, HEAD)["seq"] == AuditRecord.objects.count()


def test_without_a_place_to_keep_it_no_head_is_signed(
    session: Client, ten: list[AuditRecord], settings: Any, tmp_path: Any
) -> None:
    (tmp_path / "file").touch()
    settings.EVIDENCE_DIR = tmp_path / "file" / "evidence"
    assert problem(session.get(HEAD)) == (503, "audit_refused")
