"""Patterns that operators write. RE2: matching takes time linear in the text, so no pattern can hang the matcher."""

from collections.abc import Sequence

import re2

LONGEST_PATTERN = 500


class BadPattern(ValueError):
    """The pattern does not compile; the message says why, in words for the person who wrote it."""


def _options() -> re2.Options:
    options = re2.Options()
    options.log_errors = False
    return options


def check(pattern: str) -> None:
    """Raise BadPattern if `pattern` is empty, too long or no RE2 expression (so no back-references, no look-around)."""
    if not pattern:
        raise BadPattern("a pattern must not be empty: it would match everything")
    if len(pattern) > LONGEST_PATTERN:
        raise BadPattern(f"a pattern may have {LONGEST_PATTERN} characters, this one has {len(pattern)}")
    try:
        re2.compile(pattern, _options())
    except re2.error as error:
        why = error.args[0].decode(errors="replace") if isinstance(error.args[0], bytes) else str(error)
        raise BadPattern(f"not a regular expression of RE2: {why}") from error


class PatternSet:
    """Many patterns, searched in one pass over a text."""

    def __init__(self, patterns: Sequence[str]) -> None:
        """Compile `patterns`. Raises BadPattern for the first that is not valid."""
        self._set = None
        if patterns:
            self._set = re2.Set.SearchSet(_options())
            for pattern in patterns:
                check(pattern)
                self._set.Add(pattern)
            self._set.Compile()

    def first(self, text: str) -> int | None:
        """Position of the first pattern (in the order given) found anywhere in `text`, or None."""
        found = self._set.Match(text) if self._set is not None else None
        return min(found) if found else None
