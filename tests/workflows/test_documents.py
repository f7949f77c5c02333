"""The how-tos say of each workflow file what has to be set for it, here and at GitHub."""

import re

import pytest

from launchplane.access.actions import Action
from tests.docs.reading import cells, text_of
from tests.workflows import test_hygiene_report_live, test_lane_dry_run_live
from tests.workflows.document import HYGIENE_REPORT, LANE_DRY_RUN, Workflow, workflow

FILES = {
    "docs/how-to/plan-a-lane-from-github.md": (LANE_DRY_RUN, test_lane_dry_run_live.NEEDED),
    "docs/how-to/hand-in-evidence-from-github.md": (HYGIENE_REPORT, test_hygiene_report_live.NEEDED),
}
HOW_TOS = [(how_to, workflow(name), needed) for how_to, (name, needed) in FILES.items()]


@pytest.mark.parametrize(("how_to", "file", "needed"), HOW_TOS, ids=list(FILES))
def test_the_row_that_is_shown_is_the_one_that_the_file_needs(
    how_to: str, file: Workflow, needed: tuple[Action, ...]
) -> None:
    shown = {row[0]: set(re.findall(r"`([^`]+)`", row[1])) for row in cells(how_to) if len(row) == 2}
    assert shown["actions"] == set(needed)
    assert shown["events"] == set(file.triggers)
    assert shown["workflow"] == {f"OWNER/REPOSITORY/.github/workflows/{file.name}@refs/heads/main"}


@pytest.mark.parametrize(("how_to", "file", "needed"), HOW_TOS, ids=list(FILES))
def test_every_variable_and_every_input_is_there(how_to: str, file: Workflow, needed: tuple[Action, ...]) -> None:
    text = text_of(how_to)
    named = {*re.findall(r"\bvars\.(\w+)", file.text), *file.inputs}
    assert "LAUNCHPLANE_URL" in named
    assert [name for name in sorted(named) if f"`{name}`" not in text] == []


@pytest.mark.parametrize(("how_to", "file", "needed"), HOW_TOS, ids=list(FILES))
def test_the_file_leads_to_its_how_to(how_to: str, file: Workflow, needed: tuple[Action, ...]) -> None:
    assert how_to in file.text
    assert f"`.github/workflows/{file.name}`" in text_of(how_to)
