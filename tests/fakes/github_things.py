"""What the stand-in for GitHub keeps and passes on: runners, credentials, tokens, calls."""

import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from tests.fakes.loopback import Reply, Request

OWN_LABELS = ("self-hosted", "Linux", "X64")

Level = Literal["read", "write"]
Purpose = Literal["registration", "remove"]


class Refusal(Exception):
    """An answer other than the one that was asked for."""

    def __init__(self, status: int, message: str, **headers: str) -> None:
        super().__init__(message)
        document = {"message": message, "documentation_url": "https://docs.github.com/rest", "status": str(status)}
        self.reply = Reply(status, document, headers)


@dataclass
class Runner:
    """A registered runner. `shows_busy` None: what GitHub shows is the truth; else it shows this.

    `heard_at` is when its session last spoke, None for one that only stands here. `told` is what it hears next.
    """

    id: int
    scope: str
    name: str
    labels: list[str]
    version: str
    ephemeral: bool = False
    online: bool = False
    job: int | None = None
    shows_busy: bool | None = None
    session: str = ""
    heard_at: datetime | None = None
    told: list[dict[str, object]] = field(default_factory=list)
    secret: str = field(default_factory=lambda: secrets.token_hex(20))

    def label_documents(self) -> list[dict[str, object]]:
        """GitHub's own first, then those of whoever registered it."""
        own = [{"id": number, "name": name, "type": "read-only"} for number, name in enumerate(OWN_LABELS, 1)]
        return own + [{"id": number, "name": name, "type": "custom"} for number, name in enumerate(self.labels, 10)]

    def document(self) -> dict[str, object]:
        busy = self.job is not None if self.shows_busy is None else self.shows_busy
        return {
            "id": self.id,
            "name": self.name,
            "os": "linux",
            "status": "online" if self.online else "offline",
            "busy": busy,
            "ephemeral": self.ephemeral,
            "version": self.version,
            "runner_group_id": 1,
            "labels": self.label_documents(),
        }


@dataclass
class Credential:
    """Who a token is, for which owners it may do what (None: for all), and until when."""

    identity: str
    level: Level = "write"
    kinds: tuple[str, ...] = ("repos", "orgs")
    owners: Collection[str] | None = None
    expires_at: datetime | None = None


@dataclass(frozen=True)
class OneTime:
    purpose: Purpose
    scope: str
    expires_at: datetime


@dataclass(frozen=True)
class Finished:
    """A job that was done: by which runner, how it ended, and the end of its log."""

    runner: str
    result: str
    log: str


@dataclass(frozen=True)
class Call:
    """A call that was made: `etag` is its If-None-Match, `cost` what it took from the quota."""

    method: str
    path: str
    query: str
    identity: str
    etag: str
    status: int
    cost: int
    port: int


@dataclass(frozen=True)
class Asked:
    """A request whose address is known: the groups of that address, the JSON body, and who asks."""

    request: Request
    groups: Mapping[str, str]
    body: dict[str, Any]
    who: Credential

    @property
    def scope(self) -> str:
        return self.groups["scope"].lower()
