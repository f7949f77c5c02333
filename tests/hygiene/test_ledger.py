"""The ledger: since when something is here, when it was last used, and how surely that is known."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from hygiene import ledger
from hygiene.contracts import Confidence, Event, Inventory, Kind, Mount
from hygiene.models import Resource
from launchplane.hosts.models import Host
from tests.factories import a_busy_inventory, a_container, a_host, a_volume, an_image, an_inventory

pytestmark = [pytest.mark.django_db, pytest.mark.req("X5")]
AT = datetime(2026, 11, 20, 12, tzinfo=UTC)
PASS = timedelta(minutes=5)
IMAGE = an_image("shop/web:1")
DATA = Mount(kind="volume", source="data", destination="/data")
IDLE = an_inventory([IMAGE], volumes=[a_volume("data")])
RUNNING = an_inventory([IMAGE], volumes=[a_volume("data")], containers=[a_container("web", IMAGE, mounts=[DATA])])
STOPPED = an_inventory(
    [IMAGE], volumes=[a_volume("data")], containers=[a_container("web", IMAGE, state="exited", mounts=[DATA])]
)


@pytest.fixture
def host() -> Host:
    return a_host()


def passes(host: Host, *inventories: Inventory, events: tuple[Event, ...] = (), lost: bool = False) -> datetime:
    """One pass for each inventory, five minutes apart; the events come with the last one. Returns its time."""
    now = AT
    for number, inventory in enumerate(inventories):
        now = AT + number * PASS
        last = number == len(inventories) - 1
        ledger.record(host, inventory, events if last else (), events_lost=lost and last, now=now)
    return now


def row(kind: Kind, key: str) -> Resource:
    return Resource.objects.get(kind=kind, key=key)


def image_row() -> Resource:
    return row(Kind.IMAGE, IMAGE.id)


def a_run(at: datetime, image: str = "shop/web:1") -> Event:
    return Event(at=at, kind="container", action="die", subject="short-lived", image=image, container=None)


def test_what_is_new_was_first_seen_now_and_never_used(host: Host) -> None:
    passes(host, IDLE)
    found = image_row()
    assert (found.first_seen_at, found.unused_since) == (AT, AT)
    assert (found.last_used_at, found.last_used_confidence) == (None, Confidence.NEVER_SEEN)


def test_first_seen_never_moves(host: Host) -> None:
    passes(host, IDLE, RUNNING, IDLE)
    assert image_row().first_seen_at == AT


def test_what_is_in_use_was_last_used_now(host: Host) -> None:
    now = passes(host, IDLE, RUNNING)
    past = ledger.history(host, now=now)[Kind.IMAGE, IMAGE.id]
    assert (past.last_used_at, past.last_used_confidence) == (now, Confidence.POLLED)
    assert past.unused_since is None


def test_a_use_that_ended_between_two_passes_is_known_to_have_been_polled(host: Host) -> None:
    now = passes(host, RUNNING, STOPPED)
    found = image_row()
    assert (found.last_used_at, found.last_used_confidence) == (now, Confidence.POLLED)
    assert found.unused_since == now


def test_a_use_that_ended_while_events_were_lost_is_less_sure(host: Host) -> None:
    passes(host, RUNNING, STOPPED, lost=True)
    assert image_row().last_used_confidence == Confidence.GAP


def test_what_nobody_uses_may_have_been_used_while_events_were_lost(host: Host) -> None:
    now = passes(host, IDLE, IDLE, lost=True)
    found = image_row()
    assert (found.last_used_at, found.last_used_confidence, found.unused_since) == (None, Confidence.GAP, now)


def test_on_the_first_pass_nothing_was_there_to_be_missed(host: Host) -> None:
    ledger.record(host, IDLE, (), events_lost=True, now=AT)
    assert set(Resource.objects.values_list("last_used_confidence", flat=True)) == {Confidence.NEVER_SEEN}


def test_a_known_use_stays_known_while_events_are_lost(host: Host) -> None:
    at = AT + timedelta(minutes=3)
    passes(host, RUNNING, STOPPED, events=(a_run(at),))
    ledger.record(host, STOPPED, (), events_lost=True, now=AT + 2 * PASS)
    found = image_row()
    assert (found.last_used_at, found.last_used_confidence) == (at, Confidence.GAP)
    assert found.unused_since == AT + 2 * PASS


def test_a_use_that_an_event_tells_was_not_missed_though_older_events_were_lost(host: Host) -> None:
    at = AT + timedelta(minutes=3)
    passes(host, IDLE, IDLE, events=(a_run(at),), lost=True)
    assert (image_row().last_used_confidence, image_row().unused_since) == (Confidence.EVENT, at)


def test_gaps_are_written_once_a_day_and_not_at_every_pass(host: Host) -> None:
    passes(host, IDLE, IDLE, lost=True)
    day = timedelta(days=1)
    written = [
        ledger.record(host, IDLE, (), events_lost=True, now=AT + PASS + later)
        for later in (PASS, day - PASS, day, day + PASS)
    ]
    assert written == [0, 0, 2, 0]
    assert image_row().unused_since == AT + PASS + day


def test_a_gap_stays_noted_when_no_more_events_are_lost(host: Host) -> None:
    now = passes(host, IDLE, IDLE, lost=True)
    assert ledger.record(host, IDLE, (), events_lost=False, now=now + 40 * PASS) == 0
    assert image_row().last_used_confidence == Confidence.GAP


def test_a_use_that_ended_with_an_event_has_the_events_time(host: Host) -> None:
    at = AT + timedelta(minutes=3)
    passes(host, RUNNING, STOPPED, events=(a_run(at),))
    found = image_row()
    assert (found.last_used_at, found.last_used_confidence, found.unused_since) == (at, Confidence.EVENT, at)


def test_a_container_that_came_and_went_between_two_passes_used_its_image_by_its_events(host: Host) -> None:
    at = AT + timedelta(seconds=90)
    passes(host, IDLE, IDLE, events=(a_run(at),))
    assert (image_row().last_used_at, image_row().last_used_confidence) == (at, Confidence.EVENT)
    assert not Resource.objects.filter(kind=Kind.CONTAINER).exists()


def test_an_event_older_than_the_last_known_use_changes_nothing(host: Host) -> None:
    passes(host, IDLE, IDLE, events=(a_run(AT + PASS),))
    written = ledger.record(host, IDLE, (a_run(AT),), events_lost=False, now=AT + 2 * PASS)
    assert written == 0
    assert image_row().last_used_at == AT + PASS


def test_a_volume_is_used_while_a_container_that_mounts_it_runs(host: Host) -> None:
    passes(host, RUNNING)
    assert row(Kind.VOLUME, "data").in_use
    passes(host, RUNNING, STOPPED)
    assert not row(Kind.VOLUME, "data").in_use


def test_what_is_listed_no_more_is_gone_and_not_in_the_history(host: Host) -> None:
    now = passes(host, IDLE, an_inventory())
    assert image_row().gone_at == now
    assert ledger.history(host, now=now) == {}


def test_what_was_in_use_until_it_went_was_last_used_then(host: Host) -> None:
    now = passes(host, RUNNING, IDLE)
    container = Resource.objects.get(kind=Kind.CONTAINER)
    assert (container.gone_at, container.in_use) == (now, False)
    assert (container.last_used_at, container.last_used_confidence) == (now, Confidence.POLLED)


def test_what_comes_back_keeps_its_first_sight_and_starts_unused_anew(host: Host) -> None:
    now = passes(host, IDLE, an_inventory(), IDLE)
    found = image_row()
    assert (found.gone_at, found.first_seen_at, found.unused_since) == (None, AT, now)


def test_an_image_is_dangling_since_it_lost_its_last_tag(host: Host) -> None:
    untagged = an_inventory([IMAGE.model_copy(update={"tags": ()})])
    passes(host, IDLE, untagged, untagged)
    assert image_row().dangling_since == AT + PASS
    passes(host, IDLE)
    assert image_row().dangling_since is None


def test_a_dangling_image_that_comes_back_dangles_since_then(host: Host) -> None:
    untagged = an_inventory([IMAGE.model_copy(update={"tags": ()})])
    now = passes(host, untagged, an_inventory(), untagged)
    assert image_row().dangling_since == now


@pytest.mark.parametrize("inventory", [IDLE, RUNNING, STOPPED, a_busy_inventory(), an_inventory()])
def test_nothing_is_written_when_nothing_changed(host: Host, inventory: Inventory) -> None:
    ledger.record(host, inventory, (), events_lost=False, now=AT)
    assert ledger.record(host, inventory, (), events_lost=False, now=AT + PASS) == 0


def test_only_what_changed_is_written(host: Host) -> None:
    passes(host, an_inventory_with(IDLE, 50))
    assert ledger.record(host, an_inventory_with(RUNNING, 50), (), events_lost=False, now=AT + PASS) == 3


def an_inventory_with(inventory: Inventory, volumes: int) -> Inventory:
    """The same and so many volumes more."""
    more = tuple(a_volume(f"v{number}") for number in range(volumes))
    return inventory.model_copy(update={"volumes": (*inventory.volumes, *more)})


@pytest.mark.parametrize(
    ("field", "kind"), [("images", Kind.IMAGE), ("containers", Kind.CONTAINER), ("volumes", Kind.VOLUME)]
)
def test_a_kind_that_could_not_be_listed_is_not_gone(host: Host, field: str, kind: Kind) -> None:
    passes(host, RUNNING, an_inventory(unmeasured={field: "timed out"}))
    gone = set(Resource.objects.exclude(gone_at=None).values_list("kind", flat=True))
    assert gone == {Kind.IMAGE, Kind.CONTAINER, Kind.VOLUME} - {kind}


@pytest.mark.parametrize("field", ["containers", "volumes"])
def test_no_builder_is_gone_while_containers_or_volumes_could_not_be_listed(host: Host, field: str) -> None:
    passes(host, a_busy_inventory(), an_inventory(unmeasured={field: "timed out"}))
    assert not Resource.objects.filter(kind=Kind.BUILDER).exclude(gone_at=None).exists()


def test_without_the_containers_what_was_in_use_stays_so(host: Host) -> None:
    blind = IDLE.model_copy(update={"unmeasured": {"containers": "timed out"}})
    ledger.record(host, RUNNING, (), events_lost=False, now=AT)
    assert ledger.record(host, blind, (), events_lost=False, now=AT + PASS) == 0


def test_each_host_has_a_ledger_of_its_own(host: Host) -> None:
    other = a_host("other")
    passes(host, IDLE)
    assert ledger.history(other, now=AT) == {}
    passes(other, IDLE)
    assert Resource.objects.filter(kind=Kind.IMAGE).count() == 2


def test_the_ledger_outlives_the_process_that_wrote_it(host: Host) -> None:
    passes(host, RUNNING, STOPPED)
    again = ledger.Ledger(Host.objects.get(pk=host.pk)).history(now=AT + PASS)
    assert again[Kind.IMAGE, IMAGE.id].last_used_at == AT + PASS


def test_what_is_gone_is_not_read_again_and_again(host: Host) -> None:
    passes(host, an_inventory_with(IDLE, 50), an_inventory())
    with CaptureQueriesContext(connection) as asked:
        book = ledger.Ledger(host)
    assert '"gone_at" IS NULL' in asked.captured_queries[0]["sql"]
    assert book.record(an_inventory_with(IDLE, 3), (), events_lost=False, now=AT + 2 * PASS) == 5
    assert Resource.objects.count() == 52
    assert len(book.history(now=AT)) == 5


def test_reading_the_history_is_one_query(host: Host, django_assert_num_queries: object) -> None:
    passes(host, a_busy_inventory())
    with django_assert_num_queries(1):  # type: ignore[operator]
        ledger.history(host, now=AT)
