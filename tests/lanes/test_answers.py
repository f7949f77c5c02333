"""What each situation that can be believed leads to, said by hand: for a plan, a restart and a removal."""

from typing import get_args

import pytest

from lanes.parts import parts_of
from lanes.plan.scene import Operation
from lanes.plan.verbs import WAYS
from lanes.shapes import SHAPES, shape_of
from launchplane.changes.contracts import Plan
from tests.lanes.scenes import (
    ANOTHERS,
    EMPTY_DIRECTORY,
    NO_DIRECTORY,
    NO_SERVICE,
    STOPPED,
    a_directory,
    a_listing,
    a_runner,
    a_service,
    planned,
    seen,
    wanted,
)

GITHUB = {
    "none": a_listing(),
    "ours": a_listing(a_runner()),
    "offline": a_listing(a_runner(online=False)),
    "another's": a_listing(a_runner(id=ANOTHERS, online=False)),
}
FOLDERS = {"none": a_directory(**NO_DIRECTORY), "empty": a_directory(**EMPTY_DIRECTORY), "ours": a_directory()}
UNITS = {"none": a_service(**NO_SERVICE), "active": a_service(), "stopped": a_service(**STOPPED)}

MAKE = "fetch ask-token configure install-unit daemon-reload enable-now"
TAKE = "stop disable remove-unit daemon-reload"
UNREGISTER = "ask-remove-token unconfigure"
NOT_SUPERVISED = "! not_supervised"
ALONE = "! runs_unsupervised"
FOREIGN = "! unmanaged_runner"
# by GitHub, directory and unit: the shape, and what follows from plan, restart and remove; "!" is before blockers
ANSWERS = [
    ("none", "none", "none", "absent", f"create {MAKE}", NOT_SUPERVISED, "remove"),
    ("none", "empty", "none", "absent", f"create {MAKE}", NOT_SUPERVISED, "remove"),
    *[
        ("none", folder, unit, "local_service_only", f"reconcile stop {MAKE}", NOT_SUPERVISED, f"remove {TAKE}")
        for folder in ("none", "empty")
        for unit in ("active", "stopped")
    ],
    (
        "none",
        "ours",
        "none",
        "local_service_only",
        f"reconcile unconfigure-here {MAKE}",
        NOT_SUPERVISED,
        "remove unconfigure-here",
    ),
    *[
        (
            "none",
            "ours",
            unit,
            "local_service_only",
            f"reconcile stop unconfigure-here {MAKE}",
            NOT_SUPERVISED,
            f"remove {TAKE} unconfigure-here",
        )
        for unit in ("active", "stopped")
    ],
    *[
        (
            "ours",
            folder,
            "none",
            "github_only",
            f"{ALONE} work_unknown",
            f"{ALONE} not_supervised work_unknown",
            f"{ALONE} work_unknown",
        )
        for folder in ("none", "empty")
    ],
    ("ours", "ours", "none", "github_only", ALONE, f"{ALONE} not_supervised work_unknown", f"{ALONE} work_unknown"),
    *[
        (
            "offline",
            folder,
            "none",
            "github_only",
            f"reconcile remove-registration {MAKE}",
            NOT_SUPERVISED,
            "remove remove-registration",
        )
        for folder in ("none", "empty")
    ],
    (
        "offline",
        "ours",
        "none",
        "github_only",
        "adopt install-unit daemon-reload enable-now",
        NOT_SUPERVISED,
        f"remove {UNREGISTER}",
    ),
    ("ours", "ours", "active", "supervised_active", "reconcile", "restart restart", f"remove {TAKE} {UNREGISTER}"),
    (
        "offline",
        "ours",
        "active",
        "supervised_active",
        "reconcile restart",
        "restart restart",
        f"remove {TAKE} {UNREGISTER}",
    ),
    (
        "ours",
        "ours",
        "stopped",
        "supervised_inactive",
        ALONE,
        f"{ALONE} work_unknown",
        f"{ALONE} work_unknown",
    ),
    (
        "offline",
        "ours",
        "stopped",
        "supervised_inactive",
        "reconcile enable-now",
        "restart restart",
        f"remove {TAKE} {UNREGISTER}",
    ),
    *[
        (
            "another's",
            folder,
            "none",
            "github_only",
            FOREIGN,
            f"{FOREIGN} not_supervised work_unknown",
            f"{FOREIGN} work_unknown",
        )
        for folder in ("none", "empty")
    ],
    ("another's", "ours", "none", "unknown_conflict", FOREIGN, FOREIGN, FOREIGN),
    *[
        ("another's", folder, unit, "unknown_conflict", FOREIGN, FOREIGN, FOREIGN)
        for folder in FOLDERS
        for unit in ("active", "stopped")
    ],
    *[
        ("offline", folder, unit, "unknown_conflict", *["! unknown_conflict"] * 3)
        for folder in ("none", "empty")
        for unit in ("active", "stopped")
    ],
]


def answer(plan: Plan) -> str:
    if plan.blockers:
        return " ".join(["!", *dict.fromkeys(blocker.code for blocker in plan.blockers)])
    return " ".join([plan.kind.removeprefix("lane."), *(step.verb for step in plan.steps)])


@pytest.mark.req("M16")
@pytest.mark.req("M17")
@pytest.mark.parametrize(("github", "folder", "unit", "shape", "plan", "restart", "remove"), ANSWERS)
def test_it_follows(github: str, folder: str, unit: str, shape: str, plan: str, restart: str, remove: str) -> None:
    observed = seen(listing=GITHUB[github], directory=FOLDERS[folder], service=UNITS[unit])
    operations: tuple[Operation, ...] = get_args(Operation)
    assert shape_of(wanted(), observed) == shape
    assert [answer(planned(wanted(), observed, operation=asked)) for asked in operations] == [plan, restart, remove]


def test_no_situation_that_can_be_believed_is_left_out() -> None:
    situations = set()
    for github, folder, unit, *_ in ANSWERS:
        observed = seen(listing=GITHUB[github], directory=FOLDERS[folder], service=UNITS[unit])
        parts = parts_of(wanted(), observed)
        situations.add((parts.registration, parts.folder, parts.unit))
    assert situations == set(SHAPES)
    assert len(SHAPES) == 27


def test_every_verb_has_its_way() -> None:
    told = {word for line in ANSWERS for text in line[4:] if not text.startswith("!") for word in text.split()[1:]}
    assert set(WAYS) - told == {"set-labels"}
