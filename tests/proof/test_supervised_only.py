"""Nothing but systemd ever starts a runner (M2): read off every source file, and off the unit that is written.

Whoever adds a way to start a program, or names `run.sh` or the listener, has to enter it here, and is asked why.
"""

import ast
import re
from collections.abc import Iterator
from configparser import ConfigParser
from pathlib import Path

import pytest

from lanes.names import unit_name
from onhost import service
from onhost.config import Lane

PROJECT = Path(__file__).parents[2]
PRODUCT = ("audits", "hygiene", "lanes", "launchplane", "onhost", "script", "templates", "docs", ".ci", "manage.py")
LANE = Lane("cm-website", "lane-cm", "/srv/runners", "/srv/runners/homes/lane-cm", "acme/website")

# a process that outlives who started it, or is known by a number in a file
LOOSE = re.compile(
    r"\bnohup\b|\bsetsid\b|\bdisown\b|start-stop-daemon|daemonize|\bpython-daemon\b|systemd-run|svc\.sh"
    r"|run\.sh[\"']?\s*(?:&|\|)|Runner\.Listener\s+run\b|\bPIDFile\b|\bos\.fork\b|\bdouble.?fork\b"
)
RUNS_ALONE = {
    "docs/requirements.md": {"nohup"},  # the requirement's own words
    "hygiene/lint/rules/passed.py": {"nohup", "setsid", "systemd-run"},  # read in the scripts of others
}
# who names run.sh at all, and what for: one starts it, by systemd; the others look at it
NAMES_IT = {
    "onhost/service.py": "ExecStart={directory}/run.sh",
    "onhost/package.py": 'LAST = "run.sh"',
    "onhost/unit.py": 'require_file(directory, "run.sh"',
    "onhost/systemd.py": "path={lane.directory}/run.sh ;",  # what a unit that is not loaded yet would start
    "lanes/parts.py": 'service.exec_start != f"{desired.directory}/run.sh"',
    "launchplane/api/answers/get_lanes_by_name.200.json": '"exec_start": "/srv/runners/website/run.sh"',  # an example
    "lanes/plan/verbs.py": "GitHub's runner brings config.sh and run.sh.",
}
# who starts processes, and which: no runner among them
STARTS = {
    "launchplane/hosts/command.py",  # the one command runner; it waits for the end
    "launchplane/hosts/install/there.py",  # useradd and visudo, while a host is installed
    "launchplane/hosts/opened.py",  # ssh, or dispatch, while a host is held
    "launchplane/sandbox/dockerd.py",  # the sandbox's own engine
    "launchplane/server/packages.py",  # apt-get
    "launchplane/server/supervisor.py",  # the web server and the workers
    "launchplane/server/start.py",
    "onhost/child.py",  # config.sh, whose whole process group is killed at its end
    "onhost/relay.py",  # sudo, for one of the programs
    "onhost/systemd.py",  # systemctl
}
STARTERS = {"Popen", "run", "call", "check_call", "check_output", "posix_spawn", "posix_spawnp", "system", "popen"}
BEGINNINGS = ("exec", "spawn", "fork", "create_subprocess")
MODULES = {"subprocess", "os", "pty", "asyncio", "multiprocessing"}


def texts() -> Iterator[tuple[str, str]]:
    """Every file of the product that holds words, by its place."""
    for top in PRODUCT:
        place = PROJECT / top
        for path in [place] if place.is_file() else sorted(place.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts and path.suffix not in (".pyc", ".png", ".woff2"):
                yield path.relative_to(PROJECT).as_posix(), path.read_text(encoding="utf-8", errors="replace")


def starts(source: str) -> bool:
    """Whether a module itself starts processes: by a function of the library that does."""
    nodes = list(ast.walk(ast.parse(source)))
    imported = {
        alias.name
        for node in nodes
        if isinstance(node, ast.ImportFrom) and node.module in MODULES
        for alias in node.names
    }
    used = {
        node.attr
        for node in nodes
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in MODULES
    }
    return any(name in STARTERS or name.startswith(BEGINNINGS) for name in imported | used)


def settings() -> ConfigParser:
    """The unit as systemd reads it, in which a name may be there several times: those are kept as lines."""
    parser = ConfigParser(strict=False, interpolation=None, delimiters=("=",), comment_prefixes=("#",))
    parser.optionxform = str  # type: ignore[method-assign,assignment]
    parser.read_string(service.render(LANE))
    return parser


@pytest.mark.req("M2")
def test_no_line_starts_something_that_outlives_it() -> None:
    found = {
        place: words - RUNS_ALONE.get(place, set())
        for place, text in texts()
        if (words := {match.group() for match in LOOSE.finditer(text)})
    }
    assert {place: words for place, words in found.items() if words} == {}


@pytest.mark.req("M2")
def test_run_sh_is_named_where_it_is_looked_at_and_in_one_unit() -> None:
    code = {place: text for place, text in texts() if not place.startswith("docs/") and "run.sh" in _code(place, text)}
    assert set(code) == set(NAMES_IT)
    for place, words in NAMES_IT.items():
        assert words in code[place]


def _code(place: str, text: str) -> str:
    """A Python module without its comments and docstrings; anything else as it is."""
    return ast.unparse(_without_docstrings(ast.parse(text))) if place.endswith(".py") else text


def _without_docstrings(tree: ast.Module) -> ast.Module:
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    return tree


@pytest.mark.req("M2")
def test_who_can_start_a_process_is_known() -> None:
    found = {place for place, text in texts() if place.endswith(".py") and starts(text)}
    assert found - STARTS == set()


@pytest.mark.req("M2")
@pytest.mark.parametrize(
    "line",
    [
        "subprocess.Popen(['./run.sh'])",
        "from subprocess import Popen",
        "os.execv('./run.sh', [])",
        "os.system('./run.sh &')",
        "os.posix_spawn('a', [], {})",
        "asyncio.create_subprocess_exec('a')",
    ],
)
def test_a_new_way_to_start_a_process_would_be_found(line: str) -> None:
    assert starts(line)


@pytest.mark.parametrize(
    "line", ["nohup ./run.sh", "./run.sh &", '"$dir/run.sh" &', "PIDFile=/run/x", "./svc.sh start"]
)
def test_a_loose_line_would_be_found(line: str) -> None:
    assert LOOSE.search(line)


@pytest.mark.req("M2")
@pytest.mark.req("M49")
def test_the_unit_starts_run_sh_itself_and_nothing_beside_it() -> None:
    service_part = settings()["Service"]
    assert service_part["ExecStart"] == f"{LANE.directory}/run.sh"
    assert [name for name in service_part if name.startswith("Exec")] == ["ExecStart"]
    assert service.render(LANE).count("ExecStart=") == 1


@pytest.mark.req("M2")
def test_the_unit_keeps_hold_of_every_process_that_it_starts() -> None:
    service_part = settings()["Service"]
    assert service_part["Type"] == "exec"  # the main process is the one that was started, known to no file
    assert service_part["KillMode"] == "mixed"
    for name in ("PIDFile", "GuessMainPID", "RemainAfterExit", "Slice", "Delegate", "NotifyAccess", "SendSIGKILL"):
        assert name not in service_part


@pytest.mark.req("M2")
def test_a_lane_has_one_unit_that_boots_with_the_machine() -> None:
    parts = settings()
    assert parts["Install"]["WantedBy"] == "multi-user.target"
    assert unit_name(LANE.name) == LANE.unit
