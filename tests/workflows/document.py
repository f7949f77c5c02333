"""The workflow files for users, as GitHub reads them."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parents[2] / ".github" / "workflows"
LANE_DRY_RUN, HYGIENE_REPORT = "lane-dry-run.yml", "runner-host-hygiene-report.yml"


@dataclass(frozen=True)
class Workflow:
    """A file: its text, and what it says."""

    name: str
    text: str
    said: dict[str, Any]

    @property
    def triggers(self) -> dict[str, Any]:
        """What starts it. `on` is a boolean to a reader of YAML 1.1, and a word to GitHub."""
        found: dict[str, Any] = self.said[True]  # type: ignore[index]
        return found

    @property
    def inputs(self) -> dict[str, dict[str, Any]]:
        """What a person is asked when it is started by hand."""
        told: dict[str, Any] = self.triggers["workflow_dispatch"] or {}
        return dict(told.get("inputs", {}))

    @property
    def job(self) -> dict[str, Any]:
        """Its one job."""
        (job,) = self.said["jobs"].values()
        return dict(job)

    @property
    def steps(self) -> list[dict[str, Any]]:
        return list(self.job["steps"])

    @property
    def shells(self) -> Iterator[tuple[str, str]]:
        """The steps that run a shell: name and script."""
        return ((step["name"], step["run"]) for step in self.steps if "run" in step)


def workflow(name: str) -> Workflow:
    text = (FOLDER / name).read_text()
    return Workflow(name, text, yaml.safe_load(text))


def workflows() -> list[str]:
    """The name of each file there is."""
    return sorted(path.name for path in FOLDER.iterdir())
