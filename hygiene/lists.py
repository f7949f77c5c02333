"""Which lists of an inventory are not whole: what they lack is neither there nor gone. Pure."""

from hygiene.contracts import Inventory, Kind

RESTS_ON = {
    Kind.IMAGE: ("images",),
    Kind.CONTAINER: ("containers",),
    Kind.VOLUME: ("volumes",),
    Kind.BUILD_CACHE: ("build_cache", "docker_summary"),
    Kind.BUILDER: ("containers", "volumes"),
}


def not_listed(inventory: Inventory) -> dict[Kind, str]:
    """The kinds of which this inventory may lack some, each with why."""
    return {kind: found for kind, fields in RESTS_ON.items() if (found := first_reason(inventory, *fields))}


def not_read(inventory: Inventory) -> dict[str, str]:
    """The builders whose build cache may not be in this inventory, each with why: only those that run can be asked."""
    stopped = {each.name: f"builder {each.name} did not run" for each in inventory.builders if each.state != "running"}
    silent = {name: reason for name, reason in inventory.unmeasured.items() if name.startswith("builder:")}
    return stopped | {name.removeprefix("builder:"): reason for name, reason in silent.items()}


def first_reason(inventory: Inventory, *fields: str) -> str | None:
    """Why the first of these that is not measured is not; None if they all are."""
    return next((inventory.unmeasured[field] for field in fields if field in inventory.unmeasured), None)
