"""What senders of evidence are told: the receipt of a record, and how what they send is described (OpenAPI)."""

import json
from typing import Any, Final, Literal, cast

from pydantic import BaseModel, Field

from audits.contracts import Status
from audits.models import AuditRecord, moment
from audits.sent import Mode, Sent
from launchplane.api.idempotency import HEADER
from launchplane.problem_documents import ProblemDocument

REFUSED: Final = (400, 401, 403, 404, 409, 411, 413, 415, 422, 429, 503)
CREATED: Final[dict[int, type[BaseModel]]] = dict.fromkeys(REFUSED, ProblemDocument)


class Receipt(BaseModel):
    """Where the record stands in the chain. Kept by its sender, it shows later whether the record is still that one."""

    seq: int
    hash: str


class Taken(BaseModel):
    """One record of evidence that was stored, in summary. It follows from the record alone, which never changes.

    `recorded_at` is our clock, `occurred_at` the sender's. `url` is where all records of the run can be read.
    """

    key: str
    kind: str
    host: str
    mode: Mode
    status: Status
    source: Literal["api"]
    sender: str
    occurred_at: str | None
    recorded_at: str
    receipt: Receipt
    url: str


class HygieneReceipt(Taken):
    """What was stored of a host's clean-up (H52)."""

    action: str
    predicted_bytes: int | None = Field(description="What it was to free; null if nobody knows.")
    actual_bytes: int | None = Field(description="What it freed by its sender's word; null if nobody knows.")
    failures: int = Field(description="How many things were not done.")


class LaneReceipt(Taken):
    """What was stored of a lane's maintenance."""

    lane: str
    repository: str
    action: str


def hygiene_receipt(row: AuditRecord) -> HygieneReceipt:
    """For the sender of `row`."""
    said = json.loads(row.payload)
    own = {name: _number(said[name]) for name in ("predicted_bytes", "actual_bytes")}
    return HygieneReceipt(**_summary(row, said, "runner-host-hygiene"), **own, failures=len(said["failures"]))


def lane_receipt(row: AuditRecord) -> LaneReceipt:
    """For the sender of `row`."""
    said = json.loads(row.payload)
    return LaneReceipt(**_summary(row, said, "runner-lane-maintainer"), lane=row.lane, repository=said["repository"])


def _number(value: object) -> int | None:
    """A number that looked like a known secret is not there any more."""
    return value if isinstance(value, int) else None


def _summary(row: AuditRecord, said: dict[str, Any], place: str) -> dict[str, Any]:
    return {
        "key": row.key,
        "kind": row.kind,
        "host": row.host,
        "action": said["action"],
        "mode": said["mode"],
        "status": row.status,
        "source": row.source,
        "sender": row.actor_name,
        "occurred_at": said["occurred_at"],
        "recorded_at": moment(row.at),
        "receipt": Receipt(seq=row.seq, hash=row.hash),
        "url": f"/v1/evidence/{place}/audits/{row.key}",
    }


def described(contract: type[Sent], example: dict[str, Any]) -> dict[str, Any]:
    """The request as OpenAPI says it: the body is read by `bodies`, not by the framework, which would take too much."""
    return body(contract.model_json_schema(), example)


def body(schema: dict[str, Any], *examples: dict[str, Any]) -> dict[str, Any]:
    """The same for any JSON schema of a body."""
    shown = _inlined(schema, schema.get("$defs", {}))
    key = {"name": HEADER, "in": "header", "required": True, "schema": {"type": "string", "pattern": "^[!-~]{1,200}$"}}
    content = {"application/json": {"schema": shown, "examples": _numbered(examples)}}
    return {"parameters": [key], "requestBody": {"required": True, "content": content}}


def _numbered(examples: tuple[dict[str, Any], ...]) -> dict[str, Any]:
    return {str(number): {"value": example} for number, example in enumerate(examples, start=1)}


def _inlined(schema: Any, definitions: dict[str, Any]) -> Any:
    """`schema` without references: in OpenAPI they would lead out of the body's own schema."""
    if isinstance(schema, list):
        return [_inlined(item, definitions) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        rest = {name: value for name, value in schema.items() if name != "$ref"}
        return _inlined(definitions[cast(str, schema["$ref"]).rpartition("/")[2]] | rest, definitions)
    return {name: _inlined(value, definitions) for name, value in schema.items() if name != "$defs"}
