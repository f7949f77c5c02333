"""What an operator said of a host and what the ledger knows of a resource: what a verdict rests on beside the facts."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from pydantic import Field

from hygiene.contracts.words import Confidence
from launchplane.hosts.contracts import Contract
from launchplane.words import CENTURY_SECONDS

# a host that loses events at every pass has its gaps noted this often, not at every pass
GAP_NOTED_EVERY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class History:
    """What the ledger knows of one resource. There are as many as resources, and they never leave the process.

    Of confidence `gap`, `unused_since` is when events were last noted to be lost, and a use with them perhaps.
    """

    first_seen_at: datetime
    last_used_at: datetime | None
    last_used_confidence: Confidence
    dangling_since: datetime | None
    unused_since: datetime | None

    @property
    def surely_unused_since(self) -> datetime:
        """No use later than this was seen, nor may one have been missed."""
        since = self.unused_since or self.first_seen_at
        return since + GAP_NOTED_EVERY if self.last_used_confidence is Confidence.GAP else since


class ProtectionRule(Contract):
    """A no-touch rule; `pattern` is RE2, searched in names, tags, ids (kind `label`: in `key=value`)."""

    kind: Literal["image", "container", "volume", "builder", "label", "any"]
    pattern: str
    reason: str


class BudgetRule(Contract):
    """A retention bound. Without `max_bytes` age alone decides; `reserve_bytes` is never gone below."""

    scope: str
    max_bytes: int | None
    reserve_bytes: int
    min_age_seconds: int = Field(ge=0, le=CENTURY_SECONDS)


class Policy(Contract):
    """All that an operator has said about a host, as the classifier needs it."""

    protections: tuple[ProtectionRule, ...]
    budgets: tuple[BudgetRule, ...]
    required_builders: tuple[str, ...]
    required_images: tuple[str, ...]
    managed_label: str
