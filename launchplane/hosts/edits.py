"""What people set about a host goes on record: limits, opt-ins, requirements, and what domains add to them."""

from typing import Any

from django.db.models import Model

from audits import record
from launchplane.access.acting import acting
from launchplane.hosts.models import Host

Values = dict[str, dict[str, Any]]


def record_edit(obj: Model, verb: str, values: Values) -> None:
    """Append who `verb` ("added", "changed", "deleted") what. Raises AuditRefused, which undoes the edit."""
    by = acting()
    host = obj if isinstance(obj, Host) else getattr(obj, "host", None)
    record.append(
        kind=f"edit.{obj._meta.model_name}",
        key=f"{obj._meta.label_lower}-{obj.pk}",
        status="completed",
        payload={"what": f"{verb} {obj._meta.verbose_name} {obj}", "values": values},
        actor=by.actor(),
        source=by.source,
        host=host.name if host is not None else "",
        lane=getattr(obj, "lane_name", ""),
    )


def before_and_after(form: Any) -> Values:
    """The fields of a form that somebody changed, each as it was and as it is."""
    return {
        name: {"before": _plain(form.initial.get(name)), "after": _plain(form.cleaned_data.get(name))}
        for name in form.changed_data
    }


def all_values(obj: Model) -> dict[str, Any]:
    """Every field that somebody may set, as it is."""
    return {field.name: _plain(getattr(obj, field.name)) for field in obj._meta.concrete_fields if field.editable}


def as_added(obj: Model) -> Values:
    """What came with something new."""
    return {name: {"before": None, "after": value} for name, value in all_values(obj).items()}


def as_deleted(obj: Model) -> Values:
    """What went with it."""
    return {name: {"before": value, "after": None} for name, value in all_values(obj).items()}


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, bool | int | str | list) else str(value)
