"""One file's text to what it runs, by what kind of file it is. Pure."""

from collections.abc import Callable, Iterator

from hygiene.lint.formats import lines
from hygiene.lint.formats.kinds import FileKind
from hygiene.lint.formats.nix import nix_pieces
from hygiene.lint.formats.pieces import Found, Piece
from hygiene.lint.formats.python import python_pieces
from hygiene.lint.formats.yaml_shell import json_pieces, yaml_pieces
from hygiene.lint.source import Source

Reader = Callable[[Source], Iterator[Piece | Found]]


def _shell(source: Source) -> Iterator[Piece]:
    yield Piece(source)


def _just(source: Source) -> Iterator[Piece]:
    yield from lines.makefile(source, just=True)


READERS: dict[FileKind, Reader] = {
    FileKind.SHELL: _shell,
    FileKind.POWERSHELL: lines.windows,
    FileKind.YAML: yaml_pieces,
    FileKind.JSON: json_pieces,
    FileKind.MAKE: lines.makefile,
    FileKind.JUST: _just,
    FileKind.IMAGE: lines.dockerfile,
    FileKind.UNIT: lines.units,
    FileKind.CRON: lines.crontab,
    FileKind.NIX: nix_pieces,
    FileKind.PYTHON: python_pieces,
    FileKind.GROOVY: lines.jenkinsfile,
}


def read(kind: FileKind, source: Source) -> Iterator[Piece | Found]:
    """What a file of that kind runs. Raises Unreadable."""
    return READERS[kind](source)
