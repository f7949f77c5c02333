"""The bounds that each kind of clean-up keeps within, and which difference between two of them is a loosening. Pure."""

from collections.abc import Mapping

from hygiene.contracts import BudgetRule, Policy
from hygiene.parse.builders import answers_to
from hygiene.plan.scene import HostFacts
from launchplane.changes.contracts import BoundsInForce, Json

BUILD_CACHE = "hygiene.build-cache"
DANGLING = "hygiene.dangling"
AGED = "hygiene.aged"
RETIRE = "hygiene.retire"

YOUNGEST_AGED_SECONDS = 24 * 3600  # P7
AGED_SCOPES = ("containers", "images.dangling", "build_cache")
BUILDER_SCOPE = "builder:"


def bounds_of(kind: str, host: HostFacts, policy: Policy) -> BoundsInForce:
    """What a kind keeps within on a host now: budgets that may be applied, limits, and what it never touches."""
    bounds: dict[str, Json] = {
        "budgets": {rule.scope: _plain(rule) for rule in rules_of(kind, host, policy)},
        "run_patterns": host.run_patterns,
    }
    if kind == DANGLING:
        bounds["managed_label"] = policy.managed_label
    if kind in (BUILD_CACHE, AGED):
        bounds |= {"pressure_percent": host.pressure_percent, "maintenance_window": host.maintenance_window}
    return BoundsInForce(bounds=bounds, protections=protections_of(policy))


def protections_of(policy: Policy) -> tuple[str, ...]:
    """What is never touched, in words."""
    rules = [f"{rule.kind} {rule.pattern}: {rule.reason}" for rule in policy.protections]
    warm = [f"required warm builder {name}" for name in policy.required_builders]
    warm += [f"required warm image {ref}" for ref in policy.required_images]
    return tuple(sorted([*rules, *warm]))


def rules_of(kind: str, host: HostFacts, policy: Policy) -> list[BudgetRule]:
    """The budgets in force for a kind, as it applies them; budgets that only report are none of them."""
    applied = [rule for rule in policy.budgets if rule.scope in host.applied]
    if kind == DANGLING:
        return [_by_age(rule, 0) for rule in applied if rule.scope == "images.labelled"]
    if kind == AGED:
        return [_by_age(rule, YOUNGEST_AGED_SECONDS) for rule in applied if rule.scope in AGED_SCOPES]
    if kind == BUILD_CACHE:
        return [rule for rule in applied if rule.scope == "build_cache" or _is_required_builder(rule.scope, policy)]
    return []


def loosened(granted: BoundsInForce, now: BoundsInForce) -> tuple[str, ...]:
    """What may go now that might not when it was granted, each in a sentence; tightening is none."""
    found = [f"{text!r} is not protected any more." for text in sorted({*granted.protections} - {*now.protections})]
    before, after = granted.bounds, now.bounds
    old, new = _mapping(before.get("budgets")), _mapping(after.get("budgets"))
    found += _looser_budgets(old, new)
    if "managed_label" in before and old.keys() - new.keys():
        found.append("Without its budget, age does not matter any more.")
    if before.get("managed_label") != after.get("managed_label"):
        found.append(f"The managed label is {after.get('managed_label')!r}, not {before.get('managed_label')!r}.")
    if _number(after.get("pressure_percent")) < _number(before.get("pressure_percent")):
        found.append(f"It would run from {after.get('pressure_percent')} % of the disk on.")
    window = after.get("maintenance_window")
    if window != before.get("maintenance_window") and before.get("maintenance_window"):
        found.append(f"The host's hours are {window or 'any time'} now.")
    lost = {*_texts(before.get("run_patterns"))} - {*_texts(after.get("run_patterns"))}
    return (*found, *(f"What matches {pattern!r} does not count as a run any more." for pattern in sorted(lost)))


def _looser_budgets(before: Mapping[str, Json], after: Mapping[str, Json]) -> list[str]:
    found = []
    for scope, rule in sorted(after.items()):
        if scope not in before:
            found.append(f"The budget for {scope} may be applied now.")
            continue
        old, new = _mapping(before[scope]), _mapping(rule)
        if _number(new["min_age_seconds"]) < _number(old["min_age_seconds"]):
            found.append(f"The budget for {scope} lets younger ones go.")
        if _number(new["reserve_bytes"]) < _number(old["reserve_bytes"]):
            found.append(f"The budget for {scope} reserves less.")
        if _number(new["max_bytes"]) < _number(old["max_bytes"]):
            found.append(f"The budget for {scope} was lowered.")
    return found


def _by_age(rule: BudgetRule, youngest: int) -> BudgetRule:
    """By age alone, and never younger than `youngest`; what is reserved stays."""
    return rule.model_copy(update={"max_bytes": None, "min_age_seconds": max(rule.min_age_seconds, youngest)})


def _is_required_builder(scope: str, policy: Policy) -> bool:
    node = scope.removeprefix(BUILDER_SCOPE)
    return node != scope and any(answers_to(node, wanted) for wanted in policy.required_builders)


def _plain(rule: BudgetRule) -> dict[str, Json]:
    return {
        "min_age_seconds": rule.min_age_seconds,
        "reserve_bytes": rule.reserve_bytes,
        "max_bytes": rule.max_bytes,
    }


def _mapping(value: Json) -> Mapping[str, Json]:
    return value if isinstance(value, Mapping) else {}


def _texts(value: Json) -> tuple[str, ...]:
    return tuple(str(entry) for entry in value) if isinstance(value, tuple | list) else ()


def _number(value: Json) -> int:
    """A bound as a number; none at all is the loosest."""
    return value if isinstance(value, int) else -1
