"""Which trusted workflow a token is of: exactly one, or none.

Two rows that fit are no reason to grant what either does: it is refused, and the settings take no row that could fit
together with another.
"""

from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.utils import timezone

from launchplane.access.callers import Caller
from launchplane.access.models import TrustedWorkflow
from launchplane.access.models.workflow import is_never
from launchplane.access.not_let_in import NotLetIn
from launchplane.access.oidc.claims import Claims
from launchplane.access.people import Principal
from launchplane.access.tokens import granted_by

USE_IS_NOTED_EVERY: Final = timedelta(minutes=1)


def workflow(claims: Claims) -> TrustedWorkflow:
    """The one row that fits. Raises NotLetIn: `token_event`, `workflow_not_trusted` or `workflow_ambiguous`."""
    about = _about(claims)
    if is_never(claims.event):
        sentence = f"A run for {claims.event} is never let in: it may run the code of strangers."
        raise NotLetIn("token_event", sentence, about=about)
    of_repository = TrustedWorkflow.objects.select_related("added_by", "widened_by").filter(
        issuer=settings.OIDC_ISSUER,
        audience=settings.OIDC_AUDIENCE,
        repository_id=claims.repository_id,
        owner_id=claims.owner_id,
    )
    fitting = [row for row in of_repository if fits(row, claims)]
    if not fitting:
        sentence = "This run is not trusted here. An administrator can add it, by its repository's number."
        raise NotLetIn("workflow_not_trusted", sentence, about=about)
    if len(fitting) > 1:
        sentence = "More than one trusted workflow fits this run, so none is taken. An administrator can mend that."
        raise NotLetIn("workflow_ambiguous", sentence, about=about)
    return fitting[0]


def fits(row: TrustedWorkflow, claims: Claims) -> bool:
    """Whether each condition that `row` has is met, exactly."""
    conditions = (
        (row.workflow_ref, claims.workflow_ref),
        (row.ref, claims.ref),
        (row.environment, claims.environment),
    )
    return claims.event in row.events and all(wanted in ("", is_) for wanted, is_ in conditions)


def caller_of_row(row: TrustedWorkflow) -> Caller:
    """The workflow itself: nobody's rights bound it, so whoever let it in, or let it do more, answers for it."""
    people = {person.pk: person for person in (row.added_by, row.widened_by) if person is not None}
    return Caller(
        Principal(
            id=f"workflow:{row.pk}",
            name=f"workflow of {row.repository or row.repository_id}",
            source="api",
            responsible=tuple(people.values()),
        ),
        identity=f"workflow:{row.pk}",
        granted=granted_by(row.actions),
        host_ids=None if row.all_hosts else frozenset(row.hosts.values_list("pk", flat=True)),
    )


def note_use(row: TrustedWorkflow, claims: Claims, *, address: str) -> None:
    """Which run it was, at most once a minute; and what the repository is called now."""
    now = timezone.now()
    if _is_noted(row.last_used_at, now) and claims.repository in ("", row.repository):
        return
    TrustedWorkflow.objects.filter(pk=row.pk).update(
        last_used_at=now,
        last_used_from=address[:60],
        last_run=_about(claims)[:300],
        repository=claims.repository or row.repository,
    )


def _is_noted(at: datetime | None, now: datetime) -> bool:
    return at is not None and now - USE_IS_NOTED_EVERY < at <= now


def _about(claims: Claims) -> str:
    """A run in one line, with nothing in it that a record could not hold."""
    line = (
        f"run {claims.run} of {claims.repository} ({claims.repository_id} of {claims.owner_id}) by {claims.event} "
        f"on {claims.ref}, environment {claims.environment or 'none'}, from {claims.workflow_ref}"
    )
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in line)[:600]
