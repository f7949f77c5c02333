"""Looking at a host for a clean-up: a whole observation that is stored, or a glance between two steps."""

import os
import pwd
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef
from django.utils import timezone

from hygiene import ledger, snapshots
from hygiene.contracts import Inventory, Readings
from hygiene.gates import PhaseOne
from hygiene.layers import known_layers
from hygiene.models import Budget, Snapshot
from hygiene.parse.assemble import assemble_inventory, assemble_readings
from hygiene.plan.bounds import BUILD_CACHE
from hygiene.plan.scene import HostFacts, Scene
from hygiene.policy import policy_of
from hygiene.services import observe_host
from launchplane.changes.contracts import Evidence
from launchplane.changes.models import Change, Step
from launchplane.hosts.connect import engine_of, read_machine_of
from launchplane.hosts.contracts import MachineFacts, MachineQuestion, RunnerProcess
from launchplane.hosts.models import Host
from launchplane.problems import Problem
from onhost.machine.limits import Limits, NotMeasured
from onhost.machine.processes import read_runner_processes

# another observation of the same host ends on its own; its own limits are below this
PATIENCE_SECONDS = 180.0
PAUSE_SECONDS = 0.5
PROCESSES_SECONDS = 10.0


def observe_now(host: Host, *, asked_by: str) -> Scene:
    """A new observation, stored; one that runs already is waited for first. Raises what `observe_host` raises."""
    _patiently(lambda: observe_host(host, asked_by=asked_by))
    scene = last_seen(host)
    if scene is None:
        raise Problem("never_observed", f"{host.name} was observed just now, and its snapshot is gone.")
    return scene


def last_seen(host: Host) -> Scene | None:
    """The last observation with the policy of now, or None if there is none."""
    host.refresh_from_db()
    snapshot = host.snapshots.select_related("document").first()
    return None if snapshot is None else _scene(host, snapshot)


def seen_before(host: Host, before: Evidence) -> Scene | None:
    """The observation that evidence from before a run rests on, with the policy of now; None if it is gone."""
    host.refresh_from_db()
    named, at = str(before.facts["snapshot"]), datetime.fromisoformat(str(before.facts["observed_at"]))
    snapshot = host.snapshots.select_related("document").filter(document_id=named, observed_at=at).first()
    return None if snapshot is None else _scene(host, snapshot)


def host_facts(host: Host) -> HostFacts:
    """The settings of `host` that decide on its clean-ups."""
    applied = host.budgets.filter(mode=Budget.Mode.APPLY).values_list("scope", flat=True)
    return HostFacts(
        name=host.name,
        engine_id=host.engine_id,
        docker_url=host.docker_url,
        user=user_there(host),
        ssh_target=host.ssh_target,
        approved=host.approved,
        hygiene_enabled=host.hygiene_enabled,
        pressure_percent=host.pressure_percent,
        maintenance_window=host.maintenance_window,
        run_patterns=tuple(host.run_patterns),
        applied=frozenset(applied),
    )


def user_there(host: Host) -> str:
    """Who changes `host`: over ssh a program that is root's, by sudo; here whoever this process is."""
    return "root" if host.connection == Host.Connection.SSH else own_user()


def own_user() -> str:
    """Who this process is, and so whoever changes a local host."""
    number = os.geteuid()
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"user {number}"


def phase_one_of(host: Host) -> PhaseOne | None:
    """The last build cache clean-up of `host` that did all it was to do, and left evidence of what is there (H34)."""
    done = Change.objects.filter(host=host, kind=BUILD_CACHE, status=Change.Status.COMPLETED, ended_at__isnull=False)
    steps = Step.objects.filter(change=OuterRef("pk"))
    did_it = Exists(steps.filter(outcome=Step.Outcome.DONE)) & ~Exists(steps.exclude(outcome=Step.Outcome.DONE))
    last = done.filter(did_it).exclude(after="").order_by("-ended_at").values_list("pk", "ended_at").first()
    return None if last is None or last[1] is None else PhaseOne(str(last[0]), last[1])


def glance(host: Host) -> tuple[Inventory, Readings]:
    """What runs and builds right now, and nothing else. Raises EngineUnavailable, EngineReplaced."""
    raw = engine_of(host).glance(pinned_id=host.engine_id)
    readings, _events = assemble_readings(raw, _processes(host))
    return assemble_inventory(raw), readings


def _scene(host: Host, snapshot: Snapshot) -> Scene:
    inventory = snapshots.load(snapshot)
    return Scene(
        host=host_facts(host),
        snapshot=snapshot.document_id,
        observed_at=snapshot.observed_at,
        inventory=inventory,
        readings=snapshots.readings(snapshot),
        report=snapshots.stored_report(snapshot),
        history=ledger.history(host, now=snapshot.observed_at),
        layers=known_layers(host, inventory.layered_ids),
        policy=policy_of(host),
        phase_one=phase_one_of(host),
    )


def _processes(host: Host) -> MachineFacts:
    """A reading of the host's machine that has the runner processes; over ssh a short one of all that has no size."""
    if host.connection == Host.Connection.SSH:
        deadline = timezone.now() + timedelta(seconds=PROCESSES_SECONDS)
        return read_machine_of(host, MachineQuestion("/", (), (), deadline))
    found, why = None, {}
    try:
        seen = read_runner_processes(Limits(PROCESSES_SECONDS))
        found = tuple(RunnerProcess.model_validate(process._asdict()) for process in seen)
    except NotMeasured as problem:
        why = {"runner_processes": str(problem)}
    return MachineFacts(
        disks=(),
        runner_roots=None,
        container_logs=None,
        runner_processes=found,
        competing_prunes=None,
        registry_logins=None,
        unmeasured=why,
    )


def _patiently(observe: Callable[[], object]) -> None:
    give_up_at = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            observe()
            return
        except Problem as problem:
            if problem.code != "observation_running" or time.monotonic() > give_up_at:
                raise
        time.sleep(PAUSE_SECONDS)
