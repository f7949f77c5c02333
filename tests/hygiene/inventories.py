"""Random hosts: what they hold, what the ledger knows, what an operator said; small, so that things collide."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from hygiene.contracts import (
    BudgetRule,
    CacheRecord,
    Confidence,
    Container,
    History,
    Image,
    Inventory,
    Key,
    Kind,
    Mount,
    Policy,
    ProtectionRule,
    Service,
    Volume,
)
from hygiene.parse.builders import pair
from onhost.engine.buildx import PREFIX, STATE_FOLDER
from tests.factories import an_inventory, digest

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
DAY = timedelta(days=1)
NODES = ["ci0", "ci1", "old0"]
TAGS = ["web:1", "web:latest", "runner:1"]
IMAGE_IDS = [digest(number) for number in range(4)]
STATES = ["running", "paused", "restarting", "exited", "created", "dead", "removing", ""]
VOLUMES = [*(f"{PREFIX}{node}_state" for node in NODES), "data", "runner-state"]
SCOPES = ["build_cache", "builder:ci0", "images", "images.dangling", "images.labelled", "containers"]
LABEL = "ci.managed=true"

days_ago = st.integers(-1, 60).map(lambda days: NOW - days * DAY)
times = st.none() | days_ago
sizes = st.none() | st.integers(0, 20)
labels = st.sampled_from([{}, {}, {"ci.managed": "true"}, {"ci.managed": "false"}, {"launchplane.protect": "true"}])


def images() -> st.SearchStrategy[list[Image]]:
    """Each with tags of its own, or without."""
    image = st.builds(
        Image,
        id=st.sampled_from(IMAGE_IDS),
        tags=st.sets(st.sampled_from(TAGS), max_size=2).map(lambda tags: tuple(sorted(tags))),
        digests=st.just(()),
        created_at=times,
        size_bytes=sizes,
        shared_bytes=sizes,
        labels=labels,
    )
    return st.lists(image, max_size=4, unique_by=(lambda image: image.id, lambda image: image.tags or image.id))


def containers() -> st.SearchStrategy[list[Container]]:
    names = st.sampled_from([f"{PREFIX}{node}" for node in NODES] + ["web", "runner"])
    mounts = st.lists(
        st.builds(
            Mount,
            kind=st.sampled_from(["volume", "bind"]),
            source=st.sampled_from(VOLUMES),
            destination=st.sampled_from([STATE_FOLDER, "/data"]),
        ),
        max_size=2,
    ).map(tuple)
    container = st.builds(
        lambda name, **fields: Container(id=digest(name).removeprefix("sha256:"), name=name, image_ref="x", **fields),
        names,
        image_id=st.sampled_from(IMAGE_IDS),
        state=st.sampled_from(STATES),
        created_at=times,
        size_rw_bytes=sizes,
        labels=labels,
        mounts=mounts,
    )
    return st.lists(container, max_size=4, unique_by=lambda container: container.name)


def volumes() -> st.SearchStrategy[list[Volume]]:
    volume = st.builds(
        Volume,
        name=st.sampled_from(VOLUMES),
        driver=st.just("local"),
        mountpoint=st.just("/"),
        created_at=times,
        size_bytes=sizes,
        ref_count=st.sampled_from([None, 0, 1, 2]),
        labels=labels,
    )
    return st.lists(volume, max_size=4, unique_by=lambda volume: volume.name)


def cache() -> st.SearchStrategy[list[CacheRecord]]:
    record = st.builds(
        CacheRecord,
        builder=st.sampled_from(["", "ci0", "ci1"]),
        id=st.sampled_from(["r1", "r2", "r3"]),
        parent=st.sampled_from(["", "r1", "r2"]),
        type=st.just("regular"),
        size_bytes=sizes,
        in_use=st.booleans(),
        shared=st.booleans(),
        created_at=times,
        last_used_at=times,
        usage_count=st.none(),
    )
    return st.lists(record, max_size=5, unique_by=lambda record: record.key)


def services() -> st.SearchStrategy[tuple[Service, ...] | None]:
    service = st.builds(
        Service,
        id=st.sampled_from(["s1", "s2"]),
        name=st.just("shop_web"),
        stack=st.none(),
        image=st.sampled_from(["web", "web:1", "gone:1"]),
        wanted=st.just(0),
        running=st.just(0),
        volumes=st.lists(st.sampled_from(VOLUMES), max_size=1).map(tuple),
    )
    return st.none() | st.lists(service, max_size=2, unique_by=lambda service: service.id).map(tuple)


@st.composite
def inventories(draw: st.DrawFn) -> Inventory:
    """A host with builders paired as in life, and with parts that could not be read."""
    found = draw(containers())
    kept = draw(volumes())
    running = draw(services())
    unread = {"services"} if running is None else set()
    unread |= draw(st.sets(st.sampled_from(["containers", "images", "volumes"]), max_size=1) if draw(chance) else none)
    inventory = an_inventory(
        draw(images()),
        containers=() if "containers" in unread else found,
        volumes=kept,
        cache=draw(cache()),
        unmeasured=dict.fromkeys(unread, "timed out"),
    )
    builders = pair(inventory.containers, inventory.volumes, {}, {})
    return inventory.model_copy(update={"builders": tuple(builders), "services": running})


chance = st.integers(0, 3).map(lambda number: number == 0)
none: st.SearchStrategy[set[str]] = st.just(set())


def keys_of(inventory: Inventory) -> list[Key]:
    """The key of each resource, in the inventory's own order."""
    return [
        *((Kind.IMAGE, image.id) for image in inventory.images),
        *((Kind.CONTAINER, container.id) for container in inventory.containers),
        *((Kind.VOLUME, volume.name) for volume in inventory.volumes),
        *((Kind.BUILD_CACHE, record.key) for record in inventory.build_cache),
        *((Kind.BUILDER, builder.name) for builder in inventory.builders),
    ]


pasts = st.builds(
    History,
    first_seen_at=days_ago,
    last_used_at=times,
    last_used_confidence=st.sampled_from(Confidence),
    dangling_since=times,
    unused_since=times,
)
protections = st.sampled_from(
    [
        ProtectionRule(kind="any", pattern="^runner", reason="state of a CI runner"),
        ProtectionRule(kind="label", pattern="^launchplane.protect=true$", reason="labelled"),
        ProtectionRule(kind="builder", pattern="^old", reason="still needed"),
        ProtectionRule(kind="volume", pattern="_state$", reason="state"),
        ProtectionRule(kind="image", pattern=":latest$", reason="current"),
        ProtectionRule(kind="any", pattern="^(ci0/)?r1$", reason="asked for"),
    ]
)


@st.composite
def budgets(draw: st.DrawFn) -> BudgetRule:
    most = draw(st.none() | st.integers(0, 30))
    reserve = draw(st.integers(0, 30 if most is None else most))
    age = draw(st.sampled_from([0, 1, 7, 30])) * 86_400
    return BudgetRule(scope=draw(st.sampled_from(SCOPES)), max_bytes=most, reserve_bytes=reserve, min_age_seconds=age)


policies = st.builds(
    Policy,
    protections=st.lists(protections, max_size=3).map(tuple),
    budgets=st.lists(budgets(), max_size=6, unique_by=lambda budget: budget.scope).map(tuple),
    required_builders=st.lists(st.sampled_from(["ci", "ci1", "gone"]), max_size=2).map(tuple),
    required_images=st.lists(st.sampled_from(["web", "web:1", "gone:1"]), max_size=2).map(tuple),
    managed_label=st.sampled_from(["", "ci.managed", LABEL]),
)


@dataclass(frozen=True)
class Scene:
    """All that the classifier looks at."""

    inventory: Inventory
    history: dict[Key, History]
    policy: Policy

    def with_policy(self, **changes: Any) -> "Scene":
        return Scene(self.inventory, self.history, self.policy.model_copy(update=changes))


@st.composite
def scenes(draw: st.DrawFn) -> Scene:
    inventory = draw(inventories())
    known = [key for key in keys_of(inventory) if key[0] != Kind.BUILD_CACHE and not draw(chance)]
    return Scene(inventory, {key: draw(pasts) for key in known}, draw(policies))
