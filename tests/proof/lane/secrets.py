"""Where a secret can be found: on the host, in what the control plane keeps, and in everybody's command lines.

A value is looked for as it is and as it would look inside of something else: base64 at each of its three beginnings,
and within what is compressed or signed.
"""

import base64
import sqlite3
import zlib
from collections.abc import Iterator
from pathlib import Path

from tests.testbed.host import DisposableHost

# where programs of any kind write; not /proc, which is asked by itself
PLACES = ("/etc", "/home", "/opt", "/root", "/run", "/srv", "/tmp", "/usr/local", "/var")
LONGEST_FILE = 256 * 1024 * 1024


def on_the_host(host: DisposableHost, secret: str) -> list[str]:
    """Each place on the host that shows it; what is in the environment of its own config.sh is not one of them."""
    found = []
    if secret in host.must(["ps", "-eww", "-o", "args="]):
        found.append("ps")
    if secret in host.must(["sh", "-c", "cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' '"]):
        found.append("/proc/*/cmdline")
    host.must(["journalctl", "--sync"])
    if secret in host.must(["journalctl", "--no-pager", "--output=json", "--all"]):
        found.append("the journal")
    looked = host.run(["grep", "-rlsF", "--exclude-dir=docker", "-e", secret, *PLACES])
    return found + looked.stdout.split()


def at_the_control_plane(state: Path, secret: str) -> list[str]:
    """Each file below `state`, the log beside it, and each row of the database, the queue among them, that has it."""
    files = [path for path in (*state.rglob("*"), state.with_suffix(".log")) if path.is_file()]
    found = [str(path) for path in files if path.stat().st_size < LONGEST_FILE and _in(path.read_bytes(), secret)]
    return [*found, *_rows(state / "launchplane.sqlite3", secret), *_command_lines(secret)]


def forms(secret: str) -> tuple[bytes, ...]:
    """The bytes that stand for it wherever they are: as it is, hexadecimal, and base64 without its ragged ends."""
    raw = secret.encode()
    encoded = (base64.b64encode(b"x" * offset + raw)[4 if offset else 0 : -4] for offset in range(3))
    return raw, raw.hex().encode(), *encoded


def _in(content: bytes, secret: str) -> bool:
    return any(form in content for form in forms(secret))


def _rows(database: Path, secret: str) -> Iterator[str]:
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=20)
    try:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in tables:
            for row in connection.execute(f'SELECT * FROM "{table}"'):  # noqa: S608 - the database's own names
                if any(_in(layer, secret) for cell in row for layer in _layers(cell)):
                    yield f"the table {table}"
                    break
    finally:
        connection.close()


def _layers(cell: object) -> Iterator[bytes]:
    """A cell as it is, and what is in it where it is compressed, or a signed task of the queue."""
    content = cell if isinstance(cell, bytes) else str(cell).encode()
    yield content
    payload = content.removeprefix(b".").split(b":")[0]
    for packed in (content, _unbase64(payload)):
        yield packed
        try:
            yield zlib.decompress(packed)
        except zlib.error:
            continue


def _unbase64(text: bytes) -> bytes:
    try:
        return base64.urlsafe_b64decode(text + b"=" * (-len(text) % 4))
    except ValueError:
        return b""


def _command_lines(secret: str) -> Iterator[str]:
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if secret.encode() in path.read_bytes():
                yield f"the command line of process {path.parent.name} of the control plane's machine"
        except OSError:
            continue
