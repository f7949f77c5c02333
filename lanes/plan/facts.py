"""What a lane's plan rests on, for those who read it and for the record of it. Pure."""

from lanes.parts import Parts
from lanes.plan.case import Case
from lanes.plan.decide import Decision
from launchplane.changes.contracts import Json
from launchplane.hosts.contracts import Contract


def facts_of(decision: Decision) -> dict[str, Json]:
    """Action (None if it is blocked), shape, condition, and wanted against seen."""
    case = decision.case
    return {
        "action": decision.action,
        "shape": case.shape,
        "condition": case.observed.condition,
        "desired": _plain(case.desired),
        "observed": seen_of(case),
        "observed_at": case.observed.seen_at.isoformat(),
    }


def seen_of(case: Case) -> dict[str, Json]:
    """Of GitHub's listing only the lane's own runner, how many there were, and which requests brought them."""
    observed, listing = case.observed, case.observed.listing
    return _words(case.parts) | {
        "runner": _plain(case.parts.runner),
        "runners_listed": None if listing is None else len(listing.runners),
        "request_ids": () if listing is None else listing.request_ids,
        "directory": _plain(observed.directory),
        "service": _plain(observed.service),
        "baseline": _plain(observed.baseline),
        "control_path": observed.control_path,
        "cause": observed.cause,
        "unmeasured": dict(observed.unmeasured),
    }


def _words(parts: Parts) -> dict[str, Json]:
    return {
        "registration": parts.registration,
        "folder": parts.folder,
        "unit": parts.unit,
        "why": dict(parts.why),
    }


def _plain(contract: Contract | None) -> dict[str, Json] | None:
    return None if contract is None else contract.model_dump()
