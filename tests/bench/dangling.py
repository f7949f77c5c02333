"""`script/bench dangling`: 136 labelled images among 300 others go, beside `docker image prune` with that filter."""

import os
import platform
import statistics
import subprocess
import tempfile
from pathlib import Path
from time import perf_counter
from typing import Any

from tests.bench.inventory import median_ratio, prepare_django

LABELLED, OTHERS = 136, 300
ROUNDS = 3
AT_MOST = 2.0


def main() -> int:
    """Measure, print, and return 1 if the bound is broken."""
    print(f"{platform.node()}: {os.cpu_count()} cores, Python {platform.python_version()}")
    with tempfile.TemporaryDirectory(prefix="lp-bench-") as folder:
        os.environ["LAUNCHPLANE_VAR"] = str(Path(folder) / "var")
        prepare_django()
        return measure(Path(folder))


def measure(folder: Path) -> int:
    from launchplane.sandbox.dockerd import PrivateEngine
    from tests.engine_things import many_images

    engine = PrivateEngine(folder)
    engine.start()
    try:
        many_images(engine.url, OTHERS)
        return compare(engine.url)
    finally:
        engine.stop()


def compare(url: str) -> int:
    """Both ways in turn, each on the same number of new images, next to the same others."""
    from tests.engine_things import many_images

    removing = Removing(url)
    ours, theirs = [], []
    for _ in range(ROUNDS):
        many_images(url, LABELLED, labelled=True)
        theirs.append(client_seconds(url))
        many_images(url, LABELLED, labelled=True)
        ours.append(removing.seconds())
    ratio = median_ratio(ours, theirs)
    print(f"docker image prune: {statistics.median(theirs):.2f} s (median of {ROUNDS})")
    print(f"removal phase, with an intent and an outcome stored for each: {statistics.median(ours):.2f} s")
    print(f"{ratio:.2f} x (at most {AT_MOST:g})")
    return int(ratio > AT_MOST)


def client_seconds(url: str) -> float:
    """What the engine's own client takes, start-up included."""
    from tests.engine_things import LABEL

    command = ["/usr/bin/docker", "--host", url, "image", "prune", "--force", "--filter", f"label={LABEL}"]
    started = perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return perf_counter() - started


class Removing:
    """The labelled loop on one host, asked for and approved by two people."""

    def __init__(self, url: str) -> None:
        from launchplane.hosts.models import Host
        from launchplane.hosts.services import add_host
        from tests.engine_things import LABEL
        from tests.factories import a_person

        self._host: Any = add_host(name="bench", docker_url=url, approved=True)
        Host.objects.filter(pk=self._host.pk).update(hygiene_enabled=True, managed_label=LABEL)
        self._operator, self._approver = a_person(), a_person("approver", group="Approvers")

    def seconds(self) -> float:
        """From the first intent to the last outcome."""
        from tests.hygiene_changes.ways import DANGLING, applied

        change = applied(DANGLING, self._host, self._operator, self._approver)
        steps = list(change.steps.all())
        if [step.outcome for step in steps] != ["done"] * LABELLED:
            raise AssertionError(change.sentence)
        begun, finished = steps[0].intent_at, steps[-1].finished_at
        if begun is None or finished is None:
            raise AssertionError("a step without its times")
        return (finished - begun).total_seconds()
