"""Tells people of a change: by e-mail and whatever else NOTIFY_URLS names. Never stands in the way of the change.

An address with `{email}` in it is used once for each person concerned; any other is a place that many read.
Nobody is told that they asked for something themselves.
"""

import logging
from urllib.parse import quote, unquote

from django.conf import settings
from django.utils import timezone
from django_q.tasks import async_task

from audits.kept import kept
from audits.record import AuditRefused
from launchplane import canonical
from launchplane.access.models import User
from launchplane.access.rights import may
from launchplane.changes import eyes
from launchplane.changes.kinds import kind_named
from launchplane.changes.models import Change, Notification

log = logging.getLogger(__name__)
# what it logs on its own may hold the secrets that are in its addresses
logging.getLogger("apprise").setLevel(logging.CRITICAL)

Event = Notification.Event
DELIVER = "launchplane.changes.notify.deliver"
PLACE_FOR_ADDRESS = "{email}"


def about(change: Change, event: str, sentence: str) -> None:
    """Have people told, once what happened is stored. Inside the transaction of what happened."""
    if not settings.NOTIFY_URLS:
        return
    row = Notification.objects.create(change=change, event=event, sentence=kept(sentence), at=timezone.now())
    async_task(DELIVER, row.pk, cluster="observe")


def deliver(notification_id: int) -> None:
    """Tell everybody concerned, once. What did not get through is on the row, also if the worker dies here."""
    row = Notification.objects.select_related("change__host").get(pk=notification_id)
    mine = Notification.objects.filter(pk=row.pk, sent_at=None)
    if not mine.update(sent_at=timezone.now(), failed="Its worker ended before everybody was told."):
        return
    title, body = words(row)
    body += signed_head()
    failures, told = [], 0
    for service, address in addresses(row):
        if _send(address, title, body):
            told += 1
        else:
            failures.append(service)
    Notification.objects.filter(pk=row.pk).update(told=told, failed=_failed(failures))


def words(row: Notification) -> tuple[str, str]:
    """Title and body: what happened, why, and the link. No plan, no names of items."""
    change = row.change
    kind = kind_named(change.kind)
    title = f"{change.host.name}: {kind.title if kind else change.kind} {row.get_event_display()}"
    link = f"{settings.PUBLIC_URL}/changes/{change.pk}/"
    return title, f"Asked for by {change.requester_name}. {row.sentence}\n\n{link}"


def signed_head() -> str:
    """The head of the audit chain, signed: who keeps it can tell later that nothing before was rewritten."""
    from audits import sign

    try:
        return f"\n\nAudit head: {canonical.canonical(sign.checkpoint()).decode()}"
    except AuditRefused as refused:
        return f"\n\nNo audit head: {refused.sentence}"


def addresses(row: Notification) -> list[tuple[str, str]]:
    """Each address to use, with a word for it that may be shown: its scheme, which holds no secret."""
    own = {user.email.lower() for user in _askers(row.change) if user.email} if row.event == Event.REQUESTED else set()
    found = []
    for template in settings.NOTIFY_URLS:
        scheme = template.partition("://")[0]
        if PLACE_FOR_ADDRESS in template:
            emails = sorted({user.email for user in concerned(row) if user.email})
            found += [(scheme, template.replace(PLACE_FOR_ADDRESS, quote(email, safe=""))) for email in emails]
        elif not any(email in unquote(template).lower() for email in own):
            found.append((scheme, template))
    return found


def concerned(row: Notification) -> list[User]:
    """Who should know: of a request those who can decide, of a decision those who asked, both if it went wrong."""
    askers = _askers(row.change)
    deciders = [user for user in _deciders(row.change) if user not in askers]
    match row.event:
        case Event.REQUESTED:
            return deciders
        case Event.APPROVED | Event.REJECTED:
            return askers
        case _:
            return [*askers, *deciders]


def _askers(change: Change) -> list[User]:
    return list(User.objects.filter(pk__in=eyes.wishers_of(change), is_active=True))


def _deciders(change: Change) -> list[User]:
    kind = kind_named(change.kind)
    if kind is None:
        return []
    return [user for user in User.objects.filter(is_active=True) if may(user, kind.approve_right, change.host)]


def _send(address: str, title: str, body: str) -> bool:
    """True if it got through. What goes wrong in a library is a failure to send, and nothing else."""
    import apprise

    try:
        sender = apprise.Apprise()
        return bool(sender.add(address)) and bool(sender.notify(title=title, body=body))
    except Exception as error:
        log.warning("a notification could not be sent: %s", type(error).__name__)
        return False


def _failed(services: list[str]) -> str:
    return f"Not delivered by: {', '.join(sorted(set(services)))}."[:600] if services else ""
