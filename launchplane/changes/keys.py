"""Idempotency keys: those that callers choose, and our own, which have blanks, so that none can be another's."""

import re

from launchplane.problems import Problem

LONGEST = 200
# visible characters of ASCII: no blank, which the own keys have, and nothing that a database cannot hold
SHAPE = re.compile(rf"[!-~]{{1,{LONGEST}}}")


def chosen(key: str | None) -> str | None:
    """`key` as a caller chose it; none and an empty one are none. Raises Problem `bad_key`."""
    return well_formed(key) if key else None


def well_formed(key: str) -> str:
    """`key`, if a caller may choose it. Raises Problem `bad_key`."""
    if not SHAPE.fullmatch(key):
        sentence = f"An idempotency key has 1 to {LONGEST} visible ASCII characters and no blanks. Use another key."
        raise Problem("bad_key", sentence)
    return key


def of_run(number: int) -> str:
    """The key of the change that plan run `number` makes. It has blanks, so nobody can have chosen it before."""
    return f"plan run {number}"


def of_program(scope: str) -> str:
    """The key of a plan run that a program asked for; `scope` tells its keys from those of all others."""
    return f"of program {scope}"
