"""`manage.py changes` and `manage.py freeze`: what they print, and the codes that scripts rely on."""

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from audits.models import AuditRecord
from launchplane.access.models import User
from launchplane.changes.models import Change, Freeze
from launchplane.changes.requests import find_change
from launchplane.hosts.models import Host
from tests.changes import toy
from tests.changes.test_recovery import crashed
from tests.changes.ways import approved, decided, names, planned, requested
from tests.factories import PASSWORD


def run(*argv: str) -> tuple[int, str]:
    """The code and the output of a command."""
    out = StringIO()
    try:
        call_command(*argv, stdout=out, stderr=StringIO())
    except CommandError as error:
        return error.returncode, out.getvalue() + str(error)
    except SystemExit as ended:
        return int(ended.code or 0), out.getvalue()
    return 0, out.getvalue()


def said(*argv: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(run(*argv, "--json")[1])
    return document


@pytest.fixture(autouse=True)
def password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAUNCHPLANE_PASSWORD", PASSWORD)


def test_show_prints_the_whole_contract(host: Host, operator: User) -> None:
    change = planned(host, operator)
    shown = said("changes", "show", str(change.pk))
    assert {
        *("id", "kind", "host", "subject", "status", "plan_status", "digest", "requester", "reason", "deadline"),
        *("steps", "blockers", "gates", "next_steps", "declared_calls", "predicted_bytes", "actual_bytes"),
        *("approvals", "audit_seqs"),
    } <= set(shown)
    assert {"position", "verb", "target", "expected", "outcome", "detail"} <= set(shown["steps"][0])
    assert (shown["status"], shown["plan_status"]) == ("planned", "ready")
    assert shown["declared_calls"] == [{"name": "remove", "at_most": 3}]
    assert shown["audit_seqs"] == list(AuditRecord.objects.filter(key=shown["id"]).values_list("seq", flat=True))


def test_people_read_the_same(host: Host, operator: User) -> None:
    code, text = run("changes", "show", str(planned(host, operator).pk))
    assert code == 0
    assert "Remove files (toy.remove on chris-testing): planned" in text
    assert "rubbish-1" in text


def test_the_list_can_be_narrowed(host: Host, operator: User) -> None:
    planned(host, operator)
    requested(host, operator, items=["rubbish-1"])
    assert run("changes", "list")[1].count("toy.remove") == 2
    assert json.loads(run("changes", "list", "--open", "--json")[1])[0]["status"] == "awaiting_approval"
    assert "No change" in run("changes", "list", "--host", "other")[1]


def test_a_request_from_a_shell_is_a_person_s(host: Host, operator: User) -> None:
    change = planned(host, operator)
    code, _text = run("changes", "request", str(change.pk), "--reason", "disk is full", "--as", "operator")
    assert (code, find_change(change.pk).requester) == (3, operator)


def test_a_wrong_password_is_refused_and_on_record(host: Host, operator: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAUNCHPLANE_PASSWORD", "wrong")
    change = planned(host, operator)
    code, text = run("changes", "request", str(change.pk), "--reason", "x", "--as", "operator")
    assert (code, "do not belong together" in text) == (4, True)
    assert AuditRecord.objects.latest("seq").kind == "access.denied"
    assert find_change(change.pk).status == "planned"


def test_the_password_may_come_by_standard_input(host: Host, operator: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LAUNCHPLANE_PASSWORD")
    monkeypatch.setattr("sys.stdin", StringIO(f"{PASSWORD}\n"))
    change = planned(host, operator)
    assert run("changes", "request", str(change.pk), "--reason", "x", "--as", "operator")[0] == 3


@pytest.mark.req("H55")
def test_apply_applies_once_for_each_key(host: Host, operator: User, approver: User) -> None:
    change = approved(host, operator, approver)
    apply = ("changes", "apply", str(change.pk), "--idempotency-key", "k1")
    assert run(*apply)[0] == 0
    toy.sign(host, "rubbish-1", text="rubbish 1\n")
    assert run(*apply)[0] == 0
    assert names(host) == ["rubbish-1"]
    assert run("changes", "apply", str(change.pk), "--idempotency-key", "k2")[0] == 4


@pytest.mark.req("H55")
def test_a_key_belongs_to_one_change(host: Host, operator: User, approver: User) -> None:
    one = approved(host, operator, approver, items=["rubbish-1"])
    other = approved(host, operator, approver, items=["rubbish-2"])
    run("changes", "apply", str(one.pk), "--idempotency-key", "k1")
    code, text = run("changes", "apply", str(other.pk), "--idempotency-key", "k1")
    assert (code, "another change" in text) == (4, True)
    assert names(host) == ["rubbish-2", "rubbish-3"]


def test_apply_needs_an_approval_and_the_phrase(host: Host, operator: User, approver: User) -> None:
    change = requested(host, operator)
    assert run("changes", "apply", str(change.pk), "--idempotency-key", "k1")[0] == 4
    toy.sign(host, "precious")
    change = requested(host, operator)
    Change.objects.filter(pk=change.pk).update(status="approved")
    code, text = run("changes", "apply", str(change.pk), "--idempotency-key", "k2")
    assert (code, "remove precious" in text) == (4, True)
    assert toy.effects(host) == []


def test_a_phrase_that_was_mistyped_takes_no_key(host: Host, operator: User, approver: User) -> None:
    toy.sign(host, "precious")
    change = requested(host, operator)
    decided(change, approver, phrase="remove precious")
    apply = ("changes", "apply", str(change.pk), "--idempotency-key")
    assert run(*apply, "k1", "--confirm", "remove it")[0] == 4
    assert run(*apply, "k2", "--confirm", "remove precious")[0] == 0


def test_what_waits_and_what_failed_have_codes_of_their_own(host: Host, operator: User, approver: User) -> None:
    toy.sign(host, "closed")
    change = approved(host, operator, approver)
    apply = ("changes", "apply", str(change.pk), "--idempotency-key", "k1")
    code, text = run(*apply)
    assert (code, "gate toy is closed" in text) == (3, True)
    toy.sign(host, "closed", there=False)
    toy.sign(host, "warm", there=False)
    assert run(*apply)[0] == 4
    assert run("changes", "show", str(change.pk))[0] == 4


def test_resolve_ends_what_is_in_doubt(host: Host, operator: User, approver: User) -> None:
    change = crashed(approved(host, operator, approver), "after_effect", step=1)
    Change.objects.update(status="in_doubt")
    resolve = ("changes", "resolve", str(change.pk), "--reason", "looked", "--as")
    assert run(*resolve, "operator")[0] == 4
    assert run(*resolve, "approver")[0] == 0
    assert find_change(change.pk).status == "failed"


@pytest.mark.parametrize("id", ["nonsense", "00000000-0000-0000-0000-000000000000"])
def test_no_such_change(db: None, id: str) -> None:
    code, text = run("changes", "show", id)
    assert (code, "There is no change" in text) == (2, True)


@pytest.mark.req("X18")
def test_freeze_on_and_off(host: Host) -> None:
    assert said("freeze", "on", host.name, "--reason", "incident") == {
        "host": "chris-testing",
        "frozen": True,
        "reason": "incident",
    }
    assert run("freeze", "on", "--reason", "all of it")[0] == 0
    assert Freeze.objects.filter(lifted_at=None).count() == 2
    assert run("freeze", "off", host.name, "--reason", "over")[0] == 0
    assert run("freeze", "off", "--reason", "over")[0] == 0
    code, text = run("freeze", "off", "--reason", "over")
    assert (code, "Everything is not frozen." in text) == (2, True)


def test_freezing_twice_is_freezing_once(host: Host) -> None:
    run("freeze", "on", host.name, "--reason", "one")
    run("freeze", "on", host.name, "--reason", "two")
    assert Freeze.objects.get().reason == "one"


def test_a_named_person_needs_the_right_to_freeze(host: Host, operator: User) -> None:
    operator.groups.clear()
    assert run("freeze", "on", host.name, "--reason", "x", "--as", "operator")[0] == 4
    refused = AuditRecord.objects.latest("seq")
    assert (refused.kind, refused.status, refused.actor_name) == ("freeze.denied", "failed", "operator")


@pytest.mark.req("X18")
def test_a_freeze_stays_on_a_host_that_gets_another_name(host: Host, operator: User, approver: User) -> None:
    run("freeze", "on", host.name, "--reason", "incident")
    Host.objects.update(name="renamed")
    change = approved(Host.objects.get(), operator, approver)
    assert run("changes", "apply", str(change.pk), "--idempotency-key", "k")[0] == 3
    assert toy.effects(host) == []
    assert run("freeze", "off", "renamed", "--reason", "over")[0] == 0
    assert run("changes", "apply", str(change.pk), "--idempotency-key", "k")[0] == 0
