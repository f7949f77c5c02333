"""Try a budget over past snapshots before it is set (X20): what would have gone, and what of that was used again."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q
from django.utils import timezone

from hygiene.contracts import BudgetRule, Class, Confidence, History, Inventory, Key, Kind, Policy
from hygiene.judge import Judgement
from hygiene.layers import known_layers
from hygiene.lists import first_reason, not_read
from hygiene.models import Resource
from hygiene.policy import policy_of
from hygiene.snapshots import load
from launchplane.hosts.models import Host


@dataclass(frozen=True, slots=True)
class Trial:
    """One past snapshot under the budget: how many would have gone, freeing what, and how many were used later.

    `reason` says why nobody knows, where the snapshot lacks what the answer rests on.
    """

    observed_at: datetime
    count: int | None
    freed_bytes: int | None
    used_again: int | None
    reason: str | None = None


def try_budget(host: Host, rule: BudgetRule, *, snapshots: int = 10) -> list[Trial]:
    """`rule` in the place of the host's budget of that scope, over its last snapshots, newest first.

    The ledger keeps only the last use: where that is later than a snapshot, the resource is taken as unused from its
    first sight to that snapshot, and counts as used again. Build cache says itself when it was used, as far as a later
    snapshot has it.
    """
    policy = _with(policy_of(host), rule)
    past = list(host.snapshots.select_related("document")[:snapshots])
    rows = _rows(host, since=past[-1].observed_at) if past else {}
    used = {key: row.last_used_at for key, row in rows.items() if row.last_used_at}
    used |= {key: timezone.now() for key, row in rows.items() if row.in_use}
    trials = []
    for snapshot in past:
        inventory, at = load(snapshot), snapshot.observed_at
        history = {key: _then(row, at) for key, row in rows.items() if row.first_seen_at <= at}
        layers = known_layers(host, inventory.layered_ids)
        judgement = Judgement(inventory, history, policy, layers, now=at)
        trials.append(_trial(judgement, rule.scope, used, at))
        used |= {key: max(last, used.get(key, last)) for key, last in _cache_uses(inventory)}
    return trials


def _rows(host: Host, *, since: datetime) -> dict[Key, Resource]:
    """What the ledger has of everything that was on `host` at a time since then."""
    rows = Resource.objects.filter(Q(gone_at=None) | Q(gone_at__gte=since), host=host)
    return {(Kind(row.kind), row.key): row for row in rows.iterator()}


def _trial(judgement: Judgement, scope: str, used: Mapping[Key, datetime], at: datetime) -> Trial:
    reason = _why_unknown(judgement.inventory, scope)
    if reason is not None:
        return Trial(at, None, None, None, reason)
    going = [key for key in judgement.keys(Class.CANDIDATE) if judgement.verdicts[key].rule == f"budget.{scope}"]
    freed = judgement.reclaim(going).freed_bytes
    return Trial(at, len(going), freed, sum(key in used and used[key] > at for key in going))


def _why_unknown(inventory: Inventory, scope: str) -> str | None:
    """What is not measured of a scope decides nothing, so that 0 would have gone: but nobody knows."""
    kind, colon, builder = scope.partition(":")
    if colon:
        return not_read(inventory).get(builder) or first_reason(inventory, "containers")
    lists = {"images": ("images", "containers", "services"), "containers": ("containers",)}
    field = kind.partition(".")[0]
    summaries = ("docker_summary", f"docker_summary.{field}")
    return first_reason(inventory, *lists.get(kind, (field, "containers")), *summaries)


def _with(policy: Policy, rule: BudgetRule) -> Policy:
    others = tuple(budget for budget in policy.budgets if budget.scope != rule.scope)
    return policy.model_copy(update={"budgets": (*others, rule)})


def _then(row: Resource, at: datetime) -> History:
    """What the ledger would have said at a time in the past, as far as it can still tell."""
    used = row.last_used_at if row.last_used_at and row.last_used_at <= at else None
    unused = row.unused_since if row.unused_since and row.unused_since <= at else row.first_seen_at
    sure = used is not None or unused == row.unused_since
    dangling = row.dangling_since if row.dangling_since and row.dangling_since <= at else at
    return History(
        first_seen_at=row.first_seen_at,
        last_used_at=used,
        last_used_confidence=Confidence(row.last_used_confidence) if sure else Confidence.NEVER_SEEN,
        dangling_since=dangling,
        unused_since=unused,
    )


def _cache_uses(inventory: Inventory) -> Iterator[tuple[Key, datetime]]:
    """When BuildKit says that each record was last used: the ledger has no build cache."""
    for record in inventory.build_cache:
        if record.last_used_at is not None:
            yield (Kind.BUILD_CACHE, record.key), record.last_used_at
