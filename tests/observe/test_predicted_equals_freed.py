"""What is predicted for a set is what removing exactly that set from a real engine frees on its disk (X3)."""

import io
import json
import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import docker
import pytest

from hygiene.contracts import CacheRecord, Kind
from hygiene.inventory import HostView, latest, reclaim
from hygiene.services import observe_host
from launchplane.hosts.models import Host
from launchplane.hosts.services import add_host
from launchplane.sandbox.archive import File, Image, archive, filler, layer, pack, shell
from launchplane.sandbox.dockerd import PrivateEngine

pytestmark = [pytest.mark.engine, pytest.mark.django_db, pytest.mark.req("X3")]

Key = tuple[Kind, str]
KIB = 1024
DOCKERFILE = b"""FROM scratch
COPY busybox /bin/busybox
RUN ["/bin/busybox", "dd", "if=/dev/urandom", "of=/built", "bs=1M", "count=2"]
COPY second /second
"""


@dataclass
class Scratch:
    """The scratch engine as a host, with ways to put something on it and to take it off."""

    engine: PrivateEngine
    host: Host
    client: docker.DockerClient

    def load(self, tag: str, *layers: bytes) -> Key:
        """An image of these layers, base first."""
        self.client.images.load(archive(Image(tag, layers, datetime.now(UTC) - timedelta(days=90), ("sh",))))
        return self.image(tag)

    def image(self, tag: str) -> Key:
        return Kind.IMAGE, self.client.images.get(tag).id

    def build(self, tag: str) -> Key:
        """An image that the engine's own BuildKit builds, so that its cache holds the layers."""
        files = [File("Dockerfile", DOCKERFILE), File("busybox", Path("/bin/busybox").read_bytes()), filler("x", 1)]
        context = pack([*files, File("second", os.urandom(300 * KIB))])
        api = self.client.api
        params = {"version": "2", "networkmode": "none", "t": tag}
        response = api._post(
            api._url("/build"), params=params, data=context, headers={"Content-Type": "application/x-tar"}
        )
        api._raise_for_status(response)
        return self.image(tag)

    def build_classic(self, tag: str) -> Key:
        """An image that the classic builder made in steps: each step leaves an image that no list shows."""
        files = [File("Dockerfile", b"FROM scratch\nCOPY one /one\nCOPY two /two\n")]
        files += [File("one", os.urandom(500 * KIB)), File("two", os.urandom(300 * KIB))]
        self.client.images.build(fileobj=io.BytesIO(pack(files)), custom_context=True, tag=tag, rm=True)
        return self.image(tag)

    def predict(self, keys: Sequence[Key]) -> int:
        """What the inventory says that removing these frees; the prediction must be exact, and refuse none."""
        found = reclaim(self.look(), keys)
        assert found.refused == ()
        assert found.exact
        assert found.freed_bytes is not None
        assert found.freed_bytes == found.at_most_bytes
        return found.freed_bytes

    def look(self) -> HostView:
        observe_host(self.host, asked_by="a test")
        view = latest(self.host)
        assert view is not None
        return view

    def held_bytes(self) -> int:
        """What the engine's storage really holds: the bytes of every file in every layer, image's or cache's."""
        found = 0
        for folder, _, names in os.walk(self.engine.data_root / "overlay2"):
            for status in (os.lstat(os.path.join(folder, name)) for name in names):  # noqa: PTH118  # one of thousands
                counts = stat.S_ISREG(status.st_mode) or stat.S_ISLNK(status.st_mode)
                found += status.st_size if counts and "/diff" in folder else 0
        return found

    def counted_bytes(self) -> int:
        """What the engine counts: all layers of images, and the build cache that is not shared with them."""
        usage: dict[str, Any] = self.client.df()
        cache: int = sum(record["Size"] for record in usage["BuildCache"] or () if not record["Shared"])
        return int(usage["LayersSize"]) + cache

    def remove_images(self, *keys: Key) -> None:
        """As a clean-up does: no parent goes along that nobody named."""
        for _, image in keys:
            self.client.api.remove_image(image, noprune=True)

    def prune_cache(self, record: str = "") -> None:
        api = self.client.api
        params = {"all": True, "filters": json.dumps({"id": [record]} if record else {})}
        api._raise_for_status(api._post(api._url("/build/prune"), params=params))

    def cache(self) -> list[CacheRecord]:
        return list(self.look().inventory.build_cache)


@pytest.fixture
def scratch(scratch_engine: PrivateEngine, db: None) -> Iterator[Scratch]:
    client = docker.DockerClient(base_url=scratch_engine.url, version="1.41")
    scratch = Scratch(scratch_engine, add_host(name="scratch", docker_url=scratch_engine.url), client)
    yield scratch
    for image in client.images.list():
        client.images.remove(image.id, force=True)
    scratch.prune_cache()
    client.close()


@pytest.fixture
def three(scratch: Scratch) -> list[Key]:
    """Three images upon one base; the first two share a second layer as well."""
    base, runtime = shell(), layer(filler("runtime", 2))
    own = [layer(filler(f"own-{number}", 1)) for number in range(3)]
    return [
        scratch.load("ci/a:1", base, runtime, own[0]),
        scratch.load("ci/b:1", base, runtime, own[1]),
        scratch.load("ci/c:1", base, own[2]),
    ]


@pytest.mark.parametrize(
    "chosen", [(0,), (1,), (2,), (0, 1), (0, 2), (1, 2), (0, 1, 2)], ids=lambda which: "+".join("abc"[n] for n in which)
)
def test_a_set_of_images_that_share_layers_frees_what_was_predicted(
    scratch: Scratch, three: list[Key], chosen: tuple[int, ...]
) -> None:
    going = [three[number] for number in chosen]
    predicted = scratch.predict(going)
    held, counted = scratch.held_bytes(), scratch.counted_bytes()

    scratch.remove_images(*going)

    assert held - scratch.held_bytes() == predicted > 0
    assert counted - scratch.counted_bytes() == predicted


def test_an_image_of_the_classic_builder_frees_only_what_its_parent_does_not_hold(scratch: Scratch) -> None:
    built = scratch.build_classic("ci/classic:1")
    predicted = scratch.predict([built])
    held, counted = scratch.held_bytes(), scratch.counted_bytes()

    scratch.remove_images(built)

    assert held - scratch.held_bytes() == counted - scratch.counted_bytes() == predicted == 300 * KIB


def test_an_image_whose_layers_the_build_cache_holds_frees_nothing(scratch: Scratch) -> None:
    built = scratch.build("ci/built:1")
    assert scratch.predict([built]) == 0
    held, counted = scratch.held_bytes(), scratch.counted_bytes()

    scratch.remove_images(built)

    assert held - scratch.held_bytes() == counted - scratch.counted_bytes() == 0


def test_an_image_with_all_the_cache_that_holds_it_frees_both(scratch: Scratch) -> None:
    built = scratch.build("ci/built:1")
    predicted = scratch.predict([built, *keys(scratch.cache())])
    held, counted = scratch.held_bytes(), scratch.counted_bytes()

    scratch.remove_images(built)
    scratch.prune_cache()

    assert held - scratch.held_bytes() == counted - scratch.counted_bytes() == predicted == held


def test_cache_whose_layers_an_image_holds_frees_only_what_the_image_does_not_have(scratch: Scratch) -> None:
    scratch.build("ci/built:1")
    predicted = scratch.predict(keys(scratch.cache()))
    held, counted = scratch.held_bytes(), scratch.counted_bytes()

    scratch.prune_cache()

    assert held - scratch.held_bytes() == counted - scratch.counted_bytes() == predicted
    assert 0 < predicted < held


def test_a_built_image_beside_a_loaded_one_frees_what_was_predicted(scratch: Scratch, three: list[Key]) -> None:
    built = scratch.build("ci/built:1")
    predicted = scratch.predict([built, three[0]])
    held, counted = scratch.held_bytes(), scratch.counted_bytes()

    scratch.remove_images(built, three[0])

    assert held - scratch.held_bytes() == counted - scratch.counted_bytes() == predicted > 0


def test_a_record_on_which_others_were_made_frees_nothing_and_is_refused(scratch: Scratch) -> None:
    scratch.remove_images(scratch.build("ci/built:1"))
    view = scratch.look()
    parents = {record.parent for record in view.inventory.build_cache}
    lower = next(record for record in view.inventory.build_cache if record.id in parents)
    held = scratch.held_bytes()

    found = reclaim(view, keys([lower]))
    scratch.prune_cache(lower.id)

    assert found.freed_bytes == held - scratch.held_bytes() == 0
    assert [why for _, _, why in found.refused] == [
        "Build cache that was made upon it stays, and BuildKit removes the last made first."
    ]


def test_a_record_with_all_that_was_made_upon_it_frees_what_was_predicted(scratch: Scratch) -> None:
    scratch.remove_images(scratch.build("ci/built:1"))
    records = scratch.cache()
    lowest = next(record for record in records if not record.parent and made_upon(record, records))
    chain = [lowest]
    while above := made_upon(chain[-1], records):
        chain += above
    predicted = scratch.predict(keys(chain))
    held = scratch.held_bytes()

    for record in reversed(chain):
        scratch.prune_cache(record.id)

    assert held - scratch.held_bytes() == predicted > 0


def keys(records: Sequence[CacheRecord]) -> list[Key]:
    return [(Kind.BUILD_CACHE, record.key) for record in records]


def made_upon(record: CacheRecord, records: Sequence[CacheRecord]) -> list[CacheRecord]:
    return [other for other in records if other.parent == record.id]
