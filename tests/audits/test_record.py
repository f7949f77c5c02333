"""Appending: in the caller's transaction, in order, redacted, or not at all."""

from pathlib import Path

import pytest
from django.db import connection, transaction

from audits import chain
from audits.contracts import Actor
from audits.models import AuditRecord, ChainHead
from audits.record import AuditRefused, append_apart
from audits.redact import LIVE, REDACTED
from tests.audits.making import ANN, a_record

PROJECT = Path(__file__).parents[2]


@pytest.mark.req("X15")
@pytest.mark.django_db
def test_the_first_record_begins_the_chain_and_the_next_follows_it() -> None:
    first, second = a_record(), a_record(status="completed")
    assert (first.seq, first.prev_hash) == (1, chain.GENESIS)
    assert (second.seq, second.prev_hash) == (2, first.hash)
    head = ChainHead.objects.get()
    assert (head.seq, head.hash) == (2, second.hash)


@pytest.mark.django_db
def test_what_is_stored_is_what_was_hashed() -> None:
    seq = a_record(payload={"b": ["é", None, {"z": 1, "a": True}], "a": 2}).seq
    stored = AuditRecord.objects.get(seq=seq)
    assert stored.payload == '{"a":2,"b":["é",null,{"a":true,"z":1}]}'
    assert stored.payload_hash == chain.sha256(stored.payload)
    assert stored.hash == chain.record_hash(stored.as_record())


@pytest.mark.django_db(transaction=True)
def test_a_record_goes_with_the_transaction_that_it_tells_of() -> None:
    kept = a_record()
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        a_record()
        raise ZeroDivisionError
    assert list(AuditRecord.objects.values_list("seq", flat=True)) == [kept.seq]
    assert a_record().seq == kept.seq + 1


@pytest.mark.django_db(transaction=True)
def test_a_record_that_cannot_be_stored_takes_its_transaction_with_it() -> None:
    """Even a caller who goes on regardless cannot commit what has no record."""
    a_record()
    with pytest.raises(transaction.TransactionManagementError), transaction.atomic():
        ChainHead.objects.update(seq=2, hash="0" * 64)  # somebody moved the head
        with pytest.raises(AuditRefused):
            a_record()
        AuditRecord.objects.count()
    assert a_record().seq == 2


@pytest.mark.parametrize(
    "fields",
    [
        {"payload": {"bytes": 2**60}},
        {"payload": {"share": float("nan")}},
        {"payload": {"text": "x" * (4 * 1024 * 1024)}},
        {"key": "k" * 201},
        {"status": "perhaps"},
    ],
)
@pytest.mark.django_db(transaction=True)
def test_what_no_record_can_hold_is_refused(fields: dict[str, object]) -> None:
    with pytest.raises(AuditRefused):
        a_record(**fields)
    assert AuditRecord.objects.count() == 0


@pytest.mark.django_db
def test_a_secret_gets_into_no_field() -> None:
    token = "QWERTYUIOPASDFGHJKLZXCVBNM234"
    with LIVE.holding(token):
        said = f"with {token}"
        stored = a_record(
            kind=said,
            key=said,
            host=said,
            lane=said,
            source=said,
            payload={said: [said, {"deep": said}]},
            actor=Actor(id=said, name=said, responsible=(said,)),
        )
    fresh = AuditRecord.objects.filter(seq=stored.seq).values()[0]
    assert token not in str(fresh)
    assert str(fresh).count(REDACTED) == 11


@pytest.mark.parametrize("depth", [100, 200, 300, 400, 600, 900])
@pytest.mark.django_db(transaction=True)
def test_a_payload_of_any_depth_is_recorded_or_refused(depth: int) -> None:
    deep: object = "x"
    for _ in range(depth):
        deep = [deep]
    try:
        seq = a_record(payload={"deep": deep}).seq
    except AuditRefused:
        assert AuditRecord.objects.count() == 0
    else:
        assert AuditRecord.objects.get().seq == seq


@pytest.mark.django_db
def test_characters_that_a_database_refuses_are_replaced() -> None:
    stored = a_record(key="a\0b", lane="\ud800", payload={"name": "a\0\ud800"})
    stored.refresh_from_db()
    assert (stored.key, stored.lane) == ("a\ufffdb", "\ufffd")
    assert stored.payload == '{"name":"a\\u0000\ufffd"}'


@pytest.mark.django_db(transaction=True)
def test_a_denial_is_recorded_after_what_it_rolled_back() -> None:
    class Denied(Exception):
        pass

    with pytest.raises(Denied), transaction.atomic():
        a_record(kind="approval.granted")
        raise Denied
    denial = append_apart(kind="approval.denied", key="k", status="failed", payload={}, actor=ANN, source="web")
    assert [found.kind for found in AuditRecord.objects.all()] == [denial.kind] == ["approval.denied"]


@pytest.mark.django_db(transaction=True)
def test_a_denial_cannot_be_recorded_inside_of_what_it_rolls_back() -> None:
    with pytest.raises(RuntimeError), transaction.atomic():
        append_apart(kind="approval.denied", key="k", status="failed", payload={}, actor=ANN, source="web")
    assert AuditRecord.objects.count() == 0


@pytest.mark.req("H50")
@pytest.mark.django_db(transaction=True)
def test_the_head_that_somebody_removed_does_not_begin_a_second_chain() -> None:
    from audits import triggers

    a_record()
    triggers.take_down(connection)
    ChainHead.objects.all().delete()
    triggers.ensure(using="default")
    with pytest.raises(AuditRefused):
        a_record()
