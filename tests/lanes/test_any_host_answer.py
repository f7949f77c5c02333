"""Whatever a host tells of a lane, a look at it ends: each part is what it must be, or was not read with a reason."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from lanes import told
from lanes.baseline import Needs, baseline_of
from lanes.condition import why_not_at_work
from lanes.parts import parts_of
from lanes.told import NotTold
from launchplane.canonical import canonical
from tests.lanes.answering import all_told
from tests.lanes.scenes import seen, wanted
from tests.lanes.test_baseline import as_sent

NEEDS = Needs(("/srv/runners",), 1)
ATOMS = st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.text(max_size=20)
ANYTHING = st.recursive(
    ATOMS, lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=8), inner), max_leaves=8
)
GOOD = all_told()


@st.composite
def answers(draw: st.DrawFn) -> Any:
    """A good answer in which something is anything: a part, or a field of one."""
    facts = {name: dict(part) if isinstance(part, dict) else part for name, part in GOOD.items()}
    part = draw(st.sampled_from(sorted(facts)))
    if isinstance(facts[part], dict) and facts[part] and draw(st.booleans()):
        facts[part][draw(st.sampled_from(sorted(facts[part])))] = draw(ANYTHING)
    else:
        facts[part] = draw(ANYTHING)
    return as_sent(facts)


@given(answers() | ANYTHING.filter(lambda value: isinstance(value, dict)).map(as_sent))
def test_every_part_is_read_or_is_not_and_why_is_said(facts: Any) -> None:
    desired, parts = wanted(), parts_of(wanted(), seen())
    readers = (
        lambda: told.directory(desired, facts),
        lambda: told.service(facts),
        lambda: baseline_of(desired, facts, needs=NEEDS, parts=parts, service=seen().service),
    )
    for read in readers:
        try:
            assert canonical(read())
        except NotTold as problem:
            assert str(problem)
    why = why_not_at_work(facts, parts)
    assert why.condition == "none" or why.cause


@given(answers())
def test_no_answer_makes_a_lane_that_is_at_work_look_like_nothing(facts: Any) -> None:
    """A part that was spoilt says "gone" only if the host itself said so in as many words."""
    for name, read in (
        ("directory", lambda: told.directory(wanted(), facts)),
        ("service", lambda: told.service(facts)),
    ):
        try:
            part = read()
        except NotTold:
            continue
        assert part.exists is facts[name]["exists"]
