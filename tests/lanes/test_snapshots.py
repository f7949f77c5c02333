"""What was seen of a lane, kept: once when equal but for times, thinned with age, and never read when damaged."""

import zlib
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from lanes.contracts import Observed
from lanes.listings import narrowed
from lanes.models import Lane, LaneDocument, LaneSnapshot
from lanes.parts import parts_of
from lanes.snapshots import last_seen, load, store
from launchplane.canonical import digest
from tests.lanes.records import a_lane, a_lane_host
from tests.lanes.scenes import LANE, NOW, OURS, a_listing, a_runner, a_service, seen

pytestmark = pytest.mark.django_db
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def lane() -> Lane:
    return a_lane(a_lane_host())


def look(lane: Lane, *, at: datetime = NOW, listing: Any = None, **different: Any) -> LaneSnapshot:
    """Store an observation of `at`, with a listing of that time."""
    listing = listing or a_listing(a_runner())
    listing = listing.model_copy(update={"seen_at": at, "request_ids": (f"ID{at.timestamp():.0f}",)})
    snapshot = store(lane, seen(seen_at=at, listing=listing, **different), asked_by="a test")
    assert snapshot is not None
    return snapshot


def test_what_is_loaded_is_what_was_stored_as_far_as_the_lane_goes(lane: Lane) -> None:
    observed = seen()
    store(lane, observed, asked_by="a test")
    loaded = last_seen(lane)
    assert observed.listing is not None
    listing = narrowed(observed.listing, lane.as_desired())
    assert [runner.name for runner in listing.runners] == [LANE]
    assert loaded == observed.model_copy(update={"listing": listing})
    assert parts_of(lane.as_desired(), loaded) == parts_of(lane.as_desired(), observed)


def test_a_part_that_was_not_read_is_loaded_as_that(lane: Lane) -> None:
    observed = seen(listing=None, service=None, unmeasured={"listing": "down", "service": "silent"})
    store(lane, observed, asked_by="a test")
    assert last_seen(lane) == observed


def test_what_is_equal_but_for_times_is_one_snapshot(lane: Lane) -> None:
    for minutes in range(5):
        look(lane, at=NOW + minutes * MINUTE)
    snapshot = lane.snapshots.get()
    assert (snapshot.first_at, snapshot.observed_at) == (NOW, NOW + 4 * MINUTE)
    assert load(snapshot).seen_at == snapshot.listed_at == NOW + 4 * MINUTE
    assert snapshot.request_ids == [f"ID{(NOW + 4 * MINUTE).timestamp():.0f}"]


def test_what_other_runners_do_is_nothing_new_of_this_one(lane: Lane) -> None:
    look(lane)
    snapshot = look(lane, at=NOW + MINUTE, listing=a_listing(a_runner(), a_runner(id=6, name="yet-another")))
    assert lane.snapshots.get() == snapshot
    assert snapshot.runners_listed == 3


def test_a_state_that_comes_back_is_a_new_snapshot_of_the_old_text(lane: Lane) -> None:
    look(lane)
    look(lane, at=NOW + MINUTE, service=a_service(workers=1))
    look(lane, at=NOW + 2 * MINUTE)
    assert (lane.snapshots.count(), LaneDocument.objects.count()) == (3, 2)


def test_lanes_that_are_seen_alike_share_a_text_only_if_it_is_the_same(lane: Lane) -> None:
    other = a_lane(lane.host, name="another", service_user="lane-other", agent_id=None)
    look(lane)
    look(other)
    assert LaneDocument.objects.count() == 2


def test_the_text_is_the_one_that_its_name_is_the_digest_of(lane: Lane) -> None:
    document = look(lane).document
    text = zlib.decompress(document.compressed)
    assert document.sha256 == digest(text)
    assert b"seen_at" not in text
    assert b"request_ids" not in text


@pytest.mark.parametrize("stored", [b"", zlib.compress(b"{}"), b"\x00" * 100])
def test_a_text_that_is_not_what_was_hashed_is_not_believed(lane: Lane, stored: bytes) -> None:
    snapshot = look(lane)
    LaneDocument.objects.update(compressed=stored)
    with pytest.raises(ValueError, match="damaged"):
        load(LaneSnapshot.objects.get(pk=snapshot.pk))


@pytest.mark.parametrize(
    "different",
    [
        {"complete": False, "why_incomplete": "Page 2 could not be read."},
        {"total_count": 99},
        {"runners": (a_runner(), a_runner())},
        {"runners": (a_runner(), a_runner(id=43))},
        {"runners": (a_runner(name="renamed"),)},
        {"runners": (a_runner(id=77),)},
        {"runners": ()},
    ],
)
def test_a_listing_is_narrowed_without_losing_what_follows_from_it(lane: Lane, different: dict[str, Any]) -> None:
    count = {"total_count": len(different["runners"])} if "runners" in different else {}
    whole = a_listing(a_runner(), **(count | different))
    desired = lane.as_desired()
    part = narrowed(whole, desired)
    by_whole, by_part = (parts_of(desired, seen(listing=listing)) for listing in (whole, part))
    assert (by_part.registration, by_part.runner, by_part.labels) == (
        by_whole.registration,
        by_whole.runner,
        by_whole.labels,
    )


def test_old_snapshots_get_further_apart_and_the_newest_stays(lane: Lane) -> None:
    for hours in range(80):
        for minutes in (0, 30):
            look(lane, at=NOW + hours * HOUR + minutes * MINUTE, service=a_service(workers=minutes % 7))
    times = sorted(lane.snapshots.values_list("observed_at", flat=True))
    now = times[-1]
    assert now == NOW + 79 * HOUR + 30 * MINUTE
    old = [at for at in times if now - at > 2 * DAY]
    assert all(later - earlier >= HOUR for earlier, later in pairwise(old))
    assert len([at for at in times if now - at <= 2 * DAY]) == 97
    assert LaneDocument.objects.count() == 2


def spans(lane: Lane) -> list[tuple[bool, timedelta, timedelta]]:
    return [(row.online, row.since - NOW, row.until - NOW) for row in lane.contacts.order_by("since")]


def offline(**different: Any) -> Any:
    return a_listing(a_runner(online=False, **different))


@pytest.mark.req("X14")
def test_our_own_history_of_when_it_was_online_has_one_row_a_span(lane: Lane) -> None:
    for minutes in range(3):
        look(lane, at=NOW + minutes * MINUTE)
    for minutes in range(3, 6):
        look(lane, at=NOW + minutes * MINUTE, listing=offline())
    look(lane, at=NOW + 6 * MINUTE)
    assert spans(lane) == [
        (True, 0 * MINUTE, 2 * MINUTE),
        (False, 3 * MINUTE, 5 * MINUTE),
        (True, 6 * MINUTE, 6 * MINUTE),
    ]


@pytest.mark.req("X14")
@pytest.mark.parametrize(
    "unknown",
    [
        seen(listing=None, unmeasured={"listing": "down"}),
        seen(listing=a_listing(a_runner(), complete=False, why_incomplete="half")),
        seen(listing=a_listing(a_runner(id=77))),
    ],
)
def test_what_is_not_known_of_a_runner_ends_no_span(lane: Lane, unknown: Observed) -> None:
    look(lane)
    store(lane, unknown.model_copy(update={"seen_at": NOW + MINUTE}), asked_by="a test")
    assert spans(lane) == [(True, 0 * MINUTE, 0 * MINUTE)]


@pytest.mark.req("X14")
def test_a_runner_that_github_does_not_know_any_more_is_offline_and_one_that_never_was_is_nothing(lane: Lane) -> None:
    look(lane, listing=a_listing())
    assert spans(lane) == []
    look(lane, at=NOW + MINUTE)
    look(lane, at=NOW + 2 * MINUTE, listing=a_listing())
    assert [online for online, _, _ in spans(lane)] == [True, False]
    assert lane.agent_id == OURS


def test_a_lane_that_is_gone_by_now_leaves_nothing(lane: Lane) -> None:
    stale = Lane.objects.select_related("host").get()
    lane.delete()
    assert store(stale, seen(), asked_by="a test") is None
    assert not LaneDocument.objects.exists()


def test_a_text_that_nobody_refers_to_goes_when_nobody_wanted_it_lately(lane: Lane) -> None:
    now = timezone.now()
    for name, age in (("old", 2 * HOUR), ("new", MINUTE)):
        LaneDocument.objects.create(sha256=name, compressed=b"", wanted_at=now - age)
    for hours in (96, 95.5, 0):
        look(lane, at=now - hours * HOUR, service=a_service(workers=int(hours) % 7))
    assert set(LaneDocument.objects.values_list("sha256", flat=True)) & {"old", "new"} == {"new"}


@pytest.mark.django_db(transaction=True)
def test_looks_at_the_same_time_are_stored_one_after_the_other() -> None:
    lane = a_lane(a_lane_host())
    moments = [NOW + number * MINUTE for number in range(8)]

    def keep(at: datetime) -> None:
        try:
            look(lane, at=at, service=a_service(workers=at.minute % 2))
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(keep, moments))
    last = lane.snapshots.latest()
    assert last.observed_at == moments[-1]
    assert LaneDocument.objects.count() == 2
    assert lane.contacts.count() == 1
