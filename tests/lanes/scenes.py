"""A lane that is as it must be, and each of its parts with one thing different."""

from datetime import UTC, datetime
from typing import Any

from lanes.contracts import Baseline, Desired, Directory, GithubRunner, Grant, Listing, Observed, Service
from lanes.plan.assemble import plan_lane
from lanes.plan.scene import DRY_RUN, Asked, Fleet, HostFacts, Operation, Scene
from launchplane.changes.contracts import Plan

NOW = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
SCOPE = "cbusillo/odoo-tenant-cm-website"
LANE = "cm-website-chris-testing"
HOST = "chris-testing"
ROOT = "/srv/runners"
PLACE = f"{ROOT}/{LANE}"
UNIT = f"launchplane-runner@{LANE}.service"
USER = "lane-cm-website"
LABELS = ("self-hosted", "launchplane", "launchplane-managed", "chris-testing", "cm-website")
OURS, ANOTHERS = 42, 77


def wanted(**different: Any) -> Desired:
    return Desired.model_validate(
        {
            "scope": SCOPE,
            "host_name": HOST,
            "lane_name": LANE,
            "registration_root": ROOT,
            "service_user": USER,
            "systemd_unit_name": UNIT,
            "labels": LABELS,
            "runner_version_policy": "update",
            "managed": True,
            "agent_id": OURS,
        }
        | different
    )


def a_runner(**different: Any) -> GithubRunner:
    """Online and idle, with GitHub's own labels beside those that are wanted."""
    facts = {"id": OURS, "name": LANE, "os": "Linux", "online": True, "busy": False, "version": "2.337.0"}
    return GithubRunner.model_validate(facts | {"labels": (*LABELS, "Linux", "X64")} | different)


def a_listing(*runners: GithubRunner, **different: Any) -> Listing:
    """All runners of the scope, among them one that has nothing to do with the lane."""
    others = GithubRunner(id=5, name="other", os="Linux", online=True, busy=True, labels=("self-hosted",), version=None)
    facts = {
        "scope": SCOPE,
        "runners": (others, *runners),
        "total_count": 1 + len(runners),
        "complete": True,
        "why_incomplete": "",
        "request_ids": ("A1",),
        "seen_at": NOW,
    }
    return Listing.model_validate(facts | different)


def a_directory(**different: Any) -> Directory:
    facts = {
        "path": PLACE,
        "exists": True,
        "problem": "",
        "owner": USER,
        "configured": True,
        "agent_id": OURS,
        "agent_name": LANE,
        "github_url": f"https://github.com/{SCOPE}",
    }
    return Directory.model_validate(facts | different)


NO_DIRECTORY: dict[str, Any] = {
    "exists": False,
    "owner": "",
    "configured": False,
    "agent_id": None,
    "agent_name": "",
    "github_url": "",
}
EMPTY_DIRECTORY: dict[str, Any] = NO_DIRECTORY | {"exists": True, "owner": USER}


def a_service(**different: Any) -> Service:
    facts = {
        "unit": UNIT,
        "exists": True,
        "ours": True,
        "enabled": True,
        "active_state": "active",
        "sub_state": "running",
        "process_user": USER,
        "working_directory": PLACE,
        "exec_start": f"{PLACE}/run.sh",
        "workers": 0,
    }
    return Service.model_validate(facts | different)


NO_SERVICE: dict[str, Any] = {
    "exists": False,
    "ours": False,
    "enabled": False,
    "active_state": "inactive",
    "sub_state": "dead",
    "process_user": "",
    "working_directory": "",
    "exec_start": "",
}
STOPPED: dict[str, Any] = {"active_state": "inactive", "sub_state": "dead", "process_user": ""}


def a_baseline(**different: bool | None) -> Baseline:
    checks: dict[str, bool | None] = {"service_user": True, "docker_isolation": True, "disk": True}
    return Baseline(checks=checks | different, reasons={name: f"{name} is not so" for name in different})


def seen(**different: Any) -> Observed:
    """Supervised, online, idle, ready."""
    facts = {
        "lane_name": LANE,
        "listing": a_listing(a_runner()),
        "directory": a_directory(),
        "service": a_service(),
        "baseline": a_baseline(),
        "condition": "none",
        "unmeasured": {},
        "seen_at": NOW,
        "control_path": True,
    }
    return Observed.model_validate(facts | different)


def seen_nothing(**different: Any) -> Observed:
    """Proven absent in all three places."""
    nothing = {
        "listing": a_listing(),
        "directory": a_directory(**NO_DIRECTORY),
        "service": a_service(**NO_SERVICE),
        "baseline": None,
        "control_path": None,
    }
    return seen(**(nothing | different))


def a_host(**different: Any) -> HostFacts:
    facts: dict[str, Any] = {
        "name": HOST,
        "identity": "ENGINE",
        "through": "the programs of Launchplane on this machine",
        "approved": True,
        "lanes_enabled": True,
        "runner_roots": (ROOT,),
        "service_users": frozenset({USER, "lane-other"}),
    }
    return HostFacts(**(facts | different))


def a_grant(**different: Any) -> Grant:
    return Grant.model_validate({"host_name": HOST, "scope": SCOPE, "max_lanes": 2} | different)


def scene(
    desired: Desired | None = None,
    observed: Observed | None = None,
    *,
    host: HostFacts | None = None,
    grants: tuple[Grant, ...] | None = None,
    beside: tuple[Desired, ...] = (),
    asked: Asked = DRY_RUN,
) -> Scene:
    """The lane on record, with `beside` it other lanes."""
    desired = desired or wanted()
    fleet = Fleet([host or a_host()], (a_grant(),) if grants is None else grants, [desired, *beside])
    return fleet.scene(desired, observed or seen(), asked)


def planned(*arguments: Any, operation: Operation = "plan", **different: Any) -> Plan:
    """The plan of a scene, for one of the three operations."""
    return plan_lane(scene(*arguments, **({"asked": Asked(operation)} | different)))


def blocked_by(plan: Plan) -> set[str]:
    return {blocker.code for blocker in plan.blockers}


def verbs(plan: Plan) -> list[str]:
    return [step.verb for step in plan.steps]
