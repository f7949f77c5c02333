"""The engine's events: who used what, and when."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hygiene.contracts import Event, Kind
from hygiene.parse.events import parse_events
from hygiene.uses import last_uses
from launchplane.canonical import canonical
from tests.factories import an_image, an_inventory
from tests.hygiene.raw import anything, objects

AT = datetime(2026, 11, 20, 18, 52, 8, tzinfo=UTC)
SECONDS = int(AT.timestamp())


def raw_event(
    kind: str = "container", action: str = "start", subject: str = "c1", **attributes: str
) -> dict[str, object]:
    return {
        "Type": kind,
        "Action": action,
        "time": SECONDS,
        "timeNano": SECONDS * 10**9 + 123_456_789,
        "Actor": {"ID": subject, "Attributes": attributes},
    }


def event(kind: str, action: str, subject: str, *, image: str | None = None, at: datetime = AT) -> Event:
    return Event(at=at, kind=kind, action=action, subject=subject, image=image, container=None)


def test_an_event_is_read_with_its_time_to_the_microsecond() -> None:
    events, lost = parse_events({"events": [raw_event(image="shop/web:1", name="web")], "truncated": False})
    assert not lost
    assert events == [
        Event(
            at=AT.replace(microsecond=123_456),
            kind="container",
            action="start",
            subject="c1",
            image="shop/web:1",
            container=None,
        )
    ]


def test_an_event_without_nanoseconds_has_its_seconds() -> None:
    raw = raw_event()
    del raw["timeNano"]
    assert parse_events({"events": [raw], "truncated": False})[0][0].at == AT


def test_events_come_in_times_order() -> None:
    late = raw_event(subject="late") | {"timeNano": SECONDS * 10**9 + 5 * 10**9}
    events, _ = parse_events({"events": [late, raw_event(subject="early")], "truncated": False})
    assert [event.subject for event in events] == ["early", "late"]


@pytest.mark.parametrize(
    "raw",
    [
        None,
        [],
        {"events": None, "truncated": False},
        {"events": []},
        {"events": [], "truncated": None},
        {"events": [], "truncated": True},
        {"events": [{}], "truncated": False},
        {"events": [raw_event(subject="")], "truncated": False},
        {"events": [raw_event() | {"time": None, "timeNano": -1}], "truncated": False},
        {"events": [raw_event() | {"timeNano": 2**70, "time": 2**60}], "truncated": False},
    ],
)
def test_events_that_may_be_missing_are_said_to_be(raw: object) -> None:
    assert parse_events(raw)[1] is True


raw_events = objects("Type", "Action", "time", "timeNano", inner=anything | objects("ID", "Attributes"))


@given(anything | st.fixed_dictionaries({"events": st.lists(raw_events, max_size=3)}, optional={"truncated": anything}))
def test_forged_events_never_raise_and_what_they_give_can_be_stored(raw: object) -> None:
    assert all(canonical(event) for event in parse_events(raw)[0])


@pytest.mark.req("X5")
@pytest.mark.parametrize("ref", ["shop/web:1.5", "shop/tool", "ID", "HEX", "SHORT", "shop/web@sha256:ab"])
def test_a_container_that_started_used_its_image_by_whatever_name(ref: str) -> None:
    image = an_image("shop/web:1.5", "shop/tool:latest").model_copy(update={"digests": ("shop/web@sha256:ab",)})
    hexadecimal = image.id.removeprefix("sha256:")
    ref = {"ID": image.id, "HEX": hexadecimal, "SHORT": hexadecimal[:12]}.get(ref, ref)
    uses = last_uses(an_inventory([image]), (event("container", "start", "c1", image=ref),))
    assert uses == {(Kind.CONTAINER, "c1"): AT, (Kind.IMAGE, image.id): AT}


def test_a_short_id_that_two_images_have_is_neither() -> None:
    twins = [an_image().model_copy(update={"id": f"sha256:{'a' * 12}{end * 52}"}) for end in "bc"]
    uses = last_uses(an_inventory(twins), (event("container", "start", "c1", image="a" * 12),))
    assert uses.keys() == {(Kind.CONTAINER, "c1")}


def test_the_last_of_several_uses_counts() -> None:
    later = AT + timedelta(seconds=5)
    uses = last_uses(
        an_inventory(), (event("volume", "unmount", "data", at=later), event("volume", "mount", "data", at=AT))
    )
    assert uses == {(Kind.VOLUME, "data"): later}


@pytest.mark.parametrize(
    ("kind", "action"),
    [
        ("container", "destroy"),
        ("container", "exec_start"),
        ("container", "health_status"),
        ("image", "tag"),
        ("image", "untag"),
        ("image", "delete"),
        ("volume", "create"),
        ("volume", "destroy"),
        ("network", "connect"),
        ("", ""),
    ],
)
def test_what_is_no_use_is_none(kind: str, action: str) -> None:
    image = an_image("shop/web:1")
    assert last_uses(an_inventory([image]), (event(kind, action, image.id, image="shop/web:1"),)) == {}


def test_a_pull_is_a_use_of_the_image_that_has_the_name() -> None:
    image = an_image("shop/web:1")
    assert last_uses(an_inventory([image]), (event("image", "pull", "shop/web:1"),)) == {(Kind.IMAGE, image.id): AT}


def test_an_image_that_is_not_there_any_more_is_no_key() -> None:
    assert last_uses(an_inventory(), (event("image", "pull", "gone:1"),)) == {}
