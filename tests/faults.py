"""A Docker socket that misbehaves on purpose, or passes calls on to a real engine and records them."""

import json
import re
import socket
import socketserver
import tempfile
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.serving import Serving

HOPELESS_SECONDS = 30


@dataclass(frozen=True)
class Request:
    """One request that arrived: the path without the API version, the query, the body."""

    method: str
    path: str
    query: str
    version: str
    body: bytes

    @property
    def exec_argv(self) -> list[str] | None:
        return json.loads(self.body)["Cmd"] if re.fullmatch(r"/containers/\w+/exec", self.path) else None


Behaviour = Callable[[socket.socket, threading.Event], None]


def says(body: object, *, status: int = 200) -> Behaviour:
    """Answers with this JSON document."""
    return speaks(json.dumps(body).encode(), status=status)


def speaks(body: bytes, *, status: int = 200, content_type: str = "application/json") -> Behaviour:
    """Answers with these bytes."""
    fields = {"Content-Type": content_type, "Content-Length": len(body), "Connection": "close"}
    head = f"HTTP/1.1 {status} X\r\n" + "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return raw(head.encode() + b"\r\n" + body)


def raw(answer: bytes) -> Behaviour:
    """Writes this, whether it is HTTP or not, and hangs up."""
    return lambda client, _: client.sendall(answer)


def hangs(client: socket.socket, over: threading.Event) -> None:
    """Takes the request and never answers."""
    over.wait(HOPELESS_SECONDS)


def drips(answer: bytes, *, every_seconds: float = 0.05) -> Behaviour:
    """Writes one byte at a time, so that no single read ever waits long."""

    def behave(client: socket.socket, over: threading.Event) -> None:
        for byte in answer:
            client.sendall(bytes([byte]))
            if over.wait(every_seconds):
                return

    return behave


def once(first: Behaviour, then: Behaviour) -> Behaviour:
    """The first answer to the first caller, the other to everybody after."""
    left = [first]

    def behave(client: socket.socket, over: threading.Event) -> None:
        answer = left.pop() if left else then
        answer(client, over)

    return behave


def html(*, status: int = 200) -> Behaviour:
    """A web server that has nothing to do with Docker."""
    return speaks(b"<!DOCTYPE html><html><body>It works!</body></html>", status=status, content_type="text/html")


def cut_off(body: object, *, after_bytes: int) -> Behaviour:
    """Promises the whole document, hangs up in the middle."""
    text = json.dumps(body).encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(text)}\r\n\r\n"
    return raw(head.encode() + text[:after_bytes])


class EngineSocket(Serving):
    """A unix socket in its own folder. `behaviours` (by a pattern of paths) come first, then `upstream`, then 404."""

    def __init__(self, behaviours: Mapping[str, Behaviour] | None = None, *, upstream: str | None = None) -> None:
        self.behaviours = dict(behaviours or {})
        self.requests: list[Request] = []
        self._upstream = upstream
        self._folder = tempfile.TemporaryDirectory(prefix="faults-")
        self.path = Path(self._folder.name) / "docker.sock"
        server = _Server(str(self.path), _Handler)
        server.owner = self
        super().__init__(server)

    @property
    def url(self) -> str:
        return f"unix://{self.path}"

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        super().__exit__(kind, error, trace)
        self._folder.cleanup()

    def answer(self, request: Request, original: bytes, client: socket.socket) -> None:
        self.requests.append(request)
        behaviour = next((do for path, do in self.behaviours.items() if re.fullmatch(path, request.path)), None)
        if behaviour is not None:
            behaviour(client, self._over)
        elif self._upstream is not None:
            self._pass_on(original, client)
        else:
            says({"message": "page not found"}, status=404)(client, self._over)

    def _pass_on(self, original: bytes, client: socket.socket) -> None:
        with socket.socket(socket.AF_UNIX) as engine:
            engine.connect(str(self._upstream))
            engine.sendall(original)
            while chunk := engine.recv(65536):
                client.sendall(chunk)


class _Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    request_queue_size = 64
    owner: EngineSocket


class _Handler(socketserver.StreamRequestHandler):
    """One request for each connection: what passes on asks the engine to close."""

    server: _Server

    def handle(self) -> None:
        first = self.rfile.readline()
        headers = list(iter(self.rfile.readline, b"\r\n"))
        length = next((int(line.split(b":")[1]) for line in headers if line.lower().startswith(b"content-length:")), 0)
        body = self.rfile.read(length)
        kept = [line for line in headers if not line.lower().startswith(b"connection:")]
        original = first + b"".join(kept) + b"Connection: close\r\n\r\n" + body
        try:
            self.server.owner.answer(_parsed(first, body), original, self.connection)
        except (BrokenPipeError, ConnectionResetError):
            return


def _parsed(first: bytes, body: bytes) -> Request:
    method, target, _ = first.decode().split(" ")
    path, _, query = target.partition("?")
    match = re.fullmatch(r"(?:/v(\d+\.\d+))?(/.*)", path)
    assert match is not None
    return Request(method, match[2], query, match[1] or "", body)


def plain_engine(**changes: Any) -> dict[str, Behaviour]:
    """An engine without anything on it: what it answers, by path. `changes` replaces `version` and `info` fields."""
    version = {"Version": "28.2.2", "ApiVersion": "1.50", "MinAPIVersion": "1.24"}
    info = {"ID": "PLAIN:ENGINE", "DockerRootDir": "/var/lib/docker", "Swarm": {"LocalNodeState": "inactive"}}
    return {
        "/version": says(version | changes.get("version", {})),
        "/info": says(info | changes.get("info", {})),
        "/system/df": says({"LayersSize": 0, "Images": [], "Containers": [], "Volumes": [], "BuildCache": []}),
        "/containers/json": says([]),
        "/images/json": says([]),
        "/volumes": says({"Volumes": []}),
        "/events": speaks(b""),
    }
