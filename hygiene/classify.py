"""Every resource gets exactly one class, the rule that decided it, and a sentence for a person.

Order: protected, in use, unknown, then what its budget says. Pure; unknown is treated as protected by whoever acts.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from hygiene.budgets import Claim, decide
from hygiene.builder_parts import STOPPED, builder_key, is_stopped, orphan_parts, protected_parts, warm_parts
from hygiene.contracts import (
    Builder,
    CacheRecord,
    Class,
    Confidence,
    Container,
    History,
    Image,
    Inventory,
    Key,
    Kind,
    Policy,
    ProtectionRule,
    Volume,
)
from hygiene.labels import carries
from hygiene.protections import Protections
from hygiene.users import Users, called, find_users, in_words


class Verdict(NamedTuple):
    """The class of one resource, the rule that decided it, and why in a sentence."""

    cls: Class
    rule: str
    reason: str


def _users_unknown(what: str) -> Verdict:
    reason = f"The {what} could not all be listed, so nobody knows who uses it. Until then it is treated as protected."
    return Verdict(Class.UNKNOWN, "unmeasured", reason)


@dataclass(frozen=True, slots=True)
class _Facts:
    """What the rules look at, gathered once for an inventory."""

    history: Mapping[Key, History]
    policy: Policy
    protections: Protections
    users: Users
    containers_known: bool
    services_known: bool
    set_apart: Mapping[Key, Verdict]
    orphans: Mapping[Key, str]
    now: datetime

    def hidden_users(self) -> Verdict | None:
        """The verdict on what nobody is seen to use, where not everybody is seen."""
        if not self.containers_known:
            return _users_unknown("containers")
        return None if self.services_known else _users_unknown("services")


def classify(
    inventory: Inventory, history: Mapping[Key, History], policy: Policy, *, now: datetime
) -> dict[Key, Verdict]:
    """The verdict on each resource of `inventory`, by kind and key."""
    protections = Protections(policy.protections)
    facts = _Facts(
        history=history,
        policy=policy,
        protections=protections,
        users=find_users(inventory),
        containers_known="containers" not in inventory.unmeasured,
        services_known="services" not in inventory.unmeasured,
        set_apart=_set_apart(inventory, policy, protections),
        orphans=orphan_parts(inventory, policy),
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
        outcome = facts.set_apart.get(key) or rule(item, key, facts)
        if isinstance(outcome, Claim):
            claims.append(outcome)
        else:
            verdicts[key] = outcome


def _set_apart(inventory: Inventory, policy: Policy, protections: Protections) -> dict[Key, Verdict]:
    """What comes before every other rule: all the parts of what is required warm, and of protected builders."""
    protected = {key: _never_touched(rule) for key, rule in protected_parts(inventory, protections).items()}
    warm = warm_parts(inventory, policy).items()
    return protected | {key: Verdict(Class.PROTECTED, "required_warm", reason) for key, reason in warm}


def _protected(facts: _Facts, kind: Kind, names: Iterable[str], labels: Mapping[str, str]) -> Verdict | None:
    rule = facts.protections.match(kind, names, labels)
    return _never_touched(rule) if rule else None


def _never_touched(rule: ProtectionRule) -> Verdict:
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
    if not facts.containers_known:
        return _users_unknown("containers")
    if not facts.services_known and (item.tags or item.digests):
        return _users_unknown("services")
    return _unused_image(item, key, facts)


def _unused_image(item: Image, key: Key, facts: _Facts) -> Verdict | Claim:
    past, own_bytes = facts.history.get(key), item.unique_bytes
    if own_bytes is None or item.created_at is None or past is None:
        return _unknown("image", size=own_bytes, created=item.created_at, past=past)
    if item.dangling:
        since = max(item.created_at, past.dangling_since or facts.now)
        scope = "images.labelled" if carries(item.labels, facts.policy.managed_label) else "images.dangling"
        return Claim(key, scope, facts.now - since, own_bytes, "an image without a tag")
    idle, as_seen = _idle(past, item.created_at, facts.now)
    return Claim(key, "images", idle, own_bytes, "an image", as_seen)


def _container(item: Container, key: Key, facts: _Facts) -> Verdict | Claim:
    if found := _protected(facts, Kind.CONTAINER, (item.name, item.id), item.labels):
        return found
    if item.alive:
        return Verdict(Class.IN_USE, "container.alive", f"The container is {item.state}.")
    if found := _orphan(key, facts):
        return found
    past = facts.history.get(key)
    if item.size_rw_bytes is None or item.created_at is None or past is None or not is_stopped(item):
        return _unknown("container", size=item.size_rw_bytes, created=item.created_at, past=past)
    idle, as_seen = _idle(past, item.created_at, facts.now)
    return Claim(key, "containers", idle, item.size_rw_bytes, "a stopped container", as_seen)


def _idle(past: History, created_at: datetime, now: datetime) -> tuple[timedelta, timedelta]:
    """For how long it is surely unused, and for how long no use was seen, though one may have been missed."""
    here = max(created_at, past.first_seen_at)
    surely = max(here, min(past.surely_unused_since, now))
    return now - surely, now - (max(here, past.last_used_at or here) if _has_gap(past) else surely)


def _has_gap(past: History) -> bool:
    return past.last_used_confidence is Confidence.GAP


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
    return (
        facts.hidden_users()
        or _by_template(facts)
        or Verdict(
            Class.KEPT,
            "volume.by_name_only",
            "Nobody uses it. Volumes hold data, so no budget covers them: it goes only when retired by name.",
        )
    )


def _by_template(facts: _Facts) -> Verdict | None:
    if not facts.users.by_template:
        return None
    who = in_words(facts.users.by_template)
    reason = f"What {who} mounts is named by a template, so nobody knows whether it is this one: treated as protected."
    return Verdict(Class.UNKNOWN, "volume.template", reason)


def _cache(item: CacheRecord, key: Key, facts: _Facts) -> Verdict | Claim:
    if found := _protected(facts, Kind.BUILD_CACHE, dict.fromkeys((item.id, item.key)), {}):
        return found
    if item.in_use:
        return Verdict(Class.IN_USE, "build_cache.in_use", "A build uses it now.")
    last = item.last_used_at or item.created_at
    if item.size_bytes is None or last is None:
        return Verdict(
            Class.UNKNOWN, "unmeasured", "Its size or its last use is not known, so it is treated as protected."
        )
    scope = f"builder:{item.builder}" if item.builder else "build_cache"
    own_bytes = 0 if item.shared and not item.builder else item.size_bytes
    return Claim(key, scope, facts.now - last, own_bytes, "a record of build cache")


def _builder(item: Builder, key: Key, facts: _Facts) -> Verdict:
    if found := _orphan(key, facts):
        return found
    if item.state == "running":
        return Verdict(
            Class.KEPT,
            "builder.unlisted",
            "It runs, but is not on the host's list of required builders. Enter it there, or stop it.",
        )
    own = called(item.container_name or "", item.container_state)
    if others := [user for user in facts.users.volume_users(item.volume or "") if user != own]:
        return Verdict(Class.IN_USE, "builder.state_used", f"Its state volume is used by {in_words(others)}.")
    if found := facts.hidden_users():
        return found
    known = item.state != "stopped" or item.container_state in STOPPED
    return _not_known("builder", ["references to its state volume" if known else "state"])


def _unknown(what: str, *, size: int | None, created: datetime | None, past: History | None) -> Verdict:
    missing = [name for name, value in (("size", size), ("age", created), ("history", past)) if value is None]
    return _not_known(what, missing or ["state"])


def _not_known(what: str, missing: list[str]) -> Verdict:
    reason = f"Not known of this {what}: {', '.join(missing)}. Until it is, it is treated as protected."
    return Verdict(Class.UNKNOWN, "unmeasured", reason)
