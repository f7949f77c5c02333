"""What went wrong, in a form that every door can show: a code, and a sentence an operator can act on."""

from __future__ import annotations


class Problem(Exception):
    """A refusal or failure with a stable `code` and a `sentence` (what, why, what next)."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence
