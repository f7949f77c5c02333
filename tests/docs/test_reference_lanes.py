"""The reference of lanes has every code, word and verb that the code has, and no other."""

import typing
from datetime import timedelta

from lanes import gates
from lanes.acts import package, waiting
from lanes.baseline import BUILD, MIGHTY, OLDEST
from lanes.contracts import Action, Condition, Desired, Shape
from lanes.kinds import PREFIX
from lanes.management.showing import LaneLook
from lanes.plan.assemble import TITLES
from lanes.plan.codes import NEXT_STEPS
from lanes.plan.verbs import WAYS
from lanes.proofs import removal_proofs
from lanes.readiness import PROOFS
from onhost import registration, systemd
from tests.docs.reading import rows_of, text_of
from tests.lanes.scenes import seen_nothing, wanted
from tests.lanes.test_baseline import judged

LANES = "docs/reference/lanes.md"


def rows(heading: str) -> list[list[str]]:
    """The rows of the one table under a heading, without its titles."""
    section = text_of(LANES).split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return [row for row in rows_of(section) if "`" in row[0]]


def first(heading: str) -> list[str]:
    return [row[0].strip("`") for row in rows(heading)]


def test_every_blocker_is_there_with_what_to_do() -> None:
    shown = {row[0].strip("`"): row[1] for row in rows("What blocks a plan")}
    assert shown == {str(code): step for code, step in NEXT_STEPS.items()}


def test_every_shape_and_every_condition_is_there() -> None:
    assert first("Shapes") == list(typing.get_args(Shape))
    assert first("Conditions") == list(typing.get_args(Condition))


def test_every_kind_of_change_is_there_with_its_title() -> None:
    shown = [(row[0].strip("`"), row[1]) for row in rows("Kinds of change")]
    assert shown == [(f"{PREFIX}{action}", title) for action, title in TITLES.items()]
    assert set(TITLES) == set(typing.get_args(Action))


def test_every_verb_is_there_with_its_call_and_as_whom() -> None:
    shown = {row[0].strip("`"): (row[1].strip("`"), row[2]) for row in rows("Steps")}
    assert shown == {str(verb): (way.call, way.user) for verb, way in WAYS.items()}


def test_every_gate_and_every_proof_is_there() -> None:
    assert first("Gates") == [*gates.ALL, gates.NOT_BUSY]
    assert timedelta(minutes=5) == gates.FRESH
    removal = [proof.name for proof in removal_proofs(wanted(), seen_nothing())]
    assert first("Proofs") == [*PROOFS, *removal]


def test_the_times_of_a_change_are_those_of_the_code() -> None:
    section = text_of(LANES).split("\n## Times of a change\n")[1].split("\n## ")[0]
    patiences = [waiting.ONLINE, waiting.OFFLINE, waiting.LISTED]
    expected = [*(patience.seconds for patience in patiences), registration.SECONDS, systemd.STOP_SECONDS]
    assert [int(row[1]) for row in rows_of(section) if row[1].isdigit()] == [*expected, package.DOWNLOAD_SECONDS]


def test_every_check_of_the_baseline_is_there_with_its_bound() -> None:
    shown = {row[0].strip("`"): row[1] for row in rows("Baseline")}
    assert list(shown) == list(judged(labels=("docker",)).checks)
    for tool, oldest in OLDEST.items():
        assert ".".join(map(str, oldest)) in shown[tool]
    assert all(f"`{group}`" in shown["service_user"] for group in MIGHTY)
    assert all(f"`{label}`" in text_of(LANES) for label in BUILD)


def test_every_field_of_a_record_and_of_a_look_is_there() -> None:
    text = text_of(LANES)
    named = {"host_name": "host", "lane_name": "name", "systemd_unit_name": "launchplane-runner@<lane>.service"}
    assert [field for field in Desired.model_fields if f"`{named.get(field, field)}`" not in text] == []
    commands = text_of("docs/reference/commands.md")
    assert [field for field in LaneLook.model_fields if f"`{field}`" not in commands] == []


def test_the_proofs_of_readiness_are_named() -> None:
    assert [proof for proof in PROOFS if f"`{proof}`" not in text_of("docs/reference/http.md")] == []
