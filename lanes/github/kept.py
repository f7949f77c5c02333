"""Answers kept with their ETag, of one credential: that they are unchanged (304) GitHub says for free. Bounded."""

import re
from collections import OrderedDict
from typing import Final, NamedTuple

KEPT_BYTES: Final = 32 * 1024 * 1024
ETAG: Final = re.compile(r'(?:W/)?"[\x21\x23-\x7e]{1,200}"')


class KeptAnswer(NamedTuple):
    """A text, and the ETag that it came with."""

    etag: str
    text: str


class Kept:
    """By address. What was not used for longest goes first."""

    def __init__(self, most_bytes: int = KEPT_BYTES) -> None:
        self._most, self._bytes = most_bytes, 0
        self._answers: OrderedDict[str, KeptAnswer] = OrderedDict()

    def get(self, address: str) -> KeptAnswer | None:
        """What `put` kept for `address`, if it is still there."""
        if address in self._answers:
            self._answers.move_to_end(address)
        return self._answers.get(address)

    def put(self, address: str, *, etag: str, text: str) -> None:
        """Keep `text` in the place of an earlier one; nothing without a proper ETag."""
        self._drop(address)
        if ETAG.fullmatch(etag):
            self._answers[address] = KeptAnswer(etag, text)
            self._bytes += len(text)
        while self._bytes > self._most:
            self._drop(next(iter(self._answers)))

    def _drop(self, address: str) -> None:
        if (gone := self._answers.pop(address, None)) is not None:
            self._bytes -= len(gone.text)
