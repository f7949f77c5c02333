"""What the linter found in a product repository: kept, with who had it kept, and what follows for its hosts (H61)."""

from collections.abc import Sequence
from dataclasses import asdict

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from audits import record
from audits.kept import kept
from hygiene.lint.contracts import LintFinding, LintResult
from hygiene.lint.lint import Options
from hygiene.product_repository import ProductRepository, validate_repository
from launchplane.access.people import Principal
from launchplane.access.rights import may
from launchplane.canonical import canonical
from launchplane.hosts.models import Host
from launchplane.problems import Problem, Refused

MOST_KEPT = 100  # of findings, of what was allowed and of what was not looked at
RIGHT = "hygiene.change_productrepository"


def keep_result(
    name: str,
    result: LintResult,
    *,
    by: Principal,
    hosts: Sequence[Host] = (),
    revision: str = "",
    options: Options,
) -> ProductRepository:
    """Make `result` the last one of repository `name`, which is added if it is new; `hosts` are added to its hosts.

    Raises Problem `bad_repository`, `no_such_host` for one that the person may not see, Refused `not_permitted`,
    AuditRefused; nothing is kept then.
    """
    if by.user is not None and not by.user.has_perm(RIGHT):
        raise Refused("not_permitted", "You may not keep results of repositories. An administrator can allow it.")
    if by.user is not None and (hidden := [host.name for host in hosts if not may(by.user, "hosts.view_host", host)]):
        raise Problem("no_such_host", f"There is no host {hidden[0]!r}. `manage.py hosts list` shows those there are.")
    require_repository_name(name)
    with transaction.atomic():
        ProductRepository.objects.get_or_create(name=name)
        repository = ProductRepository.objects.select_for_update().get(name=name)
        repository.linted_at, repository.linted_by, repository.source = timezone.now(), by.name[:150], by.source
        repository.revision = kept(revision)[:100]
        repository.findings_count = len(result.findings) + result.truncated
        repository.unread_count = len(result.unread)
        repository.result = canonical(bounded(result)).decode()
        repository.save()
        repository.hosts.add(*hosts)
        _tell(repository, by=by, options=options)
    return repository


def bounded(result: LintResult) -> LintResult:
    """The beginning of a long result; its counts are kept beside it."""
    return result.model_copy(
        update={
            "findings": result.findings[:MOST_KEPT],
            "allowed": result.allowed[:MOST_KEPT],
            "unread": result.unread[:MOST_KEPT],
            "truncated": result.truncated + max(0, len(result.findings) - MOST_KEPT),
        }
    )


def kept_result(repository: ProductRepository) -> LintResult | None:
    """The last result; None before the first."""
    return LintResult.model_validate_json(repository.result) if repository.result else None


def repositories_of(host: Host) -> list[tuple[ProductRepository, str | None]]:
    """The repositories that use `host`, each with what stands against it."""
    return [(repository, why_not_clean(repository)) for repository in host.product_repositories.order_by("name")]


def why_held_back(host: Host) -> str | None:
    """Why no schedule may clean up `host` (H61): a repository that uses it prunes, or nobody knows whether it does."""
    return next((why for _, why in repositories_of(host) if why is not None), None)


def why_not_clean(repository: ProductRepository) -> str | None:
    """What stands against a repository, in a sentence with what to do; None if its last lint was clean."""
    said = f"The repository {repository.name}"
    again = f"`manage.py hygiene lint PATH --repository {repository.name}`"
    if repository.linted_at is None:
        return f"{said} uses this host and was never linted: {again} does that."
    if repository.findings_count:
        more = f", and {repository.findings_count - 1} more" if repository.findings_count > 1 else ""
        first = f"{_first(repository)}{more}"
        return f"{said} uses this host and {first}. Once that is gone there, {again} says so."
    if repository.unread_count:
        return f"{said} uses this host, and not all of it could be looked at. {again} says what."
    return None


def _first(repository: ProductRepository) -> str:
    result = kept_result(repository)
    if result is None or not result.findings:
        return "has a finding"
    return f"prunes it itself: {place(result.findings[0])}"


def place(finding: LintFinding) -> str:
    """A finding in a few words: where it stands, and the beginning of the command."""
    command = finding.command if len(finding.command) <= 100 else f"{finding.command[:100]}…"
    return f"{finding.path}:{finding.line} ({command})"


def require_repository_name(name: str) -> None:
    """Raises Problem `bad_repository` for what is no name of a repository."""
    try:
        validate_repository(name)
    except ValidationError as error:
        raise Problem("bad_repository", " ".join(error.messages)) from error


def _tell(repository: ProductRepository, *, by: Principal, options: Options) -> None:
    record.append(
        kind="repository.lint",
        key=repository.name,
        status="completed",
        payload={
            "what": f"linted {repository.name}: {repository.findings_count} findings",
            "revision": repository.revision,
            "hosts": sorted(repository.hosts.values_list("name", flat=True)),
            "findings_count": repository.findings_count,
            "unread_count": repository.unread_count,
            "options": asdict(options),
            "result": kept_result(repository),
        },
        actor=by.actor(),
        source=by.source,
    )
