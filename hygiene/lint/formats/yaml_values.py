"""What a YAML file says that variables are: `env:`, `variables:`, a matrix, defaults of inputs. Pure."""

import re
from collections.abc import Iterator

from yaml import MappingNode, Node, ScalarNode, SequenceNode

VARIABLES = {"env", "environment", "variables", "vars"}
TO_ENV = re.compile(r"""echo\s+["']?(\w+)=([^"'\n]{0,500}?)["']?[ \t]{0,8}>>[ \t]{0,8}["']?\$\{?GITHUB_ENV""")
MOST_PARTS = 100_000


def pairs(node: Node) -> Iterator[tuple[str, Node]]:
    """The entries of a mapping by name."""
    if isinstance(node, MappingNode):
        yield from ((key.value, value) for key, value in node.value if isinstance(key, ScalarNode))


def every(root: Node) -> Iterator[Node]:
    """Each node once, however often an alias names it."""
    seen, todo = set[int](), [root]
    while todo and len(seen) < MOST_PARTS:
        node = todo.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        yield node
        if isinstance(node, MappingNode):
            todo.extend(part for pair in node.value for part in pair)
        elif isinstance(node, SequenceNode):
            todo.extend(node.value)


def values_of(root: Node, text: str) -> dict[str, list[str]]:
    """The values of each name, as the shell or an expression of the workflow would write it."""
    found: dict[str, list[str]] = {}
    named = (
        (name, node) for mapping in every(root) for key, value in pairs(mapping) for name, node in _named(key, value)
    )
    for name, node in named:
        if isinstance(node, ScalarNode):
            found.setdefault(name, []).append(node.value)
    for name, said in TO_ENV.findall(text):
        found.setdefault(name, []).append(said)
    return found


def _named(key: str, value: Node) -> Iterator[tuple[str, Node]]:
    """What stands under a key that gives values to names."""
    if key in VARIABLES:
        yield from _variables(value)
    elif key == "matrix":
        yield from ((f"matrix.{name}", node) for name, node in _matrix(value))
    elif key == "inputs":
        for name, declared in pairs(value):
            yield from ((f"inputs.{name}", node) for part, node in pairs(declared) if part == "default")


def _variables(node: Node) -> Iterator[tuple[str, Node]]:
    """`NAME: value`, GitLab's `NAME: {value: …}`, and lists of `name`, `value`."""
    for name, value in pairs(node):
        yield name, dict(pairs(value)).get("value", value)
    for item in node.value if isinstance(node, SequenceNode) else ():
        entry = dict(pairs(item))
        if isinstance(name_node := entry.get("name"), ScalarNode) and "value" in entry:
            yield name_node.value, entry["value"]


def _matrix(node: Node) -> Iterator[tuple[str, Node]]:
    for name, values in pairs(node):
        if not isinstance(values, SequenceNode):
            continue
        for value in values.value:
            if name in ("include", "exclude"):
                yield from pairs(value)
            else:
                yield name, value
                yield from ((f"{name}.{part}", inner) for part, inner in pairs(value))
