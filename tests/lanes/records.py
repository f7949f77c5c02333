"""Lanes and grants as rows: a host that may have them, and a lane that nothing of its record stands against."""

from typing import Any

from lanes.models import Lane, LaneGrant
from launchplane.hosts.models import Host
from tests import factories
from tests.lanes.scenes import HOST, LABELS, LANE, OURS, ROOT, SCOPE, USER


def a_lane_host(name: str = HOST, **fields: Any) -> Host:
    """Approved, with lanes enabled, a runner root and two service users."""
    of_lanes: dict[str, Any] = {
        "approved": True,
        "lanes_enabled": True,
        "runner_roots": [ROOT],
        "service_users": [USER, "lane-other"],
    }
    return factories.a_host(name, **(of_lanes | fields))


def a_lane(host: Host, **fields: Any) -> Lane:
    """A lane on record, registered as the runner OURS unless `agent_id` says otherwise."""
    facts: dict[str, Any] = {
        "name": LANE,
        "scope": SCOPE,
        "registration_root": ROOT,
        "service_user": USER,
        "labels": list(LABELS),
        "agent_id": OURS,
    }
    return Lane.objects.create(host=host, **(facts | fields))


def a_grant(host: Host, **fields: Any) -> LaneGrant:
    return LaneGrant.objects.create(host=host, **({"scope": SCOPE, "max_lanes": 2} | fields))
