"""Files that are read line by line: units, crontabs, Makefiles, justfiles, Dockerfiles, Jenkinsfiles. Pure."""

import json
import re
import shlex
from collections.abc import Iterator

from hygiene.lint.formats.pieces import Piece, Unreadable
from hygiene.lint.source import Source

EXEC = re.compile(r"^[ \t]*Exec\w+[ \t]*=[ \t]*[-@:+!|]*(?P<command>(?:[^\\\n]|\\\n|\\.)*)", re.MULTILINE)
ENVIRONMENT = re.compile(r"""^[ \t]*Environment[ \t]*=[ \t]*["']?(\w+)=([^"'\n]*)""", re.MULTILINE)
JOB = re.compile(r"^[ \t]*(?:@\w+|(?:[\d*/,A-Za-z~?#-]+[ \t]+){5}(?<=[ \t]))[ \t]*(?P<command>\S.*)$", re.MULTILINE)
SETTING = re.compile(r"""^[ \t]*(?:export[ \t]+)?(\w+)[ \t]*(?:[:?+]?:?=)[ \t]*["'`]?([^"'`\n]*)""", re.MULTILINE)
INSTRUCTION = re.compile(r"^[ \t]*(?:ONBUILD[ \t]+)?(RUN|CMD|ENTRYPOINT)[ \t]+", re.MULTILINE | re.IGNORECASE)
BATCH_LOOP = re.compile(
    r"(?i)\bfor\s+/f[^\n]*?\bin\s*\(\s*['`](?P<listed>[^\n]*?)['`]\s*\)\s*do\s+\(?(?P<body>[^\n)]*)"
)
LOGICAL = re.compile(r"(?:[^\\\n]|\\\n(?:[ \t]*#[^\n]*\n)*|\\.)*")
GROOVY = re.compile(r"\b(?P<call>sh|bat|powershell|pwsh|sshCommand)\b[^'\"\n]{0,80}?(?P<quote>'''|\"\"\"|'|\")")
MOST_DOCUMENTS = 200


def units(source: Source) -> Iterator[Piece]:
    """The `Exec…=` lines, with what `Environment=` sets."""
    plain = _settings(ENVIRONMENT, source.text)
    for found in EXEC.finditer(source.text):
        yield Piece(source.within(*found.span("command")), plain)


def crontab(source: Source) -> Iterator[Piece]:
    """What comes behind the times; a user's name that stands there too is like one more wrapper."""
    plain = _settings(SETTING, source.text)
    for found in JOB.finditer(source.text):
        if not found[0].lstrip().startswith("#"):
            yield Piece(source.within(*found.span("command")), plain)


def makefile(source: Source, *, just: bool = False) -> Iterator[Piece]:
    """The recipes; `$(NAME)` is make's variable, `$$` the shell's dollar, `$(shell …)` a command's output."""
    plain = _settings(SETTING, source.text)
    for start, end in _recipes(source.text, just=just):
        text = source.text[start:end]
        yield Piece(Source.of(_of_just(text) if just else _of_make(text), source.line_at(start)), plain)
    if not just:
        for found in re.finditer(r"\$\(shell\s+([^\n]*)\)", source.text):
            yield Piece(Source.all_on(_of_make(found[1]), source.line_at(found.start())), plain)


def dockerfile(source: Source) -> Iterator[Piece]:
    """RUN, CMD and ENTRYPOINT, in both forms."""
    plain = _settings(re.compile(r"""^[ \t]*(?:ARG|ENV)[ \t]+(\w+)[= ]["']?([^"'\n]*)""", re.MULTILINE), source.text)
    for number, found in enumerate(INSTRUCTION.finditer(source.text)):
        if number > MOST_DOCUMENTS:
            raise Unreadable(f"it has more than {MOST_DOCUMENTS} instructions that run something")
        match = LOGICAL.match(source.text, found.end())
        end = match.end() if match else found.end()
        if delimiter := re.search(r"<<-?[\"']?(\w+)", source.text[found.end() : end]):
            stop = re.compile(rf"^\s*{delimiter[1]}\s*$", re.MULTILINE).search(source.text, end)
            body = source.text.find("\n", end) + 1
            yield Piece(source.within(body, stop.start() if stop else len(source.text)), plain, in_image_build=True)
        text = re.sub(
            r"(?m)^([ \t]*)#(.*)$", lambda comment: " " * (len(comment[0]) - 1) + "\\", source.text[found.end() : end]
        )
        yield Piece(Source.of(_argv(text) or text, source.line_at(found.end())), plain, in_image_build=True)


def jenkinsfile(source: Source) -> Iterator[Piece]:
    """The texts of `sh`, `bat` and their like."""
    text = re.sub(r"(?m)^([ \t]*)//[^\n]*", lambda comment: " " * len(comment[0]), blanked(source.text, "/*", "*/"))
    behind = 0
    for found in GROOVY.finditer(text):
        stop = text.find(found["quote"], found.end())
        if found.start() < behind or stop < 0:
            continue
        behind = stop
        said = text[found.end() : stop]
        if found["quote"].startswith('"'):
            said = said.replace('\\"', '"').replace("\\$", "$")
        yield Piece(Source.of(said, source.line_at(found.end())), elsewhere=found["call"] == "sshCommand")


def blanked(text: str, begins: str, ends: str) -> str:
    """`text` with blanks for every comment between these two, its lines as they are."""
    parts, position = list[str](), 0
    while (start := text.find(begins, position)) >= 0 and (stop := text.find(ends, start + len(begins))) >= 0:
        stop += len(ends)
        parts += [text[position:start], re.sub(r"[^\n]", " ", text[start:stop])]
        position = stop
    return "".join([*parts, text[position:]])


def windows(source: Source) -> Iterator[Piece]:
    """PowerShell and batch files: nearly a shell, but for the end of a continued line and for batch's loops."""
    text = blanked(source.text, "<#", "#>")
    is_batch = re.search(r"(?mi)^[ \t]*@?(?:echo off|rem\b|set \w+=|setlocal)", text) is not None
    said = text.replace("'", " ") if is_batch else text
    yield Piece(Source(said, source.starts, source.lines), continues="^" if is_batch else "`")
    for found in BATCH_LOOP.finditer(text):
        loop = f"for i in $({found['listed']}); do {re.sub(r'%%?~?[a-zA-Z]', '$i', found['body'])}; done"
        yield Piece(Source.all_on(loop, source.line_at(found.start())))


def _settings(pattern: re.Pattern[str], text: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in pattern.findall(text):
        found.setdefault(name, []).append(value.strip())
    return found


def _recipes(text: str, *, just: bool) -> Iterator[tuple[int, int]]:
    """The spans of consecutive recipe lines, and of what stands behind `target: ;`."""
    blank = r"[ \t]" if just else r"\t"
    for found in re.finditer(rf"(?m)(?:^{blank}+\S(?:[^\\\n]|\\\n|\\.)*\n?|^[ \t]*\n(?={blank}))+", text):
        yield found.span()
    if not just:
        for found in re.finditer(r"(?m)^[^\t#\n:=]+:[^=;\n]*;((?:[^\\\n]|\\\n|\\.)*)", text):
            yield found.span(1)


def _of_make(text: str) -> str:
    text = re.sub(r"(?m)^([ \t]*)[@+-]+", r"\1", text)
    text = re.sub(r"(?<!\$)\$\((?:shell)\s+", "\0(", text)
    text = re.sub(r"(?<!\$)\$[({](\w+)[)}]", r"${\1}", text)
    return text.replace("$$", "$").replace("\0", "$")


def _of_just(text: str) -> str:
    text = re.sub(r"(?m)^([ \t]*)[@-]+", r"\1", text)
    return re.sub(r"\{\{\s*(\w+)\s*\}\}", r"${\1}", text)


def _argv(text: str) -> str | None:
    """The form `["docker", "system", "prune"]` as one command."""
    try:
        words = json.loads(text.replace("\\\n", "")) if text.lstrip().startswith("[") else None
    except (ValueError, RecursionError):
        return None
    return shlex.join(map(str, words)) if isinstance(words, list) else None
