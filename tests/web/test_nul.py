"""The one character that PostgreSQL cannot hold: typed anywhere, it breaks no page and loses nothing."""

from django.test import Client

from launchplane.access.models import User
from launchplane.changes.models import Change, Freeze, PlanRun
from launchplane.hosts.models import Host
from tests.changes.ways import planned


def test_a_reason_is_kept_without_it(visitor: Client, folder: Host, operator: User) -> None:
    change = planned(folder, operator)
    form = {"digest": change.digest, "reason": "disk\0full"}
    assert visitor.post(f"/changes/{change.pk}/request/", form).status_code == 302
    assert Change.objects.get().reason == "disk\N{REPLACEMENT CHARACTER}full"


def test_a_freeze_holds_all_the_same(visitor: Client, folder: Host) -> None:
    visitor.post("/freeze/", {"host": folder.name, "turn": "on", "reason": "\0"})
    assert Freeze.objects.get().lifted_at is None


def test_a_key_with_it_is_refused_in_words(visitor: Client, folder: Host) -> None:
    form = {"kind": "hygiene.dangling", "idempotency_key": "a\0b"}
    page = visitor.post(f"/hosts/{folder.name}/changes/plan/", form, follow=True)
    assert "An idempotency key has 1 to 200 visible ASCII characters" in page.content.decode()
    assert not PlanRun.objects.exists()
