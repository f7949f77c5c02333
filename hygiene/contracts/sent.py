"""Evidence of a host's clean-up, as outsiders hand it in (H48, H49, H51). Field names are used from outside. Pure."""

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from audits.sent import (
    Bytes,
    Count,
    FieldName,
    Name,
    Sent,
    Sentence,
    SentPart,
    SentState,
    Slug,
    refuse_without_reason,
)

Percent = Annotated[int, Field(ge=0, le=100)]


class SentSummary(SentPart):
    """One line of `docker system df`."""

    count: Count
    active: Count
    size_bytes: Bytes | None
    reclaimable_bytes: Bytes | None


class SentDockerSummary(SentPart):
    """The four types that Docker counts."""

    images: SentSummary | None
    containers: SentSummary | None
    volumes: SentSummary | None
    build_cache: SentSummary | None


class BuilderVolume(SentPart):
    """A builder's state volume."""

    name: Name
    size_bytes: Bytes | None


class HostState(SentState):
    """A host's disk and Docker's part of it. The fields have the names that the hygiene report has for them."""

    free_disk_bytes: Bytes | None
    disk_total_bytes: Bytes | None
    disk_used_percent: Percent | None
    docker_reclaimable_bytes: Bytes | None
    docker_summary: SentDockerSummary | None
    builder_volumes: Annotated[tuple[BuilderVolume, ...], Field(max_length=200)] | None


class SentFailure(SentPart):
    """One thing that was not done, and why."""

    target: Name
    why: Sentence


class SentBudget(SentPart):
    """A retention bound that was in force. Without `max_bytes` age alone decided."""

    scope: Name
    max_bytes: Bytes | None
    reserve_bytes: Bytes
    min_age_seconds: Annotated[int, Field(ge=0, le=10**10)]
    applied: bool


class SentHygiene(Sent):
    """One record of a clean-up of a host, or of a look at one."""

    host: Slug
    action: Literal["report", "build-cache", "dangling", "aged", "retire"]
    pre_state: HostState | None = None
    post_state: HostState | None = None
    predicted_bytes: Bytes | None = Field(description="What it was to free; null with a reason in unmeasured.")
    actual_bytes: Bytes | None = Field(description="What it freed; null before that, or with a reason in unmeasured.")
    unmeasured: Mapping[FieldName, Sentence] = Field(default={}, max_length=50)
    failures: tuple[SentFailure, ...] = Field(default=(), max_length=200)
    budgets: tuple[SentBudget, ...] = Field(default=(), max_length=50, description="The bounds that were in force.")

    @model_validator(mode="after")
    def _is_sound(self) -> Self:
        self.refuse_unsound(pre_state=self.pre_state, post_state=self.post_state)
        if self.action == "report" and self.mode == "apply":
            raise ValueError("a report changes nothing: its mode is dry_run")
        if self.post_state is None and self.actual_bytes is not None:
            raise ValueError("actual_bytes is what a run freed: without a post_state nobody knows that")
        if self.predicted_bytes is None and not self.reason:
            refuse_without_reason(("predicted_bytes",), self.unmeasured)
        if self.post_state is not None and self.actual_bytes is None:
            refuse_without_reason(("actual_bytes",), self.unmeasured)
        return self
