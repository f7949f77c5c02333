"""A policy in few words, and the verdict on one resource under it."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hygiene.classify import Verdict, classify
from hygiene.contracts import BudgetRule, Confidence, History, Image, Inventory, Key, Kind, Policy
from tests.factories import an_image

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
WEEK_SECONDS = 7 * 86_400
GB = 10**9


def policy(*budgets: BudgetRule, **fields: Any) -> Policy:
    return Policy.model_validate(
        {
            "protections": (),
            "budgets": budgets,
            "required_builders": (),
            "required_images": (),
            "managed_label": "ci.managed=true",
        }
        | fields
    )


def budget(scope: str, *, most: int | None = None, reserve: int = 0, seconds: int = WEEK_SECONDS) -> BudgetRule:
    return BudgetRule(scope=scope, max_bytes=most, reserve_bytes=reserve, min_age_seconds=seconds)


def here_since(since: datetime, *, dangling: datetime | None = None) -> History:
    return History(
        first_seen_at=since,
        last_used_at=None,
        last_used_confidence=Confidence.NEVER_SEEN,
        dangling_since=dangling,
        unused_since=since,
    )


def verdict(inventory: Inventory, kind: Kind, key: str, rules: Policy, *, past: History | None = None) -> Verdict:
    """Class, rule and reason of one resource; everything is here for 30 days, unless `past` says otherwise."""
    history: dict[Key, History] = {}
    for each, names in {
        Kind.IMAGE: [image.id for image in inventory.images],
        Kind.CONTAINER: [container.id for container in inventory.containers],
    }.items():
        history |= {(each, name): here_since(NOW - 30 * DAY, dangling=NOW - 30 * DAY) for name in names}
    if past is not None:
        history[kind, key] = past
    return classify(inventory, history, rules, now=NOW)[kind, key]


def an_old_image(*tags: str, **fields: Any) -> Image:
    return an_image(*tags, **fields).model_copy(update={"created_at": NOW - 40 * DAY})
