"""Layer facts: asked for once for each image id, and kept, since ids are immutable."""

import re
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta

from django.utils import timezone

from hygiene.models import ImageLayers
from hygiene.parse.values import amount
from hygiene.reclaim import Layers
from launchplane.hosts.engine import Engine, Progress
from launchplane.hosts.models import Host

BATCH = 500
NOTED_EVERY = timedelta(days=30)
KEPT_FOR = timedelta(days=90)  # after nobody wants them; long enough for every snapshot that a budget is tried on
DIGEST = re.compile(r"[a-z0-9]+:[0-9a-f]{32,128}")  # OCI image spec, "Digests"


def known_layers(host: Host, image_ids: Iterable[str]) -> dict[str, Layers]:
    """What is kept of these images of `host`."""
    wanted = set(image_ids)
    rows = ImageLayers.objects.filter(host=host).values_list("image_id", "layers", "sizes")
    # a filter by thousands of ids is slower than reading the table, and SQLite bounds its length
    found = rows.filter(image_id__in=wanted) if len(wanted) <= BATCH else rows
    return {
        image: Layers(tuple(layers.split()), tuple(map(int, sizes.split())))
        for image, layers, sizes in found.iterator()
        if image in wanted
    }


def learn_layers(host: Host, engine: Engine, image_ids: Iterable[str], *, progress: Progress) -> dict[str, Layers]:
    """The layers of these images: those that are kept, and the rest asked for and kept from now on.

    An image that is gone by now, or whose answer cannot be read, is not in the result.
    """
    ids = list(image_ids)
    known = known_layers(host, ids)
    _forget(host, known, now=timezone.now())
    missing = [image for image in ids if image not in known]
    if not missing:
        return known
    answers = engine.image_layers(missing, progress=progress)
    learnt = {image: layers for image, answer in answers.items() if (layers := _layers(answer.value)) is not None}
    keep_layers(host, learnt)
    return known | learnt


def keep_layers(host: Host, learnt: Mapping[str, Layers]) -> None:
    """Keep the layers of images of `host`, by id; what is kept already stays."""
    now = timezone.now()
    rows = [
        ImageLayers(
            host=host,
            image_id=image,
            layers=" ".join(found.layers),
            sizes=" ".join(map(str, found.sizes)),
            wanted_at=now,
        )
        for image, found in learnt.items()
    ]
    ImageLayers.objects.bulk_create(rows, batch_size=BATCH, ignore_conflicts=True)


def _forget(host: Host, wanted: Collection[str], *, now: datetime) -> None:
    """Note what is wanted still, once in a while, and drop what has not been in a long time."""
    rows = ImageLayers.objects.filter(host=host)
    aged = list(rows.filter(wanted_at__lt=now - NOTED_EVERY).values_list("pk", "image_id"))
    still = [pk for pk, image in aged if image in wanted]
    for start in range(0, len(still), BATCH):
        rows.filter(pk__in=still[start : start + BATCH]).update(wanted_at=now)
    rows.filter(wanted_at__lt=now - KEPT_FOR).delete()


def _layers(value: object) -> Layers | None:
    """Layers out of an answer; None unless every part of it is usable."""
    if not isinstance(value, dict):
        return None
    layers, sizes = value.get("layers"), value.get("sizes")
    if not isinstance(layers, list) or not isinstance(sizes, list):
        return None
    if not all(map(_is_digest, layers)) or any(amount(size) is None for size in sizes):
        return None
    return Layers(tuple(layers), tuple(sizes))


def _is_digest(value: object) -> bool:
    return isinstance(value, str) and DIGEST.fullmatch(value) is not None
