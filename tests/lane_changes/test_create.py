"""A lane that is not there yet: registered, supervised and proven, in M60's order."""

import pytest

from launchplane.changes.models import Change
from tests.lane_changes import ways
from tests.lane_changes.place import UNIT, Place
from tests.lane_changes.ways import People
from tests.lanes.scenes import LABELS

CREATE = "lane.create"


@pytest.mark.req("M60", "M61", "M63", "L4")
def test_a_lane_is_created_with_every_proof(place: Place, people: People) -> None:
    change = ways.applied(CREATE, place, people)
    assert change.status == Change.Status.COMPLETED, change.sentence
    assert set(ways.outcomes(change).values()) == {"done"}
    runner = place.runner()
    place.lane.refresh_from_db()
    assert place.lane.agent_id == runner.id
    assert {*runner.labels, "self-hosted"} == set(LABELS)
    assert place.orders() == ["daemon-reload", f"enable {UNIT}", f"reset-failed {UNIT}", f"start {UNIT}"]
