"""An HTTP server for stand-ins: one function answers, faults come first, and nothing is sent twice."""

import json
import re
import ssl
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.faults import Behaviour
from tests.serving import Serving

LONGEST_BODY = 64 * 1024


@dataclass(frozen=True)
class Request:
    """What arrived. Names of `headers` are in lower case; `port` is the caller's, so that connections can be told."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    port: int

    @property
    def parameters(self) -> dict[str, str]:
        return dict(parse_qsl(self.query, keep_blank_values=True))


@dataclass(frozen=True)
class Reply:
    """`document` is sent as JSON, bytes as they are; None is an empty body."""

    status: int
    document: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def encoded(self) -> bytes:
        if isinstance(self.document, bytes):
            return self.document
        return b"" if self.document is None else json.dumps(self.document).encode()


@dataclass
class Fault:
    """Answers instead, `times` times (None: always), where `METHOD path?query` matches the pattern as a whole."""

    pattern: str
    behaviour: Behaviour
    times: int | None

    def takes(self, line: str) -> bool:
        if self.times == 0 or not re.fullmatch(self.pattern, line):
            return False
        self.times = None if self.times is None else self.times - 1
        return True


def answers(status: int, document: object = None, **headers: str) -> Behaviour:
    """A fault that is a proper answer; `retry_after="60"` is the header `retry-after`."""
    body = b"" if document is None else json.dumps(document).encode()
    fields = {"Content-Type": "application/json", "Content-Length": str(len(body)), "Connection": "close"}
    fields |= {"X-GitHub-Request-Id": "FA:17"}
    fields |= {name.replace("_", "-"): value for name, value in headers.items()}
    head = f"HTTP/1.1 {status} X\r\n" + "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return lambda client, _: client.sendall(head.encode() + b"\r\n" + body)


class LoopbackServer(Serving):
    """Runs in threads of this process from `with` on. Subclasses answer one request at a time, in `reply`.

    `bind` "0.0.0.0" lets others than this machine in. With `tls` it is https.
    """

    def __init__(self, bind: str = "127.0.0.1", *, tls: ssl.SSLContext | None = None) -> None:
        self._faults: list[Fault] = []
        self._meanwhile: dict[str, Callable[[], object]] = {}
        self._turn = threading.Lock()
        http = _Http((bind, 0), _Handler)
        http.owner = self
        self._scheme = "http"
        if tls is not None:
            self._scheme, http.socket = "https", tls.wrap_socket(http.socket, server_side=True)
        self.port: int = http.server_address[1]
        super().__init__(http)

    @property
    def url(self) -> str:
        return f"{self._scheme}://127.0.0.1:{self.port}"

    def fault(self, pattern: str, behaviour: Behaviour, *, times: int | None = None) -> Fault:
        """From now on, `GET /path?query` that matches gets this; its `times` can be set at any time."""
        self._faults.append(fault := Fault(pattern, behaviour, times))
        return fault

    def meanwhile(self, pattern: str, action: Callable[[], object]) -> None:
        """Do this once, just before the next request that matches is answered."""
        self._meanwhile[pattern] = action

    def reply(self, request: Request) -> Reply:
        raise NotImplementedError

    def faulted(self, request: Request) -> None:
        """Called for a request that a fault answers."""

    def answer(self, request: Request, handler: "_Handler") -> None:
        line = f"{request.method} {request.path}" + (f"?{request.query}" if request.query else "")
        with self._turn:
            fault = next((fault for fault in self._faults if fault.takes(line)), None)
            if fault is None:
                for pattern in [pattern for pattern in self._meanwhile if re.fullmatch(pattern, line)]:
                    self._meanwhile.pop(pattern)()
                reply = self.reply(request)
            else:
                self.faulted(request)
        if fault is not None:
            handler.close_connection = True
            fault.behaviour(handler.connection, self._over)
        else:
            handler.send(reply)


class _Http(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64
    owner: LoopbackServer


class _Handler(BaseHTTPRequestHandler):
    server: _Http
    protocol_version = "HTTP/1.1"
    timeout = 60

    def handle_any(self) -> None:
        parts = urlsplit(self.path)
        length = int(self.headers.get("content-length") or 0)
        if length > LONGEST_BODY:
            return self.send(Reply(413))
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self.rfile.read(length)
        request = Request(self.command, parts.path, parts.query, headers, body, self.client_address[1])
        return self.server.owner.answer(request, self)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = handle_any

    def handle(self) -> None:
        try:
            super().handle()
        except (BrokenPipeError, ConnectionResetError):
            return

    def send(self, reply: Reply) -> None:
        body = reply.encoded()
        kind = "application/octet-stream" if isinstance(reply.document, bytes) else "application/json; charset=utf-8"
        fields = {"Content-Type": kind, "Content-Length": str(len(body))}
        if reply.status in (204, 304):
            fields = {}
        head = f"HTTP/1.1 {reply.status} X\r\n"
        head += "".join(f"{name}: {value}\r\n" for name, value in (fields | dict(reply.headers)).items())
        self.wfile.write(head.encode() + b"\r\n" + body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: what was asked is recorded by whom it was asked of."""
