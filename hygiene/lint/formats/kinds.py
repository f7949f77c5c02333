"""Which files are looked at, by their name and their first line. Pure."""

import re
from enum import StrEnum
from pathlib import PurePosixPath


class FileKind(StrEnum):
    """How a file is read."""

    SHELL = "shell"
    POWERSHELL = "powershell"
    YAML = "yaml"
    JSON = "json"
    MAKE = "make"
    JUST = "just"
    IMAGE = "image"
    UNIT = "unit"
    CRON = "cron"
    NIX = "nix"
    PYTHON = "python"
    GROOVY = "groovy"


TEMPLATES = (".j2", ".jinja", ".jinja2", ".tmpl", ".tpl", ".erb", ".template", ".in", ".dist", ".example", ".sample")
SUFFIXES = {
    **dict.fromkeys((".sh", ".bash", ".zsh", ".ksh", ".ash", ".bats", ".command"), FileKind.SHELL),
    **dict.fromkeys((".ps1", ".psm1", ".bat", ".cmd"), FileKind.POWERSHELL),
    **dict.fromkeys((".yml", ".yaml"), FileKind.YAML),
    **dict.fromkeys((".mk", ".mak", ".make"), FileKind.MAKE),
    **dict.fromkeys((".dockerfile", ".containerfile"), FileKind.IMAGE),
    **dict.fromkeys((".service", ".timer", ".path", ".socket"), FileKind.UNIT),
    **dict.fromkeys((".cron", ".crontab"), FileKind.CRON),
    **dict.fromkeys((".groovy", ".jenkinsfile"), FileKind.GROOVY),
    ".just": FileKind.JUST,
    ".nix": FileKind.NIX,
    ".py": FileKind.PYTHON,
}
NAMES = {
    **dict.fromkeys(("makefile", "gnumakefile", "bsdmakefile"), FileKind.MAKE),
    **dict.fromkeys(("justfile", ".justfile"), FileKind.JUST),
    **dict.fromkeys(("dockerfile", "containerfile"), FileKind.IMAGE),
    **dict.fromkeys(("crontab", "anacrontab"), FileKind.CRON),
    **dict.fromkeys((".bashrc", ".bash_profile", ".profile", ".zshrc", ".envrc"), FileKind.SHELL),
    **dict.fromkeys(("package.json", "composer.json", "deno.json", "devcontainer.json"), FileKind.JSON),
    "jenkinsfile": FileKind.GROOVY,
}
FOLDERS = {
    "cron.d": FileKind.CRON,
    "crontabs": FileKind.CRON,
    **dict.fromkeys(("cron.hourly", "cron.daily", "cron.weekly", "cron.monthly"), FileKind.SHELL),
    **dict.fromkeys((".husky", ".githooks"), FileKind.SHELL),
}
NO_SOURCE = {".pyc", ".md", ".txt", ".rst", ".html"}
SHEBANG = re.compile(
    r"#!.*?\b(?:(?P<shell>(?:ba|da|z|k|a)?sh|bats)|(?P<python>python[\d.]*)|(?P<make>make)|(?P<just>just))\b"
)


def kind_of(path: str, first_line: str = "") -> FileKind | None:
    """How the file at `path` is read; None for one that is not looked at."""
    pure = PurePosixPath(path)
    name = pure.name.lower()
    while name.endswith(TEMPLATES):
        name = name[: name.rindex(".")]
    suffix = PurePosixPath(name).suffix
    if name in NAMES:
        return NAMES[name]
    if suffix in SUFFIXES:
        return SUFFIXES[suffix]
    folder = next((FOLDERS[part] for part in reversed(pure.parts[:-1]) if part in FOLDERS), None)
    if folder is not None and suffix in ("", ".cron", ".sh"):
        return folder
    if suffix == ".conf" and any(part.endswith((".service.d", ".timer.d")) for part in pure.parts):
        return FileKind.UNIT
    if suffix not in NO_SOURCE and name.startswith(("dockerfile.", "containerfile.", "makefile.", "jenkinsfile.")):
        return NAMES[name.partition(".")[0]]
    return by_first_line(first_line)


def by_first_line(line: str) -> FileKind | None:
    """What a `#!` says."""
    found = SHEBANG.match(line)
    return FileKind(found.lastgroup or "") if found else None


def may_be_looked_at(path: str) -> bool:
    """True where the name alone does not rule it out: for what cannot be opened."""
    return kind_of(path) is not None or not PurePosixPath(path).suffix
