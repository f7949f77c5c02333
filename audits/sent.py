"""Evidence as outsiders hand it in: what is the same for hosts and lanes, and which combinations make sense. Pure.

It is what the sender says. Nothing here is measured by us, and nothing of ours rests on it (M9).
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Annotated, Any, Final, Literal, Self

from pydantic import AfterValidator, BaseModel, Field, StringConstraints, model_validator

from audits.contracts import Contract, Status

# without '..', and without a slash: wherever a key ends up, it is one name
KEY: Final = r"^[A-Za-z0-9](\.?[A-Za-z0-9_:-])*\.?$"
# launchplane.slugs: what a host and a lane may be called
SLUG: Final = r"^[a-z0-9](\.?[a-z0-9_-])*\.?$"
LARGEST: Final = 2**53 - 1

Mode = Literal["dry_run", "apply"]
Key = Annotated[str, StringConstraints(pattern=KEY, max_length=200)]
Slug = Annotated[str, StringConstraints(pattern=SLUG, max_length=64)]
Bytes = Annotated[int, Field(ge=0, le=LARGEST)]
Count = Annotated[int, Field(ge=0, le=10**9)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Sentence = Annotated[str, StringConstraints(min_length=1, max_length=600)]
FieldName = Annotated[str, StringConstraints(min_length=1, max_length=100)]


def _real(text: str) -> str:
    """`text`, if it is a day that there is. Raises ValueError."""
    datetime.fromisoformat(text)
    return text


UtcTime = Annotated[
    str,
    StringConstraints(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?Z$"),
    AfterValidator(_real),
]


class SentPart(Contract):
    """A part of what is handed in. What is null was not measured: `unmeasured` of the state that holds it says why."""


class SentState(SentPart):
    """How something was at one time. Each null needs its reason, under its own name or of what holds it."""

    observed_at: UtcTime | None = Field(None, description="When it was looked at, in UTC, by the sender's clock.")
    unmeasured: Mapping[FieldName, Sentence] = Field(
        default={}, max_length=50, description="Why a field is null: a sentence under its name."
    )

    @model_validator(mode="after")
    def _says_why(self) -> Self:
        for path in _nulls(self, ("unmeasured", "observed_at")):
            refuse_without_reason(path, self.unmeasured)
        return self


class Sent(Contract):
    """One record of a run, from outside: what was planned, or how it ended."""

    schema_version: Literal[1]
    key: Key = Field(description="The sender's name for the run: its planned record and its last one share it.")
    action: str
    mode: Mode
    status: Status
    occurred_at: UtcTime | None = Field(None, description="When it was, in UTC, by the sender's clock.")
    reason: str = Field("", max_length=600, description="Why it failed or was skipped, in a sentence.")
    notes: Mapping[FieldName, Sentence] = Field(
        default={}, max_length=20, description="The sender's own words, such as the address of the workflow run."
    )

    def refuse_unsound(self, *, pre_state: BaseModel | None, post_state: BaseModel | None) -> None:
        """Raises ValueError for what cannot have been: a plan with a result, an end without one or a reason."""
        if self.status == "completed" and self.mode == "dry_run":
            raise ValueError("a dry run completes nothing: hand it in as planned, failed or skipped")
        if self.status == "completed" and (pre_state is None or post_state is None):
            raise ValueError("a completed run has a pre_state and a post_state")
        if post_state is not None and (self.mode == "dry_run" or self.status in ("planned", "skipped")):
            raise ValueError("only a run that did something has a post_state: it is neither planned, skipped nor dry")
        if self.status == "skipped" and not self.reason:
            raise ValueError("a skipped run says why, as its reason")
        if self.status == "failed" and post_state is None and not self.reason:
            raise ValueError("a failed run without a post_state says why, as its reason")


def refuse_without_reason(path: tuple[str, ...], reasons: Mapping[str, str]) -> None:
    """Raises ValueError if the null at `path` has no reason: unknown is never zero, and never without a why."""
    names = {*path, *(".".join(path[: end + 1]) for end in range(len(path)))}
    if not names & reasons.keys():
        raise ValueError(f"{'.'.join(path)} is null, and unmeasured does not say why")


def _nulls(part: BaseModel, but: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The path of each null in `part`, as deep as it goes."""
    for name in type(part).model_fields:
        if name not in but:
            yield from ((name, *path) for path in _nulls_of(getattr(part, name)))


def _nulls_of(value: Any) -> Iterator[tuple[str, ...]]:
    if value is None:
        yield ()
    elif isinstance(value, SentPart):
        yield from _nulls(value)
    elif isinstance(value, tuple):
        for item in value:
            yield from _nulls_of(item)
