"""A text that was taken out of a file, with the line of that file on which each character stands. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Source:
    """`starts[i]` is the offset in `text` from which on `lines[i]` is the line in the file."""

    text: str
    starts: tuple[int, ...]
    lines: tuple[int, ...]

    @classmethod
    def of(cls, text: str, line: int = 1) -> Source:
        """A text whose first character stands on `line`."""
        return cls.joined([(text, line)])

    @classmethod
    def all_on(cls, text: str, line: int) -> Source:
        """A text all of which is told as of one line: its own line ends are not those of the file."""
        return cls(text, (0,), (line,))

    @classmethod
    def joined(cls, pieces: Iterable[tuple[str, int]]) -> Source:
        """Pieces put together, each with the line that it begins on."""
        texts, starts, lines, offset = [], [0], [1], 0
        for text, first in pieces:
            line = first
            starts.append(offset)
            lines.append(line)
            for position, character in enumerate(text, offset + 1):
                if character == "\n":
                    line += 1
                    starts.append(position)
                    lines.append(line)
            texts.append(text)
            offset += len(text)
        return cls("".join(texts), tuple(starts), tuple(lines))

    def within(self, start: int, end: int) -> Source:
        """A part of it, each character on its line."""
        return Source.of(self.text[start:end], self.line_at(start))

    @classmethod
    def stacked(cls, sources: Iterable[Source]) -> Source:
        """Texts one below the other."""
        texts, starts, lines, offset = [], list[int](), list[int](), 0
        for source in sources:
            starts += [offset + start for start in source.starts]
            lines += source.lines
            texts.append(source.text + "\n")
            offset += len(source.text) + 1
        return cls("".join(texts), tuple(starts or [0]), tuple(lines or [1]))

    def line_at(self, offset: int) -> int:
        """The line of the file for the character at `offset`."""
        return self.lines[bisect_right(self.starts, offset) - 1]
