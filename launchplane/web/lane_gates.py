"""The gates of a lane's change for its page: by what was last seen. Reading a page asks neither a host nor GitHub."""

from functools import partial

from django.utils import timezone

from hygiene.snapshots import stored_report
from lanes import drift, gates
from lanes.acts.take import verb_of
from lanes.looking import scene_of
from lanes.models import Lane
from lanes.plan.scene import Asked
from lanes.stored import last_look, nothing_seen
from launchplane.changes import freeze, lock
from launchplane.changes.contracts import Gate, Json, Plan
from launchplane.hosts.models import Host
from launchplane.problems import Problem
from launchplane.words import human_age


def gates_last_seen(host: Host, plan: Plan) -> tuple[Gate, ...]:
    """Every gate of a plan that nobody applies yet. Raises Problem `no_such_lane` if the lane's record is gone."""
    lane = Lane.objects.select_related("host").filter(host=host).called(plan.subject).first()
    if lane is None:
        raise Problem("no_such_lane", f"{host.name} has no lane {plan.subject} on record any more.")
    observed = last_look(lane).observed or nothing_seen(lane, timezone.now())
    scene = scene_of(lane, observed, Asked(drift.operation_of(plan.kind)))
    now = drift.judged(scene)
    granted: dict[str, Json] = {"scope": scene.desired.scope, "lanes": scene.lanes_granted}
    read = {
        "identity": partial(_identity, host),
        "fresh": partial(gates.fresh, observed, now.unread, timezone.now()),
        "freeze": partial(freeze.gate, host),
        "lock": partial(lock.gate, host),
        "grant": partial(gates.grant, now.against_record, granted),
        gates.NOT_BUSY: partial(gates.not_busy, now.case.parts, observed),
    }
    return tuple(read[name]() for name in gates.names_for(plan.kind, map(verb_of, plan.steps)))


def _identity(host: Host) -> Gate:
    """Which machine it is, by the last report of it: the engine is asked again when the change is applied."""
    snapshot = host.snapshots.first()
    if snapshot is None:
        return gates.identity(None, host.engine_id, why_unseen="its engine was never observed")
    gate = gates.identity(stored_report(snapshot).engine_id, host.engine_id)
    seen = human_age(snapshot.observed_at, timezone.now())
    return gate.model_copy(update={"reason": f"{gate.reason} Seen {seen}."})
