"""Snapshots: stored once when equal, thinned with age, and never read when damaged."""

import zlib
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from hygiene.contracts import Inventory
from hygiene.models import Snapshot, SnapshotDocument
from hygiene.snapshots import load, readings, stored_report, thin
from launchplane.canonical import canonical, digest
from launchplane.hosts.models import Host
from tests import factories
from tests.factories import a_busy_inventory, a_host, a_volume, an_inventory, observed

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def host() -> Host:
    return a_host()


def rows_at(host: Host, *times: datetime) -> None:
    """Snapshots of one and the same inventory."""
    document, _ = SnapshotDocument.objects.get_or_create(sha256="0" * 64, compressed=b"", text_bytes=0)
    Snapshot.objects.bulk_create(
        Snapshot(host=host, observed_at=at, duration_ms=1, document=document, readings="{}", report="{}", resources=0)
        for at in times
    )


def ages(host: Host, now: datetime = NOW) -> list[timedelta]:
    return [now - at for at in host.snapshots.values_list("observed_at", flat=True)]


def test_what_is_loaded_is_what_was_stored(host: Host) -> None:
    inventory = a_busy_inventory()
    reading = factories.readings(free=5)
    snapshot = observed(host, inventory, reading=reading)
    assert load(snapshot) == inventory
    assert readings(snapshot) == reading
    assert stored_report(snapshot).free_disk_bytes == 5


def test_the_document_is_the_canonical_text_that_its_name_is_the_digest_of(host: Host) -> None:
    inventory = a_busy_inventory()
    document = observed(host, inventory).document
    text = zlib.decompress(document.compressed)
    assert text == canonical(inventory)
    assert document.sha256 == digest(text)
    assert document.text_bytes == len(text)


def test_an_equal_inventory_is_stored_once_however_often_it_is_seen(host: Host) -> None:
    inventory = a_busy_inventory()
    first = observed(host, inventory, at=NOW)
    again = observed(host, Inventory.model_validate_json(inventory.model_dump_json()), at=NOW + HOUR)
    assert first.document_id == again.document_id
    assert SnapshotDocument.objects.count() == 1


def test_another_inventory_is_another_document(host: Host) -> None:
    observed(host, an_inventory(volumes=[a_volume("a", size=1)]), at=NOW)
    observed(host, an_inventory(volumes=[a_volume("a", size=2)]), at=NOW + HOUR)
    assert SnapshotDocument.objects.count() == 2


@pytest.mark.parametrize("damage", [b"", b"not zlib at all", zlib.compress(b"{}")])
def test_a_damaged_document_is_refused_with_its_name(host: Host, damage: bytes) -> None:
    snapshot = observed(host, a_busy_inventory())
    SnapshotDocument.objects.update(compressed=damage)
    with pytest.raises(ValueError, match=f"{snapshot.document_id} is damaged"):
        load(Snapshot.objects.get())


def test_young_snapshots_all_stay(host: Host) -> None:
    rows_at(host, *(NOW - timedelta(minutes=5 * step) for step in range(40)))
    assert thin(host, now=NOW) == 0


@pytest.mark.parametrize(
    ("age", "apart"), [(3 * DAY, HOUR), (15 * DAY, 6 * HOUR), (61 * DAY, DAY), (800 * DAY, 7 * DAY)]
)
def test_older_snapshots_stay_further_apart(host: Host, age: timedelta, apart: timedelta) -> None:
    step = apart / 4
    rows_at(host, NOW, *(NOW - age - step * number for number in range(16)))
    thin(host, now=NOW)
    old = [found for found in ages(host) if found > DAY]
    assert len(old) == 4
    assert all(later - earlier == apart for earlier, later in pairwise(old))


def test_the_newest_snapshot_stays_however_old_it_is(host: Host) -> None:
    rows_at(host, NOW - 900 * DAY, NOW - 900 * DAY + HOUR, NOW - 900 * DAY + 2 * HOUR)
    thin(host, now=NOW)
    assert ages(host) == [900 * DAY - 2 * HOUR, 900 * DAY]


def test_thinning_after_every_pass_keeps_a_trail_of_the_past(host: Host) -> None:
    passes = [NOW + timedelta(minutes=30) * number for number in range(4 * 48)]
    for at in passes:
        rows_at(host, at)
        thin(host, now=at)
    found = ages(host, passes[-1])
    assert found[-1] == passes[-1] - NOW
    assert all(later - earlier <= HOUR for earlier, later in pairwise(found))
    assert len([age for age in found if age > 2 * DAY]) == pytest.approx(2 * 24, abs=2)


def test_thinning_again_takes_nothing_more(host: Host) -> None:
    rows_at(host, *(NOW - timedelta(hours=2) * number for number in range(200)))
    assert thin(host, now=NOW) > 0
    assert thin(host, now=NOW) == 0


def test_thinning_one_host_leaves_the_others_alone(host: Host) -> None:
    other = a_host("other")
    rows_at(other, *(NOW - 5 * DAY - timedelta(minutes=number) for number in range(5)))
    rows_at(host, NOW)
    assert thin(host, now=NOW) == 0
    assert other.snapshots.count() == 5


def test_a_document_goes_with_its_last_snapshot(host: Host) -> None:
    base = NOW - 5 * DAY
    for minute in range(3):
        observed(host, an_inventory(volumes=[a_volume("a", size=minute)]), at=base + timedelta(minutes=minute))
    observed(host, an_inventory(), at=NOW)
    assert thin(host, now=NOW) == 2
    assert SnapshotDocument.objects.count() == 2
    assert load(host.snapshots.earliest()).volumes[0].size_bytes == 0
