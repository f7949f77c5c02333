"""JSON from outside, read without benefit of the doubt: what two programs could read as two things is refused. Pure.

Python's own reader takes NaN, 1e999, the last of two equal names, halves of characters and a NUL; PostgreSQL takes none
of the last two, and RFC 8785 no number beyond 2**53. Here every one of them is refused before anything rests on it.
"""

import json
import re
from typing import Any, Final, NoReturn

from launchplane.problems import Problem

DEEPEST: Final = 32
LARGEST: Final = 2**53 - 1
_SURROGATE: Final = re.compile("[\ud800-\udfff]")


class BadJson(Problem):
    """The text is no JSON, or none that means one thing only."""

    def __init__(self, sentence: str) -> None:
        super().__init__("bad_json", sentence)


def read(raw: bytes) -> dict[str, Any]:
    """The object that `raw` is, in UTF-8, of integers up to 2**53 - 1 and at most 32 levels. Raises BadJson."""
    try:
        found = json.loads(
            raw.decode(),
            object_pairs_hook=_object,
            parse_constant=_no_constant,
            parse_float=_no_float,
            parse_int=_integer,
        )
    except UnicodeDecodeError as error:
        raise BadJson("The body is not UTF-8.") from error
    except json.JSONDecodeError as error:  # its own words could repeat what stands there
        raise BadJson(f"The body is not JSON: line {error.lineno}, column {error.colno}.") from error
    except RecursionError as error:
        raise _too_deep() from error
    if not isinstance(found, dict):
        raise BadJson("The body must be a JSON object.")
    if _may_be_odd(raw):
        _refuse_odd(found)
    return found


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise BadJson("A name stands twice in one object: nobody can tell which of the two is meant.")
    return found


def _no_constant(name: str) -> NoReturn:
    raise BadJson(f"{name} is no JSON number.")


def _no_float(_digits: str) -> NoReturn:
    raise BadJson("Numbers are integers here, without a point or an exponent: bytes, milliseconds, counts.")


def _integer(digits: str) -> int:
    if len(digits) > len(str(-LARGEST)) or abs(number := int(digits)) > LARGEST:
        raise BadJson(f"A number is larger than {LARGEST}: not every program reads it as the same.")
    return number


def _may_be_odd(raw: bytes) -> bool:
    """Whether to look at each value: it takes an escape to say a NUL or half a character, and brackets to be deep."""
    return b"\\u" in raw or raw.count(b"{") + raw.count(b"[") >= DEEPEST


def _refuse_odd(found: dict[str, Any]) -> None:
    """Raises BadJson for too many levels, and for texts that no database holds: without recursion of its own."""
    level: list[Any] = [found]
    for _ in range(DEEPEST):
        below: list[Any] = []
        for value in level:
            if isinstance(value, dict):
                below += value
                below += value.values()
            elif isinstance(value, list):
                below += value
            elif isinstance(value, str):
                _refuse_text(value)
        if not (level := below):
            return
    raise _too_deep()


def _refuse_text(text: str) -> None:
    if "\0" in text:
        raise BadJson("A text has a NUL in it.")
    if not text.isascii() and _SURROGATE.search(text):
        raise BadJson("A text has half a character (a lone surrogate) in it.")


def _too_deep() -> BadJson:
    return BadJson(f"The body is nested more than {DEEPEST} levels deep.")
