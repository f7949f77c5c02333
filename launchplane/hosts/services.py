"""Everything that writes a host."""

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from audits.kept import kept
from launchplane.hosts.connect import identify_new
from launchplane.hosts.edits import as_added, record_edit
from launchplane.hosts.models import Contact, Host
from launchplane.hosts.signals import host_added
from launchplane.problems import Problem
from launchplane.slugs import is_slug


def add_host(
    *,
    name: str,
    docker_url: str = "unix:///var/run/docker.sock",
    connection: str = Host.Connection.LOCAL,
    ssh_target: str = "",
    ssh_host_key: str = "",
    approved: bool = False,
    sandbox: bool = False,
) -> Host:
    """Ask the engine who it is, pin its id, and store the host with its defaults.

    Raises EngineUnavailable or HostProblem if it cannot be asked, Problem `invalid_host` or `engine_known` if it must
    not be added, AuditRefused if it could not be recorded. Nothing is stored then.
    """
    host = Host(
        name=name,
        docker_url=docker_url,
        connection=connection,
        ssh_target=ssh_target,
        ssh_host_key=ssh_host_key,
        approved=approved,
        is_sandbox=sandbox,
    )
    _refuse_bad_fields(host, but="engine_id")
    identity = identify_new(host)
    if known := Host.objects.filter(engine_id=identity.engine_id).first():
        raise Problem("engine_known", f"This engine is already here as {known.name!r}: a host has one owner.")
    host.engine_id = identity.engine_id
    host.docker_root = identity.docker_root
    _refuse_bad_fields(host)
    try:
        with transaction.atomic():
            host.save()
            record_contact(host)
            host_added.send(sender=Host, host=host)
            record_edit(host, "added", as_added(host))
    except IntegrityError as error:
        raise Problem("engine_known", "Somebody added this engine, or this name, in the same moment.") from error
    return host


def hosts_called(name: str) -> QuerySet[Host]:
    """The host of that name, or none; what is no name is not even asked for (PostgreSQL refuses a NUL in a text)."""
    return Host.objects.filter(name=name) if is_slug(name) else Host.objects.none()


def find_host(name: str) -> Host:
    """The host of that name. Raises Problem `no_such_host`."""
    host = hosts_called(name).first()
    if host is None:
        raise Problem("no_such_host", f"There is no host {name!r}. `manage.py hosts list` shows those there are.")
    return host


def record_contact(host: Host, *, problem: Problem | None = None) -> None:
    """Remember whether the host could be reached; writes only when that, or its code, changed (X14)."""
    reachable, code = problem is None, problem.code if problem else ""
    last = Contact.objects.filter(host=host).first()
    if last is None or last.reachable != reachable or last.code != code:
        reason = kept(problem.sentence)[:500] if problem else ""
        Contact.objects.create(host=host, at=timezone.now(), reachable=reachable, code=code, reason=reason)


def _refuse_bad_fields(host: Host, *, but: str = "") -> None:
    try:
        host.full_clean(exclude=[but] if but else None)
    except ValidationError as error:
        sentences = [f"{name}: {sentence}" for name, found in error.message_dict.items() for sentence in found]
        raise Problem("invalid_host", " ".join(sentences)) from error
