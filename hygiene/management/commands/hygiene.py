"""`manage.py hygiene report|inventory|plan|lint`."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from hygiene.contracts import Kind, Report, ResourceRow, TypeSummary
from hygiene.inventory import latest, select, view_for_programs
from hygiene.lint.lint import Options
from hygiene.management import linting, planning
from hygiene.services import observe_host
from hygiene.snapshots import stored_report
from launchplane.commands import ATTENTION, Subcommands, shell_user
from launchplane.hosts.models import Host
from launchplane.hosts.services import find_host
from launchplane.problems import Problem
from launchplane.words import human_bytes

HOST: tuple[list[str], dict[str, Any]] = (["name"], {"metavar": "HOST"})
SHOWN = 200


class Command(Subcommands):
    help = (
        "What fills a host, what must stay, what could go, and what repositories do to it. Changes nothing on a host."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        subcommands = parser.add_subparsers(required=True, metavar="report|inventory|plan|lint")
        stored = (["--stored"], {"action": "store_true", "help": "the last report, without looking again"})
        kind = (["--kind"], {"choices": [kind.value for kind in Kind], "default": ""})
        self.sub(subcommands, "report", self.report, help_text="Observe a host and report.", arguments=[HOST, stored])
        self.sub(
            subcommands,
            "inventory",
            self.inventory,
            help_text="List what the last observation of a host saw.",
            arguments=[HOST, kind],
        )
        self.sub(subcommands, "plan", self.plan, help_text="Plan a clean-up of a host.", arguments=planning.ARGUMENTS)

        lint_arguments = [*linting.ARGUMENTS, *linting.KEEPING]
        self.sub(subcommands, "lint", self.lint, help_text="Look for broad prunes in files.", arguments=lint_arguments)

    def lint(self, *, paths: list[Path], json: bool, sarif: bool, **more: Any) -> int | None:
        asked = linting.keeping(**{name: more[name] for name in ("repository", "hosts", "revision", "username")})
        options = Options(*(tuple(more[name]) for name in ("teardowns", "throwaway", "left_out")))
        result, code = linting.run(self, paths=paths, options=options, json=json, as_sarif=sarif)
        said = linting.keep(asked, result, options) if asked else ""
        if said and not json and not sarif:
            self.say(said)
        return code

    def plan(self, *, name: str, kind: str, items: list[str], json: bool, **_: Any) -> int | None:
        return planning.plan(self, name=name, kind=kind, items=items, json=json)

    def report(self, *, name: str, stored: bool, json: bool, **_: Any) -> int | None:
        host = find_host(name)
        run = None if stored else observe_host(host, asked_by=f"command ({shell_user()})")
        report = last_report(host)
        if json:
            self.print_json(report)
        else:
            self.print_report(report)
        if run and not json:
            self.say(run.sentence)
        return ATTENTION if report.status == "attention" else None

    def inventory(self, *, name: str, kind: str, json: bool, **_: Any) -> None:
        host = find_host(name)
        view = latest(host)
        if view is None:
            raise never_observed(host)
        rows = select(view.rows, kind=kind)
        if json:
            self.print_json(view_for_programs(view, rows))
            return
        shown = rows[:SHOWN]
        self.print_table(["kind", "name", "#size", "class", "why"], [row_cells(row) for row in shown])
        more = f", the {len(shown)} largest of them shown; --json prints all" if len(shown) < len(rows) else ""
        self.say(f"{len(rows)} resources on {host.name}{more}.")

    def print_report(self, report: Report) -> None:
        """The report as people read it: what fills the host, then what is wrong, then what is not known."""
        self.say(
            f"{report.host}: {report.status}. Docker {report.engine_version}, "
            f"observed {report.observed_at:%Y-%m-%d %H:%M:%S} UTC."
        )
        percent = "" if report.disk_used_percent is None else f", {report.disk_used_percent} % used"
        self.say(
            f"Free disk: {human_bytes(report.free_disk_bytes)} of {human_bytes(report.disk_total_bytes)}{percent}."
        )
        self.say(
            f"Docker counts {human_bytes(report.docker_reclaimable_bytes)} as reclaimable; "
            f"what could go by the budgets would really free {human_bytes(report.joint_reclaim_bytes)}."
        )
        summary = report.docker_summary
        types = {
            "Images": summary.images,
            "Containers": summary.containers,
            "Volumes": summary.volumes,
            "Build cache": summary.build_cache,
        }
        self.print_table(
            ["type", "#total", "#active", "#size", "#reclaimable"],
            [summary_cells(title, line) for title, line in types.items()],
        )
        for finding in report.findings:
            self.say(f"! {finding.code}: {finding.summary} {finding.next_step}")
        for field, reason in sorted(report.unmeasured.items()):
            self.say(f"? {field} is not measured: {reason}")


def last_report(host: Host) -> Report:
    """The report of the last observation. Raises Problem `never_observed`."""
    snapshot = host.snapshots.first()
    if snapshot is None:
        raise never_observed(host)
    return stored_report(snapshot)


def never_observed(host: Host) -> Problem:
    """Nothing is stored of this host."""
    return Problem(
        "never_observed", f"{host.name} was never observed. `manage.py hygiene report {host.name}` looks at it now."
    )


def summary_cells(title: str, line: TypeSummary | None) -> list[object]:
    """One line of the summary table."""
    if line is None:
        return [title, *["not measured"] * 4]
    return [title, line.count, line.active, human_bytes(line.size_bytes), human_bytes(line.reclaimable_bytes)]


def row_cells(row: ResourceRow) -> list[object]:
    """One line of the inventory table."""
    return [row.kind.value, row.name, human_bytes(row.size_bytes), row.cls.value, row.reason]
