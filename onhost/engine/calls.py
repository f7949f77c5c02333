"""Calls to one engine over one connection: bounded in time and size, and every failure has a sentence."""

from __future__ import annotations

import http.client
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, Union
from urllib.parse import urlencode

from onhost.engine.deadline import Deadline
from onhost.engine.errors import CallFailed, EngineUnavailable
from onhost.engine.reduce import MAX_ENTRIES
from onhost.engine.unix import Client, chunks
from onhost.words import clean_message

MAX_PARTS: Final = 2_000_000

Parameters = Mapping[str, Union[str, int]]


class Connection:
    """One connection to the socket at `path`, for one thread. Closes itself at the end of a `with`."""

    def __init__(self, path: str, *, api_version: str, max_answer_bytes: int) -> None:
        self._path, self._api_version, self._max_answer_bytes = path, api_version, max_answer_bytes
        self._deadline = Deadline(0)
        self._client = Client(path, self._deadline)

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def sockets(self) -> int:
        """How many sockets were opened so far: at the other end of the next may be somebody else."""
        return self._deadline.connections

    def close(self) -> None:
        """Let go of it."""
        self._client.close()

    def get(self, path: str, *, seconds: float, params: Parameters | None = None, versioned: bool = True) -> Any:
        """The decoded JSON of one GET. Raises EngineUnavailable (nobody there) or CallFailed."""
        return decoded(self._call("GET", path, seconds=seconds, params=params, versioned=versioned))

    def get_stream(self, path: str, *, seconds: float, params: Parameters) -> list[Any]:
        """The JSON documents of one GET whose answer is a stream that ends."""
        return decoded_stream(self._call("GET", path, seconds=seconds, params=params))

    def post(self, path: str, body: Mapping[str, object], *, seconds: float, params: Parameters | None = None) -> bytes:
        """The bytes of one POST with a JSON body."""
        return self._call("POST", path, seconds=seconds, body=body, params=params)

    def delete(self, path: str, *, seconds: float, params: Parameters) -> bytes:
        """The bytes of one DELETE."""
        return self._call("DELETE", path, seconds=seconds, params=params)

    def _call(
        self,
        method: str,
        path: str,
        *,
        seconds: float,
        params: Parameters | None = None,
        body: Mapping[str, object] | None = None,
        versioned: bool = True,
    ) -> bytes:
        version, query = f"/v{self._api_version}" if versioned else "", f"?{urlencode(params)}" if params else ""
        content = None if body is None else json.dumps(body, allow_nan=False)
        try:
            status, answer = self._send(method, f"{version}{path}{query}", content, seconds)
        except (OSError, http.client.HTTPException) as error:
            raise self._problem(error, path, seconds) from error
        if status not in (200, 201, 204):
            raise _refused(status, answer)
        return answer

    def _send(self, method: str, target: str, body: str | None, seconds: float) -> tuple[int, bytes]:
        """The status and the bytes of the answer to one request, made once."""
        self._deadline.restart(seconds)
        headers = {} if body is None else {"Content-Type": "application/json"}
        try:
            self._client.request(method, target, body=body, headers=headers)
            response = self._client.getresponse()
            return response.status, self._bounded(chunks(response))
        except BaseException:
            # what is left of this answer must not be taken for the next one
            self._client.close()
            raise

    def _bounded(self, chunks: Iterable[bytes]) -> bytes:
        body = bytearray()
        for chunk in chunks:
            body += chunk
            if len(body) > self._max_answer_bytes:
                raise CallFailed(
                    "answer_too_large", f"The engine's answer is larger than {self._max_answer_bytes} bytes: not read."
                )
        return bytes(body)

    def _problem(self, error: BaseException, path: str, seconds: float) -> CallFailed | EngineUnavailable:
        causes = list(_causes(error))
        for kind, problem in (
            (FileNotFoundError, self._no_socket),
            (NotADirectoryError, self._no_socket),
            (PermissionError, self._permission_denied),
            (ConnectionRefusedError, self._not_listening),
            (BlockingIOError, self._not_accepting),
        ):
            if any(isinstance(cause, kind) for cause in causes):
                return problem()
        if any(isinstance(cause, TimeoutError) for cause in causes):
            return CallFailed("timed_out", f"The engine did not finish answering {path} within {seconds:g} s.")
        if any(_is_no_http(cause) for cause in causes):
            return _not_an_engine("it does not speak HTTP")
        return CallFailed("answer_cut", f"The engine's answer to {path} was cut off before its end.")

    def _no_socket(self) -> EngineUnavailable:
        return EngineUnavailable(
            "no_socket", f"There is no socket at {self._path}. Start Docker, or correct the host's address."
        )

    def _permission_denied(self) -> EngineUnavailable:
        return EngineUnavailable(
            "permission_denied",
            f"This user may not open {self._path}. Run Launchplane's workers as a user that may use Docker.",
        )

    def _not_accepting(self) -> EngineUnavailable:
        return EngineUnavailable(
            "not_accepting",
            f"The engine at {self._path} takes no more calls: it is overloaded or stopped. Look at it there.",
        )

    def _not_listening(self) -> EngineUnavailable:
        return EngineUnavailable("not_listening", f"Nobody listens at {self._path}. Start Docker on this host.")


def decoded(body: bytes) -> Any:
    """One JSON document. Raises CallFailed for anything else."""
    _require_few_parts(body)
    try:
        return json.loads(body, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise _not_json(body) from error


def decoded_stream(body: bytes) -> list[Any]:
    """JSON documents one after the other, with or without line ends between them. Raises CallFailed."""
    _require_few_parts(body)
    text, at, documents = body.decode("utf-8", errors="replace"), 0, []
    decoder = json.JSONDecoder(parse_constant=_no_constant)
    while (start := _after_blanks(text, at)) < len(text):
        try:
            document, at = decoder.raw_decode(text, start)
        except (ValueError, RecursionError) as error:
            raise _not_json(body) from error
        documents.append(document)
        if len(documents) > MAX_ENTRIES:
            raise CallFailed(
                "answer_too_large", f"The engine's answer has more than {MAX_ENTRIES} documents: not read."
            )
    return documents


def _require_few_parts(body: bytes) -> None:
    """A few MB of `{},{},…` are gigabytes once decoded: bound what is decoded by its parts, not only by its bytes."""
    if sum(map(body.count, (b",", b"{", b"["))) > MAX_PARTS:
        raise CallFailed("answer_too_large", f"The engine's answer has more than {MAX_PARTS} parts: not read.")


def _after_blanks(text: str, at: int) -> int:
    match = re.compile(r"\s*").match(text, at)
    return match.end() if match else at


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        yield from (argument for argument in error.args if isinstance(argument, BaseException))
        error = error.__cause__ or error.__context__


def _is_no_http(error: BaseException) -> bool:
    return isinstance(error, http.client.HTTPException) and not isinstance(
        error, (http.client.RemoteDisconnected, http.client.IncompleteRead)
    )


def _refused(status: int, body: bytes) -> CallFailed:
    """The engine's own message, cleaned; what is no engine's error document is called so."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return _not_json(body, status=status)
    message = document.get("message") if isinstance(document, dict) else None
    said = clean_message(message) if isinstance(message, str) else "no reason given"
    if "disk usage operation is already running" in said:
        return CallFailed(
            "df_running",
            "Another disk usage calculation was running on this engine; this pass did not wait for it.",
            status=status,
        )
    return CallFailed("engine_error", f"The engine answered with status {status}: {said}", status=status)


def _not_json(body: bytes, *, status: int | None = None) -> CallFailed:
    start = body[:200].lstrip().lower()
    if start.startswith((b"<!doctype", b"<html")):
        return _not_an_engine("it answers with an HTML page", status=status)
    if start.startswith((b"{", b"[")):
        return CallFailed(
            "answer_cut", "The engine's answer is not complete JSON: it was cut off or damaged.", status=status
        )
    return _not_an_engine("its answer is not JSON", status=status)


def _not_an_engine(why: str, *, status: int | None = None) -> CallFailed:
    return CallFailed("not_an_engine", f"What answers is not a Docker engine: {why}. Check the address.", status=status)
