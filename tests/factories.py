"""Hosts with something on them, stored through the real ledger, judgement, report and snapshot code."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import count
from typing import Any

from django.contrib.auth.models import Group
from django.db import transaction
from django.utils import timezone
from guardian.shortcuts import assign_perm

from hygiene import ledger, snapshots
from hygiene.contracts import (
    Builder,
    CacheRecord,
    Container,
    DockerSummary,
    EngineFacts,
    GcPolicy,
    Image,
    Inventory,
    Mount,
    Observation,
    Readings,
    TypeSummary,
    Volume,
)
from hygiene.defaults import give_defaults, require_running_builders
from hygiene.judge import Judgement
from hygiene.layers import keep_layers, known_layers
from hygiene.models import Snapshot
from hygiene.policy import policy_of
from hygiene.reclaim import Layers
from hygiene.report import build_report
from launchplane.access.acting import acting_as
from launchplane.access.models import User
from launchplane.access.people import FIRST_START
from launchplane.hosts.contracts import CompetingPrune, DiskReading, RegistryLogin
from launchplane.hosts.edits import record_edit
from launchplane.hosts.models import Contact, Host

GB = 10**9
PASSWORD = "correct horse battery staple"
BUILT = datetime(2026, 1, 8, 10, 30, tzinfo=UTC)
_numbers = count(1)


def a_person(name: str = "operator", *, group: str = "Operators", staff: bool = True) -> User:
    """Somebody who can log in with PASSWORD, in `group` ("" for none): made by nobody who could count against them."""
    with acting_as(FIRST_START):
        user = User.objects.create_user(name, password=PASSWORD, is_staff=staff)
        if group:
            user.groups.add(Group.objects.get(name=group))
    return user


def allow(holder: User | Group, right: str, host: Host) -> None:
    """Give a right on one host, as if it had always been so: by nobody who could count against anybody."""
    with acting_as(FIRST_START):
        assign_perm(right, holder, host)


def edited(host: Host, **fields: Any) -> None:
    """Set `fields` of a host as its page does: with the record of that edit, in the same commit."""
    with transaction.atomic():
        Host.objects.filter(pk=host.pk).update(**fields)
        record_edit(host, "changed", {name: {"before": None, "after": value} for name, value in fields.items()})


def a_host(name: str = "chris-testing", **fields: Any) -> Host:
    """A reachable host with the defaults that a new one gets."""
    host = Host.objects.create(name=name, engine_id=fields.pop("engine_id", f"ENGINE:{name}"), **fields)
    Contact.objects.create(host=host, at=timezone.now(), reachable=True)
    give_defaults(host)
    return host


def digest(seed: object) -> str:
    """A well-formed image id or layer id."""
    return f"sha256:{sha256(str(seed).encode()).hexdigest()}"


def an_image(*tags: str, size: int = GB, shared: int | None = 0, labels: Mapping[str, str] | None = None) -> Image:
    number = next(_numbers)
    return Image(
        id=digest(("image", number)),
        tags=tags,
        digests=(),
        created_at=BUILT + timedelta(minutes=number),
        size_bytes=size,
        shared_bytes=shared,
        labels=labels or {},
    )


def a_container(name: str, image: Image, *, state: str = "running", mounts: Iterable[Mount] = ()) -> Container:
    return Container(
        id=sha256(name.encode()).hexdigest(),
        name=name,
        image_id=image.id,
        image_ref=image.tags[0] if image.tags else image.id,
        state=state,
        created_at=BUILT,
        size_rw_bytes=12_345_678,
        labels={},
        mounts=tuple(mounts),
    )


def a_volume(name: str, *, size: int | None = GB, labels: Mapping[str, str] | None = None) -> Volume:
    return Volume(
        name=name,
        driver="local",
        mountpoint=f"/var/lib/docker/volumes/{name}/_data",
        created_at=BUILT,
        size_bytes=size,
        ref_count=0,
        labels=labels or {},
    )


def an_inventory(
    images: Iterable[Image] = (),
    *,
    containers: Iterable[Container] = (),
    volumes: Iterable[Volume] = (),
    cache: Iterable[CacheRecord] = (),
    builders: Iterable[Builder] = (),
    unmeasured: Mapping[str, str] | None = None,
) -> Inventory:
    images, containers, volumes, cache = tuple(images), tuple(containers), tuple(volumes), tuple(cache)
    return Inventory(
        engine=EngineFacts(
            engine_id="ENGINE:chris-testing",
            version="26.1.5",
            api_version="1.45",
            docker_root="/var/lib/docker",
            storage_driver="overlay2",
            swarm="inactive",
            registry_server="https://index.docker.io/v1/",
        ),
        images=images,
        containers=containers,
        volumes=volumes,
        build_cache=cache,
        builders=tuple(builders),
        services=(),
        summary=DockerSummary(
            images=_summary(image.size_bytes for image in images),
            containers=_summary(container.size_rw_bytes for container in containers),
            volumes=_summary(volume.size_bytes for volume in volumes),
            build_cache=_summary(record.size_bytes for record in cache),
        ),
        layers_bytes=sum(image.size_bytes or 0 for image in images),
        unmeasured=unmeasured or {},
    )


def _summary(sizes: Iterable[int | None]) -> TypeSummary:
    known = [size or 0 for size in sizes]
    return TypeSummary(count=len(known), active=0, size_bytes=sum(known), reclaimable_bytes=sum(known) // 2)


def readings(*, total: int | None = 512 * GB, free: int = 332 * GB, **others: Any) -> Readings:
    disk = None
    if total is not None:
        used = total - free
        disk = DiskReading(
            path="/var/lib/docker",
            total_bytes=total,
            free_bytes=free,
            used_bytes=used,
            used_percent=-(-used * 100 // total),
            device=1,
        )
    fields: dict[str, Any] = {
        "disk": disk,
        "root_disk": disk,
        "runner_disks": (),
        "runner_roots": (),
        "container_logs": (),
        "runner_processes": (),
        "competing_prunes": (),
        "registry_logins": (),
        "running_builds": (),
        "events_truncated": False,
        "unmeasured": {} if disk else {"free_disk_bytes": "statvfs /var/lib/docker: permission denied"},
    }
    return Readings.model_validate(fields | others)


def observed(
    host: Host, inventory: Inventory, *, at: datetime | None = None, reading: Readings | None = None
) -> Snapshot:
    """Store one observation of `host`, made at `at` (default: now), as a worker does."""
    at = at or timezone.now()
    observation = Observation(
        inventory=inventory, readings=reading or readings(), events=(), observed_at=at, duration_ms=412
    )
    _keep_layers(host, inventory.images)
    require_running_builders(host, inventory)
    ledger.record(host, inventory, (), events_lost=False, now=at)
    policy = policy_of(host)
    layers = known_layers(host, inventory.layered_ids)
    judgement = Judgement(inventory, ledger.history(host, now=at), policy, layers, now=at)
    return snapshots.store(host, observation, build_report(host, observation, judgement, policy))


def _keep_layers(host: Host, images: Iterable[Image]) -> None:
    """Each image has a base that all of the same shared size have, and a layer of its own."""
    keep_layers(
        host,
        {
            image.id: Layers(
                (digest(("base", image.shared_bytes)), digest(("own", image.id))),
                (image.shared_bytes or 0, (image.size_bytes or 0) - (image.shared_bytes or 0)),
            )
            for image in images
        },
    )


def a_busy_inventory() -> Inventory:
    """A runner host as they are: warm builders, an orphan's state, nightly images, dangling ones, names from hell."""
    devtools = an_image("odoo-docker:verify-devtools", size=int(8.1 * GB), shared=int(5.9 * GB))
    runtime = an_image("odoo-docker:verify-runtime", size=int(6.4 * GB), shared=int(5.9 * GB))
    nightly = an_image("odoo-docker:18-nightly", size=int(9.8 * GB), shared=int(5.9 * GB))
    dangling = [an_image(size=int(7.3 * GB), shared=int(5.9 * GB), labels={"ci.managed": "true"}) for _ in range(3)]
    buildkit = an_image("moby/buildkit:buildx-stable-1", size=214_000_000)
    hostile = an_image(
        "evil/<script>alert(1)</script>:\u202egnp\n\x1b[31m", labels={"items": "x" * 4096, "\n": "<img src=x>"}
    )
    state = "buildx_buildkit_odoo-docker-chris-testing0"
    return an_inventory(
        [devtools, runtime, nightly, *dangling, buildkit, hostile],
        containers=[
            a_container(state, buildkit, mounts=[_state_mount(f"{state}_state")]),
            a_container("odoo-verify", runtime),
            a_container("left-over", nightly, state="exited"),
        ],
        volumes=[
            a_volume(f"{state}_state", size=24 * GB),
            a_volume("buildx_buildkit_old-ci0_state", size=int(30.1 * GB)),
            a_volume("runner-state", size=3 * GB),
            a_volume("of-a-plugin", size=None),
        ],
        cache=[_a_record(number) for number in range(12)],
        builders=[_a_builder("odoo-docker-chris-testing0", state, buildkit), _an_orphan("old-ci0")],
    )


def _state_mount(volume: str) -> Mount:
    return Mount(kind="volume", source=volume, destination="/var/lib/buildkit")


def _a_record(number: int) -> CacheRecord:
    return CacheRecord(
        builder="",
        parent="",
        id=sha256(f"record{number}".encode()).hexdigest()[:25],
        type="regular",
        size_bytes=number * 40_000_000,
        in_use=number == 0,
        shared=number % 5 == 4,
        created_at=BUILT,
        last_used_at=BUILT + timedelta(days=number),
        usage_count=number,
    )


def _a_builder(name: str, container: str, image: Image) -> Builder:
    rule = GcPolicy(
        all=False,
        filters=("type==source.local,type==exec.cachemount,type==source.git.checkout",),
        keep_seconds=172800,
        reserved_bytes=0,
        max_used_bytes=512_000_000,
        min_free_bytes=0,
    )
    return Builder(
        name=name,
        state="running",
        container_id=sha256(container.encode()).hexdigest(),
        container_name=container,
        container_state="running",
        image_id=image.id,
        image_ref=image.tags[0],
        volume=f"{container}_state",
        buildkit_version="v0.32.0",
        cache_bytes=None,
        gc_policy=(rule,),
    )


def _an_orphan(name: str) -> Builder:
    return Builder(
        name=name,
        state="orphan",
        container_id=None,
        container_name=None,
        container_state=None,
        image_id=None,
        image_ref=None,
        volume=f"buildx_buildkit_{name}_state",
        buildkit_version=None,
        cache_bytes=None,
        gc_policy=None,
    )


def a_month_of(host: Host, *, days: int = 30) -> Snapshot:
    """A disk that fills up, gets a clean-up in the middle, and fills up again. Returns the last snapshot."""
    inventory = a_busy_inventory()
    now = timezone.now()
    noise: dict[str, Any] = {
        "competing_prunes": (CompetingPrune(source="docker-prune.timer", what="docker system prune -f", enabled=True),),
        "registry_logins": (RegistryLogin(registry="ghcr.io", username=None, source="/root/.docker/config.json"),),
    }
    for back in range(days, 0, -1):
        free = (180 + back * 6 + (60 if back < days // 2 else 0)) * GB
        last = observed(host, inventory, at=now - timedelta(days=back), reading=readings(free=free, **noise))
    return last
