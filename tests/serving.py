"""Servers of tests: in a thread of this process, from `with` to its end."""

import socketserver
import threading
from types import TracebackType
from typing import Self

POLL_SECONDS = 0.01


class Serving:
    """What owns a server. `_over` is set at the end: behaviours that keep a client waiting give up on it."""

    def __init__(self, server: socketserver.BaseServer) -> None:
        self._server, self._over = server, threading.Event()
        self._thread = threading.Thread(target=server.serve_forever, args=(POLL_SECONDS,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
