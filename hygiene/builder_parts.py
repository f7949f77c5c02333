"""The parts of builders: what belongs to a required one, to a protected one, and to one that is left over. Pure."""

from collections import defaultdict
from collections.abc import Mapping

from hygiene.contracts import Builder, Container, Inventory, Key, Kind, Policy, ProtectionRule
from hygiene.folders import Folders
from hygiene.names import ImageNames, is_called
from hygiene.parse.builders import answers_to
from hygiene.protections import Protections
from onhost.engine.image_names import local_names

STOPPED = ("exited", "created", "dead")


def builder_key(builder: Builder) -> str:
    """The key of a builder: its node, of which there is one trace only (`parse.builders.pair`)."""
    return builder.name


def is_stopped(container: Container) -> bool:
    """True for a state in which a container stays as it is; "removing" and what no engine says is neither."""
    return container.state in STOPPED


def warm_parts(inventory: Inventory, policy: Policy) -> dict[Key, str]:
    """Each part of what is required warm, with why: a builder's container, volume and image, and the named images."""
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


def protected_parts(inventory: Inventory, protections: Protections) -> dict[Key, ProtectionRule]:
    """Each part of a builder that is never to be touched, as a builder, or because its container or volume is not.

    Without its state and image a builder is none, and a container without its volume is not what was protected. The
    records of its build cache are in its state, and stay with it.
    """
    containers = {container.id: container for container in inventory.containers}
    volumes = {volume.name: volume for volume in inventory.volumes}
    rules: dict[str, ProtectionRule] = {}
    parts: dict[Key, ProtectionRule] = {}
    for builder in inventory.builders:
        rule = protections.match(Kind.BUILDER, (builder.name,), {})
        if container := containers.get(builder.container_id or ""):
            rule = rule or protections.match(Kind.CONTAINER, (container.name, container.id), container.labels)
        if volume := volumes.get(builder.volume or ""):
            rule = rule or protections.match(Kind.VOLUME, (volume.name,), volume.labels)
        if rule is not None:
            rules[builder.name] = rule
            parts |= dict.fromkeys(_parts(builder), rule)
    inside = ((record, rules[record.builder]) for record in inventory.build_cache if record.builder in rules)
    return parts | {(Kind.BUILD_CACHE, record.key): rule for record, rule in inside}


def orphan_parts(inventory: Inventory, policy: Policy) -> dict[Key, str]:
    """Each part of a builder that is left over, with why; an image only if nobody else has it.

    Empty where the containers could not all be listed, as the one that seems to be gone may be there, or the services,
    as one that this engine cannot see may mount the state.
    """
    spare = [
        builder
        for builder in inventory.builders
        if builder.state != "running" and not any(answers_to(builder.name, name) for name in policy.required_builders)
    ]
    if not spare or {"containers", "services"} & inventory.unmeasured.keys():
        return {}
    holders = _holders(inventory)
    counted = {volume.name: volume.ref_count for volume in inventory.volumes}
    unlisted = None if "volumes" in inventory.unmeasured else 0
    parts: dict[Key, str] = {}
    for builder in spare:
        if not _is_left_over(builder, holders, counted.get(builder.volume or "", unlisted)):
            continue
        gone = "its container is gone" if builder.state == "orphan" else "its container is stopped"
        reason = f"Left over from builder {builder.name}: {gone}, and the host does not require it."
        for kind, key in _parts(builder):
            if kind != Kind.IMAGE or holders[kind, key] <= {builder.container_id}:
                parts[kind, key] = reason
    return parts


def _is_left_over(builder: Builder, holders: Mapping[Key, set[str]], references: int | None) -> bool:
    """Of a builder that does not run: its state is a known one, and nobody else has, or may have, its state volume."""
    if builder.state == "stopped" and builder.container_state not in STOPPED:
        return False
    if builder.volume is None:
        return True
    known = holders[Kind.VOLUME, builder.volume]
    return known <= {builder.container_id} and references is not None and references <= len(known)


def _holders(inventory: Inventory) -> defaultdict[Key, set[str]]:
    """The ids of the containers and services that have an image or a volume."""
    holders: defaultdict[Key, set[str]] = defaultdict(set)
    folders = Folders(inventory.volumes)
    for container in inventory.containers:
        holders[Kind.IMAGE, container.image_id].add(container.id)
        for mount in container.mounts:
            for volume in folders.held(mount):
                holders[Kind.VOLUME, volume].add(container.id)
    names = ImageNames(inventory.images if inventory.services else ())
    for service in inventory.services or ():
        for image in map(names.find, local_names(service.image)):
            holders[Kind.IMAGE, image or ""].add(service.id)
        for source in service.volumes:
            for volume in (*folders.reached(source), *folders.meant(source)):
                holders[Kind.VOLUME, volume].add(service.id)
    return holders


def _parts(builder: Builder) -> list[Key]:
    named = [
        (Kind.CONTAINER, builder.container_id),
        (Kind.VOLUME, builder.volume),
        (Kind.IMAGE, builder.image_id),
    ]
    return [(Kind.BUILDER, builder_key(builder)), *((kind, key) for kind, key in named if key is not None)]
