"""The hygiene report of a host: what fills it, what is wrong, and what to do next."""

from collections.abc import Iterator

from hygiene.builder_parts import builder_key
from hygiene.contracts import (
    Builder,
    Class,
    Finding,
    Inventory,
    Key,
    Kind,
    Observation,
    Policy,
    Readings,
    Report,
    WarmBuilder,
    WarmImage,
)
from hygiene.fields import field_words
from hygiene.judge import Judgement
from hygiene.labels import carries
from hygiene.names import is_called
from hygiene.parse.builders import answers_to, is_first_node
from hygiene.parse.values import amount
from launchplane.hosts.models import Host
from launchplane.words import human_bytes

# without any of these nobody knows what could go
LISTED = ("docker_summary", "images", "containers", "volumes", "build_cache")
NO_RUNNER_ROOTS = "no runner folders are set for this host; add them in its settings if runners live here"


def build_report(host: Host, observation: Observation, judgement: Judgement, policy: Policy) -> Report:
    """The report of one observation, held against the limits of `host` and its `policy`."""
    inventory, readings = observation.inventory, observation.readings
    reasons = dict(inventory.unmeasured) | dict(readings.unmeasured)
    disk = readings.disk
    orphans = _Orphans(inventory, judgement, reasons)
    fields = {
        "host": host.name,
        "engine_id": inventory.engine.engine_id,
        "engine_version": inventory.engine.version,
        "api_version": inventory.engine.api_version,
        "observed_at": observation.observed_at,
        "duration_ms": observation.duration_ms,
        "free_disk_bytes": disk.free_bytes if disk else None,
        "disk_total_bytes": disk.total_bytes if disk else None,
        "disk_used_percent": disk.used_percent if disk else None,
        "docker_reclaimable_bytes": amount(inventory.summary.reclaimable_bytes),
        "docker_summary": inventory.summary,
        "joint_reclaim_bytes": _joint(inventory, judgement, reasons),
        "unattributed_bytes": unattributed_bytes(inventory, readings, reasons),
        "runner_workdir_bytes": _workdir(host, readings, reasons),
        "orphan_buildkit_containers": orphans.containers,
        "orphan_buildkit_images": orphans.images,
        "orphan_buildkit_volumes": orphans.volumes,
        "warm_builders": tuple(warm_builders(inventory, policy)),
        "warm_images": tuple(warm_images(inventory, policy)),
        "competing_prunes": readings.competing_prunes,
    }
    if disk is None:
        reasons |= dict.fromkeys(
            ("disk_total_bytes", "disk_used_percent"),
            reasons.setdefault("free_disk_bytes", "Docker's disk was not read"),
        )
    if fields["docker_reclaimable_bytes"] is None:
        reasons.setdefault("docker_reclaimable_bytes", "one of the four types could not be measured")
    draft = Report.model_validate(fields | {"status": "healthy", "findings": (), "unmeasured": reasons})
    findings = tuple(_findings(draft, host, inventory, orphans))
    return draft.model_copy(update={"findings": findings, "status": "attention" if findings else "healthy"})


class _Orphans:
    """Counts of what builders left behind; None where the list they come from could not be read."""

    def __init__(self, inventory: Inventory, judgement: Judgement, reasons: dict[str, str]) -> None:
        self._lists, self._reasons = inventory.unmeasured, reasons
        verdicts = (judgement.verdicts[Kind.BUILDER, builder_key(builder)] for builder in inventory.builders)
        self._unsure = next((verdict.reason for verdict in verdicts if verdict.cls == Class.UNKNOWN), None)
        keys = [key for key, verdict in judgement.verdicts.items() if verdict.rule == "builder.orphan"]
        self.containers = self._count(keys, Kind.CONTAINER, "containers")
        self.images = self._count(keys, Kind.IMAGE, "images")
        self.volumes = self._count(keys, Kind.VOLUME, "volumes")
        self.reclaim = judgement.reclaim(keys)

    def _count(self, keys: list[Key], kind: Kind, field: str) -> int | None:
        # without those who may use it no volume can be told to be an orphan
        listed = (self._lists.get(name) for name in (field, "containers", "services"))
        reason = next(filter(None, listed), self._unsure)
        if reason is not None:
            self._reasons[f"orphan_buildkit_{field}"] = reason
            return None
        return sum(key[0] == kind for key in keys)


def unattributed_bytes(inventory: Inventory, readings: Readings, reasons: dict[str, str]) -> int | None:
    """What Docker's disk holds that neither Docker nor the runner folders and container logs on it explain (X4)."""
    disk = readings.disk
    parts = [
        inventory.layers_bytes,
        *(
            summary.size_bytes if summary else None
            for summary in (inventory.summary.containers, inventory.summary.volumes, inventory.summary.build_cache)
        ),
        None if readings.container_logs is None else sum(log.allocated_bytes for log in readings.container_logs),
        None if disk is None else _runner_bytes_on(readings, disk.device),
    ]
    if disk is None or any(part is None for part in parts):
        reasons["unattributed_bytes"] = "it is what remains when all else is measured, and something is not"
        return None
    rest = disk.used_bytes - sum(part for part in parts if part is not None)
    if rest < 0:
        reasons["unattributed_bytes"] = "Docker counts more bytes than its disk holds"
        return None
    return rest


def _runner_bytes_on(readings: Readings, device: int) -> int | None:
    """Allocated bytes of the runner folders on one file system; None if that cannot be told."""
    if readings.runner_roots is None:
        return None
    disks = (readings.disk, readings.root_disk, *readings.runner_disks)
    device_of = {disk.path: disk.device for disk in disks if disk is not None}
    if any(root.path not in device_of for root in readings.runner_roots):
        return None
    return sum(
        folder.allocated_bytes
        for root in readings.runner_roots
        if device_of[root.path] == device
        for folder in (*root.work, *root.diagnostics, *root.superseded)
    )


def _workdir(host: Host, readings: Readings, reasons: dict[str, str]) -> int | None:
    if not host.runner_roots:
        reasons["runner_workdir_bytes"] = NO_RUNNER_ROOTS
        return None
    if readings.runner_roots is None:
        return None
    return sum(folder.allocated_bytes for root in readings.runner_roots for folder in root.work)


def _joint(inventory: Inventory, judgement: Judgement, reasons: dict[str, str]) -> int | None:
    unseen = [name for name in LISTED if name in reasons or getattr(inventory.summary, name, ...) is None]
    if unseen:
        reasons["joint_reclaim_bytes"] = f"what could go is not all known without: {', '.join(unseen)}"
        return None
    reclaim = judgement.candidates()
    freed_bytes = amount(reclaim.freed_bytes)
    if freed_bytes is None:
        reasons["joint_reclaim_bytes"] = " ".join(reclaim.sentences) or "it is more than any disk holds"
    return freed_bytes


def warm_builders(inventory: Inventory, policy: Policy) -> Iterator[WarmBuilder]:
    """Each required builder, node by node: warm only with container, state volume and image all there.

    Without its first node it is missing, whatever else has its name and a number: that may be another builder.
    """
    for name in policy.required_builders:
        nodes = [builder for builder in inventory.builders if answers_to(builder.name, name)]
        if not any(is_first_node(builder.name, name) for builder in nodes):
            state = "unknown" if {"containers", "volumes"} & inventory.unmeasured.keys() else "missing"
            yield WarmBuilder.model_validate(
                {"name": name, "node": name, "container": None, "volume": None, "state": state}
            )
            continue
        for node in nodes:
            yield WarmBuilder(
                name=name,
                node=node.name,
                container=node.container_name,
                volume=node.volume,
                state=_warmth(node, inventory),
            )


def _warmth(node: Builder, inventory: Inventory) -> str:
    images = {image.id for image in inventory.images}
    volumes = {volume.name for volume in inventory.volumes}
    if node.container_id is None or node.volume not in volumes or node.image_id not in images:
        return "unknown" if {"containers", "volumes", "images"} & inventory.unmeasured.keys() else "missing"
    return "warm" if node.container_state == "running" else "stopped"


def warm_images(inventory: Inventory, policy: Policy) -> Iterator[WarmImage]:
    """Each required image, by its tag."""
    for ref in policy.required_images:
        found = next((image.id for image in inventory.images if is_called(image, ref)), None)
        known = found is not None or "images" not in inventory.unmeasured
        yield WarmImage(ref=ref, id=found, present=found is not None if known else None)


def _findings(report: Report, host: Host, inventory: Inventory, orphans: _Orphans) -> Iterator[Finding]:
    yield from _limit_findings(report, host)
    if any((orphans.containers, orphans.images, orphans.volumes)):
        yield Finding(
            code="orphan_buildkit_present",
            summary=_orphan_sentence(orphans),
            next_step="Look at them in the inventory; retire them by name if nobody needs that builder's cache.",
        )
    warm: list[WarmBuilder | WarmImage] = [*report.warm_builders, *report.warm_images]
    for item in warm:
        if finding := _warm_finding(item):
            yield finding
    for prune in report.competing_prunes or ():
        if prune.enabled is not False:
            yield Finding(
                code="competing_prune",
                summary=f"{prune.source} also prunes Docker on this host: {prune.what}",
                next_step="Disable it: two owners of one clean-up delete what the other keeps.",
            )
    asked = {field: reason for field, reason in report.unmeasured.items() if reason != NO_RUNNER_ROOTS}
    if asked:
        yield Finding(
            code="measurement_partial",
            summary=f"Not everything could be measured: {', '.join(sorted(map(field_words, asked)))}.",
            next_step="See what is not measured, with the reason for each. Until then nothing is assumed of it.",
        )
    if host.managed_label and "images" not in inventory.unmeasured and not _carried(host.managed_label, inventory):
        yield Finding(
            code="label_matches_nothing",
            summary=f"No image on this host carries the managed label {host.managed_label}.",
            next_step="Check its spelling against what the builds set; without it nothing is cleaned by label.",
        )


def _limit_findings(report: Report, host: Host) -> Iterator[Finding]:
    free, reclaimable, workdir = report.free_disk_bytes, report.docker_reclaimable_bytes, report.runner_workdir_bytes
    if free is not None and free < host.minimum_free_bytes:
        yield Finding(
            code="free_disk_below_minimum",
            summary=f"{human_bytes(free)} are free, less than the minimum of {human_bytes(host.minimum_free_bytes)}.",
            next_step="See what could go, largest first, and what Docker cannot explain.",
        )
    if reclaimable is not None and reclaimable > host.reclaimable_limit_bytes:
        yield Finding(
            code="docker_reclaimable_above_limit",
            summary=f"Docker counts {human_bytes(reclaimable)} as reclaimable, above the limit of "
            f"{human_bytes(host.reclaimable_limit_bytes)}.",
            next_step="See what removing it would really free: layers that other images share stay.",
        )
    if workdir is not None and workdir > host.workdir_limit_bytes:
        yield Finding(
            code="runner_workdir_above_limit",
            summary=f"Runner work folders hold {human_bytes(workdir)}, above the limit of "
            f"{human_bytes(host.workdir_limit_bytes)}.",
            next_step="See which runner holds them; clean its _work while no job runs there.",
        )


def _orphan_sentence(orphans: _Orphans) -> str:
    counts = (("container", orphans.containers), ("image", orphans.images), ("state volume", orphans.volumes))
    parts = [f"{count} {noun}{'s' if count > 1 else ''}" for noun, count in counts if count]
    freed = orphans.reclaim.freed_bytes
    holding = f"; removing them frees {human_bytes(freed)}" if freed is not None else ""
    return f"Builders that are gone left {' and '.join(parts)}{holding}."


def _warm_finding(item: WarmBuilder | WarmImage) -> Finding | None:
    if isinstance(item, WarmImage):
        if item.present is not False:
            return None
        summary = f"Required image {item.ref} is not on the host."
        return Finding(
            code="required_warm_missing", summary=summary, next_step="Pull or build it before the next job needs it."
        )
    if item.state in ("warm", "unknown"):
        return None
    missing = "is stopped" if item.state == "stopped" else "is missing, or a part of it is"
    return Finding(
        code="required_warm_missing",
        summary=f"Required builder {item.node} {missing}.",
        next_step="Start it again (docker buildx inspect --bootstrap), or take it off the list of required builders.",
    )


def _carried(label: str, inventory: Inventory) -> bool:
    return any(carries(image.labels, label) for image in inventory.images)
