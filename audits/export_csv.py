"""The same export as a table for spreadsheets (RFC 4180), with nothing in it that a spreadsheet would calculate.

A cell that begins with what begins a formula, or with an apostrophe, has an apostrophe put before it: whoever wants the
text as it was recorded takes one away where a cell begins with one.
"""

from collections.abc import Iterator, Sequence

from audits import lines
from audits.export import Extent, Missing, pages

COLUMNS = (
    *("seq", "at", "kind", "key", "host", "lane", "actor_id", "actor_name", "responsible", "source", "status"),
    *("payload", "payload_hash", "prev_hash", "hash"),
)
# OWASP, "CSV Injection"; the last four are the full-width forms of the first
BEGIN_FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_PREFIXED = (*BEGIN_FORMULAS, "'")


def csv_lines_of(extent: Extent) -> Iterator[bytes]:
    """The table in UTF-8, in pieces of whole rows: titles (not where one goes on with it), records, and a last row.

    The last row has `trailer` or `fault` in place of a number; see docs/reference/audits.md. Raises Missing behind it.
    """
    if extent.after_seq < extent.from_seq:
        yield _row(COLUMNS)
    try:
        for rows in pages(extent):
            yield b"".join(map(_record, rows))
    except Missing as missing:
        yield _last("fault", at=missing.code, kind=missing.fault.seq, payload=missing.sentence)
        raise
    said = extent.trailer()
    numbers = {"kind": said.count, "key": said.first_seq, "host": said.last_seq}
    yield _last("trailer", at=said.format, hash=said.head_hash, **numbers)


def _record(row: lines.Row) -> bytes:
    seq, at, kind, key, host, lane, actor, name, people, *rest = row
    texts = (at, kind, key, host, lane, actor, name, lines.compact(people), *rest)
    return f"{seq},{','.join(map(_cell, texts))}\r\n".encode()


def _last(what: str, **cells: object) -> bytes:
    """The row that ends the table, with as many cells as any."""
    said = {"seq": what} | {name: "" if value is None else str(value) for name, value in cells.items()}
    return _row([said.get(name, "") for name in COLUMNS])


def _row(cells: Sequence[str]) -> bytes:
    return (",".join(map(_cell, cells)) + "\r\n").encode()


def _cell(text: str) -> str:
    safe = f"'{text}" if text.startswith(_PREFIXED) else text
    return '"' + safe.replace('"', '""') + '"'
