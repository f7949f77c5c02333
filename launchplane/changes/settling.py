"""Each change that a restored database still holds for open, moved to where the records that it forgot say it is.

Nothing that was ever begun becomes runnable again: what ended is closed, or ends as it did; what may have been under
way is in doubt, and recovery looks at each of its items.
"""

from collections.abc import Iterator
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from audits.kept import kept
from launchplane.access.people import Principal
from launchplane.changes import finish, lock, records, states
from launchplane.changes.forgotten import ENDS, Forgotten, Story
from launchplane.changes.models import Change, HostLease, Step
from launchplane.changes.models.change import HOLDING, Status, Why
from launchplane.changes.requests import revoke_live_approval
from launchplane.hosts.models import Host

UNENDED = (Status.PLANNED, Status.AWAITING_APPROVAL, Status.APPROVED, *HOLDING)
WORDS = ("closed", "ended", "in_doubt")
NOT_KNOWN = "It was begun, as the evidence store knows, and the end is not on record: this database is from a backup."

NOT_TOLD = "Not begun, as far as this database knows, which was restored."


def raise_tokens(told: Forgotten) -> None:
    """No host is ever given a fencing token that it may have seen: it would refuse it, or obey one who is gone."""
    for host in Host.objects.filter(name__in=told.tokens):
        HostLease.objects.get_or_create(host=host)
        HostLease.objects.filter(host=host, token__lt=told.tokens[host.name]).update(token=told.tokens[host.name])


def settle(told: Forgotten, *, by: Principal) -> dict[str, list[str]]:
    """Move every change on. Returns the ids of those that `closed`, `ended`, and are `in_doubt`. Can be done again."""
    raise_tokens(told)
    found: dict[str, list[str]] = {word: [] for word in WORDS}
    # what ended first: of a host one change at a time is begun, and the last may still be
    for change, story in sorted(_with_stories(told), key=lambda pair: _is_doubtful(*pair)):
        if _is_doubtful(change, story):
            _doubt(change, by=by)
            found["in_doubt"].append(str(change.pk))
        elif story is not None and change.status in HOLDING and story.status in (Status.COMPLETED, Status.FAILED):
            _end(change, story, by=by)
            found["ended"].append(str(change.pk))
        elif story is not None and _is_over(change, story):
            _close(change, story, by=by)
            found["closed"].append(str(change.pk))
    return found


def begun_and_unknown(told: Forgotten) -> Iterator[tuple[UUID, Story]]:
    """Changes that this database does not know at all, and of which the end is not on record."""
    unended = {pk: story for pk, story in told.changes.items() if story.is_open}
    known = set(Change.objects.filter(pk__in=unended).values_list("pk", flat=True))
    return ((pk, story) for pk, story in unended.items() if pk not in known)


def _with_stories(told: Forgotten) -> list[tuple[Change, Story | None]]:
    unended = Change.objects.filter(status__in=UNENDED).select_related("host", "standing").order_by("pk")
    return [(change, told.changes.get(change.pk)) for change in unended]


def _is_doubtful(change: Change, story: Story | None) -> bool:
    """Begun without an end in the records; or under way in the backup, and what it did after that was forgotten."""
    if story is not None and story.status:
        return story.is_open and change.status != Status.IN_DOUBT
    return change.status == Status.APPLYING


def _is_over(change: Change, story: Story) -> bool:
    """Whether it must not be begun as things are: it ended, or it was begun and put off after that."""
    if change.status == Status.IN_DOUBT:
        return False
    return story.begun or story.status in ENDS or change.status == Status.APPLYING


def _doubt(change: Change, *, by: Principal) -> None:
    """Any item may have been begun: what recovery does not look at it would call untouched."""
    with transaction.atomic():
        now = timezone.now()
        Step.objects.filter(change=change, intent_at=None, outcome="").update(intent_at=now)
        token = lock.next_token(change.host)
        finish.mark_in_doubt(change, NOT_KNOWN, by=by, token=token)


def _end(change: Change, story: Story, *, by: Principal) -> None:
    """It was under way in the backup, and came to its end: the items are as its last record has them."""
    sentence = f"It {_word(story)} after the backup that this database is from, as audit record {story.seq} says."
    told = records.Telling("restored", "completed", {"why": sentence, "seq": story.seq})
    with states.moving(
        change, Status(story.status), by=by, told=told, ended_at=timezone.now(), next_try_at=None, sentence=sentence
    ):
        _tell_items(change, story)
        lock.let_go(change.host)


def _tell_items(change: Change, story: Story) -> None:
    """As the record of the end has them; of the others nothing is known here."""
    for said in story.steps:
        _as_recorded(change, said)
    left, now = change.steps.filter(outcome=""), timezone.now()
    left.filter(intent_at=None).update(outcome=Step.Outcome.SKIPPED, detail=NOT_TOLD, finished_at=now)
    left.update(outcome=Step.Outcome.UNKNOWN, detail=NOT_TOLD, finished_at=now)


def _as_recorded(change: Change, said: dict[str, object]) -> None:
    now, outcome, position = timezone.now(), str(said.get("outcome", "")), said.get("position")
    if outcome not in Step.Outcome.values or not isinstance(position, int):
        return
    step = Step.objects.filter(change=change, position=position, outcome="")
    if said.get("begun"):
        step.filter(intent_at=None).update(intent_at=now)
    freed = said.get("freed_bytes")
    step.update(
        outcome=outcome,
        detail=kept(str(said.get("detail", ""))),
        freed_bytes=freed if isinstance(freed, int) else None,
        finished_at=now,
    )


def _close(change: Change, story: Story, *, by: Principal) -> None:
    sentence = f"It {_word(story)} after the backup that this database is from, as audit record {story.seq} says."
    told = records.Telling("restored", "skipped", {"why": sentence, "seq": story.seq})
    with states.moving(
        change, Status.CLOSED, by=by, told=told, why_closed=Why.RESTORED, next_try_at=None, sentence=sentence
    ):
        revoke_live_approval(change, by=by, why=sentence)
        _tell_items(change, story)
        lock.let_go(change.host)


def _word(story: Story) -> str:
    if story.status in (Status.COMPLETED, Status.FAILED):
        return str(story.status)
    return "was closed" if story.status == Status.CLOSED else "was begun, and put off,"
