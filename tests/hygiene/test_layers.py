"""Layer facts are kept while somebody wants them, and for a while after."""

from datetime import timedelta

import pytest
from django.utils import timezone

from hygiene.layers import keep_layers, learn_layers
from hygiene.models import ImageLayers
from hygiene.reclaim import Layers
from launchplane.hosts.local_engine import LocalEngine
from launchplane.hosts.models import Host
from tests.factories import a_host, digest

pytestmark = pytest.mark.django_db
SILENT = LocalEngine("unix:///nowhere/docker.sock")
OLD, OLDER = "old", "older"


@pytest.fixture
def host() -> Host:
    """Its layers of two images were last wanted 60 and 100 days ago."""
    host = a_host()
    keep_layers(host, {name: Layers((digest(name),), (5,)) for name in (OLD, OLDER)})
    for name, days in ((OLD, 60), (OLDER, 100)):
        ImageLayers.objects.filter(image_id=name).update(wanted_at=timezone.now() - timedelta(days=days))
    return host


def look(host: Host, *images: str) -> set[str]:
    """One pass that sees these images, whose layers are all known. Returns of which they are kept."""
    learn_layers(host, SILENT, images, progress=lambda _words: None)
    return set(ImageLayers.objects.filter(host=host).values_list("image_id", flat=True))


def test_layers_that_nobody_wanted_in_a_long_time_are_dropped(host: Host) -> None:
    assert look(host) == {OLD}


def test_layers_of_an_image_that_is_still_there_stay_whatever_their_age(host: Host) -> None:
    assert look(host, OLD, OLDER) == {OLD, OLDER}
    assert look(host) == {OLD, OLDER}


def test_layers_of_another_host_are_left_alone(host: Host) -> None:
    look(a_host("other"))
    assert ImageLayers.objects.filter(host=host).count() == 2


def test_what_is_wanted_all_the_time_is_not_noted_all_the_time(host: Host) -> None:
    look(host, OLD, OLDER)
    noted = list(ImageLayers.objects.values_list("wanted_at", flat=True))
    look(host, OLD, OLDER)
    assert list(ImageLayers.objects.values_list("wanted_at", flat=True)) == noted
