"""What a program may be allowed to do under `/v1`, and the rights that a person needs for the same. Pure."""

from enum import StrEnum
from typing import Final, NamedTuple


class Action(StrEnum):
    """An action that a token or a trusted workflow is granted. Nothing here approves anything."""

    HYGIENE_AUDIT_WRITE = "runner_host_hygiene_audit.write"
    HYGIENE_AUDIT_READ = "runner_host_hygiene_audit.read"
    LANE_AUDIT_WRITE = "runner_lane_maintainer_audit.write"
    LANE_AUDIT_READ = "runner_lane_maintainer_audit.read"
    HOST_READ = "host.read"
    LANE_READ = "lane.read"
    CHANGE_READ = "change.read"
    CHANGE_REQUEST = "change.request"
    EVIDENCE_EXPORT = "evidence.export"


class Rights(NamedTuple):
    """`on_host` is needed for each host that it is about; `general`, if there is one, on top of it."""

    on_host: str
    general: str = ""


_AUDIT: Final = "audits.view_auditrecord"

RIGHTS: Final[dict[Action, Rights]] = {
    Action.HYGIENE_AUDIT_WRITE: Rights("hosts.send_evidence"),
    Action.HYGIENE_AUDIT_READ: Rights("hosts.view_host", _AUDIT),
    Action.LANE_AUDIT_WRITE: Rights("hosts.send_evidence"),
    Action.LANE_AUDIT_READ: Rights("hosts.view_host", _AUDIT),
    Action.HOST_READ: Rights("hosts.view_host"),
    Action.LANE_READ: Rights("hosts.view_host"),
    Action.CHANGE_READ: Rights("hosts.view_host"),
    Action.CHANGE_REQUEST: Rights("hosts.request_change"),
    Action.EVIDENCE_EXPORT: Rights("hosts.view_host", _AUDIT),
}
