"""The pages of the audit: who may read it, what a record says, whether it is what it was, and how the chain stands."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from audits import rebuild, record, segments, triggers
from audits.models import AuditRecord, ChainHead, EvidenceStore
from launchplane.access.models import User
from launchplane.access.people import WORKER
from launchplane.changes.apply import apply_change
from launchplane.hosts.models import Host
from launchplane.web.audit_page import PER_PAGE
from launchplane.web.chain_state import chain_state
from tests.audits.restoring import forget_behind
from tests.changes.ways import approved, person, requested
from tests.factories import a_host, a_person, allow
from tests.web.reading import text_of


@pytest.fixture
def client(client: Client, operator: User) -> Client:
    client.force_login(a_person("auditor", group="Auditors"))
    return client


def append(number: int = 1, **fields: object) -> AuditRecord:
    said = {"kind": "freeze.on", "key": "*", "status": "completed", "payload": {"reason": "the disk moves"}}
    for _ in range(number):
        row = record.append(**said | {"actor": WORKER.actor(), "source": "worker"} | fields)  # type: ignore[arg-type]
    return row


def tampered(row: AuditRecord, **fields: object) -> None:
    """What somebody could do who owns the database, triggers and all."""
    triggers.take_down(connection)
    AuditRecord.objects.filter(pk=row.pk).update(**fields)


@pytest.mark.req("H53")
def test_records_are_listed_newest_first_without_reading_what_they_say(client: Client) -> None:
    append()
    last = append(kind="freeze.off", payload={"reason": "x" * 10_000})
    page = client.get("/audit/")
    assert text_of(page).index(f"#{last.seq} ") < text_of(page).index(f"#{last.seq - 1} ")
    assert "Freeze lifted freeze.off completed" in text_of(page)
    assert b"xxxx" not in page.content


def test_pages_are_cut_by_place_and_lead_to_each_other(client: Client) -> None:
    append(2 * PER_PAGE + 5)
    top = ChainHead.objects.get().seq
    first = client.get("/audit/")
    assert f"#{top - PER_PAGE + 1} " in text_of(first)
    assert f"#{top - PER_PAGE} " not in text_of(first)
    assert f'href="?before={top - PER_PAGE + 1}"' in first.content.decode()
    second = client.get(f"/audit/?before={top - PER_PAGE + 1}")
    assert f"#{top - PER_PAGE} " in text_of(second)
    assert f'href="?after={top - PER_PAGE}"' in second.content.decode()
    back = client.get(f"/audit/?after={top - PER_PAGE}")
    assert [row.seq for row in back.context["page"].rows] == [row.seq for row in first.context["page"].rows]


def test_filters_hold_on_the_next_page_too(client: Client) -> None:
    append(PER_PAGE + 1, host="a b")
    append(3, host="other")
    page = client.get("/audit/", {"host": "a b", "status": "completed"})
    assert {row.host for row in page.context["page"].rows} == {"a b"}
    assert 'href="?host=a+b&amp;status=completed&amp;before=' in page.content.decode()


@pytest.mark.parametrize("asked", ["before=x", "before=-1", f"before={'9' * 40}", "after=²", "key=%00", "status=no"])
def test_nonsense_in_the_address_breaks_nothing(client: Client, asked: str) -> None:
    append()
    assert client.get(f"/audit/?{asked}").status_code == 200


@pytest.mark.parametrize("address", ["/audit/", "/audit/1/", "/hosts/chris-testing/audit/"])
def test_reading_needs_its_right_and_the_page_says_which(client: Client, host: Host, address: str) -> None:
    append()
    guest = a_person("guest", group="")
    guest.user_permissions.add(Permission.objects.get(codename="view_host"))
    client.force_login(guest)
    response = client.get(address)
    assert response.status_code == 403
    assert "Reading the audit needs the right “Can view audit record”" in text_of(response)
    assert ">Audit</a>" not in client.get(f"/hosts/{host.name}/").content.decode()


def test_the_audit_of_a_hidden_host_is_exactly_like_none(client: Client, host: Host) -> None:
    client.force_login(a_person("stranger", group=""))
    hidden, missing = (client.get(f"/hosts/{name}/audit/") for name in (host.name, "nowhere"))
    assert hidden.status_code == missing.status_code == 404
    assert text_of(hidden) == text_of(missing)


@pytest.fixture
def narrow(client: Client, host: Host) -> Client:
    """A browser of somebody who may read the audit, and see `host` only."""
    somebody = a_person("narrow", group="")
    somebody.user_permissions.add(Permission.objects.get(codename="view_auditrecord"))
    allow(somebody, "hosts.view_host", host)
    client.force_login(somebody)
    return client


@pytest.mark.req("X2")
def test_what_is_on_record_about_a_hidden_host_is_exactly_like_nothing(
    narrow: Client, folder: Host, operator: User
) -> None:
    change = requested(folder, operator)
    hidden = AuditRecord.objects.filter(key=str(change.pk))
    assert {row.host for row in hidden} == {folder.name}
    for address in ("/audit/", f"/audit/?key={change.pk}", f"/audit/?host={folder.name}"):
        assert folder.name not in {row.host for row in narrow.get(address).context["page"].rows}
    pages = [narrow.get(f"/audit/{seq}/") for seq in (hidden.latest("seq").seq, 10**6)]
    assert [page.status_code for page in pages] == [404, 404]
    assert text_of(pages[0]) == text_of(pages[1])


def test_what_is_about_no_host_or_one_that_may_be_seen_is_shown(narrow: Client, host: Host) -> None:
    mine, everybody_s, gone = append(host=host.name), append(), append(host="gone")
    shown = [row.seq for row in narrow.get("/audit/").context["page"].rows]
    assert (mine.seq in shown, everybody_s.seq in shown, gone.seq in shown) == (True, True, False)
    assert [narrow.get(f"/audit/{row.seq}/").status_code for row in (mine, everybody_s, gone)] == [200, 200, 404]


def test_a_host_that_is_gone_is_read_about_by_who_sees_all_hosts(client: Client) -> None:
    gone = append(host="gone")
    assert client.get(f"/audit/{gone.seq}/").status_code == 200


@pytest.mark.parametrize("number", [1, PER_PAGE])
def test_who_sees_some_hosts_makes_the_same_queries_for_one_and_for_fifty(
    narrow: Client, number: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for made in range(number):
        append(host=a_host(f"host-{made}").name)
    narrow.get("/")
    with django_assert_num_queries(NARROW_QUERIES):
        narrow.get("/audit/")


def test_a_host_s_tab_has_its_own_records_only(client: Client, host: Host) -> None:
    append(host=host.name)
    append(host="other", key="of-the-other")
    page = client.get(f"/hosts/{host.name}/audit/?host=other")
    assert "of-the-other" not in text_of(page)
    assert "Freeze freeze.on completed" in text_of(page)


def test_a_record_is_readable_and_its_text_is_there_as_it_is_hashed(client: Client) -> None:
    payload = {
        "freed_bytes": 4_400_000_000,
        "took_seconds": 90,
        "missing": [],
        "self_approved": True,
        "steps": [{"verb": "remove-image", "target": "sha256:" + "9f31c2" * 10 + "a07e"}],
    }
    row = append(payload=payload, host="chris-testing", key="some-key")
    page = text_of(client.get(f"/audit/{row.seq}/"))
    assert "Freed 4.4 GB" in page
    assert "Took 90 s" in page or "Took 1 min" in page
    assert "Self approved yes" in page
    assert "1 steps Target sha256:9f31c2" in page
    assert row.payload in page
    for text in (row.hash, row.prev_hash, row.payload_hash, "intact"):
        assert text in page


def test_long_lists_are_cut_and_say_so(client: Client) -> None:
    row = append(payload={"items": [{"n": number} for number in range(600)]})
    assert "The first 50 of 600." in text_of(client.get(f"/audit/{row.seq}/"))


def test_what_a_record_holds_does_no_harm(client: Client) -> None:
    row = append(payload={"<script>alert(1)</script>": ["<img src=x>\u202e", {"a": "<i>"}]}, key="<i>k</i>", host="<u>")
    for address in (f"/audit/{row.seq}/", "/audit/"):
        raw = client.get(address).content.decode().partition('id="content-start"')[2]
        assert [tag for tag in ("<script", "<img", "<i>", "<u>", "\u202e") if tag in raw] == []


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("payload", '{"reason":"another"}', "the hash of its contents is another"),
        ("actor_name", "somebody else", "its hash does not cover what it says"),
        ("prev_hash", "f" * 64, "It does not follow the record before it."),
        ("status", "nonsense", "its hash does not cover what it says"),
    ],
)
def test_a_record_that_was_altered_says_so(client: Client, field: str, value: str, said: str) -> None:
    row = append(2)
    tampered(row, **{field: value})
    page = text_of(client.get(f"/audit/{row.seq}/"))
    assert "This record is not what it was." in page
    assert said in page
    assert "intact" not in page


def test_a_record_that_never_was_is_not_found(client: Client) -> None:
    assert client.get("/audit/4711/").status_code == 404
    assert client.get(f"/audit/{'9' * 30}/").status_code == 404


def test_a_change_s_history_leads_to_its_records_and_back(client: Client, folder: Host, operator: User) -> None:
    change = requested(folder, operator)
    row = AuditRecord.objects.filter(key=str(change.pk)).last()
    assert row is not None
    assert f'<a href="/audit/{row.seq}/">audit #' in client.get(f"/changes/{change.pk}/").content.decode()
    assert f'<a href="/changes/{change.pk}/">The change</a>' in client.get(f"/audit/{row.seq}/").content.decode()


def test_who_may_not_read_the_audit_sees_its_number_without_a_link(
    client: Client, folder: Host, operator: User
) -> None:
    change = requested(folder, operator)
    guest = a_person("guest", group="")
    guest.user_permissions.add(Permission.objects.get(codename="view_host"))
    client.force_login(guest)
    page = client.get(f"/changes/{change.pk}/")
    assert "audit #" in text_of(page)
    assert "/audit/" not in page.content.decode()


@pytest.fixture
def store(settings: Settings, tmp_path: Path) -> Path:
    settings.EVIDENCE_DIR = tmp_path / "evidence"
    return tmp_path / "evidence"


def flushed(store: Path) -> None:
    """What the commit of a request brings to the disk, which the transaction of a test never does."""
    row = AuditRecord.objects.last()
    assert row is not None
    segments.folder()
    with (store / f"{row.at:%Y-%m-%d}.ndjson").open("ab") as file:
        file.write(segments.line(row.as_record()))


def test_the_chain_says_that_both_ends_are_the_same(client: Client, store: Path) -> None:
    row = append(3)
    flushed(store)
    page = client.get("/audit/")
    said = f"kept twice Record #{row.seq} is the head of the chain, and the evidence store ends with it too"
    assert said in text_of(page)
    assert row.hash in page.content.decode()


def test_the_chain_says_that_the_store_is_behind(client: Client, store: Path) -> None:
    append()
    flushed(store)
    append(2)
    assert "behind" in text_of(client.get("/audit/"))
    assert "The evidence store lacks the last 2, and was written just now." in text_of(client.get("/audit/"))


@pytest.mark.req("H56")
def test_the_chain_says_that_the_store_was_lost(client: Client, store: Path) -> None:
    append()
    EvidenceStore.objects.create(begun_at=timezone.now())
    page = text_of(client.get("/audit/"))
    assert "store lost" in page
    assert "behind" not in page


def test_the_chain_says_that_the_database_is_not_what_it_was(client: Client, store: Path) -> None:
    row = append()
    flushed(store)
    segment = next(store.glob("2*.ndjson"))
    ahead = json.loads(segment.read_text().splitlines()[-1]) | {"seq": row.seq + 7}
    segment.write_text(json.dumps(ahead) + "\n")
    page = text_of(client.get("/audit/"))
    assert f"two ends The evidence store ends with record #{row.seq + 7}" in page
    assert "the database was restored or altered" in page


@pytest.mark.req("X19")
def test_a_store_whose_last_record_the_database_overtook_is_not_said_to_be_behind(client: Client, store: Path) -> None:
    """A restored database that went on by itself: the next record brings nothing."""
    append(3)
    segments.flush()
    segment = next(store.glob("2*.ndjson"))
    lines = segment.read_text().splitlines()[:-1]
    segment.write_text("\n".join([*lines[:-1], json.dumps(json.loads(lines[-1]) | {"hash": "f" * 64})]) + "\n")
    assert "two ends" in text_of(client.get("/audit/"))
    assert "behind" not in text_of(client.get("/audit/"))


@pytest.mark.req("X19")
def test_the_chain_says_what_to_do_when_the_store_is_ahead(client: Client, store: Path) -> None:
    row = append(2)
    flushed(store)
    forget_behind(row.seq - 1)
    page = text_of(client.get("/audit/"))
    assert "Nothing is begun on any host, and no approval is used." in page
    assert "manage.py audits accept reads what it forgot" in page


@pytest.mark.req("X19")
def test_the_chain_says_that_records_came_back_and_wait_for_an_answer(client: Client, store: Path) -> None:
    row = append(2)
    flushed(store)
    forget_behind(row.seq - 1)
    rebuild.from_segments()
    page = text_of(client.get("/audit/"))
    assert f"came back Records that the database had lost came back, up to #{row.seq}" in page
    assert "audits accept" in page


def the_store_is_ahead(store: Path, row: AuditRecord) -> None:
    flushed(store)
    forget_behind(row.seq - 1)


def the_store_is_lost(store: Path, _row: AuditRecord) -> None:
    EvidenceStore.objects.create(begun_at=timezone.now())


def the_store_is_unreadable(store: Path, _row: AuditRecord) -> None:
    store.mkdir(exist_ok=True)
    (store / "2026-01-08.ndjson").write_text("no json\n")


@pytest.mark.req("X19", "H56")
@pytest.mark.parametrize(
    ("bring_about", "sentence"),
    [
        (the_store_is_ahead, "if it is from a backup, manage.py audits accept."),
        (the_store_is_lost, "begin a new one with manage.py audits adopt."),
        (the_store_is_unreadable, "The evidence store could not be read."),
    ],
)
def test_the_first_page_says_why_nothing_begins(
    client: Client, store: Path, host: Host, bring_about: Callable[[Path, AuditRecord], None], sentence: str
) -> None:
    bring_about(store, append(2))
    page = text_of(client.get("/"))
    assert "now Evidence nothing begins" in page
    assert sentence in page


def test_the_first_page_says_nothing_of_evidence_that_is_as_it_was(client: Client, store: Path, host: Host) -> None:
    append(2)
    assert "nothing begins" not in text_of(client.get("/"))
    flushed(store)
    assert "nothing begins" not in text_of(client.get("/"))


@pytest.mark.parametrize("text", ["no json\n", "[]\n", '{"seq": "x", "hash": ""}\n'])
def test_a_store_that_cannot_be_read_is_not_known(client: Client, store: Path, text: str) -> None:
    append()
    store.mkdir(exist_ok=True)
    (store / "2026-01-08.ndjson").write_text(text)
    assert "not known The evidence store could not be read:" in text_of(client.get("/audit/"))


def test_a_line_that_is_not_finished_is_not_there_yet_and_stays(store: Path, db: None) -> None:
    append()
    flushed(store)
    append()
    segment = next(store.glob("2*.ndjson"))
    text = segment.read_bytes() + b'{"seq":'
    segment.write_bytes(text)
    assert chain_state().verdict == "behind"
    assert segment.read_bytes() == text


def test_an_empty_chain_says_so(client: Client, store: Path) -> None:
    triggers.take_down(connection)
    AuditRecord.objects.all().delete()
    ChainHead.objects.all().delete()
    page = text_of(client.get("/audit/"))
    assert "empty No record yet." in page
    assert "Nothing is on record yet." in page


NARROW_QUERIES = 11
LIST_QUERIES, RECORD_QUERIES, HOST_QUERIES = 11, 9, 19


@pytest.mark.parametrize("number", [1, PER_PAGE])
def test_the_pages_make_the_same_queries_for_one_record_and_for_fifty(
    client: Client, host: Host, number: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    row = append(number, host=host.name)
    client.get("/")  # fills the caches of the process
    with django_assert_num_queries(LIST_QUERIES):
        client.get("/audit/")
    with django_assert_num_queries(RECORD_QUERIES):
        client.get(f"/audit/{row.seq}/")
    with django_assert_num_queries(HOST_QUERIES):
        client.get(f"/hosts/{host.name}/audit/")


def test_every_record_of_a_whole_change_can_be_opened(
    client: Client, folder: Host, operator: User, approver: User
) -> None:
    change = apply_change(approved(folder, operator, approver), by=person(operator))
    for row in AuditRecord.objects.filter(key=str(change.pk)):
        assert "intact" in text_of(client.get(f"/audit/{row.seq}/"))
