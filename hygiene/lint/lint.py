"""Paths in, findings out: each file that runs something is read, and what it runs held against the rules."""

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import Path

from audits.redact import LIVE
from hygiene.lint.contracts import Allowed, Code, LintFinding, LintResult, Unread
from hygiene.lint.formats.kinds import FileKind, kind_of
from hygiene.lint.formats.pieces import Found, Piece, Unreadable
from hygiene.lint.formats.read import read
from hygiene.lint.script import LONGEST_QUOTED, Around, Hit, TooMuch, judge
from hygiene.lint.source import Source
from hygiene.lint.walk import Entry, TextFile, shown, walk
from hygiene.lint.wording import WORDS
from launchplane.problems import Problem

MOST_TOLD = 1000
LONGEST = 512 * 1024  # characters of a file in which there may be something to find
# without a word of both there is nothing to find, however the rest is written
ENGINE = re.compile(
    r"(?i)docker|podman|nerdctl|buildctl|buildah|crictl|\bctr\b|containerd|buildkit|free-disk|docuum|prune"
)
REMOVAL = re.compile(r"(?i)prune|\brm[ip]?\b|remove|delete|\bdel\b|kill|stop|reset|rmi|down|free-disk|docuum|gc|clean")
COMMENT = re.compile(r"(?i)(?:#|//|;|::|\brem\b|--|/\*)\s*hygiene-lint:\s*allow\b[\s:,(-]*(?P<reason>\S.{2,300})")


@dataclass(frozen=True, slots=True)
class Options:
    """`teardowns` are patterns of paths that may remove no image (P16); `throwaway` the labels of unshared runners."""

    teardowns: tuple[str, ...] = ()
    throwaway: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()


@dataclass(slots=True)
class _Notes:
    findings: list[LintFinding] = field(default_factory=list)
    allowed: list[Allowed] = field(default_factory=list)
    unread: list[Unread] = field(default_factory=list)
    seen: int = 0
    read: int = 0
    left_out: int = 0


def lint(paths: Sequence[Path], options: Options = Options()) -> LintResult:
    """Look at everything below `paths`. Raises Problem `no_such_path` for one that is not there."""
    notes, matched = _Notes(), set[str]()
    for path in paths:
        for entry in _entries(path):
            _note(entry, _name(path, entry.path, alone=len(paths) == 1), options, notes, matched)
    if not notes.seen:
        notes.unread.append(Unread(path=".", reason="there is no file"))
    for pattern in dict.fromkeys((*options.teardowns, *options.left_out)):
        if pattern not in matched:
            notes.unread.append(Unread(path=LIVE.text(pattern), reason="no file is called like this pattern"))
    told = sorted(notes.findings, key=lambda found: (found.path, found.line, found.code, found.command))
    return LintResult(
        findings=tuple(told[:MOST_TOLD]),
        allowed=tuple(sorted(notes.allowed, key=lambda each: (each.finding.path, each.finding.line)))[:MOST_TOLD],
        unread=tuple(sorted(notes.unread, key=lambda each: each.path))[:MOST_TOLD],
        files_seen=notes.seen,
        files_read=notes.read,
        files_left_out=notes.left_out,
        truncated=max(0, len(told) - MOST_TOLD),
    )


def _name(path: Path, below: str, *, alone: bool) -> str:
    """As findings name a file: from the one folder that was given on; with what was given before it otherwise."""
    if not path.is_dir():
        return shown(str(path))
    return below if alone else shown(os.path.normpath(path / below))


def _entries(path: Path) -> Iterator[Entry]:
    try:
        yield from walk(path)
    except OSError as error:
        raise Problem("no_such_path", f"{shown(str(path))} cannot be looked at: {error.strerror}.") from error


def _note(entry: Entry, name: str, options: Options, notes: _Notes, matched: set[str]) -> None:
    patterns = {pattern for pattern in (*options.teardowns, *options.left_out) if fnmatchcase(name, pattern)}
    matched |= patterns
    notes.seen += 1
    if patterns & set(options.left_out):
        notes.left_out += 1
        return
    if isinstance(entry, Unread):
        notes.unread.append(entry.model_copy(update={"path": name}))
    elif isinstance(entry, TextFile):
        notes.read += 1
        _File(name, entry.kind, entry.text, options, notes, bool(patterns & set(options.teardowns))).look()


class _File:
    """One file, and where what is found in it goes."""

    def __init__(self, path: str, kind: FileKind, text: str, options: Options, notes: _Notes, teardown: bool) -> None:
        self._path, self._kind, self._text, self._options, self._notes = path, kind, text, options, notes
        self._lines = text.split("\n")
        self._around = Around(no_image_removal=teardown, embedded=self._embedded)
        self._told: set[tuple[str, int, str]] = set()

    def look(self) -> None:
        """Note every finding of the file; or that it could not be read, with what was found until then."""
        if not (ENGINE.search(self._text) and REMOVAL.search(self._text)):
            return
        try:
            if len(self._text) > LONGEST:
                raise Unreadable(f"it speaks of engines and is larger than {LONGEST // 1024} KiB")
            for found, piece in self._hits(self._kind, Source.of(self._text), self._around):
                self._tell(found, piece)
        except (Unreadable, TooMuch) as error:
            self._notes.unread.append(Unread(path=self._path, reason=LIVE.text(str(error))))

    def _hits(self, kind: FileKind, source: Source, around: Around) -> Iterator[tuple[Hit, Piece | Found]]:
        for piece in read(kind, source):
            if isinstance(piece, Found):
                yield Hit(piece.code, piece.line, piece.line, piece.command, piece.elsewhere), piece
                continue
            within = replace(
                around,
                plain={**around.plain, **{name: list(values) for name, values in piece.plain.items()}},
                in_image_build=piece.in_image_build,
                continues=piece.continues,
            )
            hits = self._embedded(piece.name, piece.source, within) if piece.name else judge(piece.source, within)
            yield from ((hit, piece) for hit in hits)

    def _embedded(self, name: str, source: Source, around: Around | None = None) -> Iterator[Hit]:
        """What a file would run that this one writes."""
        around = around or self._around
        kind = kind_of(name, source.text.lstrip().partition("\n")[0])
        if kind is None or around.depth > 2:
            return
        try:
            deeper = replace(around, depth=around.depth + 1)
            yield from (hit for hit, _ in self._hits(kind, source, deeper))
        except Unreadable as error:
            reason = f"what it writes to {name} cannot be read: {error}"
            self._notes.unread.append(Unread(path=self._path, reason=LIVE.text(reason)))

    def _tell(self, hit: Hit, piece: Piece | Found) -> None:
        key = (hit.code, hit.line, hit.command)
        if key in self._told:
            return
        self._told.add(key)
        code: Code = hit.code  # type: ignore[assignment]
        words = WORDS[code]
        command = LIVE.text(self._as_written(hit))
        finding = LintFinding(
            code=code, path=self._path, line=hit.line, command=command, why=words.why, instead=words.instead
        )
        if (reason := self._comment(hit)) is not None:
            self._notes.allowed.append(Allowed(finding=finding, by="comment", reason=LIVE.text(reason)))
        elif self._is_throwaway(hit, piece):
            reason = f"It runs on {', '.join(piece.machines)}, a machine that nobody shares."
            self._notes.allowed.append(Allowed(finding=finding, by="throwaway", reason=reason))
        else:
            self._notes.findings.append(finding)

    def _as_written(self, hit: Hit) -> str:
        """The command; where dollars and variables are written in another way than in a shell, the file's own lines."""
        if self._kind not in (FileKind.MAKE, FileKind.JUST):
            return hit.command
        lines = self._lines[hit.line - 1 : hit.last_line]
        return " ".join(" ".join(line.rstrip("\\") for line in lines).split())[:LONGEST_QUOTED]

    def _comment(self, hit: Hit) -> str | None:
        """The reason in a comment on one of the command's lines, or on the line above if that is only a comment."""
        above = self._lines[hit.line - 2] if hit.line > 1 else ""
        first = [above] if re.match(r"\s*(?:#|//|;|::|--|rem\b)", above, re.IGNORECASE) else []
        for line in [*first, *self._lines[hit.line - 1 : hit.last_line]]:
            if found := COMMENT.search(line):
                return found["reason"].strip(" )*/")
        return None

    def _is_throwaway(self, hit: Hit, piece: Piece | Found) -> bool:
        if hit.elsewhere or piece.elsewhere or not piece.machines:
            return False
        return set(piece.machines) <= set(self._options.throwaway)
