"""A stored report says what the policy of now makes of what was seen: a change of policy builds the latest one anew."""

from functools import partial
from typing import Any

from django.db import transaction
from django.db.models.signals import post_delete, post_save

from hygiene.models import Budget, Protection
from hygiene.services import refresh_report
from launchplane.hosts.models import Host, RequiredWarm
from launchplane.hosts.signals import host_edited


def watch_policy() -> None:
    """Follow every change of a host's limits, protections, budgets and requirements."""
    for model in (Protection, Budget, RequiredWarm):
        for signal in (post_save, post_delete):
            signal.connect(_refresh, sender=model, dispatch_uid=f"hygiene.freshness.{model.__name__}.{id(signal)}")
    post_save.connect(_refresh, sender=Host, dispatch_uid="hygiene.freshness.host")


def _refresh(instance: Host | Protection | Budget | RequiredWarm, raw: bool = False, **_: Any) -> None:
    host = instance if isinstance(instance, Host) else Host.objects.filter(pk=instance.host_id).first()
    if host is not None and not raw:
        refresh_report(host)
        transaction.on_commit(partial(host_edited.send, sender=Host, host=host))
