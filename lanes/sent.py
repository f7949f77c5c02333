"""Evidence of a lane's maintenance, as outsiders hand it in (M37, M40). Field names are used from outside. Pure."""

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import Field, JsonValue, StringConstraints, model_validator

from audits.sent import FieldName, Sent, SentPart, SentState, Slug
from lanes.contracts import Action, Condition, Shape
from lanes.names import LONGEST_PATH, is_scope, unit_name

Scope = Annotated[str, StringConstraints(min_length=1, max_length=140)]
Label = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
Labels = Annotated[tuple[Label, ...], Field(max_length=20)]


class SentDesired(SentPart):
    """The lane as the sender wanted it (M10)."""

    repository: Scope
    host_name: Slug
    lane_name: Slug
    registration_root: Annotated[str, StringConstraints(pattern="^/", max_length=LONGEST_PATH)]
    service_user: Annotated[str, StringConstraints(pattern=r"^[a-z_][a-z0-9_-]{0,31}$")]
    systemd_unit_name: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    labels: Labels
    runner_version_policy: Literal["update", "fixed"]
    managed: Literal[True]


class LaneState(SentState):
    """How a lane was, place by place: at GitHub, in its folder, under systemd, on its host."""

    shape: Shape | None
    condition: Condition | None
    online: bool | None
    busy: bool | None
    labels: Labels | None
    directory_configured: bool | None
    service_enabled: bool | None
    service_active: bool | None
    process_user: Annotated[str, StringConstraints(max_length=32)] | None
    baseline_ready: bool | None


class SentLane(Sent):
    """One record of a lane's maintenance. There is no `skipped`: a lane change that was stopped has failed."""

    lane: Slug
    host: Slug
    repository: Scope
    action: Action
    status: Literal["planned", "completed", "failed"]
    desired_state: SentDesired | None = None
    pre_state: LaneState | None = None
    post_state: LaneState | None = None
    provider_evidence: Mapping[FieldName, JsonValue] = Field(
        default={}, max_length=50, description="What GitHub answered, without secrets: what looks like one is removed."
    )

    @model_validator(mode="after")
    def _is_sound(self) -> Self:
        self.refuse_unsound(pre_state=self.pre_state, post_state=self.post_state)
        if not is_scope(self.repository):
            raise ValueError("repository is neither owner/repository nor an organization")
        if self.desired_state is None and self.action != "remove":
            raise ValueError("a desired_state belongs to every action but remove")
        if self.desired_state is not None and self._said_twice() != self._wanted():
            raise ValueError("desired_state is of another lane, host, repository or unit than the record")
        return self

    def _said_twice(self) -> tuple[str, ...]:
        return (self.lane, self.host, self.repository, unit_name(self.lane))

    def _wanted(self) -> tuple[str, ...]:
        desired = self.desired_state
        if desired is None:
            return ()
        return (desired.lane_name, desired.host_name, desired.repository, desired.systemd_unit_name)
