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
    """Many patterns, searched in one pass over a text; one by one if they are too large together."""

    def __init__(self, patterns: Sequence[str]) -> None:
        """Compile `patterns`. Raises BadPattern for the first that is not valid."""
        for pattern in patterns:
            check(pattern)
        self._together = _together(patterns) if patterns else None
        self._each = [] if self._together else [re2.compile(pattern, _options()) for pattern in patterns]

    def first(self, text: str) -> int | None:
        """Position of the first pattern (in the order given) found anywhere in `text`, or None."""
        if self._together is not None:
            found = self._together.Match(text)
            return min(found) if found else None
        return next((position for position, pattern in enumerate(self._each) if pattern.search(text)), None)


def _together(patterns: Sequence[str]) -> re2.Set | None:
    """One automaton for all; None if that would be larger than RE2 allows, though each by itself is fine."""
    automaton = re2.Set.SearchSet(_options())
    try:
        for pattern in patterns:
            automaton.Add(pattern)
        automaton.Compile()
    except re2.error:
        return None
    return automaton
