"""What went wrong, in a form that every door can show: a code, and a sentence an operator can act on."""


class Problem(Exception):
    """A refusal or failure with a stable `code` and a `sentence` (what, why, what next)."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence


class Refused(Problem):
    """Not done, for safety's sake or for want of a right: doing the same again does not help."""


class Waits(Problem):
    """Not done yet: something else has to happen first, and it may do so by itself."""
