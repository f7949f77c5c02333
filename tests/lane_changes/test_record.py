"""Which runner is ours goes on the record that it was registered for, and on no other."""

import pytest
from pytest_django import Settings

from lanes.acts.at_hand import LaneAtHand
from lanes.models import Lane
from launchplane.problems import Refused
from tests.lanes.asking import TOKEN
from tests.lanes.records import a_lane, a_lane_host

pytestmark = pytest.mark.django_db


@pytest.mark.req("X11")
@pytest.mark.parametrize(
    "edit", [{"scope": "somebody/else"}, {"registration_root": "/opt/runners"}, {"service_user": "lane-other"}], ids=str
)
def test_a_record_that_was_edited_meanwhile_does_not_get_the_id_of_another_place(
    settings: Settings, edit: dict[str, str]
) -> None:
    settings.GITHUB_TOKEN = TOKEN
    lane = a_lane(a_lane_host(), agent_id=None)
    at = LaneAtHand(Lane.objects.select_related("host").get(pk=lane.pk))
    Lane.objects.filter(pk=lane.pk).update(**edit)
    with pytest.raises(Refused, match="changed meanwhile"):
        at.record_agent(7)
    assert Lane.objects.get(pk=lane.pk).agent_id is None


def test_the_record_as_it_was_gets_it(settings: Settings) -> None:
    settings.GITHUB_TOKEN = TOKEN
    lane = a_lane(a_lane_host(), agent_id=None)
    at = LaneAtHand(Lane.objects.select_related("host").get(pk=lane.pk))
    at.record_agent(7)
    assert (Lane.objects.get(pk=lane.pk).agent_id, at.desired.agent_id) == (7, 7)
