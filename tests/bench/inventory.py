"""`script/bench inventory`: what looking at a host costs beside `docker system df -v`, and what classifying costs."""

import os
import platform
import resource
import statistics
import subprocess
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any, TypeVar

T = TypeVar("T")

IMAGES, VOLUMES, CONTAINERS = 1000, 1000, 100
ROUNDS = 5
FIRST_AT_MOST, UNCHANGED_AT_MOST, ROWS_BELOW = 3.0, 1.5, 20


def main() -> int:
    """Measure, print, and return 1 if a bound is broken."""
    print(f"{platform.node()}: {os.cpu_count()} cores, Python {platform.python_version()}")
    classify_seconds, peak_mb = in_child(measure_classification)
    print(f"classify 100,000 resources: {classify_seconds:.2f} s, peak memory {peak_mb:.0f} MB (aim: 1 s, 300 MB)")
    with tempfile.TemporaryDirectory(prefix="lp-bench-") as folder:
        return measure_observation(Path(folder))


def measure_observation(folder: Path) -> int:
    """First and unchanged passes, each beside the engine's own client, alternating."""
    from launchplane.sandbox.dockerd import PrivateEngine

    os.environ["LAUNCHPLANE_VAR"] = str(folder / "var")
    prepare_django()
    engine = PrivateEngine(folder)
    engine.start()
    try:
        return compare(engine.url)
    finally:
        engine.stop()


def compare(url: str) -> int:
    from django.db import connection

    from hygiene.models import Snapshot
    from launchplane.hosts.services import add_host
    from tests.bench.engine import fill
    from tests.writes import Writes

    started = perf_counter()
    fill(url, images=IMAGES, volumes=VOLUMES, containers=CONTAINERS)
    print(f"engine with {IMAGES} images, {VOLUMES} volumes, {CONTAINERS} containers: {perf_counter() - started:.0f} s")
    host = add_host(name="bench", docker_url=url)
    client_seconds(url)  # warm: the first walk reads every folder from the disk
    first, layers, client_first = [], [], []
    for _ in range(ROUNDS):
        forget(host)
        client_first.append(client_seconds(url))
        seen, look_seconds = timed(partial(look_at, host))
        learnt, layer_seconds = timed(partial(learn, host, seen))
        layers.append(layer_seconds)
        first.append(look_seconds + timed(partial(keep, host, seen, learnt))[1])
    unchanged, client_unchanged, rows = [], [], 0
    for _ in range(ROUNDS):
        client_unchanged.append(client_seconds(url))
        writes = Writes()
        with connection.execute_wrapper(writes):
            unchanged.append(timed(lambda: observe_again(host))[1])
        rows = max(rows, writes.rows)
    assert Snapshot.objects.filter(host=host).count() == ROUNDS + 1
    return verdict(first, client_first, layers, unchanged, client_unchanged, rows)


def verdict(
    first: list[float],
    client_first: list[float],
    layers: list[float],
    unchanged: list[float],
    client_unchanged: list[float],
    rows: int,
) -> int:
    first_ratio, unchanged_ratio = median_ratio(first, client_first), median_ratio(unchanged, client_unchanged)
    print(f"docker system df -v: {statistics.median(client_first):.2f} s (median of {ROUNDS})")
    print(f"first pass (observe, classify, store): {statistics.median(first):.2f} s, {first_ratio:.2f} x (at most 3)")
    print(f"layer facts of {IMAGES} images, once for each image id: {statistics.median(layers):.2f} s")
    print(f"unchanged pass: {statistics.median(unchanged):.2f} s, {unchanged_ratio:.2f} x (at most 1.5)")
    print(f"rows written by an unchanged pass: {rows} (fewer than {ROWS_BELOW})")
    return int(first_ratio > FIRST_AT_MOST or unchanged_ratio > UNCHANGED_AT_MOST or rows >= ROWS_BELOW)


def median_ratio(ours: list[float], theirs: list[float]) -> float:
    """The median of the ratios, pair by pair: the two of a pair ran one after the other."""
    return statistics.median(own / other for own, other in zip(ours, theirs, strict=True))


def client_seconds(url: str) -> float:
    """What the engine's own client takes, start-up included."""
    command = ["/usr/bin/docker", "--host", url, "system", "df", "-v"]
    return timed(lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL))[1]


def look_at(host: Any) -> Any:
    from hygiene.observe import observe

    return observe(host, since=None, progress=lambda _words: None)


def learn(host: Any, seen: Any) -> Any:
    from hygiene.layers import learn_layers

    ids = seen.observation.inventory.layered_ids
    return learn_layers(host, seen.engine, ids, progress=lambda _words: None)


def keep(host: Any, seen: Any, layers: Any) -> Any:
    from hygiene.services import store

    return store(host, seen.observation, layers, first=True)


def observe_again(host: Any) -> Any:
    from hygiene.services import observe_host

    return observe_host(host, asked_by="bench")


def forget(host: Any) -> None:
    """Back to before the first pass."""
    from hygiene.models import ImageLayers, ObservationRun, Resource, Snapshot, SnapshotDocument

    for model in (ObservationRun, Snapshot, SnapshotDocument, Resource, ImageLayers):
        model.objects.all().delete()


def timed(act: Callable[[], T]) -> tuple[T, float]:
    started = perf_counter()
    result = act()
    return result, perf_counter() - started


def prepare_django() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "launchplane.settings")
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)


def in_child(measure: Callable[[], tuple[float, float]]) -> tuple[float, float]:
    """Run `measure` in a process of its own, so that its peak memory is its own."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        seconds, megabytes = measure()
        os.write(writer, f"{seconds} {megabytes}".encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as answer:
        measured = answer.read().split()
    os.waitpid(child, 0)
    return float(measured[0]), float(measured[1])


def measure_classification() -> tuple[float, float]:
    """Seconds to classify 100,000 resources, and the process's peak memory in MB, the facts themselves included."""
    from hygiene.classify import classify
    from hygiene.contracts import Policy

    now = datetime(2026, 1, 1, tzinfo=UTC)
    inventory, history = large_inventory(now)
    policy = Policy.model_validate(policy_like_the_defaults())
    verdicts, seconds = timed(lambda: classify(inventory, history, policy, now=now))
    assert len(verdicts) == 100_000
    return seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


def large_inventory(now: datetime) -> tuple[Any, Any]:
    """40,000 images, 10,000 containers, 20,000 volumes, 30,000 cache records, and the ledger's word on them."""
    from hygiene.contracts import CacheRecord, Confidence, Container, History, Image, Kind, Mount, Volume
    from tests.bench.empty import EMPTY

    old = now - timedelta(days=90)
    image_ids = [f"sha256:{number:064x}" for number in range(40_000)]
    images = tuple(
        Image(
            id=image_id,
            tags=() if number % 4 == 0 else (f"team/service-{number}:build-{number % 7}",),
            digests=(),
            created_at=old,
            size_bytes=10**8,
            shared_bytes=5 * 10**7,
            labels={},
        )
        for number, image_id in enumerate(image_ids)
    )
    containers = tuple(
        Container(
            id=f"{number:064x}",
            name=f"job-{number}",
            image_id=image_ids[number],
            image_ref="x",
            state="running" if number % 2 else "exited",
            created_at=old,
            size_rw_bytes=1000,
            labels={},
            mounts=(Mount(kind="volume", source=f"data-{number}", destination="/data"),),
        )
        for number in range(10_000)
    )
    volumes = tuple(
        Volume(
            name=f"data-{number}",
            driver="local",
            mountpoint="",
            created_at=old,
            size_bytes=1000,
            ref_count=0,
            labels={},
        )
        for number in range(20_000)
    )
    cache = tuple(
        CacheRecord(
            builder="",
            id=f"record{number}",
            parent="",
            type="regular",
            size_bytes=1000,
            in_use=False,
            shared=False,
            created_at=old,
            last_used_at=old,
            usage_count=1,
        )
        for number in range(30_000)
    )
    past = History(
        first_seen_at=old,
        last_used_at=None,
        last_used_confidence=Confidence.NEVER_SEEN,
        dangling_since=old,
        unused_since=old,
    )
    keys = [
        *((Kind.IMAGE, image.id) for image in images),
        *((Kind.CONTAINER, container.id) for container in containers),
        *((Kind.VOLUME, volume.name) for volume in volumes),
    ]
    facts = {"images": images, "containers": containers, "volumes": volumes, "build_cache": cache}
    return EMPTY.model_copy(update=facts), dict.fromkeys(keys, past)


def policy_like_the_defaults() -> dict[str, Any]:
    """The protections and budgets that a new host starts with."""
    prepare_defaults()
    from hygiene.defaults import BUDGETS, PROTECTIONS

    return {
        "protections": [{"kind": kind.value, "pattern": pattern, "reason": why} for kind, pattern, why in PROTECTIONS],
        "budgets": [
            {"scope": scope, "max_bytes": largest, "reserve_bytes": reserve, "min_age_seconds": age}
            for scope, (largest, reserve, age) in BUDGETS.items()
        ],
        "required_builders": (),
        "required_images": (),
        "managed_label": "",
    }


def prepare_defaults() -> None:
    """The defaults stand beside models, so Django must be there; no database is touched."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "launchplane.settings")
    import django

    django.setup()
