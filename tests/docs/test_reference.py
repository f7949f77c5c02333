"""The reference says what the code does: names, fields, codes, defaults and limits are compared, not believed."""

import inspect
import re
import typing
from datetime import timedelta

import pytest
from django.core.management import get_commands, load_command_class
from django.urls import URLPattern

from hygiene import budgets, classify, defaults
from hygiene.contracts import Class, Finding, InventoryView, Kind, Report, ResourceRow
from hygiene.lint.contracts import Code as LintCode
from hygiene.models import FIXED_SCOPES
from hygiene.observe import MACHINE_TIME
from launchplane.environment import KNOWN
from launchplane.hosts.models import GB
from launchplane.schedule.heartbeat import QUEUES, SILENT_AFTER
from launchplane.schedule.jobs import all_jobs
from launchplane.server.programs import programs
from launchplane.thinning import THINNING
from launchplane.urls import urlpatterns
from onhost.engine.questions import API_NEWEST, API_OLDEST
from onhost.engine.reading import Limits
from tests.docs.reading import PROJECT, blocks, cells, codes, text_of

COMMANDS = "docs/reference/commands.md"
SETTINGS = "docs/reference/settings.md"
CONTRACTS = "docs/reference/report-and-inventory.md"
RULES = "docs/reference/classes-and-rules.md"
SCHEDULE = "docs/reference/schedule.md"
HTTP = "docs/reference/http.md"
FOLDERS = "docs/reference/folders.md"
RAISED = re.compile(
    r"(?:Problem|Unavailable|Replaced|Yet|Failed|Refused|Waits|Busy|Evaporated|Cover|Lost|Moved|Denied|Unreachable)"
    r'\(\s*(?:code=)?"([a-z_]+)"'
)
RULE = re.compile(r'(?:Class\.\w+|Verdict\(\w+\.\w+),\s+f?"(?P<rule>[a-z_.{}]+)"')


def test_every_setting_is_there_and_no_other() -> None:
    assert codes(SETTINGS) == {f"LAUNCHPLANE_{name}" for name in KNOWN}


def test_every_field_of_the_report_and_the_inventory_is_there_and_no_other() -> None:
    fields = {
        field.serialization_alias or field.alias or name
        for contract in (Report, InventoryView, ResourceRow)
        for name, field in contract.model_fields.items()
    }
    assert codes(CONTRACTS) - {kind.value for kind in Kind} == fields


def test_every_finding_is_there_and_no_other() -> None:
    assert codes("docs/reference/findings.md") == set(typing.get_args(Finding.model_fields["code"].annotation))


def test_every_finding_of_the_linter_is_there() -> None:
    assert set(typing.get_args(LintCode)) <= codes(COMMANDS)


def test_every_class_and_every_rule_is_there() -> None:
    written = {
        found["rule"].replace("{budget.scope}", "SCOPE")
        for module in (classify, budgets)
        for found in RULE.finditer(inspect.getsource(module))
    }
    assert len(written) > 12
    scopes = {*FIXED_SCOPES, "builder:NODE"}
    assert codes(RULES) == written | {cls.value for cls in Class} | scopes


def test_the_budgets_of_a_new_host_are_the_ones_shown() -> None:
    shown = {row[0].strip("`"): row[2:] for row in cells(RULES) if len(row) == 5}
    del shown["scope"]
    expected = defaults.BUDGETS | {"builder:NODE": defaults.BUILDER_BUDGET}
    assert shown == {
        scope: [size(most), size(reserve), age(least)] for scope, (most, reserve, least) in expected.items()
    }


def size(value: int | None) -> str:
    return f"{value // GB} GB" if value else ""


def age(seconds: int) -> str:
    days = seconds // defaults.DAY
    return f"{days} day{'s' if days > 1 else ''}"


@pytest.mark.parametrize("command", ["hosts", "hygiene", "lanes", "changes", "freeze", "audits"])
def test_every_subcommand_and_option_is_there(command: str) -> None:
    parser = load_command_class(get_commands()[command], command).create_parser("manage.py", command)
    subcommands = next(action for action in parser._actions if getattr(action, "_name_parser_map", None)).choices
    text = text_of(COMMANDS)
    for name, subparser in subcommands.items():  # type: ignore[union-attr]
        assert f"`{command} {name}" in text
        options = {option for action in subparser._actions for option in action.option_strings if len(option) > 2}
        assert [option for option in sorted(options) if option not in text] == []


def test_every_code_of_a_failure_is_there() -> None:
    found = {
        code
        for folder in (
            "launchplane/access",
            "launchplane/changes",
            "launchplane/hosts",
            "hygiene",
            "lanes",
            "audits",
        )
        for path in (PROJECT / folder).rglob("*.py")
        for code in RAISED.findall(path.read_text())
    }
    only_beside_a_report = {"builder_output", "builder_read_failed", "df_running"}
    never_from_outside = {"not_an_image_id", "url_not_supported", "name_moved"}
    assert found - only_beside_a_report - never_from_outside <= codes(COMMANDS)


def test_the_schedule_has_the_jobs_queues_and_times_of_the_code() -> None:
    rows = [row for row in cells(SCHEDULE) if len(row) == 4]
    assert [(row[0], row[2], row[3]) for row in rows[1:]] == [
        (f"`{job.name}`", f"`{job.default_cron}`", "yes" if job.starts_enabled else "no") for job in all_jobs()
    ]
    assert set(QUEUES) <= codes(SCHEDULE)
    assert timedelta(minutes=3) == SILENT_AFTER


def test_the_limits_of_an_observation_are_those_of_the_code() -> None:
    limits = Limits()
    seconds = [limits.call_seconds, limits.df_seconds, limits.builders_seconds, limits.layers_seconds]
    shown = [row[1] for row in cells(SCHEDULE) if len(row) == 2 and re.fullmatch(r"\d+ (s|MiB)", row[1])]
    machine = f"{MACHINE_TIME.total_seconds():g} s"
    assert shown == [*(f"{value:g} s" for value in seconds), machine, f"{limits.answer_bytes // 2**20} MiB"]


def test_snapshots_are_thinned_as_shown() -> None:
    assert [(old.days, apart.total_seconds() / 3600) for old, apart in THINNING] == [
        (2, 1),
        (14, 6),
        (60, 24),
        (730, 168),
    ]
    assert [row[1] for row in cells(SCHEDULE) if row[0].startswith(("up to", "older"))] == [
        "all",
        "one an hour",
        "one in 6 hours",
        "one a day",
        "one a week",
    ]


def test_every_address_is_there() -> None:
    text = text_of(HTTP)
    addresses = {str(pattern.pattern) for pattern in urlpatterns if isinstance(pattern, URLPattern)}
    pages = {re.sub(r"<\w+:(\w+)>", r"{\1}", address).replace("{pk}", "{id}") for address in addresses}
    # they lead to the one door for passwords, and nowhere
    pages -= {"admin/login/", "admin/r/{rest}"}
    missing = [page for page in sorted(pages) if f"/{page}" not in text]
    assert missing == []


def test_the_range_of_the_api_is_the_one_shown() -> None:
    oldest, newest = (".".join(map(str, version)) for version in (API_OLDEST, API_NEWEST))
    assert f"outside of {oldest} to {newest}" in text_of(COMMANDS)
    assert f"API {oldest} (Docker 20.10) to {newest}" in text_of("README.md")


def test_every_folder_of_the_code_is_there() -> None:
    packages = {f"launchplane/{path.parent.name}/" for path in (PROJECT / "launchplane").glob("*/__init__.py")}
    assert packages | {"launchplane/", "hygiene/"} <= codes(FOLDERS)


def test_the_unit_starts_what_the_script_starts() -> None:
    unit = next(block.text for block in blocks("ini"))
    arguments = next(line for line in unit.splitlines() if line.startswith("ExecStart=")).split()[1:]
    script = text_of("script/server").splitlines()[-1]
    assert script.split()[-2:] == arguments
    assert {"KillMode=mixed", "Environment=LAUNCHPLANE_SANDBOX=never"} <= set(unit.splitlines())
    assert {program.name for program in programs()} == {"web", *QUEUES}


@pytest.mark.req("H66")
def test_the_documents_say_when_hygiene_and_when_a_repository_cleans_up() -> None:
    text = text_of("docs/explanation/scope.md")
    assert "## When hygiene, when the repository's own clean-up" in text
    assert {row[1].partition(",")[0] for row in cells("docs/explanation/scope.md")} >= {"the repository", "hygiene"}


@pytest.mark.req("D19")
def test_the_documents_say_why_removing_at_commit_time_is_not_enough() -> None:
    text = text_of("docs/explanation/superseded-images.md")
    assert "## Why not remove the old one on the spot" in text
    assert "Old and new image have the same name" in text
