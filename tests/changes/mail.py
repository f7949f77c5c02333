"""A mail server on loopback, for the edge: it speaks enough SMTP to take a message, or refuses it."""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage


class MailServer(socketserver.ThreadingTCPServer):
    """Keeps what it was given: `got` has the recipients of each message, and the message."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, *, refuses: bool) -> None:
        super().__init__(("127.0.0.1", 0), _Session)
        self.refuses = refuses
        self.got: list[tuple[list[str], EmailMessage]] = []

    @property
    def url(self) -> str:
        """For NOTIFY_URLS: to whoever is concerned."""
        port = self.server_address[1]
        return f"mailto://127.0.0.1:{port}?from=launchplane@example.org&to={{email}}"


class _Session(socketserver.StreamRequestHandler):
    server: MailServer

    def handle(self) -> None:
        self._say("220 ready")
        recipients: list[str] = []
        while line := self.rfile.readline().decode().strip():
            match line.split(" ")[0].upper():
                case "QUIT":
                    self._say("221 bye")
                    return
                case "RCPT" if self.server.refuses:
                    self._say("550 no such mailbox")
                case "RCPT":
                    recipients.append(line.partition("<")[2].partition(">")[0])
                    self._say("250 fine")
                case "DATA":
                    self._say("354 go on")
                    self.server.got.append((recipients, self._message()))
                    self._say("250 taken")
                case _:
                    self._say("250 fine")

    def _message(self) -> EmailMessage:
        lines = iter(self.rfile.readline, b".\r\n")
        return message_from_bytes(b"".join(lines), policy=policy.default)

    def _say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())


@contextmanager
def mail_server(*, refuses: bool = False) -> Iterator[MailServer]:
    """Takes mail meanwhile, on a port of its own."""
    with MailServer(refuses=refuses) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
