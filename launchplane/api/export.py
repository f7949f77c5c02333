"""`GET /v1/evidence/export`: the chain to take away and verify elsewhere; `/v1/evidence/head`: what to hold it against.

An export is all records or none: a chain of which some are left out proves nothing. So it is for those who may read
evidence of every host.
"""

from collections.abc import Callable, Iterator
from http import HTTPStatus
from typing import Any, Final, Literal

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response
from ninja import Query
from pydantic import BaseModel, Field

from audits.contracts import Checkpoint
from audits.export import Extent, Missing, extent, lines_of
from audits.export_csv import csv_lines_of
from audits.pages import LARGEST_SEQ
from audits.sign import signed_head
from launchplane.access.actions import Action
from launchplane.access.callers import Caller, caller_of
from launchplane.api.errors import ERRORS
from launchplane.api.evidence import router
from launchplane.api.refusing import NotTaken
from launchplane.api.sending import Places
from launchplane.problem_documents import ProblemDocument
from launchplane.problems import Refused

Format = Literal["ndjson", "csv"]

FORMATS: Final[dict[Format, tuple[str, Callable[[Extent], Iterator[bytes]]]]] = {
    "ndjson": ("application/x-ndjson", lines_of),
    "csv": ("text/csv; charset=utf-8", csv_lines_of),
}
MAY_KNOW_THE_HEAD: Final = (Action.EVIDENCE_EXPORT, Action.HYGIENE_AUDIT_READ, Action.LANE_AUDIT_READ)
ONLY_WHOLE: Final = (
    "An export is for those who may read evidence of every host: a chain without some of its records cannot be "
    "verified. /v1/evidence/…/audits lists what you may read."
)
PROBLEMS: Final[dict[int, type[BaseModel]]] = dict.fromkeys((409, 412, 429, 503), ProblemDocument)
SHOWN: Final[dict[str, Any]] = {
    "responses": {
        200: {
            "description": "The export, as a stream; its last line is the trailer",
            "content": {
                "application/x-ndjson": {"schema": {"type": "string"}},
                "text/csv": {"schema": {"type": "string"}},
            },
            "headers": {
                name: {"schema": {"type": "string"}, "description": what}
                for name, what in {
                    "ETag": "Names the export: its format, its records and the hash of the last one.",
                    "Evidence-Head": "SEQ:HASH of the last record, as docs/verify_audit.py takes it.",
                    "Content-Disposition": "A name for the file.",
                }.items()
            },
        },
        304: {"description": "The export that If-None-Match names is still the same"},
    }
}

places = Places()


class ExportQuery(BaseModel):
    """What to export. The whole is fixed by `from_seq` and `to_seq`; `after_seq` asks for the rest of it."""

    format: Format = "ndjson"
    from_seq: int = Field(1, ge=1, le=LARGEST_SEQ, description="The first record.")
    to_seq: int | None = Field(None, ge=0, le=LARGEST_SEQ, description="The last record; the head if it is left out.")
    after_seq: int | None = Field(
        None,
        ge=1,
        le=LARGEST_SEQ,
        description="For one that broke off: what comes after this record, which is the last that arrived whole. "
        "Give the same `from_seq` and `to_seq`; both parts make one export, byte for byte.",
    )


@router.get("/evidence/head", response={200: Checkpoint, 503: ProblemDocument, **ERRORS}, summary="The signed head")
def head(request: HttpRequest) -> Checkpoint:
    """Keep it where we cannot write: an export that holds record `seq` with this `hash` is the one of now."""
    _require_any(caller_of(request), MAY_KNOW_THE_HEAD)
    return signed_head()


@router.get(
    "/evidence/export",
    response={200: None, **PROBLEMS, **ERRORS},
    summary="All records, to take away",
    openapi_extra=SHOWN,
)
def export(request: HttpRequest, query: Query[ExportQuery]) -> HttpResponseBase:
    """Lines of JSON or a table, up to a head that is fixed when it begins, and a trailer.

    At most two are sent at once by one process, and one to each caller. Whoever takes less than 256 KiB in 30 seconds
    is dropped, and everybody after half an hour; `after_seq` goes on from there.
    """
    caller = caller_of(request)
    caller.require(Action.EVIDENCE_EXPORT)
    if not caller.does_to_every_host(Action.EVIDENCE_EXPORT):
        raise Refused("not_every_host", ONLY_WHOLE)
    wanted = _extent(query)
    headers = _headers(query.format, wanted)
    conditional = get_conditional_response(request, etag=headers["ETag"], response=HttpResponse(headers=headers))
    if conditional is not None and conditional.status_code == HTTPStatus.PRECONDITION_FAILED:
        sentence = f"This is not the export that If-Match names: it is {headers['ETag']} now."
        raise NotTaken(HTTPStatus.PRECONDITION_FAILED, "another_export", sentence)
    if conditional is not None and conditional.status_code == HTTPStatus.NOT_MODIFIED:
        return conditional
    content_type, pieces_of = FORMATS[query.format]
    only_asks = request.META["REQUEST_METHOD"] == "HEAD"  # the method of the request itself is GET by now
    pieces = iter(()) if only_asks else places.send(pieces_of(wanted), identity=caller.identity)
    return StreamingHttpResponse(pieces, content_type=content_type, headers=headers)


def _extent(query: ExportQuery) -> Extent:
    try:
        return extent(from_seq=query.from_seq, to_seq=query.to_seq, after_seq=query.after_seq)
    except Missing as missing:
        raise NotTaken(HTTPStatus.CONFLICT, missing.code, missing.sentence) from missing


def _headers(format: Format, wanted: Extent) -> dict[str, str]:
    """What names the export. Its hash covers all records before it, so equal names are equal bytes."""
    span = f"{wanted.from_seq}-{wanted.head.seq}"
    rest = f"-after-{wanted.after_seq}" if wanted.after_seq >= wanted.from_seq else ""
    return {
        "ETag": f'"{format}.{span}.{wanted.head.hash}"',
        "Evidence-Head": f"{wanted.head.seq}:{wanted.head.hash}",
        "Content-Disposition": f'attachment; filename="evidence-{span}{rest}.{format}"',
    }


def _require_any(caller: Caller, actions: tuple[Action, ...]) -> None:
    """Raises Refused `not_granted` unless the caller may do one of these at all."""
    refusals = []
    for action in actions:
        try:
            return caller.require(action)
        except Refused as refused:
            refusals.append(refused)
    raise refusals[0]
