"""GitHub's documents, strictly: a field that is missing or of another type makes the whole answer unusable.

Source of the fields: "REST API endpoints for self-hosted runners", and for apps "REST API endpoints for GitHub Apps".
"""

from typing import Annotated, Literal, TypeVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError

from lanes.contracts import GithubRunner
from lanes.github.errors import GithubUnreachable
from lanes.github.session import Answer

# no larger than what canonical text can hold (RFC 8785, section 3.2.2.3)
Id = Annotated[int, Field(gt=0, lt=2**53)]
Line = Annotated[str, StringConstraints(max_length=1000, pattern=r"\A[^\x00-\x1f\x7f]*\z")]
Secret = Annotated[str, StringConstraints(pattern=r"\A[\x21-\x7e]{20,2000}\z")]
Wanted = TypeVar("Wanted")


class _Document(BaseModel):
    """Of each document only these fields are looked at, and none is turned into another type."""

    model_config = ConfigDict(extra="ignore", strict=True, frozen=True, hide_input_in_errors=True)


class Label(_Document):
    """A label of a runner: `read-only` ones come from GitHub, `custom` ones from whoever registered it.

    None is "not told": GitHub promises the name alone.
    """

    name: Line
    type: Literal["read-only", "custom"] | None = None


class Labels(_Document):
    labels: list[Label] = Field(max_length=1000)


class _LabelName(_Document):
    name: Line


class Runner(_Document):
    id: Id
    name: Line
    os: Line
    status: Literal["online", "offline"]
    busy: bool
    labels: list[_LabelName] = Field(max_length=1000)
    version: Line | None = None

    def seen(self) -> GithubRunner:
        """As the rest of the product speaks of it."""
        return GithubRunner(
            id=self.id,
            name=self.name,
            os=self.os,
            online=self.status == "online",
            busy=self.busy,
            labels=tuple(label.name for label in self.labels),
            version=self.version,
        )


class Page(_Document):
    """A part of a listing: `total_count` is of the whole."""

    total_count: int = Field(ge=0, lt=2**31)
    runners: list[Runner] = Field(max_length=100)


class Token(_Document):
    """A token of any kind that GitHub makes for us, and until when it is good."""

    token: Secret = Field(repr=False)
    expires_at: AwareDatetime


class Installation(_Document):
    id: Id


class Download(_Document):
    """A package of the runner. `sha256_checksum` is None where GitHub does not tell it."""

    os: Line
    architecture: Line
    download_url: Line
    filename: Line
    sha256_checksum: Annotated[str, StringConstraints(pattern=r"\A[0-9a-f]{64}\z")] | None = None


class Deprecation(_Document):
    """Until when a version may register and run. None is "not told": no promise that it may for ever."""

    runner_version: Line
    registration_deprecates_at: AwareDatetime | None = None
    runtime_deprecates_at: AwareDatetime | None = None


def read(wanted: type[Wanted], answer: Answer) -> Wanted:
    """The document of `answer`. Raises GithubUnreachable without a word of what was in it."""
    try:
        return TypeAdapter(wanted).validate_json(answer.text)
    except ValidationError as error:
        fields = sorted({".".join(str(part) for part in fault["loc"])[:60] for fault in error.errors()})
    what = f"these are not in order: {', '.join(fields[:5])}" if fields != [""] else "it is no document of that kind"
    raise GithubUnreachable(
        "github_unexpected_answer",
        f"GitHub's API did not answer as it should: {what}.",
        request_id=answer.request_id,
    )  # out here, because pydantic's exception holds the text, which may be a token
