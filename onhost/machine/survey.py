"""What a search for pruning jobs has found so far, and the places it could not read."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import NamedTuple

from onhost.machine.limits import Limits, NotMeasured, inside, open_file, read_text, why
from onhost.machine.prune_words import logical_lines, prune_in

WORDS_LOOKED_AT = 12


class Prune(NamedTuple):
    """A job that prunes: the file that schedules it, the command, and whether it is switched on (None: not known)."""

    source: str
    what: str
    enabled: bool | None


class Survey:
    """Reads files below `root` and collects; a place that can't be read is noted and the search goes on."""

    def __init__(self, root: str, limits: Limits) -> None:
        self._root = root
        self._limits = limits
        self.found: list[Prune] = []
        self.unread: list[str] = []

    def add(self, source: str, what: str, *, enabled: bool | None) -> None:
        self.found.append(Prune(source, what, enabled))

    def at(self, path: str) -> Path:
        """Where `path` of the surveyed machine really is."""
        return Path(inside(self._root, path))

    def names(self, folder: str) -> list[str]:
        """What is in a folder, sorted; nothing if it is not there."""
        try:
            return sorted(os.listdir(self.at(folder)))  # noqa: PTH208  # names, not paths
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            self.unread.append(why(error, folder))
            return []

    def text(self, path: str) -> str:
        """The text of a file, nothing if it is not there."""
        try:
            if not self.at(path).is_file():
                return ""
            return read_text(str(self.at(path)), self._limits)
        except (NotMeasured, OSError) as error:
            self.unread.append(str(error) if isinstance(error, NotMeasured) else why(error, path))
            return ""

    def is_executable(self, path: str) -> bool:
        """Whether anybody may execute the file, as cron asks."""
        try:
            return bool(self.at(path).stat().st_mode & 0o111)
        except FileNotFoundError:
            return False

    def prune_of(self, command: str) -> str | None:
        """The pruning command that this line runs, itself or in a script that it names."""
        direct = prune_in(command)
        if direct:
            return direct
        words = [word.lstrip("-@+!:") for word in re.split(r"""[\s"';&|]+""", command)[:WORDS_LOOKED_AT]]
        scripts = [word for word in words if self._is_script(word)]
        return next((what for script in scripts if (what := self.prune_in_script(script))), None)

    def prune_in_script(self, path: str) -> str | None:
        """The first pruning command in a script."""
        return next((what for line in logical_lines(self.text(path)) if (what := prune_in(line))), None)

    def _is_script(self, path: str) -> bool:
        """Whether a file is there that starts with `#!`."""
        try:
            if not path.startswith("/") or not self.at(path).is_file():
                return False
            with open_file(str(self.at(path))) as file:
                return file.read(2) == b"#!"
        except OSError as error:
            self.unread.append(why(error, path))
            return False
