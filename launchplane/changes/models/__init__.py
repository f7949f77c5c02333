"""What the engine keeps: changes and their steps, what people decided, and what holds a host."""

from launchplane.changes.models.approval import Approval, StandingApproval
from launchplane.changes.models.change import Change, Step
from launchplane.changes.models.host import Freeze, HostLease
from launchplane.changes.models.notification import Notification
from launchplane.changes.models.plan_run import PlanRun

__all__ = ["Approval", "Change", "Freeze", "HostLease", "Notification", "PlanRun", "StandingApproval", "Step"]
