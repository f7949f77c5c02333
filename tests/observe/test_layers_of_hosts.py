"""What one host says of an image id decides nothing for another host, which may lie."""

import pytest

from hygiene.layers import keep_layers, known_layers
from hygiene.reclaim import Layers
from tests.factories import a_host, digest

pytestmark = pytest.mark.django_db

IMAGE = digest("image")


def test_the_layers_of_an_image_are_those_that_its_own_host_told() -> None:
    honest, liar = a_host("honest"), a_host("liar")
    told, made_up = Layers((digest("base"),), (5,)), Layers((digest("other"),), (10**9,))

    keep_layers(liar, {IMAGE: made_up})
    keep_layers(honest, {IMAGE: told})

    assert known_layers(honest, [IMAGE]) == {IMAGE: told}
    assert known_layers(liar, [IMAGE]) == {IMAGE: made_up}
