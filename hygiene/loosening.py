"""Whoever lets more go than people agreed on ends their standing approvals: looked at with every edit of a bound."""

from functools import partial
from typing import Any

from django.db import transaction
from django.db.models.signals import post_delete, post_save

from hygiene.models import Budget, Protection
from launchplane.changes.standing import review
from launchplane.hosts.models import Host, RequiredWarm


def watch_bounds() -> None:
    """Follow every change of a host's limits, protections, budgets and requirements, wherever it was made."""
    for model in (Protection, Budget, RequiredWarm):
        for signal in (post_save, post_delete):
            signal.connect(_edited, sender=model, dispatch_uid=f"hygiene.loosening.{model.__name__}.{id(signal)}")
    post_save.connect(_edited, sender=Host, dispatch_uid="hygiene.loosening.host")


def _edited(
    instance: Host | Protection | Budget | RequiredWarm, raw: bool = False, created: bool = False, **_: Any
) -> None:
    if raw or (created and isinstance(instance, Host)):
        return
    host_id = instance.pk if isinstance(instance, Host) else instance.host_id
    transaction.on_commit(partial(_review, host_id))


def _review(host_id: int) -> None:
    if (host := Host.objects.filter(pk=host_id).first()) is not None:
        review(host)
