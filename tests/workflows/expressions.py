"""The few of GitHub's expressions that the workflow files use: `a.b`, `a.b || c.d`, `a.b != '' || …`, `always()`."""

import re
from collections.abc import Mapping

TEMPLATE = re.compile(r"\$\{\{ *(.*?) *\}\}")
COMPARISON = re.compile(r"(?P<left>[\w.]+) (?P<sign>==|!=) '(?P<right>[^']*)'")

Contexts = Mapping[str, Mapping[str, str]]


def filled(text: str, contexts: Contexts) -> str:
    """`text` with each `${{ context.name }}` replaced, in one pass: a value is not looked into again."""
    return TEMPLATE.sub(lambda found: value(found[1], contexts), text)


def value(names: str, contexts: Contexts) -> str:
    """What `context.name` stands for, or the first of several that is not empty."""
    return next(filter(None, (_one(name, contexts) for name in names.split(" || "))), "")


def _one(name: str, contexts: Contexts) -> str:
    """A variable or an input that nobody set is empty. Raises KeyError for what is never there."""
    context, _, rest = name.partition(".")
    known = contexts[context]
    return known.get(rest, "") if context in ("vars", "inputs") else known[rest]


def holds(condition: str, contexts: Contexts, *, succeeded: bool) -> bool:
    """Whether an `if` holds: comparisons joined by `||`. Without a word about it, what failed before ends it."""
    if condition == "always()":
        return True
    return succeeded and (not condition or any(_compared(part, contexts) for part in condition.split(" || ")))


def _compared(part: str, contexts: Contexts) -> bool:
    found = COMPARISON.fullmatch(part)
    assert found is not None, f"an expression that is not known here: {part}"
    return (value(found["left"], contexts) == found["right"]) == (found["sign"] == "==")
