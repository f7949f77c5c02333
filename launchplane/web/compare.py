"""What is different: between a plan and the last one that was approved, and between before and after a run. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from launchplane.changes.contracts import Plan


@dataclass(frozen=True, slots=True)
class Line:
    """One value that is another than it was. Of a plan None is what was not there; of facts it was not measured."""

    name: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class PlanDifference:
    """What a plan has that an older one had not, and the other way round. Items are named by verb and title."""

    new_items: tuple[str, ...]
    items_not_there_now: tuple[str, ...]
    in_both: int
    no_longer_protected: tuple[str, ...]
    newly_protected: tuple[str, ...]
    bounds: tuple[Line, ...]
    calls: tuple[Line, ...]
    identity_differs: bool

    @property
    def is_empty(self) -> bool:
        return not (
            self.new_items
            or self.items_not_there_now
            or self.no_longer_protected
            or self.newly_protected
            or self.bounds
            or self.calls
            or self.identity_differs
        )


def compare_plans(older: Plan, newer: Plan) -> PlanDifference:
    """What changed from `older` to `newer`."""
    old, new = _items(older), _items(newer)
    return PlanDifference(
        new_items=tuple(words for key, words in new.items() if key not in old),
        items_not_there_now=tuple(words for key, words in old.items() if key not in new),
        in_both=len(old.keys() & new.keys()),
        no_longer_protected=tuple(sorted(set(older.protections) - set(newer.protections))),
        newly_protected=tuple(sorted(set(newer.protections) - set(older.protections))),
        bounds=tuple(_differing(leaves(older.bounds), leaves(newer.bounds))),
        calls=tuple(_differing(_calls(older), _calls(newer))),
        identity_differs=older.target_identity != newer.target_identity,
    )


@dataclass(frozen=True, slots=True)
class FactDifference:
    """Facts that are different now, those that are as they were, and those that only exist afterwards."""

    changed: tuple[Line, ...]
    same: tuple[Line, ...]
    new: tuple[Line, ...]


NO_DIFFERENCE = FactDifference((), (), ())
ABSENT = "not there"


def compare_facts(before: Mapping[str, Any], after: Mapping[str, Any]) -> FactDifference:
    """What was seen before a run against what was seen after it, value by value."""
    old, now = leaves(before), leaves(after)
    lines = [Line(name, old[name], now.get(name, ABSENT)) for name in old]
    return FactDifference(
        changed=tuple(line for line in lines if line.before != line.after),
        same=tuple(line for line in lines if line.before == line.after),
        new=tuple(Line(name, None, value) for name, value in now.items() if name not in old),
    )


def leaves(facts: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    """Every single value by its path: `disk · used_bytes`. A list counts as one value."""
    found: dict[str, Any] = {}
    for name, value in facts.items():
        path = f"{above} · {name}" if above else str(name)
        if isinstance(value, Mapping):
            found |= leaves(value, path)
        else:
            found[path] = value
    return found


def _items(plan: Plan) -> dict[tuple[str, str], str]:
    return {(step.verb, step.target): f"{step.verb.replace('-', ' ')} {step.title}" for step in plan.steps}


def _calls(plan: Plan) -> dict[str, Any]:
    return {call.name: call.at_most for call in plan.boundary.calls}


def _differing(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Line]:
    names = sorted(old.keys() | new.keys())
    return [Line(name, old.get(name), new.get(name)) for name in names if old.get(name) != new.get(name)]
