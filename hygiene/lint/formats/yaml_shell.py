"""The shell in YAML: workflows and actions of GitHub and its like, GitLab CI, compose, Ansible, cloud-init, Kubernetes.

What is shell is told by the key that it stands under. Tags are not carried out: the file is composed, never loaded.
"""

import re
import shlex
from collections.abc import Iterator
from dataclasses import replace

import yaml
from yaml import MappingNode, Node, ScalarNode, SequenceNode

from hygiene.lint.formats.kinds import kind_of
from hygiene.lint.formats.pieces import Found, Piece, Unreadable
from hygiene.lint.formats.yaml_text import scalar_source
from hygiene.lint.formats.yaml_values import MOST_PARTS, pairs, values_of
from hygiene.lint.rules.verdicts import is_cleaner
from hygiene.lint.source import Source

SHELL_KEY = re.compile(
    r"(?:.*[._-])?(?:run|script|scripts|shell|raw|commands?|cmds?|bash|sh|pwsh|powershell|entrypoint|args|exec|runcmd|bootcmd|"
    r"inline|tasks?|cron|job)|(?:before|after)_script|\w*(?:Script|Commands?|Cmd)"
)
ARGV_KEY = re.compile(r"(?:.*[._-])?(?:command|args|cmd|entrypoint|exec|argv|runcmd|bootcmd)")
SHELL_WORD = re.compile(r"(?:/\S*/)?(?:ba|da|z|a)?sh|cmd|pwsh|powershell|/bin/busybox")
# actions that free a disk, with the input that keeps them from the engine's images
FREES_DISK = re.compile(r"(?i)(?:jlumbroso|AdityaGarg8|xc2|insightsengineering)/free-disk-space(?:@|$)")
REMOVES_INPUT = re.compile(
    r"(?i)(?:remove[-_]?)?docker[-_]?(?:images?|prune|cache|volumes?)|prune[-_]docker|.*docker[-_]prune"
)
# of Helm, Jinja and their like, which make YAML of what is none
EXPRESSIONS = r"\{\{[^\n]{0,500}?\}\}|\{%[^\n]{0,500}?%\}"
TEMPLATE = re.compile(rf"(?m)^(?P<line>(?P<blank>[ \t]*)(?:{EXPRESSIONS})[ \t]*)$|{EXPRESSIONS}")
PRUNE_MODULE = re.compile(r"(?:community\.docker\.|containers\.podman\.)?(?:docker|podman)_prune")
PRUNED = {
    "images",
    "containers",
    "volumes",
    "networks",
    "builder_cache",
    "image",
    "container",
    "volume",
    "network",
    "system",
}


def yaml_pieces(source: Source) -> Iterator[Piece | Found]:
    """Everything that the file runs. Raises Unreadable for what is no YAML, or too deep."""
    try:
        yield from _of_documents(source)
    except yaml.YAMLError as error:
        without = TEMPLATE.sub(_plain_in_place, source.text)
        if without == source.text:
            raise _no_yaml(error) from error
        try:
            yield from _of_documents(Source(without, source.starts, source.lines))
        except yaml.YAMLError as again:
            raise _no_yaml(again) from again


def _of_documents(source: Source) -> Iterator[Piece | Found]:
    try:
        roots = list(yaml.compose_all(source.text, Loader=yaml.SafeLoader))
        for root in filter(None, roots):
            yield from _Walk(source, values_of(root, source.text)).of(root, "", Piece(source))
    except RecursionError as error:
        raise Unreadable("it is nested too deep") from error


def _plain_in_place(found: re.Match[str]) -> str:
    """What a template's expression stands for is not known: a comment where it is a whole line, else a plain word."""
    if found["line"] is not None:
        return f"{found['blank']}#{' ' * (len(found['line']) - len(found['blank']) - 1)}"
    return "x" * len(found[0])


def _no_yaml(error: yaml.YAMLError) -> Unreadable:
    mark = getattr(error, "problem_mark", None)
    return Unreadable("it is no YAML" + (f" in line {mark.line + 1}" if mark is not None else ""))


def json_pieces(source: Source) -> Iterator[Piece | Found]:
    """The scripts of a `package.json` and its like: JSON is YAML, but for tabs."""
    yield from yaml_pieces(Source(source.text.replace("\t", " "), source.starts, source.lines))


class _Walk:
    def __init__(self, source: Source, plain: dict[str, list[str]]) -> None:
        self._source, self._plain = source, plain
        self._seen: set[tuple[int, bool, tuple[str, ...], bool]] = set()

    def of(self, node: Node, key: str, around: Piece) -> Iterator[Piece | Found]:
        """What is run in `node`, which stands under `key`. `around` carries what the job says."""
        is_shell = SHELL_KEY.fullmatch(key) is not None
        visit = (id(node), is_shell, around.machines, around.elsewhere)
        if visit in self._seen:
            return
        self._seen.add(visit)
        if len(self._seen) > MOST_PARTS:
            raise Unreadable(f"it has more than {MOST_PARTS} parts")
        match node:
            case ScalarNode():
                yield from self._scalar(node, around, is_shell=is_shell)
            case SequenceNode() if is_shell:
                yield from self._list(node, key, around)
            case SequenceNode():
                for item in node.value:
                    yield from self.of(item, "", around)
            case MappingNode():
                yield from self._mapping(node, key, around)

    def _scalar(self, node: ScalarNode, around: Piece, *, is_shell: bool) -> Iterator[Piece]:
        if is_shell or node.value.startswith("#!"):
            yield self._piece(scalar_source(node, self._source), around)

    def _mapping(self, node: MappingNode, key: str, around: Piece) -> Iterator[Piece | Found]:
        entries = dict(pairs(node))
        if (runner := entries.get("runs-on")) is not None:
            around = replace(around, machines=self._labels(runner))
        yield from self._action(entries, around)
        yield from self._module(entries, around)
        yield from self._cleaner(entries, around)
        yield from self._file(entries, around)
        for name, value in pairs(node):
            within = replace(around, elsewhere=True) if name == "with" or key == "with" else around
            if isinstance(value, ScalarNode) and kind_of(name) is not None and not SHELL_KEY.fullmatch(name):
                yield replace(self._piece(scalar_source(value, self._source), within), name=name)
            inherited = name if name not in ("with", "<<") else key if name == "<<" else ""
            yield from self.of(value, _under(key, inherited), within)

    def _list(self, node: SequenceNode, key: str, around: Piece) -> Iterator[Piece | Found]:
        """One command's words, or commands one below the other; what else is in the list is looked at by itself."""
        if node.tag == "!reference":
            return
        scalars = [item for item in node.value if isinstance(item, ScalarNode)]
        if _is_argv(key, scalars):
            words = [(shlex.quote(item.value) + " ", self._source.line_at(item.start_mark.index)) for item in scalars]
            yield self._piece(Source.joined(words), around)
        elif scalars:
            yield self._piece(Source.stacked(scalar_source(item, self._source) for item in scalars), around)
        for item in node.value:
            if not isinstance(item, ScalarNode):
                yield from self.of(item, key, around)

    def _action(self, entries: dict[str, Node], around: Piece) -> Iterator[Found]:
        """An action that frees the disk, unless it is told to leave the engine's images."""
        uses, inputs = (
            entries.get("uses"),
            {name: node for name, node in pairs(entries.get("with", ScalarNode("", "")))},
        )
        if not isinstance(uses, ScalarNode):
            return
        told = {name: node.value.strip().lower() for name, node in inputs.items() if isinstance(node, ScalarNode)}
        by_itself = FREES_DISK.match(uses.value) is not None and told.get("docker-images") != "false"
        if by_itself or any(REMOVES_INPUT.fullmatch(name) and said == "true" for name, said in told.items()):
            yield self._found("action_removes_images", uses, f"uses: {uses.value}", around)

    def _module(self, entries: dict[str, Node], around: Piece) -> Iterator[Found]:
        for name, value in entries.items():
            if PRUNE_MODULE.fullmatch(name):
                asked = [what for what, node in pairs(value) if what in PRUNED and _is_true(node)]
                narrowed = any("label" in dict(pairs(node)) for what, node in pairs(value) if what.endswith("_filters"))
                if asked and (not narrowed or "builder_cache" in asked):
                    yield self._found("prune_module", value, f"{name}: {', '.join(asked)}", around)

    def _cleaner(self, entries: dict[str, Node], around: Piece) -> Iterator[Found]:
        image = entries.get("image")
        if isinstance(image, ScalarNode) and is_cleaner(image.value):
            yield self._found("cleaner", image, f"image: {image.value}", around)

    def _file(self, entries: dict[str, Node], around: Piece) -> Iterator[Piece]:
        """`path: …, content: …` of cloud-init and `dest: …, content: …` of Ansible."""
        named = entries.get("path") or entries.get("dest")
        content = entries.get("content")
        if isinstance(named, ScalarNode) and isinstance(content, ScalarNode):
            yield replace(self._piece(scalar_source(content, self._source), around), name=named.value)

    def _labels(self, runner: Node) -> tuple[str, ...]:
        """The labels that a job asks for, with a matrix filled in."""
        nodes = runner.value if isinstance(runner, SequenceNode) else [runner]
        labels = [node.value if isinstance(node, ScalarNode) else "" for node in nodes]
        filled = [
            self._plain.get(found[1], [label]) if (found := EXPRESSION.fullmatch(label)) else [label]
            for label in labels
        ]
        return tuple(each for label in filled for each in label)

    def _piece(self, source: Source, around: Piece) -> Piece:
        return replace(around, source=source, plain=self._plain)

    def _found(self, code: str, node: Node, command: str, around: Piece) -> Found:
        line = self._source.line_at(node.start_mark.index)
        return Found(code, line, command, around.machines, around.elsewhere)


EXPRESSION = re.compile(r"\$\{\{\s*(matrix\.[\w.-]+)\s*\}\}")


def _under(key: str, name: str) -> str:
    """Below `scripts:` of a package every name is that of a script; elsewhere a name stands for itself."""
    return "script" if key == "scripts" and name else name


def _is_argv(key: str, items: list[ScalarNode]) -> bool:
    if not items or not ARGV_KEY.fullmatch(key):
        return False
    values = [item.value for item in items]
    return bool(SHELL_WORD.fullmatch(values[0])) or not any(re.search(r"\s", value.strip()) for value in values)


def _is_true(node: Node) -> bool:
    return isinstance(node, ScalarNode) and node.value.lower() in ("true", "yes", "on", "1")
