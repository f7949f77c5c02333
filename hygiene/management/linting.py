"""`manage.py hygiene lint PATH…`: says what was found, and what could not be looked at; keeps it for a repository."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hygiene.lint.contracts import LintResult
from hygiene.lint.lint import Options, lint
from hygiene.lint.sarif import sarif
from hygiene.repositories import keep_result, require_repository_name
from launchplane.access.authenticate import person_at_shell, shell
from launchplane.access.people import Principal
from launchplane.commands import ATTENTION, USAGE, Subcommands
from launchplane.hosts.models import Host
from launchplane.hosts.services import find_host
from launchplane.problems import Problem

ARGUMENTS: list[tuple[list[str], dict[str, Any]]] = [
    (["paths"], {"nargs": "+", "metavar": "PATH", "type": Path, "help": "folders or files of a repository"}),
    (["--sarif"], {"action": "store_true", "help": "print SARIF 2.1.0 instead of text"}),
    (
        ["--no-image-removal"],
        {"dest": "teardowns", "action": "append", "default": [], "metavar": "GLOB"}
        | {"help": "paths that may remove no image at all; may be given several times"},
    ),
    (
        ["--throwaway"],
        {"action": "append", "default": [], "metavar": "LABEL"}
        | {"help": "jobs that run on this label have a machine that nobody shares; may be given several times"},
    ),
    (
        ["--leave-out"],
        {"dest": "left_out", "action": "append", "default": [], "metavar": "GLOB"}
        | {"help": "paths that are not looked at; may be given several times"},
    ),
]

KEEPING: list[tuple[list[str], dict[str, Any]]] = [
    (
        ["--repository"],
        {"default": "", "metavar": "NAME", "help": "keep the result as the last one of this repository"},
    ),
    (
        ["--host"],
        {"dest": "hosts", "action": "append", "default": [], "metavar": "HOST"}
        | {"help": "with --repository: a host that its jobs use; may be given several times"},
    ),
    (["--revision"], {"default": "", "metavar": "R", "help": "with --repository: the commit, or what it is called"}),
    (["--as"], {"dest": "username", "default": "", "metavar": "USER", "help": "with --repository: who you are"}),
]


@dataclass(frozen=True, slots=True)
class Keeping:
    """Where a result goes, and who says so."""

    repository: str
    hosts: tuple[Host, ...]
    revision: str
    by: Principal


def keeping(*, repository: str, hosts: list[str], revision: str, username: str) -> Keeping | None:
    """What was asked for, before anything is looked at; None where nothing is to be kept.

    Raises Problem `repository_missing`, `bad_repository`, `no_such_host`, and what authenticating raises.
    """
    if not repository:
        if hosts or revision or username:
            raise Problem("repository_missing", "--host, --revision and --as go with --repository NAME.")
        return None
    require_repository_name(repository)
    by = person_at_shell(username) if username else shell()
    return Keeping(repository, tuple(find_host(name) for name in hosts), revision, by)


def keep(asked: Keeping, result: LintResult, options: Options) -> str:
    """Keep it; what was kept, in a sentence. Raises Refused, Problem, AuditRefused."""
    kept = keep_result(
        asked.repository, result, by=asked.by, hosts=asked.hosts, revision=asked.revision, options=options
    )
    used = ", ".join(kept.hosts.values_list("name", flat=True)) or "no host (name them with --host)"
    return f"Kept as the last result of {kept.name}, which uses {used}."


def run(
    command: Subcommands, *, paths: Sequence[Path], options: Options, json: bool, as_sarif: bool
) -> tuple[LintResult, int | None]:
    """Lint and print. The result, and the exit code: 3 with findings, 2 where something could not be looked at."""
    result = lint(paths, options)
    if as_sarif:
        command.print_json(sarif(result))
    elif json:
        command.print_json(result)
    else:
        tell(command, result)
    if result.findings:
        return result, ATTENTION
    return result, None if result.is_clean else USAGE


def tell(command: Subcommands, result: LintResult) -> None:
    """As people read it: each finding in three lines, then what was allowed and what was not looked at."""
    for finding in result.findings:
        command.say(f"{finding.path}:{finding.line}: {finding.code}: {finding.command}")
        command.say(f"    {finding.why}")
        command.say(f"    Instead: {finding.instead}")
    for allowed in result.allowed:
        found = allowed.finding
        command.say(f"allowed {found.path}:{found.line}: {found.code}: {found.command}: {allowed.reason}")
    for unread in result.unread:
        command.say(f"not looked at: {unread.path}: {unread.reason}.")
    if result.truncated:
        command.say(f"{result.truncated} more findings are not shown.")
    left_out = f", {result.files_left_out} left out" if result.files_left_out else ""
    total = len(result.findings) + result.truncated
    command.say(
        f"{total} finding{'' if total == 1 else 's'}, {len(result.allowed)} allowed, "
        f"{len(result.unread)} not looked at; {result.files_read} of {result.files_seen} files hold commands{left_out}."
    )
