"""From a kind and a host to a stored plan that nobody has asked for yet. Changes nothing on a host."""

import json
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from django.db import IntegrityError, transaction
from django.utils import timezone

from launchplane import canonical
from launchplane.access.people import Principal
from launchplane.access.rights import may
from launchplane.changes import keys, records, states
from launchplane.changes.contracts import Plan
from launchplane.changes.digest import change_digest, plan_text
from launchplane.changes.kinds import ChangeKind, all_kinds, kind_named
from launchplane.changes.models import Change, StandingApproval, Step
from launchplane.changes.models.change import Status, Why
from launchplane.hosts.models import Host
from launchplane.problems import Problem, Refused


def plan_change(
    kind_name: str, host: Host, *, by: Principal, idempotency_key: str | None = None, **asked: Any
) -> Change:
    """Observe and plan: a change that is `planned`, or `blocked` with what stands in the way.

    `asked` goes to the kind's planner (such as the named items). With a key that was used before, the change that was
    made then is given again. Raises Refused `key_conflict` if it was used for something else, `not_permitted`; Problem
    `no_such_kind`, `bad_key`, or what the domain's planner raised. Nothing is stored then.
    """
    return plan_once(kind_name, host, by=by, key=keys.chosen(idempotency_key), asked=asked)


def plan_once(kind_name: str, host: Host, *, by: Principal, key: str | None, asked: Mapping[str, Any]) -> Change:
    """`plan_change` for a key that no caller chose: however often it is called with one key, one change comes of it."""
    kind = known_kind(kind_name)
    if by.user is not None and not may(by.user, kind.request_right, host):
        problem = Refused("not_permitted", f"You may not plan changes of {host.name}. An administrator can allow it.")
        raise records.deny_of_host("change.denied", host, problem, by=by, key=host.name, wanted="plan")
    asked_digest = _digest_of_asked(kind_name, host, asked)
    if (known := _replayed(key, asked_digest)) is not None:
        return known
    plan = checked(kind.plan(host, **asked), kind, host)
    try:
        return store(plan, host, by=by, idempotency_key=key, asked_digest=asked_digest)
    except IntegrityError:
        # two callers with one key: the other was first
        if (known := _replayed(key, asked_digest)) is not None:
            return known
        raise


def known_kind(name: str) -> ChangeKind:
    """The kind of that name. Raises Problem `no_such_kind`."""
    kind = kind_named(name)
    if kind is None:
        raise Problem("no_such_kind", f"There is no kind {name!r}. Known are: {', '.join(sorted(all_kinds()))}.")
    return kind


def checked(plan: Plan, kind: ChangeKind, host: Host) -> Plan:
    """`plan`, if it is what it says to be. Raises ValueError for a planner's mistake, Refused `scope_too_broad`."""
    if (plan.kind, plan.host, plan.boundary.host) != (kind.name, host.name, host.name):
        raise ValueError(f"the planner of {kind.name} on {host.name} planned {plan.kind} on {plan.host}")
    if [step.position for step in plan.steps] != list(range(1, len(plan.steps) + 1)):
        raise ValueError(f"the planner of {kind.name} did not number its steps from 1 on")
    if plan.steps and not plan.blockers:
        _require_exact_scope(plan)
    return plan


def _require_exact_scope(plan: Plan) -> None:
    """The boundary says as whom, through what, what is looked at and how to get back; a call is for a step (H24)."""
    said = plan.boundary.model_dump(exclude={"calls"})
    if missing := [name for name, text in said.items() if not str(text).strip()]:
        raise Refused("scope_too_broad", f"The boundary of this plan does not say its {', '.join(missing)}.")
    for call in plan.boundary.calls:
        if not 0 < call.at_most <= len(plan.steps):
            sentence = f"It would call {call.name} up to {call.at_most} times for {len(plan.steps)} items."
            raise Refused("scope_too_broad", sentence)


def store(
    plan: Plan,
    host: Host,
    *,
    by: Principal,
    standing: StandingApproval | None = None,
    idempotency_key: str | None = None,
    asked_digest: str = "",
    **fields: Any,
) -> Change:
    """Keep `plan` as a change with its steps; older drafts of the same are superseded. All of it, or nothing."""
    change = _change_for(plan, host, by=by, standing=standing)
    change.idempotency_key, change.asked_digest = idempotency_key, asked_digest
    for name, value in fields.items():
        setattr(change, name, value)
    with transaction.atomic():
        change.save(force_insert=True)
        change.responsible.set(by.responsible)
        Step.objects.bulk_create(
            Step(change=change, position=step.position, verb=step.verb, target=step.target) for step in plan.steps
        )
        drafts = Change.objects.drafts_like(change).select_related("host")
        # taken all at once, before the first record: who asks for one holds its row, and waits for the head
        for draft in list(drafts.select_for_update(of=("self",)).order_by("pk")):
            _supersede(draft, change, by=by)
        payload = {"mode": "dry_run", "plan_status": plan.status, "plan": json.loads(change.plan)}
        records.tell(change, records.Telling("planned", "planned", payload, of_kind=True), by=by)
    return change


def _change_for(plan: Plan, host: Host, *, by: Principal, standing: StandingApproval | None) -> Change:
    text, change_id = plan_text(plan), uuid4()
    return Change(
        id=change_id,
        kind=plan.kind,
        host=host,
        subject=plan.subject,
        plan=text,
        digest=change_digest(change_id, text),
        status=Status.BLOCKED if plan.blockers else Status.PLANNED,
        requester=by.user,
        requester_name=by.name,
        standing=standing,
        planned_at=timezone.now(),
        predicted_bytes=plan.predicted_bytes,
    )


def _supersede(draft: Change, newer: Change, *, by: Principal) -> None:
    told = records.Telling("superseded", "skipped", {"by_change": str(newer.pk)})
    with states.moving(
        draft, Status.CLOSED, by=by, told=told, why_closed=Why.SUPERSEDED, sentence=f"A newer plan is {newer.pk}."
    ):
        pass


def _digest_of_asked(kind_name: str, host: Host, asked: Mapping[str, Any]) -> str:
    return canonical.digest(canonical.canonical({"kind": kind_name, "host": host.name, "asked": _plain(asked)}))


def _plain(value: Any) -> Any:
    """`value` as JSON has it."""
    return json.loads(json.dumps(value, default=str))


def _replayed(key: str | None, asked_digest: str) -> Change | None:
    known = Change.objects.filter(idempotency_key=key).first() if key else None
    if known is not None and known.asked_digest != asked_digest:
        raise Refused("key_conflict", "This idempotency key was used for another plan. Use a new key.")
    return known
