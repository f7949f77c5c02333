"""Python: the commands that a program starts, and prunes by Docker's own library. Parses, never imports."""

import ast
import re
import shlex
from collections.abc import Iterator

from hygiene.lint.formats.pieces import Found, Piece, Unreadable
from hygiene.lint.shell.words import HOLE
from hygiene.lint.source import Source

STARTS = {
    "run",
    "call",
    "check_call",
    "check_output",
    "popen",
    "system",
    "getoutput",
    "getstatusoutput",
    "sh",
    "sudo",
    "local",
}
STARTS |= {"run_command", "shell", "execute", "cmd", "exec_run", "create_subprocess_shell", "create_subprocess_exec"}
LIBRARY = {
    "images": "image_prune",
    "containers": "container_prune",
    "volumes": "volume_prune",
    "networks": "network_prune",
}
BY_NAME = {
    "prune_images": "image_prune",
    "prune_containers": "container_prune",
    "prune_volumes": "volume_prune",
    "prune_networks": "network_prune",
    "prune_builds": "build_cache_prune",
}


def python_pieces(source: Source) -> Iterator[Piece | Found]:
    """What the program starts. Raises Unreadable for what is no Python."""
    try:
        tree = ast.parse(source.text)
        names = _constants(tree)
        yield from [found for node in ast.walk(tree) if isinstance(node, ast.Call) for found in _of_call(node, names)]
    except (SyntaxError, ValueError) as error:
        raise Unreadable("it is no Python of today") from error
    except (RecursionError, MemoryError) as error:
        raise Unreadable("it is nested too deep") from error


def _of_call(call: ast.Call, names: dict[str, ast.expr]) -> Iterator[Piece | Found]:
    called = (
        call.func.attr
        if isinstance(call.func, ast.Attribute)
        else call.func.id
        if isinstance(call.func, ast.Name)
        else ""
    )
    if (code := _prunes(call, called)) is not None:
        yield Found(code, call.lineno, ast.unparse(call)[:200])
    if called.lower() not in STARTS:
        return
    given = [names.get(arg.id, arg) if isinstance(arg, ast.Name) else arg for arg in call.args]
    if given and all(isinstance(arg, ast.Constant) for arg in given) and len(given) > 1 and called != "run":
        yield Piece(Source.all_on(shlex.join(str(_text(arg)) for arg in given), call.lineno))
    for arg in given:
        text = _words(arg, names) if isinstance(arg, ast.List | ast.Tuple) else _text(arg)
        if text:
            yield Piece(Source.all_on(text, arg.lineno))


def _words(arg: ast.List | ast.Tuple, names: dict[str, ast.expr]) -> str:
    """A list of words as one command; what is spread into it is put in where it is known."""
    words = []
    for item in arg.elts:
        inner = item.value if isinstance(item, ast.Starred) else item
        inner = names.get(inner.id, inner) if isinstance(inner, ast.Name) else inner
        parts = inner.elts if isinstance(inner, ast.List | ast.Tuple) else [inner]
        words += [shlex.quote(_text(part) or HOLE) for part in parts]
    return " ".join(words)


def _text(node: ast.expr) -> str:
    """A text, with a hole for each part that is not literal; empty for what is none."""
    match node:
        case ast.Constant(value=str(value)):
            return value
        case ast.JoinedStr():
            return "".join(_text(part) or HOLE for part in node.values)
        case ast.BinOp(op=ast.Add()):
            return (_text(node.left) or HOLE) + (_text(node.right) or HOLE)
        case ast.Call(func=ast.Attribute(attr="split" | "format" | "strip", value=inner)):
            return _text(inner)
    return ""


def _constants(tree: ast.AST) -> dict[str, ast.expr]:
    """What names stand for that are set once to a literal."""
    found: dict[str, ast.expr] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            found.setdefault(node.targets[0].id, node.value)
    return {name: value for name, value in found.items() if isinstance(value, ast.List | ast.Tuple) or _text(value)}


def _prunes(call: ast.Call, called: str) -> str | None:
    code = BY_NAME.get(called)
    if called == "prune" and isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Attribute):
        code = LIBRARY.get(call.func.value.attr)
    if code is None:
        return None
    narrowed = code != "build_cache_prune" and re.search(r"""["']label["']\s*:""", ast.unparse(call)) is not None
    return None if narrowed else code
