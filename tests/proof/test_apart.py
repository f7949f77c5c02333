"""The warm proof stands apart: nothing that is planned, scheduled or served knows it, and it can only add."""

import ast
from pathlib import Path

import pytest

import hygiene.proof
from tests.hygiene_changes.test_never import imports, sources

PROOF = Path(hygiene.proof.__path__[0])


@pytest.mark.req("H25")
def test_nothing_that_runs_by_itself_can_pull() -> None:
    users = {name for name, tree in sources() if any(module.startswith("hygiene.proof") for module in imports(tree))}

    assert {name for name in users if not name.startswith("hygiene/proof/")} == set()


@pytest.mark.req("H30")
def test_it_asks_the_engines_client_for_nothing_but_two_questions_and_a_pull() -> None:
    asked = {
        node.attr
        for path in PROOF.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Attribute) and node.value.attr == "_client"
    }

    assert asked == {"inspect_image", "images", "pull"}
