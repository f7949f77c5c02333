"""The gates of a clean-up: each from what was observed, with its evidence and a sentence. Pure.

What could not be measured is unknown, and unknown counts as closed (P32, P33).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from hygiene.contracts import Inventory, Readings
from launchplane.changes.contracts import Gate, Json
from launchplane.patterns import PatternSet
from launchplane.words import human_age, human_duration

FRESH = timedelta(minutes=5)
SHOWN = 3
ALL = ("identity", "fresh", "freeze", "lock", "pressure", "idle", "converged", "no_build", "window")
TABLE: Mapping[str, tuple[str, ...]] = {
    "hygiene.build-cache": ALL,
    "hygiene.dangling": ("identity", "fresh", "freeze", "lock"),
    "hygiene.aged": (*ALL, "phase_one", "no_other_prune"),
    "hygiene.retire": ("identity", "fresh", "freeze", "lock", "idle", "converged", "no_build", "phase_one"),
}
# read again before each step, where the kind has them; the others hold for the whole run or are seen to elsewhere
BEFORE_EACH_STEP = ("idle", "converged", "no_build")
WORKER = "Runner.Worker"
# without these nobody can say that nothing builds
BUILD_PARTS = ("containers", "docker_summary", "build_cache")


@dataclass(frozen=True, slots=True)
class PhaseOne:
    """The last build cache clean-up of a host that ended well and left its evidence."""

    change: str
    ended_at: datetime


def identity(seen: str, pinned: str) -> Gate:
    """Open only for the engine that was there when the host was added."""
    evidence: dict[str, Json] = {"engine_id": seen, "pinned": pinned}
    if seen != pinned:
        return _gate("identity", False, f"Another engine answers ({seen}) than the one that was added.", evidence)
    return _gate("identity", True, f"The engine is the one that was added ({seen}).", evidence)


def fresh(observed_at: datetime | None, now: datetime) -> Gate:
    """Open only for an observation of the last five minutes."""
    if observed_at is None:
        return _unknown("fresh", "The host was never observed.", {})
    age = now - observed_at
    evidence: dict[str, Json] = {"observed_at": observed_at.isoformat(), "age_seconds": int(age.total_seconds())}
    if not timedelta(0) <= age <= FRESH:
        return _gate("fresh", False, f"What is known of the host is from {human_age(observed_at, now)}.", evidence)
    return _gate("fresh", True, f"The host was observed {human_age(observed_at, now)}.", evidence)


def pressure(readings: Readings, *, threshold_percent: int) -> Gate:
    """Open only when the disk that holds Docker is at least `threshold_percent` full (P3, P14)."""
    disk = readings.disk
    if disk is None:
        why = readings.unmeasured.get("free_disk_bytes") or readings.unmeasured.get("disk") or "nobody measured it"
        return _unknown("pressure", f"How full the disk is could not be read: {why}.", {})
    evidence: dict[str, Json] = {
        "path": disk.path,
        "used_percent": disk.used_percent,
        "threshold_percent": threshold_percent,
        "free_bytes": disk.free_bytes,
    }
    if disk.used_percent < threshold_percent:
        sentence = (
            f"{disk.path} is at {disk.used_percent} % (< {threshold_percent} %): "
            "keeping the local image cache, nothing to do."
        )
        return _gate("pressure", False, sentence, evidence)
    return _gate("pressure", True, f"{disk.path} is at {disk.used_percent} % (≥ {threshold_percent} %).", evidence)


def idle(inventory: Inventory, readings: Readings, run_patterns: Sequence[str]) -> Gate:
    """Open only if no job runs: no runner's worker process, and nothing alive that matches a run pattern (P4, H18)."""
    processes = readings.runner_processes
    if processes is None:
        why = readings.unmeasured.get("runner_processes", "nobody looked")
        return _unknown("idle", f"Whether a runner works could not be read: {why}.", {})
    workers = [process for process in processes if process.name == WORKER]
    evidence: dict[str, Json] = {"workers": len(workers), "run_patterns": tuple(run_patterns)}
    if workers:
        names = _some(f"process {worker.pid} of {worker.user}" for worker in workers)
        return _gate("idle", False, f"A job runs: {WORKER} is {names}.", evidence)
    if not run_patterns:
        return _gate("idle", True, f"No {WORKER} is alive; this host has no run patterns.", evidence)
    return _no_run(inventory, run_patterns, evidence)


def _no_run(inventory: Inventory, run_patterns: Sequence[str], evidence: dict[str, Json]) -> Gate:
    """Nothing alive may match a run pattern; a list that could not be read may hold one that does."""
    patterns = PatternSet(run_patterns)
    running = [what for what, name in _alive(inventory) if patterns.first(name) is not None]
    evidence["matches"] = tuple(running[:20])
    if running:
        return _gate("idle", False, f"A run is in progress: {_some(running)}.", evidence)
    for part in ("containers", "services"):
        if part in inventory.unmeasured or (part == "services" and inventory.services is None):
            why = inventory.unmeasured.get(part, "they could not be listed")
            return _unknown("idle", f"Nobody knows whether one of the {part} matches a run pattern: {why}.", evidence)
    return _gate("idle", True, f"No {WORKER} is alive, and nothing that runs matches a run pattern.", evidence)


def converged(inventory: Inventory) -> Gate:
    """Open only if each swarm service runs as many tasks as it wants (P5); a worker of a swarm cannot tell."""
    if inventory.services is None:
        why = inventory.unmeasured.get("services", "the services could not be listed")
        return _unknown("converged", f"{why[:1].upper()}{why[1:]}.", {"swarm": inventory.engine.swarm})
    services = inventory.services
    evidence: dict[str, Json] = {"services": len(services), "swarm": inventory.engine.swarm}
    unread = [service.name for service in services if service.wanted is None or service.running is None]
    if unread:
        return _unknown("converged", f"The tasks of {_some(unread)} could not be counted.", evidence)
    unmet = [
        f"{service.name} runs {service.running} of {service.wanted}"
        for service in services
        if (service.running or 0) < (service.wanted or 0)
    ]
    if unmet:
        return _gate("converged", False, f"Not every service has its tasks: {_some(unmet)}.", evidence)
    sentence = f"{_count(len(services), 'service')}, each with its tasks." if services else "No swarm service."
    return _gate("converged", True, sentence, evidence)


def no_build(inventory: Inventory, readings: Readings, now: datetime) -> Gate:
    """Open only if every running builder was asked and none builds, and no build cache is in use (H15, H17)."""
    builds = readings.running_builds
    unread = {field: why for field, why in inventory.unmeasured.items() if field in BUILD_PARTS}
    unasked = [b.name for b in inventory.builders if b.state == "running" and b.container_state != "running"]
    evidence: dict[str, Json] = {"builders": tuple(b.name for b in inventory.builders if b.state == "running")}
    if builds:
        first = builds[0]
        since = "" if first.started_at is None else f" for {human_duration(now - first.started_at)}"
        more = f", and {len(builds) - 1} more builds run" if len(builds) > 1 else ""
        return _gate("no_build", False, f"{first.builder} has been building{since}{more}.", evidence)
    used = sorted({record.builder or "the engine" for record in inventory.build_cache if record.in_use})
    if used:
        return _gate("no_build", False, f"A build uses the build cache of {_some(used)}.", evidence)
    if builds is None:
        why = readings.unmeasured.get("running_builds", "the builders were not asked")
        return _unknown("no_build", f"Whether a build runs could not be read: {why}.", evidence)
    if unread or unasked:
        why = next(iter(unread.values())) if unread else f"{_some(unasked)} could not be asked"
        return _unknown("no_build", f"Whether a build runs could not be read: {why}.", evidence)
    return _gate("no_build", True, "No builder builds, and no build cache is in use.", evidence)


def window(spec: str, now: datetime) -> Gate:
    """Open within the host's hours (UTC); one that ends before it starts goes over midnight."""
    evidence: dict[str, Json] = {"window": spec, "now": now.astimezone(UTC).strftime("%H:%M")}
    if not spec:
        return _gate("window", True, "This host may be cleaned at any time of the day.", evidence)
    start, end = (time.fromisoformat(part) for part in spec.split("-"))
    moment = now.astimezone(UTC).time()
    within = start <= moment < end if start < end else moment >= start or moment < end
    is_now = f"it is {moment:%H:%M} UTC, and the host's hours are {spec}"
    return _gate("window", within, f"{is_now[:1].upper()}{is_now[1:]}.", evidence)


def phase_one(done: PhaseOne | None, observed_at: datetime | None) -> Gate:
    """Open once a bounded build cache clean-up has ended well, and the host was observed since (H34)."""
    if done is None:
        reason = "No build cache clean-up with evidence has been completed here: that comes first."
        return _gate("phase_one", False, reason, {})
    evidence: dict[str, Json] = {"change": done.change, "ended_at": done.ended_at.isoformat()}
    if observed_at is None or observed_at <= done.ended_at:
        return _gate("phase_one", False, "The host was not observed since its build cache was cleaned.", evidence)
    reason = f"The build cache was cleaned on {done.ended_at:%Y-%m-%d %H:%M} UTC, and the host was observed since."
    return _gate("phase_one", True, reason, evidence)


def no_other_prune(readings: Readings) -> Gate:
    """Open only if nothing else on the host prunes Docker: two owners delete what the other keeps (P11, H61)."""
    found = readings.competing_prunes
    if found is None:
        why = readings.unmeasured.get("competing_prunes", "nobody looked")
        return _unknown("no_other_prune", f"Whether something else prunes here could not be read: {why}.", {})
    others = [prune for prune in found if prune.enabled is not False]
    evidence: dict[str, Json] = {"competing_prunes": tuple(prune.source for prune in others)}
    if others:
        first = others[0]
        more = f", and so do {len(others) - 1} more" if len(others) > 1 else ""
        reason = f"{first.source} prunes Docker on this host too ({first.what}){more}: disable it first."
        return _gate("no_other_prune", False, reason, evidence)
    return _gate("no_other_prune", True, "Nothing else on this host is known to prune Docker.", evidence)


def _alive(inventory: Inventory) -> list[tuple[str, str]]:
    """What is alive, in words, with each name that a pattern may match."""
    found = [(f"container {c.name}", c.name) for c in inventory.containers if c.alive]
    for service in inventory.services or ():
        found.append((f"service {service.name}", service.name))
        if service.stack:
            found.append((f"stack {service.stack}", service.stack))
    return list(dict.fromkeys(found))


def _gate(name: str, is_open: bool, reason: str, evidence: Mapping[str, Json]) -> Gate:
    return Gate(name=name, state="open" if is_open else "closed", reason=reason, evidence=dict(evidence))


def _unknown(name: str, reason: str, evidence: Mapping[str, Json]) -> Gate:
    return Gate(name=name, state="unknown", reason=f"{reason} Counts as closed.", evidence=dict(evidence))


def _some(names: Iterable[str]) -> str:
    listed = list(names)
    more = len(listed) - SHOWN
    return ", ".join(listed[:SHOWN]) + (f" and {more} more" if more > 0 else "")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
