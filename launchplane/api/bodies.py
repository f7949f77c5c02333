"""Reading the body of a request: JSON in UTF-8, of a length that was said before and is not too long.

Read after the caller was let in, and never by Django, whose own limit answers with a page.
"""

from email.message import Message
from http import HTTPStatus
from typing import Final

from django.http import HttpRequest
from django.http.request import UnreadablePostError

from launchplane import strict_json
from launchplane.api.refusing import NotTaken

LONGEST: Final = 256 * 1024


def body_of(request: HttpRequest) -> bytes:
    """The body, which is one JSON object by `strict_json`. Raises NotTaken (400, 411, 413, 415)."""
    _refuse_other_types(request)
    raw = _read(request, _length(request))
    try:
        strict_json.read(raw)
    except strict_json.BadJson as bad:
        raise NotTaken(HTTPStatus.BAD_REQUEST, bad.code, bad.sentence) from bad
    return raw


def _refuse_other_types(request: HttpRequest) -> None:
    """RFC 8259 knows no parameter `charset`; many send it all the same, and it must not say another one."""
    said = Message()
    said["Content-Type"] = str(request.META.get("CONTENT_TYPE") or "")
    charset = said.get_param("charset", "utf-8")
    parameters = {name.lower() for name, _ in (said.get_params() or [])[1:]}
    is_json = said["Content-Type"].partition(";")[0].strip().lower() == "application/json"
    if not is_json or str(charset).lower() not in ("utf-8", "utf8") or parameters - {"charset"}:
        sentence = "The body has to be JSON in UTF-8: Content-Type: application/json."
        raise NotTaken(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", sentence)
    if str(request.META.get("HTTP_CONTENT_ENCODING", "identity")).strip().lower() != "identity":
        sentence = "The body has to come as it is, without a Content-Encoding: nothing is unpacked here."
        raise NotTaken(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "unsupported_encoding", sentence)


def _length(request: HttpRequest) -> int:
    said = str(request.META.get("CONTENT_LENGTH") or "")
    if "HTTP_TRANSFER_ENCODING" in request.META or not said:
        sentence = "Say how long the body is, in the header Content-Length; it cannot come in chunks."
        raise NotTaken(HTTPStatus.LENGTH_REQUIRED, "length_required", sentence)
    # gunicorn lets no other through; whatever else may stand in front of this does
    if not (said.isascii() and said.isdecimal()):
        raise NotTaken(HTTPStatus.BAD_REQUEST, "bad_length", "The header Content-Length is no number.")
    if len(said) > len(str(LONGEST)) or int(said) > LONGEST:
        sentence = f"The body is longer than {LONGEST} bytes. Hand in what matters, and keep the rest as an artifact."
        raise NotTaken(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too_large", sentence)
    return int(said)


def _read(request: HttpRequest, length: int) -> bytes:
    try:
        raw = request.read(length)
    except (UnreadablePostError, OSError) as error:
        raise NotTaken(HTTPStatus.BAD_REQUEST, "body_cut", "The body ended before it was all there.") from error
    if len(raw) < length:
        raise NotTaken(HTTPStatus.BAD_REQUEST, "body_cut", "The body ended before it was all there.")
    return bytes(raw)
