"""One inventory and one set of readings out of all the answers of a pass."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, TypeVar

from hygiene.contracts import (
    Builder,
    CacheRecord,
    Container,
    DockerSummary,
    EngineFacts,
    Event,
    Inventory,
    Readings,
    RunningBuild,
    Service,
    Volume,
)
from hygiene.parse import items
from hygiene.parse.builders import is_builder, pair
from hygiene.parse.buildkit import Worker, parse_du, parse_histories, parse_workers
from hygiene.parse.df import DiskUsage, parse_df
from hygiene.parse.events import parse_events
from hygiene.parse.values import text, texts, total
from launchplane.hosts.contracts import Answer, DiskReading, MachineFacts, RawObservation
from launchplane.words import printable
from onhost.engine.buildx import PREFIX

T = TypeVar("T")
LONGEST_WARNING = 300
NO_SUMMARY = DockerSummary(images=None, containers=None, volumes=None, build_cache=None)
Reasons = dict[str, str]


def assemble_inventory(raw: RawObservation) -> Inventory:
    """What the engine holds. Every part that is missing has its reason in `unmeasured`."""
    reasons: Reasons = {}
    usage = _disk_usage(raw, reasons)
    images = _or_list(usage.images, raw, "images", items.image, reasons)
    containers = _all_containers(usage.containers, raw, reasons)
    volumes = _all_volumes(usage.volumes, raw, reasons)
    builders, inside = _builders(raw, containers, volumes, reasons)
    services = _services(raw, reasons)
    cache = [*(usage.build_cache or ()), *inside]
    return Inventory(
        engine=_engine(raw),
        images=_in_order("images", images, lambda image: image.id, reasons),
        containers=_in_order("containers", containers, lambda container: container.id, reasons),
        volumes=_in_order("volumes", volumes, lambda volume: volume.name, reasons),
        build_cache=_in_order("build_cache", cache, lambda record: record.key, reasons),
        builders=tuple(builders),
        services=services,
        summary=usage.summary,
        layers_bytes=usage.layers_bytes,
        unmeasured=reasons,
    )


def _in_order(name: str, found: Sequence[T], key: Callable[[T], str], reasons: Reasons) -> tuple[T, ...]:
    """`found` by key, each key once: no engine gives a name twice, and two facts about one thing contradict."""
    once: dict[str, T] = {}
    for item in found:
        once.setdefault(key(item), item)
    if len(once) < len(found):
        reasons[name] = f"{len(found) - len(once)} entries have the name of another"
    return tuple(once[each] for each in sorted(once))


def assemble_readings(raw: RawObservation, machine: MachineFacts) -> tuple[Readings, tuple[Event, ...]]:
    """What moves all the time: the machine's own readings, running builds, and the engine's events."""
    reasons = {_reading_field(field, raw.identity.docker_root): reason for field, reason in machine.unmeasured.items()}
    events, lost = _events(raw, reasons)
    readings = Readings(
        disk=_disk(machine, raw.identity.docker_root),
        root_disk=_disk(machine, "/"),
        runner_disks=tuple(disk for disk in machine.disks if disk.path not in (raw.identity.docker_root, "/")),
        runner_roots=machine.runner_roots,
        container_logs=machine.container_logs,
        runner_processes=machine.runner_processes,
        competing_prunes=machine.competing_prunes,
        registry_logins=machine.registry_logins,
        running_builds=_running_builds(raw, reasons),
        events_truncated=lost,
        unmeasured=reasons,
    )
    return readings, tuple(events)


def _engine(raw: RawObservation) -> EngineFacts:
    answer = raw.answers.get("info")
    info: Mapping[str, Any] = answer.value if answer and isinstance(answer.value, Mapping) else {}
    return EngineFacts(
        engine_id=raw.identity.engine_id,
        version=raw.identity.engine_version,
        api_version=raw.identity.api_version,
        docker_root=raw.identity.docker_root,
        storage_driver=text(info.get("Driver")),
        swarm=_swarm(info.get("Swarm")),
        registry_server=text(info.get("IndexServerAddress")),
    )


def _swarm(raw: Any) -> Literal["inactive", "manager", "worker", "unknown"]:
    if not isinstance(raw, Mapping):
        return "unknown"
    if raw.get("LocalNodeState") == "inactive":
        return "inactive"
    if raw.get("LocalNodeState") != "active":
        return "unknown"
    return "manager" if raw.get("ControlAvailable") is True else "worker"


def _disk_usage(raw: RawObservation, reasons: Reasons) -> DiskUsage:
    answer = raw.answers.get("df", Answer(None, 0, "the engine was not asked for its disk usage"))
    if answer.reason is not None:
        reasons["docker_summary"] = answer.reason
        return DiskUsage(None, None, None, None, None, NO_SUMMARY, {})
    usage = parse_df(answer.value)
    reasons |= usage.reasons
    if usage.build_cache is None:
        reasons.setdefault("build_cache", "the engine's disk usage has no build cache")
    return usage


def _or_list(
    measured: list[T] | None,
    raw: RawObservation,
    name: str,
    parse: Callable[[Mapping[str, Any]], T],
    reasons: Reasons,
) -> list[T]:
    """The items of the disk usage; where it has none, those of the list, which are not measured."""
    if measured is not None:
        return measured
    answer = raw.answers.get(name)
    if answer is None or answer.reason is not None:
        reasons[name] = answer.reason if answer and answer.reason else "the engine was not asked"
        return []
    _only_unmeasured(name, reasons)
    made, unusable = items.each(answer.value, parse)
    if unusable:
        reasons[name] = f"{unusable} entries cannot be used"
    return made


def _all_containers(measured: list[Container] | None, raw: RawObservation, reasons: Reasons) -> list[Container]:
    """Every container: those of the disk usage, and what only the list of the same pass has, which is not measured."""
    answer = raw.answers.get("containers")
    if measured is None or answer is None or answer.reason is not None:
        return _or_list(measured, raw, "containers", _unmeasured_container, reasons)
    known = {container.id for container in measured}
    rest: Any = answer.value
    if isinstance(rest, list):
        rest = [entry for entry in rest if not isinstance(entry, Mapping) or entry.get("Id") not in known]
    made, unusable = items.each(rest, _unmeasured_container)
    if unusable:
        reasons["containers"] = f"{unusable} entries cannot be used"
    return [*measured, *made]


def _unmeasured_container(entry: Mapping[str, Any]) -> Container:
    return items.container(entry, measured=False)


def _only_unmeasured(name: str, reasons: Reasons) -> None:
    """What the disk usage lacks is listed elsewhere: it is there, only its sizes are not."""
    if name in reasons:
        reasons[f"docker_summary.{name}"] = reasons.pop(name)


def _all_volumes(measured: list[Volume] | None, raw: RawObservation, reasons: Reasons) -> list[Volume]:
    """Every volume: the disk usage measures only those of the local driver without options, the list knows all."""
    answer = raw.answers.get("volumes")
    listed = answer.value if answer and isinstance(answer.value, Mapping) else {}
    if answer is None or answer.reason is not None or "Volumes" not in listed:
        reasons["volumes"] = (answer.reason if answer else None) or "the engine's list of volumes cannot be read"
        return measured or []
    if measured is None:
        _only_unmeasured("volumes", reasons)
    made, unusable = items.each(_unsized(listed["Volumes"], measured or ()), items.volume)
    if unusable:
        reasons["volumes"] = f"{unusable} volumes cannot be used"
    if warnings := listed.get("Warnings"):
        reasons["volumes"] = _incomplete(warnings)
    return [*(measured or ()), *made]


def _incomplete(warnings: Any) -> str:
    """Why a list of volumes lacks some: the engine leaves out those of a driver that does not answer, and warns."""
    said = " ".join(printable(text(next(iter(texts(warnings)), ""), LONGEST_WARNING)).split())
    return f"the engine could not list all volumes: {said or 'no reason given'}"


def _unsized(listed: Any, measured: Sequence[Volume]) -> Any:
    """The entries of the list that the disk usage does not have."""
    sized = {volume.name for volume in measured}
    if not sized or not isinstance(listed, list):
        return listed
    return [entry for entry in listed if not isinstance(entry, Mapping) or text(entry.get("Name")) not in sized]


def _services(raw: RawObservation, reasons: Reasons) -> tuple[Service, ...] | None:
    answer = raw.answers.get("services")
    if answer is None or answer.reason is not None:
        reasons["services"] = (answer.reason if answer else None) or "the engine was not asked"
        return None
    made, unusable = items.each(answer.value, items.service)
    if unusable:
        reasons["services"] = f"{unusable} services cannot be used"
    return tuple(sorted(made, key=lambda service: service.id))


def _builders(
    raw: RawObservation, containers: Sequence[Container], volumes: Sequence[Volume], reasons: Reasons
) -> tuple[list[Builder], list[CacheRecord]]:
    """The builders, and the cache records inside those that run."""
    workers: dict[str, Worker] = {}
    cache_bytes: dict[str, int | None] = {}
    records: list[CacheRecord] = []
    for container_id, name in _asked_builders(raw, containers):
        node = name.removeprefix(PREFIX)
        told = _inside(raw, container_id, "workers", node, reasons)
        worker = parse_workers(told)
        if worker is not None:
            workers[container_id] = worker
        elif told is not None:
            reasons[f"builder:{node}"] = "its worker and garbage collection policy cannot be read"
        answer = _inside(raw, container_id, "du", node, reasons)
        if answer is not None:
            found, unusable = parse_du(answer, node)
            if unusable:
                reasons[f"builder:{node}"] = f"{unusable} cache records cannot be used"
            cache_bytes[container_id] = None if unusable else total(record.size_bytes for record in found)
            records += found
    return pair(containers, volumes, workers, cache_bytes), records


def _asked_builders(raw: RawObservation, containers: Sequence[Container]) -> list[tuple[str, str]]:
    """Container id and name of each builder that was asked: the answers' names hold the ids."""
    asked = {name.split("/")[1] for name in raw.answers if name.startswith("buildkit/")}
    return [(container.id, container.name) for container in containers if container.id in asked]


def _inside(raw: RawObservation, container_id: str, what: str, node: str, reasons: Reasons) -> Any:
    answer = raw.answers.get(f"buildkit/{container_id}/{what}")
    if answer is None or answer.reason is not None:
        reasons[f"builder:{node}"] = (answer.reason if answer else None) or f"the builder was not asked for {what}"
        return None
    return answer.value


def _running_builds(raw: RawObservation, reasons: Reasons) -> tuple[RunningBuild, ...] | None:
    """The builds that run inside builders; None as soon as one builder that is there did not tell (H17)."""
    listed = raw.answers.get("containers")
    containers, unusable = items.each(listed.value if listed else None, _unmeasured_container)
    if listed is None or listed.reason is not None or unusable:
        reasons["running_builds"] = "the containers could not all be listed, and with them the builders"
        return None
    builds: list[RunningBuild] = []
    silent: Reasons = {}
    for container in containers:
        if container.alive and is_builder(container):
            node = container.name.removeprefix(PREFIX)
            builds += parse_histories(_inside(raw, container.id, "histories", node, silent), node)[0]
    if silent:
        reasons["running_builds"] = "; ".join(f"{builder}: {reason}" for builder, reason in sorted(silent.items()))
        return None
    return tuple(sorted(builds, key=lambda build: (build.builder, build.ref)))


def _events(raw: RawObservation, reasons: Reasons) -> tuple[list[Event], bool]:
    answer = raw.answers.get("events")
    if answer is None or answer.reason is not None:
        reasons["events"] = (answer.reason if answer else None) or "the engine was not asked"
        return [], True
    return parse_events(answer.value)


def _disk(machine: MachineFacts, path: str) -> DiskReading | None:
    return next((disk for disk in machine.disks if disk.path == path), None)


def _reading_field(field: str, docker_root: str) -> str:
    """The report's name for what a reading feeds."""
    names = {f"disk:{docker_root}": "free_disk_bytes", "runner_roots": "runner_workdir_bytes"}
    return names.get(field, field)
