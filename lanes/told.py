"""What a host says of one lane, part by part: believed only in the shape that launchplane-runner has for it. Pure.

The host is the least trusted machine: a part in any other shape was not read, and why is said.
"""

from collections.abc import Mapping
from typing import Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from lanes.contracts import Desired, Directory, Service

MOST_PROCESSES = 10_000
Line = Annotated[str, StringConstraints(max_length=1000)]
Name = Annotated[str, StringConstraints(max_length=300)]
# what canonical text can hold (RFC 8785, section 3.2.2.3)
Id = Annotated[int, Field(ge=0, lt=2**53)]
Told = TypeVar("Told", bound=BaseModel)


class ToldPart(BaseModel):
    """Only these fields are looked at, and none is turned into another type."""

    model_config = ConfigDict(extra="ignore", strict=True, frozen=True, hide_input_in_errors=True)


class NotTold(Exception):
    """A part is missing from the answer, or has another shape."""


class _Directory(ToldPart):
    path: Line
    exists: bool
    problem: Line
    configured: bool | None
    agent_id: Id | None
    agent_name: Name | None
    github_url: Line | None


class _ControlPath(ToldPart):
    problem: Line


class _Service(ToldPart):
    unit: Line
    exists: bool
    ours: bool
    enabled: bool
    active_state: Name
    sub_state: Name
    working_directory: Line
    exec_start: Line
    process_users: tuple[Name, ...] = Field(max_length=100)
    workers: Annotated[int, Field(ge=0, le=MOST_PROCESSES)] | None


def read(shape: type[Told], facts: Mapping[str, object], part: str) -> Told:
    """The `part` of `facts` in its shape. Raises NotTold, without a word of what was in it."""
    told = facts.get(part)
    if told is None:
        said = facts.get(f"{part}_unmeasured")
        raise NotTold(said[:1000] if isinstance(said, str) and said else f"The host did not tell its {part}")
    try:
        return shape.model_validate(told)
    except ValidationError as error:
        fields = sorted({".".join(map(str, fault["loc"]))[:60] for fault in error.errors()})
        raise NotTold(f"What the host tells is not in order: {', '.join(fields[:5])}") from None


def directory(desired: Desired, facts: Mapping[str, object]) -> Directory:
    """The lane's directory. Raises NotTold.

    The program runs as the lane's user and finds a problem in whatever belongs to somebody else. So without a problem
    the owner is that user, and with one nobody can tell.
    """
    told = read(_Directory, facts, "directory")
    is_its_own = told.exists and not told.problem
    if is_its_own and told.configured is None:
        raise NotTold("The host does not tell whether it is configured")
    return Directory(
        path=told.path,
        exists=told.exists,
        problem=told.problem,
        owner=desired.service_user if is_its_own else "",
        configured=told.configured is True,
        agent_id=told.agent_id,
        agent_name=told.agent_name or "",
        github_url=told.github_url or "",
    )


def service(facts: Mapping[str, object]) -> Service:
    """The lane's unit. Raises NotTold.

    Processes of several users give all of their names together, which is the name of no user.
    """
    told = read(_Service, facts, "service")
    return Service(
        unit=told.unit,
        exists=told.exists,
        ours=told.ours,
        enabled=told.enabled,
        active_state=told.active_state,
        sub_state=told.sub_state,
        process_user=", ".join(told.process_users),
        working_directory=told.working_directory,
        exec_start=told.exec_start,
        workers=told.workers,
    )


def control_path(facts: Mapping[str, object]) -> bool:
    """Whether the program that restarts and removes lanes is there and root's alone. Raises NotTold."""
    return read(_ControlPath, facts, "control_path").problem == ""
