"""Every resource gets exactly one class, the rule that decided it, and a sentence for a person.

Order: protected, in use, unknown, then what its budget says. Pure; unknown is treated as protected by whoever acts.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from hygiene.budgets import Claim, decide
from hygiene.contracts import (
    Builder,
    CacheRecord,
    Class,
    Container,
    History,
    Image,
    Inventory,
    Kind,
    Policy,
    Volume,
)
from hygiene.labels import carries
from hygiene.names import is_called
from hygiene.parse.builders import answers_to
from hygiene.protections import Protections
from hygiene.users import Users, find_users

Key = tuple[Kind, str]


class Verdict(NamedTuple):
    """The class of one resource, the rule that decided it, and why in a sentence."""

    cls: Class
    rule: str
    reason: str


USERS_UNKNOWN = Verdict(
    Class.UNKNOWN,
    "unmeasured",
    "The containers could not all be listed, so nobody knows who uses it. Until then it is treated as protected.",
)


@dataclass(frozen=True, slots=True)
class _Facts:
    """What the rules look at, gathered once for an inventory."""

    history: Mapping[Key, History]
    policy: Policy
    protections: Protections
    users: Users
    users_known: bool
    warm: Mapping[Key, str]
    orphans: Mapping[Key, str]
    now: datetime


def classify(
    inventory: Inventory, history: Mapping[Key, History], policy: Policy, *, now: datetime
) -> dict[Key, Verdict]:
    """The verdict on each resource of `inventory`, by kind and key."""
    facts = _Facts(
        history=history,
        policy=policy,
        protections=Protections(policy.protections),
        users=find_users(inventory),
        users_known="containers" not in inventory.unmeasured,
        warm=_warm_parts(inventory, policy),
        orphans=_orphan_parts(inventory, policy),
        now=now,
    )
    verdicts: dict[Key, Verdict] = {}
    claims: list[Claim] = []
    _each(Kind.IMAGE, inventory.images, lambda item: item.id, _image, facts, verdicts, claims)
    _each(Kind.CONTAINER, inventory.containers, lambda item: item.id, _container, facts, verdicts, claims)
    _each(Kind.VOLUME, inventory.volumes, lambda item: item.name, _volume, facts, verdicts, claims)
    _each(Kind.BUILD_CACHE, inventory.build_cache, lambda item: item.key, _cache, facts, verdicts, claims)
    _each(Kind.BUILDER, inventory.builders, builder_key, _builder, facts, verdicts, claims)
    for claim, verdict in decide(claims, policy.budgets):
        verdicts[claim.key] = Verdict(*verdict)
    return verdicts


def builder_key(builder: Builder) -> str:
    """The key of a builder: its node, of which there is one trace only (`parse.builders.pair`)."""
    return builder.name


def _each(
    kind: Kind,
    items: Iterable[object],
    key_of: Callable[..., str],
    rule: Callable[..., Verdict | Claim],
    facts: _Facts,
    verdicts: dict[Key, Verdict],
    claims: list[Claim],
) -> None:
    for item in items:
        key = (kind, key_of(item))
        outcome = _kept_out(key, facts) or rule(item, key, facts)
        if isinstance(outcome, Claim):
            claims.append(outcome)
        else:
            verdicts[key] = outcome


def _kept_out(key: Key, facts: _Facts) -> Verdict | None:
    """Required warm comes before every other rule, for all the parts of what is required."""
    reason = facts.warm.get(key)
    return Verdict(Class.PROTECTED, "required_warm", reason) if reason else None


def _protected(facts: _Facts, kind: Kind, names: Iterable[str], labels: Mapping[str, str]) -> Verdict | None:
    rule = facts.protections.match(kind, names, labels)
    if rule is None:
        return None
    return Verdict(Class.PROTECTED, "protection", f"Never touched: {rule.reason} (pattern {rule.pattern}).")


def _orphan(key: Key, facts: _Facts) -> Verdict | None:
    reason = facts.orphans.get(key)
    return Verdict(Class.CANDIDATE, "builder.orphan", reason) if reason else None


def _image(item: Image, key: Key, facts: _Facts) -> Verdict | Claim:
    names = (*item.tags, *item.digests, item.id)
    if found := _protected(facts, Kind.IMAGE, names, item.labels) or _orphan(key, facts):
        return found
    if users := facts.users.of_image(item):
        return Verdict(Class.IN_USE, "image.used", f"Used by {users}.")
    if not facts.users_known:
        return USERS_UNKNOWN
    past = facts.history.get(key)
    if item.size_bytes is None or item.created_at is None or past is None:
        return _unknown("image", size=item.size_bytes, created=item.created_at, past=past)
    if item.dangling:
        since = max(item.created_at, past.dangling_since or facts.now)
        scope = "images.labelled" if carries(item.labels, facts.policy.managed_label) else "images.dangling"
        return Claim(key, scope, facts.now - since, item.unique_bytes or 0, "an image without a tag")
    idle = facts.now - max(past.first_seen_at, past.unused_since or past.first_seen_at, item.created_at)
    return Claim(key, "images", idle, item.unique_bytes or 0, "an image")


def _container(item: Container, key: Key, facts: _Facts) -> Verdict | Claim:
    if found := _protected(facts, Kind.CONTAINER, (item.name, item.id), item.labels):
        return found
    if item.alive:
        return Verdict(Class.IN_USE, "container.alive", f"The container is {item.state}.")
    if found := _orphan(key, facts):
        return found
    past = facts.history.get(key)
    if item.created_at is None or past is None or item.state not in ("exited", "created", "dead"):
        return _unknown("container", size=0, created=item.created_at, past=past)
    idle = facts.now - max(item.created_at, past.first_seen_at, past.unused_since or past.first_seen_at)
    return Claim(key, "containers", idle, item.size_rw_bytes or 0, "a stopped container")


def _volume(item: Volume, key: Key, facts: _Facts) -> Verdict:
    if found := _protected(facts, Kind.VOLUME, (item.name,), item.labels):
        return found
    if found := _orphan(key, facts):
        return found
    if users := facts.users.of_volume(item.name):
        return Verdict(Class.IN_USE, "volume.used", f"Used by {users}.")
    if item.ref_count:
        count = item.ref_count
        return Verdict(Class.IN_USE, "volume.referenced", f"The engine counts {count} references to it.")
    if not facts.users_known:
        return USERS_UNKNOWN
    return Verdict(
        Class.KEPT,
        "volume.by_name_only",
        "No container uses it. Volumes hold data, so no budget covers them: it goes only when retired by name.",
    )


def _cache(item: CacheRecord, key: Key, facts: _Facts) -> Verdict | Claim:
    if item.in_use:
        return Verdict(Class.IN_USE, "build_cache.in_use", "A build uses it now.")
    last = item.last_used_at or item.created_at
    if item.size_bytes is None or last is None:
        return Verdict(
            Class.UNKNOWN, "unmeasured", "Its size or its last use is not known, so it is treated as protected."
        )
    scope = f"builder:{item.builder}" if item.builder else "build_cache"
    own_bytes = 0 if item.shared else item.size_bytes
    return Claim(key, scope, facts.now - last, own_bytes, "a record of build cache")


def _builder(item: Builder, key: Key, facts: _Facts) -> Verdict:
    if found := _protected(facts, Kind.BUILDER, (item.name,), {}) or _orphan(key, facts):
        return found
    if item.state == "orphan":
        return USERS_UNKNOWN
    return Verdict(
        Class.KEPT,
        "builder.unlisted",
        "It runs, but is not on the host's list of required builders. Enter it there, or stop it.",
    )


def _unknown(what: str, *, size: int | None, created: datetime | None, past: History | None) -> Verdict:
    missing = [name for name, value in (("size", size), ("age", created), ("history", past)) if value is None] or [
        "state"
    ]
    return Verdict(
        Class.UNKNOWN,
        "unmeasured",
        f"Not known of this {what}: {', '.join(missing)}. Until it is, it is treated as protected.",
    )


def _warm_parts(inventory: Inventory, policy: Policy) -> dict[Key, str]:
    """Each part of what is required warm: a builder with its container, volume and image, and the named images."""
    parts: dict[Key, str] = {}
    for builder in inventory.builders:
        wanted = next((name for name in policy.required_builders if answers_to(builder.name, name)), None)
        if wanted is not None:
            parts |= dict.fromkeys(_parts(builder), f"Required warm on this host: part of builder {wanted}.")
    for image in inventory.images:
        ref = next((ref for ref in policy.required_images if is_called(image, ref)), None)
        if ref is not None:
            parts[Kind.IMAGE, image.id] = f"Required warm on this host: image {ref}."
    return parts


def _orphan_parts(inventory: Inventory, policy: Policy) -> dict[Key, str]:
    """Each part of a builder that is gone or stopped and not required; an image only if no other container has it.

    Empty where the containers could not all be listed: the one that seems to be gone may be there.
    """
    if "containers" in inventory.unmeasured:
        return {}
    holders: dict[str, set[str]] = {}
    for container in inventory.containers:
        holders.setdefault(container.image_id, set()).add(container.id)
    parts: dict[Key, str] = {}
    for builder in inventory.builders:
        required = any(answers_to(builder.name, name) for name in policy.required_builders)
        if builder.state == "running" or required:
            continue
        gone = "its container is gone" if builder.state == "orphan" else "its container is stopped"
        reason = f"Left over from builder {builder.name}: {gone}, and the host does not require it."
        for kind, key in _parts(builder):
            if kind != Kind.IMAGE or holders.get(key, set()) <= {builder.container_id}:
                parts[kind, key] = reason
    return parts


def _parts(builder: Builder) -> list[Key]:
    named = [
        (Kind.CONTAINER, builder.container_id),
        (Kind.VOLUME, builder.volume),
        (Kind.IMAGE, builder.image_id),
    ]
    return [(Kind.BUILDER, builder_key(builder)), *((kind, key) for kind, key in named if key is not None)]
