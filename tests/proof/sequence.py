"""The whole proof on a private engine: cold, warm, built, cleaned by approved changes, and warm still or not.

Two people who exist in a throwaway database alone ask for the clean-ups and approve them: one door, one engine of
changes, the same as in earnest.
"""

from collections.abc import Callable
from pathlib import Path

import docker

from hygiene.models import Budget
from hygiene.proof.access_log import AccessLog
from hygiene.proof.contracts import CleanUp, Proof
from hygiene.proof.engine import ProofEngine
from hygiene.proof.measure import measure
from hygiene.proof.verdict import judge
from launchplane.access.models import User
from launchplane.changes.models import Change, Step
from launchplane.hosts.models import Host, RequiredWarm
from launchplane.hosts.services import add_host
from launchplane.sandbox.dockerd import PrivateEngine
from launchplane.sandbox.leftovers import MANAGED, plant
from tests.factories import a_person
from tests.hygiene_changes.ways import BUILD_CACHE, DANGLING, applied
from tests.proof.service import redeploy
from tests.proof.things import a_superseded_build, an_image_in, something_to_build
from tests.registry import Registry

Say = Callable[[str], object]


def prove(private: PrivateEngine, registry: Registry, folder: Path, *, say: Say = lambda _words: None) -> Proof:
    """Measure, clean, measure again. `folder` is for what is built."""
    say("planting leftovers, and filling a registry")
    client = docker.DockerClient(base_url=private.url, version="1.41", timeout=120)
    plant(private.url)
    image, other = (an_image_in(registry, client, name) for name in ("app", "other"))
    client.images.pull(other)
    a_superseded_build(private.url, client, something_to_build(folder, other, "superseded"))
    engine, log = ProofEngine(private.url), AccessLog(registry.log)
    built = something_to_build(folder, image)
    say("measuring before")
    first = measure(engine, image, log=log, built=built)  # fills the builder
    again = measure(engine, image, log=log, built=built)
    before = again.model_copy(update={"cold": first.cold, "unmeasured": first.unmeasured})
    say("cleaning up")
    clean_ups = clean(a_host_to_clean(private, image), BUILD_CACHE, DANGLING)
    say("measuring after")
    after = measure(engine, image, log=log, built=built)
    redeployment = redeploy(private, image, log)
    client.close()
    verdict = judge(before, after, clean_ups=clean_ups, redeployment=redeployment)
    return Proof(before=before, clean_ups=clean_ups, after=after, redeployment=redeployment, verdict=verdict)


def a_host_to_clean(private: PrivateEngine, image: str) -> Host:
    """The engine as a host whose build cache may go as far as no image holds it; `image` is what must stay warm."""
    host = add_host(name="proof", docker_url=private.url, approved=True)
    label = "=".join(*MANAGED.items())
    Host.objects.filter(pk=host.pk).update(hygiene_enabled=True, managed_label=label)
    bounds = {"max_bytes": 0, "reserve_bytes": 0, "min_age_seconds": 0}
    Budget.objects.filter(host=host, scope="build_cache").update(mode=Budget.Mode.APPLY, **bounds)
    RequiredWarm.objects.create(host=host, kind=RequiredWarm.Kind.IMAGE, name=image, reason="It is what is measured.")
    host.refresh_from_db()
    return host


def clean(host: Host, *kinds: str) -> tuple[CleanUp, ...]:
    """One change of each kind after the other, asked for by one person and approved by another."""
    asks, approves = a_person(), a_person("approver", group="Approvers")
    return tuple(_told(applied(kind, host, asks, approves), approves) for kind in kinds)


def _told(change: Change, approver: User) -> CleanUp:
    return CleanUp(
        change=str(change.pk),
        kind=change.kind,
        status=change.status,
        requested_by=change.requester_name,
        approved_by=approver.get_username(),
        items_done=change.steps.filter(outcome=Step.Outcome.DONE).count(),
        freed_bytes=change.actual_bytes,
        sentence=change.sentence,
    )
