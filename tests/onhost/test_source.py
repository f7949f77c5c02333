"""The programs as text: nothing but Python 3.9 and its own library, and no way to start a runner."""

import ast
import stat
import sys
from pathlib import Path

import pytest

from onhost import layout

SOURCES = sorted(source for source, _ in layout.files().values())
PROGRAMS = [path for path in SOURCES if path.suffix == ""]
# what came after Python 3.9, and has a name of its own in the modules that are used here
NEWER = {"pidfd_open", "match_args", "slots", "kw_only", "batched", "pairwise", "StrEnum", "hash_file", "file_digest"}


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.name)
def test_it_is_python_3_9(source: Path) -> None:
    tree = ast.parse(source.read_text(), feature_version=(3, 9))
    names = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    names |= {node.arg for node in ast.walk(tree) if isinstance(node, ast.keyword) and node.arg}
    assert not names & NEWER


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.name)
def test_it_imports_only_the_library_and_its_own_package(source: Path) -> None:
    for node in ast.walk(ast.parse(source.read_text())):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [str(node.module)] if isinstance(node, ast.ImportFrom) else []
        assert {name.split(".")[0] for name in names} <= {*sys.stdlib_module_names, "onhost"}


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda path: path.name)
def test_a_program_is_isolated_from_its_environment(program: Path) -> None:
    lines = program.read_text().splitlines()
    assert lines[0] == "#!/usr/bin/python3 -I"
    assert lines.index("sys.dont_write_bytecode = True") < lines.index(
        'sys.path.insert(0, "/usr/local/lib/launchplane")'
    )
    assert program.stat().st_mode & stat.S_IXUSR


@pytest.mark.req("M2")
def test_only_the_unit_names_run_sh_as_something_to_start() -> None:
    for source in SOURCES:
        text = source.read_text()
        assert "nohup" not in text
        assert "run.sh &" not in text
        assert ("ExecStart={directory}/run.sh" in text) == (source.name == "service.py")
    starts = [path.name for path in SOURCES if "subprocess." in path.read_text()]
    assert starts == ["child.py", "relay.py", "systemd.py"]
