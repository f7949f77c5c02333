"""Layer facts: asked for once for each image id, and kept, since ids are immutable."""

from collections.abc import Iterable

from hygiene.models import ImageLayers
from hygiene.parse.values import amount
from hygiene.reclaim import Layers
from launchplane.hosts.engine import Engine, Progress

BATCH = 500


def known_layers(image_ids: Iterable[str]) -> dict[str, Layers]:
    """What is kept of these images."""
    wanted = set(image_ids)
    rows = ImageLayers.objects.values_list("image_id", "layers", "sizes")
    # a filter by thousands of ids is slower than reading the table, and SQLite bounds its length
    found = rows.filter(image_id__in=wanted) if len(wanted) <= BATCH else rows
    return {image: Layers(tuple(layers), tuple(sizes)) for image, layers, sizes in found.iterator() if image in wanted}


def learn_layers(engine: Engine, image_ids: Iterable[str], *, progress: Progress) -> dict[str, Layers]:
    """The layers of these images: those that are kept, and the rest asked for and kept from now on.

    An image that is gone by now, or whose answer cannot be read, is not in the result.
    """
    ids = list(image_ids)
    known = known_layers(ids)
    missing = [image for image in ids if image not in known]
    if not missing:
        return known
    answers = engine.image_layers(missing, progress=progress)
    learnt = {image: layers for image, answer in answers.items() if (layers := _layers(answer.value)) is not None}
    ImageLayers.objects.bulk_create(
        [ImageLayers(image_id=image, layers=layers.layers, sizes=layers.sizes) for image, layers in learnt.items()],
        batch_size=BATCH,
        ignore_conflicts=True,
    )
    return known | learnt


def _layers(value: object) -> Layers | None:
    """Layers out of an answer; None unless every part of it is usable."""
    if not isinstance(value, dict):
        return None
    layers, sizes = value.get("layers"), value.get("sizes")
    if not isinstance(layers, list) or not isinstance(sizes, list):
        return None
    if not all(isinstance(layer, str) for layer in layers) or any(amount(size) is None for size in sizes):
        return None
    return Layers(tuple(layers), tuple(sizes))
