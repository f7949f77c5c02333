"""Trusted workflows: adding one, and what of an edit lets more in or lets it do more. Each edit is on record."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Model

from audits import record
from launchplane.access.acting import acting, acting_as
from launchplane.access.models import TrustedWorkflow
from launchplane.access.people import Principal

CONDITIONS = ("workflow_ref", "ref", "environment")
WHO = ("issuer", "audience", "repository_id", "owner_id")


@dataclass(frozen=True, slots=True)
class Extent:
    """Who is let in by a row, and to do what. `hosts` is None for all."""

    who: tuple[Any, ...]
    conditions: tuple[str, ...]
    events: frozenset[str]
    actions: frozenset[str]
    hosts: frozenset[int] | None

    def is_within(self, other: "Extent") -> bool:
        """Whether nothing is let in, or may be done, that was not by `other`."""
        return (
            self.who == other.who
            and all(theirs in ("", ours) for ours, theirs in zip(self.conditions, other.conditions, strict=True))
            and self.events <= other.events
            and self.actions <= other.actions
            and (other.hosts is None or (self.hosts is not None and self.hosts <= other.hosts))
        )

    def meets(self, other: "Extent") -> bool:
        """Whether one run could be let in by both."""
        apart = zip(self.conditions, other.conditions, strict=True)
        together = all(ours == theirs or not (ours and theirs) for ours, theirs in apart)
        return self.who == other.who and together and bool(self.events & other.events)


def extent(row: TrustedWorkflow) -> Extent:
    """Of a row that is stored, or is about to be: that one has no hosts yet."""
    hosts = frozenset(row.hosts.values_list("pk", flat=True)) if row.pk is not None else frozenset()
    return Extent(
        who=tuple(getattr(row, name) for name in WHO),
        conditions=tuple(getattr(row, name) for name in CONDITIONS),
        events=frozenset(row.events),
        actions=frozenset(row.actions),
        hosts=None if row.all_hosts else hosts,
    )


def met_by(row: TrustedWorkflow) -> TrustedWorkflow | None:
    """Another row that could fit the same run as `row`; None if there is none. Neither would be taken then."""
    others = TrustedWorkflow.objects.filter(repository_id=row.repository_id).exclude(pk=row.pk)
    mine = extent(row)
    return next((other for other in others if mine.meets(extent(other))), None)


def belongs_here(row: TrustedWorkflow) -> None:
    """A new row is for the issuer and the audience that are set now."""
    row.issuer, row.audience = settings.OIDC_ISSUER, settings.OIDC_AUDIENCE


def add(row: TrustedWorkflow, *, hosts: Iterable[Model] | None, by: Principal) -> TrustedWorkflow:
    """Store a new `row` for `hosts` (None: all), on record. Raises ValidationError, AuditRefused."""
    belongs_here(row)
    row.all_hosts = hosts is None
    row.full_clean()
    with transaction.atomic(), acting_as(by):
        row.added_by, row.added_by_name = by.user, by.name
        row.save()
        row.hosts.set(hosts or [])  # type: ignore[arg-type]  # hosts.Host, which is not known here
        record_edit(row, "added")
    return row


def edited(row: TrustedWorkflow, before: Extent, values: Mapping[str, Any]) -> None:
    """`row` and its hosts are stored anew: on record, and whoever widened it answers for it from now on."""
    by = acting()
    wider = not extent(row).is_within(before)
    if wider:
        row.widened_by, row.widened_by_name = by.user, by.name
        row.save(update_fields=["widened_by", "widened_by_name"])
    record_edit(row, "widened" if wider else "changed", values)


def record_edit(row: TrustedWorkflow, verb: str, values: Mapping[str, Any] | None = None) -> None:
    """Who `verb` ("added", "changed", "widened", "deleted") it, and what it lets in now. Raises AuditRefused."""
    by, now = acting(), extent(row)
    record.append(
        kind="access.trusted_workflow",
        key=f"workflow:{row.pk}",
        status="completed",
        payload={
            "what": f"{verb} trusted workflow {row}",
            "who": dict(zip(WHO, now.who, strict=True)) | dict(zip(CONDITIONS, now.conditions, strict=True)),
            "events": sorted(now.events),
            "may": sorted(now.actions),
            "hosts": "all" if now.hosts is None else sorted(str(host) for host in row.hosts.all()),
            "values": values or {},
        },
        actor=by.actor(),
        source=by.source,
    )
