"""What an audit record is made of, as it is hashed, exported and shown. Nothing here knows where records are kept."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, PositiveInt

Status = Literal["planned", "completed", "failed", "skipped"]


class Contract(BaseModel):
    """A frozen contract that refuses fields it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Actor(Contract):
    """Who did it: an id that stays, the name as it was then, and the people who answer for it."""

    id: str
    name: str
    responsible: tuple[str, ...] = ()


class Record(Contract):
    """One record. `payload` is canonical JSON as text: it is hashed as it stands, and nobody serialises it again.

    `at` is RFC 3339 in UTC with six digits of a second; hashes are lower-case hexadecimal SHA-256.
    """

    seq: PositiveInt
    at: str
    kind: str
    key: str
    host: str
    lane: str
    actor: Actor
    source: str
    status: Status
    payload: str
    payload_hash: str
    prev_hash: str
    hash: str


class Trailer(Contract):
    """The last line of an export: what must have come before it."""

    format: str
    count: int
    first_seq: int | None
    last_seq: int | None
    head_hash: str


class TrailerLine(Contract):
    """A trailer as it stands in an export, where it can be told from a record."""

    trailer: Trailer


class Checkpoint(Contract):
    """A signed head: up to `seq` the chain was this one. `signature` is Ed25519 over the rest in canonical form."""

    seq: int
    hash: str
    at: str
    public_key: str
    signature: str


class Fault(Contract):
    """Where a chain is wrong: the first record (`seq`) that is not what it was, and how one can tell."""

    code: str
    seq: int | None
    sentence: str


class Verdict(Contract):
    """What looking at a chain showed. `notes` are no faults; somebody should know them all the same."""

    what: str
    count: int
    first_seq: int | None
    last_seq: int | None
    head_hash: str
    faults: tuple[Fault, ...]
    notes: tuple[str, ...]

    @property
    def intact(self) -> bool:
        return not self.faults
