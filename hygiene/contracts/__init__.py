"""What was observed, how it is judged and what is reported: the contracts that every part of hygiene shares.

Bytes are integers, times are aware UTC, None means "not measured" (the reason stands in `unmeasured`), never 0.
"""

from hygiene.contracts.facts import (
    Builder,
    CacheRecord,
    Container,
    DockerSummary,
    EngineFacts,
    GcPolicy,
    Image,
    Inventory,
    Mount,
    Service,
    TypeSummary,
    Volume,
)
from hygiene.contracts.observation import Event, Observation, Readings, RunningBuild
from hygiene.contracts.policy import BudgetRule, History, Policy, ProtectionRule
from hygiene.contracts.report import Finding, InventoryView, Report, ResourceRow, WarmBuilder, WarmImage
from hygiene.contracts.words import Class, Confidence, Key, Kind

__all__ = [
    "BudgetRule",
    "Builder",
    "CacheRecord",
    "Class",
    "Confidence",
    "Container",
    "DockerSummary",
    "EngineFacts",
    "Event",
    "Finding",
    "GcPolicy",
    "History",
    "Image",
    "Inventory",
    "InventoryView",
    "Key",
    "Kind",
    "Mount",
    "Observation",
    "Policy",
    "ProtectionRule",
    "Readings",
    "Report",
    "ResourceRow",
    "RunningBuild",
    "Service",
    "TypeSummary",
    "Volume",
    "WarmBuilder",
    "WarmImage",
]
