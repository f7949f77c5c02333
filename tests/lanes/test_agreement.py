"""What a plan may name, GitHub's door and the programs on a host accept; what it calls, they have."""

from collections.abc import Callable

import pytest
from hypothesis import given

from lanes import names
from lanes.github.scopes import Scope
from lanes.github.scopes import label as github_label
from lanes.plan.verbs import WAYS
from onhost import names as onhost
from onhost import runner, unit
from tests.lanes.likely import LIKELY

AGREE: list[tuple[Callable[[str], bool], Callable[[str], bool]]] = [
    (names.is_lane_name, onhost.is_slug),
    (names.is_service_user, onhost.is_user),
    (names.is_label, onhost.is_label),
    (names.is_label, lambda text: github_label(text) == text),
    (names.is_scope, onhost.is_scope),
    (names.is_scope, lambda text: str(Scope.parse(text)) == text),
    (names.is_plain_path, onhost.is_path),
]


@pytest.mark.req("M31")
@given(LIKELY)
def test_a_name_that_is_planned_with_is_accepted_wherever_it_comes(text: str) -> None:
    assert [after for before, after in AGREE if before(text) and not after(text)] == []


@pytest.mark.req("M51")
def test_the_calls_of_the_root_helper_are_those_that_it_has() -> None:
    called = {way.call.split()[1] for way in WAYS.values() if way.call.startswith("launchplane-unit ")}
    assert called == set(unit.VERBS)


@pytest.mark.req("M52")
def test_the_calls_of_a_lanes_own_program_are_those_that_it_has() -> None:
    called = {way.call.split()[1] for way in WAYS.values() if way.call.startswith("launchplane-runner ")}
    assert called == set(runner.VERBS) - {"observe"}
