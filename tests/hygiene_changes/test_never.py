"""What no code path can ask of an engine (H30, P9, P10), read off the source: who may talk, and in which words.

Whoever adds a way to an engine, or a word that prunes, has to enter it here, and is asked why.
"""

import ast
import json
import re
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import audits
import hygiene
import lanes
import launchplane
import onhost
from hygiene.plan.items import VERBS
from launchplane.hosts.errors import HostProblem
from onhost.engine import removals
from onhost.engine.builder_prune import prune_arguments
from onhost.engine.questions import BUILDER_READS
from onhost.engine.removal_checks import prune_parameters
from onhost.engine.removals import PruneBounds, Remover
from onhost.engine.removing import EngineRemover
from tests.engine_things import RECORDED

PRODUCT = [Path(package.__path__[0]) for package in (launchplane, hygiene, lanes, audits, onhost)]
PROJECT = PRODUCT[0].parent

# who can reach an engine at all, and who of them may send anything but a question
REACHES = {"docker", "docker.errors", "docker.transport.unixconn", "hygiene.proof.transport"}
REACHES |= {"onhost.engine.calls", "onhost.engine.unix"}
HERE, ON_A_HOST = "launchplane/hosts", "onhost/engine"
DOORS = {f"{ON_A_HOST}/{module}.py" for module in ("builders", "calls", "removing")}
TALKERS = DOORS | {f"{ON_A_HOST}/{module}.py" for module in ("reading", "removal_uses")}
TALKERS |= {f"{HERE}/{module}.py" for module in ("local_engine", "local_removals")} | {"onhost/docker_call.py"}
# a tool of its own that pulls, and that nothing else knows: tests/proof/test_apart.py
PROOF = {"hygiene/proof/engine.py", "hygiene/proof/transport.py"}
SENDS = {"post", "delete", "put", "patch", "request", "_post", "_delete", "_put", "_call"}

# where the word stands that prunes, and in what
PRUNES = {
    "onhost/engine/removing.py": {"/build/prune", "prune"},
    "onhost/engine/builder_prune.py": {"prune"},
    # sentences of a dry-run
    "onhost/docker_removals.py": {"prune builder ", "prune build cache to "},
}
# the files that ssh-keygen and visudo are asked about
NOT_FORCE = {"launchplane/hosts/ssh.py": {"-f"}, "launchplane/hosts/install/pieces.py": {"-f"}}
# what looks for them on a host, and in files; neither starts a program but by the one runner of commands
READS_PRUNES_OF_OTHERS = ("onhost/machine/", "hygiene/lint/")
# spellings that the linter has to judge: nobody runs them
SPELLINGS = PROJECT / "tests" / "hygiene" / "lint" / "corpus"
PRUNE = re.compile(
    r"(?:^|/|\b(?:docker|buildctl|system|images?|volumes?|container|network|builder|buildx)\s+)prune(?![-\w])"
)
PROGRAMS = {"docker", "dockerd", "buildctl", "buildx", "podman", "nerdctl", "ctr", "crictl"}
BROAD = re.compile(
    r"(system|image|images|volume|volumes|container|network|builder|buildx)\s+(prune|rm\b)|rmi\b|rm\s+-f"
)


def sources() -> Iterator[tuple[str, ast.Module]]:
    """Every module of the product, but for the sandbox, which has an engine of its own to do with as it likes."""
    for package in PRODUCT:
        for path in sorted(package.rglob("*.py")):
            name = str(path.relative_to(package.parent))
            if not name.startswith("launchplane/sandbox/"):
                yield name, ast.parse(path.read_text())


def imports(tree: ast.Module) -> set[str]:
    named = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    whence = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    parts = {
        f"{node.module}.{alias.name}"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    return named | whence | parts


def texts(tree: ast.Module) -> Iterator[str]:
    """Every text in the code, those within formatted ones too; not what only stands there to be read by people."""
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and node.body
        if isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node.value


def starts(tree: ast.Module) -> Iterator[list[str]]:
    """The plain words that each list or tuple begins with: a command, if it is one."""
    for node in ast.walk(tree):
        if isinstance(node, ast.List | ast.Tuple) and node.elts:
            said = (part.value if isinstance(part, ast.Constant) else None for part in node.elts)
            yield [word for word in takewhile(lambda word: isinstance(word, str), said) if isinstance(word, str)]


@pytest.mark.req("H25")
@pytest.mark.req("H30")
def test_only_these_modules_can_reach_an_engine() -> None:
    found = {name for name, tree in sources() if imports(tree) & REACHES}

    assert found == PROOF | TALKERS


@pytest.mark.req("H30")
def test_of_those_only_the_doors_send_anything_but_a_question() -> None:
    found = {
        name
        for name, tree in sources()
        for node in ast.walk(tree)
        if name in TALKERS
        if isinstance(node, ast.Attribute) and node.attr in SENDS
    }

    assert found == DOORS


@pytest.mark.req("H30")
@pytest.mark.req("P10")
def test_the_code_knows_no_prune_but_those_of_build_cache() -> None:
    found: dict[str, set[str]] = {}
    for name, tree in sources():
        if name.startswith(READS_PRUNES_OF_OTHERS):
            continue
        for text in texts(tree):
            if PRUNE.search(text):
                found.setdefault(name, set()).add(text)

    assert found == PRUNES


@pytest.mark.req("H30")
@pytest.mark.req("P9")
def test_no_program_is_run_that_talks_to_an_engine_but_these_inside_of_builders() -> None:
    found = {
        tuple(words[:3])
        for name, tree in sources()
        if not name.startswith(READS_PRUNES_OF_OTHERS)
        for words in starts(tree)
        if words and Path(words[0]).name in PROGRAMS
    }

    reads = {tuple(word for word in argv[:3]) for argv in BUILDER_READS.values()}
    assert found == reads | {("buildctl", "prune", "--help"), ("buildctl", "prune", "--keep-duration")}


@pytest.mark.req("H30")
@pytest.mark.req("D5")
@pytest.mark.req("P9")
def test_nothing_is_done_by_force_and_nothing_to_all() -> None:
    for name, tree in sources():
        if name.startswith(READS_PRUNES_OF_OTHERS):
            continue
        flags = {text for text in texts(tree) if text in ("--all", "--force", "-f", "-a", "--volumes")}
        assert flags == NOT_FORCE.get(name, set()), name
        for node in ast.walk(tree):
            assert not (isinstance(node, ast.keyword) and node.arg == "force"), name
            if isinstance(node, ast.Dict) and name.startswith((HERE, ON_A_HOST)):
                assert not list(unsafe(node)), name


def unsafe(node: ast.Dict) -> Iterator[str]:
    """What a removal must not be sent with; `v` takes a container's volumes along, `all` leaves no build cache."""
    for key, value in zip(node.keys, node.values, strict=True):
        word = key.value if isinstance(key, ast.Constant) else None
        said = value.value if isinstance(value, ast.Constant) else None
        if (word in ("force", "v") and said != "false") or (word == "noprune" and said != "true"):
            yield str(word)
        if word == "all" and said not in ("false", 1):  # 1: a list that has the stopped containers too
            yield "all"


@pytest.mark.req("H30")
def test_no_script_of_the_project_removes_anything_broadly() -> None:
    scripts = [*(PROJECT / "script").iterdir(), *PROJECT.glob("*/**/*.sh"), *(PROJECT / ".ci").glob("*")]
    own = [path for path in scripts if ".venv" not in path.parts and SPELLINGS not in path.parents]
    broad = [f"{path.name}: {line}" for path in own for line in commands(path)]

    assert [line for line in broad if "docker" in line and BROAD.search(line)] == []


def commands(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.is_file() else []


@pytest.mark.req("H30")
@pytest.mark.req("P10")
def test_there_are_five_removals_and_no_other() -> None:
    named = {value for name, value in vars(removals).items() if name.isupper() and isinstance(value, str)}
    methods = {name for name in vars(Remover) if not name.startswith("_")}

    assert set(VERBS.values()) == named == methods
    assert methods == {name for name in vars(EngineRemover) if not name.startswith("_")}
    assert methods == {"remove_image", "remove_container", "remove_volume", "prune_build_cache", "prune_builder"}


BYTES = st.integers(0, 10**13)
bounds = st.builds(PruneBounds, st.integers(0, 10**9), BYTES, st.none() | BYTES)
helps = st.sampled_from(
    [
        (RECORDED / "prune-help.txt").read_text(),
        "   --keep-duration value  Keep\n   --keep-storage value  Keep data below this limit (in MB)\n   --all  all\n",
    ]
)


@pytest.mark.req("P9")
@pytest.mark.req("H29")
@given(bounds=bounds, minor=st.integers(41, 60))
def test_whatever_the_bounds_the_engines_prune_never_takes_all_and_keeps_its_floor(
    bounds: PruneBounds, minor: int
) -> None:
    sent = prune_parameters(bounds, f"1.{minor}")

    floor = sent["reserved-space"] if minor >= 48 else sent["keep-storage"]
    assert sent["all"] == "false"
    assert int(floor) >= bounds.keep_bytes
    assert json.loads(sent["filters"]) == {"until": [f"{bounds.min_age_seconds}s"]}
    assert "min-free-space" not in sent
    assert ("keep-storage" in sent) != ("reserved-space" in sent)


@pytest.mark.req("P9")
@pytest.mark.req("H29")
@given(bounds=bounds, help_text=helps)
def test_whatever_the_bounds_a_builders_prune_never_takes_all_and_keeps_its_floor(
    bounds: PruneBounds, help_text: str
) -> None:
    argv = prune_arguments(bounds, help_text)

    floor = "--keep-storage-min" if "--keep-storage-min" in help_text else "--keep-storage"
    assert argv[:4] == ("buildctl", "prune", "--keep-duration", f"{bounds.min_age_seconds}s")
    assert int(argv[argv.index(floor) + 1]) * 10**6 >= bounds.keep_bytes
    assert {word for word in argv if word.startswith("--")} <= {
        "--keep-duration", "--keep-storage", "--keep-storage-min", "--format",
    }  # fmt: skip


@pytest.mark.parametrize(
    "help_text", ["", "--all", "--keep-duration value", "--keep-storage-min value", "--keep-storage value"]
)
def test_a_builder_that_would_ignore_a_bound_is_refused(help_text: str) -> None:
    with pytest.raises(HostProblem, match="nothing was pruned"):
        prune_arguments(PruneBounds(0, 10**9, None), help_text)
