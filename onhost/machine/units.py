"""Pruning jobs among systemd's services, told by their own files: nothing is asked of systemd."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

from onhost.machine.prune_words import logical_lines
from onhost.machine.survey import Survey

# The order in which systemd looks: a file in an earlier folder replaces its namesakes.
FOLDERS = (
    "/etc/systemd/system",
    "/run/systemd/system",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
)


def unit_prunes(survey: Survey) -> None:
    """Adds each service that prunes: by the timers that start it, else by itself."""
    units = _units(survey)
    wanted = _wanted(survey)
    timers = _timers(survey, units)
    for name, path in units.items():
        if not name.endswith(".service"):
            continue
        what = _prune_of_unit(survey, name, path)
        for starter in (timers.get(name) or [name]) if what else ():
            survey.add(units[starter], what or "", enabled=_is_enabled(starter, wanted))


def commands(unit: str) -> list[str]:
    """What the `Exec…=` lines of a unit file run; an empty one takes the earlier ones of its kind back."""
    kinds: dict[str, list[str]] = {}
    for line in logical_lines(unit, comments="#;"):
        match = re.fullmatch(r"\s*(Exec\w+)\s*=\s*(.*?)\s*", line)
        if match and match[2]:
            kinds.setdefault(match[1], []).append(match[2])
        elif match:
            kinds[match[1]] = []
    return [command for kind in kinds.values() for command in kind]


def _units(survey: Survey) -> dict[str, str]:
    """Path of each service and timer by name, without masked ones and aliases."""
    first: dict[str, str] = {}
    for folder in FOLDERS:
        for name in survey.names(folder):
            if name.endswith((".service", ".timer")):
                first.setdefault(name, f"{folder}/{name}")
    return {name: path for name, path in first.items() if not _is_masked_or_alias(survey, path)}


def _is_masked_or_alias(survey: Survey, path: str) -> bool:
    try:
        target = os.readlink(survey.at(path))  # noqa: PTH115  # as text
    except OSError:
        return False
    folder = os.path.dirname(os.path.normpath(os.path.join(os.path.dirname(path), target)))  # noqa: PTH118, PTH120
    return target == "/dev/null" or folder in FOLDERS


def _timers(survey: Survey, units: dict[str, str]) -> dict[str, list[str]]:
    """Names of the timers that start each service."""
    timers: dict[str, list[str]] = {}
    for name, path in units.items():
        if name.endswith(".timer"):
            named = re.findall(r"(?m)^\s*Unit\s*=\s*(\S+)", _text(survey, name, path))
            timers.setdefault(named[-1] if named else f"{name[:-6]}.service", []).append(name)
    return timers


def _prune_of_unit(survey: Survey, name: str, path: str) -> str | None:
    runs = commands(_text(survey, name, path))
    return next((what for command in runs if (what := survey.prune_of(command))), None)


def _text(survey: Survey, name: str, path: str) -> str:
    """The unit's own file and its drop-ins."""
    texts = [survey.text(path), *(survey.text(drop_in) for drop_in in _drop_ins(survey, name))]
    return "\n".join(texts)


def _drop_ins(survey: Survey, name: str) -> Iterator[str]:
    for folder in FOLDERS:
        for drop_in in survey.names(f"{folder}/{name}.d"):
            if drop_in.endswith(".conf"):
                yield f"{folder}/{name}.d/{drop_in}"


def _wanted(survey: Survey) -> set[str]:
    """Names that some unit wants or requires at boot; of an instance also its template's name."""
    wants = (
        f"{folder}/{name}"
        for folder in FOLDERS
        for name in survey.names(folder)
        if name.endswith((".wants", ".requires"))
    )
    links = {link for folder in wants for link in survey.names(folder)}
    return links | {re.sub(r"@.+\.", "@.", link) for link in links}


def _is_enabled(name: str, wanted: set[str]) -> bool:
    return name in wanted
