"""Whoever reads or sends too slowly is dropped: a thread that waits for ever is one less for everybody else.

A request and its answer go through gunicorn's socket, which waits without an end by itself. Here it gets one, and
answers go out in pieces, so that the bound is a rate and not a size: PIECE_BYTES in PATIENCE_SECONDS.
"""

import socket
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import Any, Final

PATIENCE_SECONDS: Final = 30.0
PIECE_BYTES: Final = 256 * 1024
SOCKET: Final = "gunicorn.socket"

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class Pieces:
    """An answer in pieces. Closed before all of it was sent, it closes the connection too."""

    def __init__(self, answer: Iterable[bytes], connection: socket.socket) -> None:
        self._answer, self._connection, self._is_sent = answer, connection, False

    def __iter__(self) -> Iterator[bytes]:
        for part in self._answer:
            for at in range(0, len(part), PIECE_BYTES):
                yield part[at : at + PIECE_BYTES]
        self._is_sent = True

    def close(self) -> None:
        """Called by gunicorn, whatever became of the answer."""
        if (close := getattr(self._answer, "close", None)) is not None:
            close()
        if not self._is_sent:
            # gunicorn would wait for the other side to say goodbye, and serve nobody meanwhile
            with suppress(OSError):
                self._connection.shutdown(socket.SHUT_RDWR)


def with_patience(application: Application) -> Application:
    """`application`, with an end to what it waits for. Under another server than gunicorn nothing is changed."""

    def bounded(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        connection = environ.get(SOCKET)
        if connection is None:
            return application(environ, start_response)
        connection.settimeout(PATIENCE_SECONDS)
        answer = application(environ, start_response)
        sent_by_the_kernel = isinstance(answer, environ.get("wsgi.file_wrapper", ()))
        return answer if sent_by_the_kernel else Pieces(answer, connection)

    return bounded
