"""After a restore: somebody answers, on record, for what the database forgot, and work goes on.

What the segments hold and the database does not comes back, or is put away beside them where the database recorded
other things meanwhile. Either way it is read: nothing that it tells of can happen a second time.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from django.contrib.sessions.models import Session
from django.db import transaction

from audits import branch, head, more_commands, rebuild, segments
from audits.ahead import Ahead, compare
from audits.contracts import Record
from audits.models import AuditRecord
from launchplane.access import tokens
from launchplane.access.authenticate import person_at_shell
from launchplane.access.models import ApiToken
from launchplane.access.people import Principal
from launchplane.changes import eyes, forgotten, freeze, records, restored, settling, standing
from launchplane.changes.forgotten import Forgotten
from launchplane.changes.models import Freeze, StandingApproval
from launchplane.changes.models.host import EVERYTHING
from launchplane.commands import Subcommands
from launchplane.hosts.models import Host
from launchplane.problems import Refused

WHY = "The database was restored from a backup: this may have been used, or ended, after it. Decide anew."


@dataclass(frozen=True, slots=True)
class Accepted:
    """What came of it, as the record says it. `put_away` names a file of the evidence folder; empty if rows came back.

    `changes` are ids under `closed`, `ended` and `in_doubt`; `unknown` those begun of which this database has nothing;
    `revoked` are API tokens, by number; `edits` say how many of which kind.
    """

    first_seq: int
    last_seq: int
    head_hash: str
    after_seq: int
    put_away: str
    withdrawn: int
    changes: dict[str, list[str]]
    unknown: list[str]
    fencing_tokens: dict[str, int]
    standing_ended: list[int]
    frozen: list[str]
    revoked: list[int]
    edits: list[str]


def accept(*, by: Principal, reason: str) -> Accepted:
    """Bring back or put away what was forgotten, settle what it tells of, void every approval, and record that.

    Can be asked for again after whatever cut it off. Raises Refused `not_permitted`, `reason_missing`,
    `nothing_to_accept` (recorded), what `ahead.compare` raises, or AuditRefused.
    """
    reason, found = _asked(by, reason)
    if (before := _accepted_before(found)) is not None:
        branch.put_away(before.put_away, found)
        segments.flush()
        return before
    if not found.is_fork and found.count:
        rebuild.bring_back(segments.lines, found)
    told = forgotten.read(_lost(found))
    Session.objects.all().delete()
    accepted = _settle(found, told, by=by)
    accepted = _conclude(accepted, by=by, reason=reason)
    if accepted.put_away:
        branch.put_away(accepted.put_away, found)
    segments.flush()
    return accepted


def _asked(by: Principal, reason: str) -> tuple[str, Ahead]:
    try:
        if by.user is None or not (by.user.is_active and by.user.is_superuser):
            raise Refused("not_permitted", "Only a superuser may answer for a restored database.")
        reason, found = eyes.require_reason(reason), compare(segments.lines())
        if not found.count and not rebuild.is_open():
            raise Refused("nothing_to_accept", "The segments hold nothing that the database does not.")
    except Refused as problem:
        raise records.deny_of_host(
            "evidence.denied", None, problem, by=by, key=EVERYTHING, wanted="accept"
        ) from problem
    return reason, found


def _accepted_before(found: Ahead) -> Accepted | None:
    """What was accepted already, if only the putting away was cut off after that."""
    row = AuditRecord.objects.filter(kind=branch.ACCEPTED).order_by("-seq").first() if found.is_fork else None
    said = json.loads(row.payload) if row is not None else {}
    if not said.get("put_away") or said["after_seq"] != found.common.seq:
        return None
    if said["head_hash"] != found.end.hash and not branch.is_put_away(said["put_away"], found):
        return None
    return Accepted(**{name: said[name] for name in Accepted.__dataclass_fields__})


def _lost(found: Ahead) -> Iterator[Record]:
    """The records that the database did not have by itself, in order. They were verified just now."""
    own, back = rebuild.came_back() or (found.common.seq, found.end.seq)
    since, until = min(own, found.common.seq), found.end.seq if found.count else back
    for line in rebuild.behind(segments.lines(), since):
        if rebuild.seq_of(line) > until:
            return
        yield Record.model_validate_json(line)


def _settle(found: Ahead, told: Forgotten, *, by: Principal) -> Accepted:
    changes = settling.settle(told, by=by)
    unknown = list(settling.begun_and_unknown(told))
    return Accepted(
        first_seq=told.first,
        last_seq=told.last.seq,
        head_hash=told.last.hash,
        after_seq=found.common.seq,
        put_away=branch.name_of(found) if found.is_fork else "",
        withdrawn=restored.withdraw_all(WHY),
        changes=changes,
        unknown=[f"{pk} on {story.host}" for pk, story in unknown],
        fencing_tokens=told.tokens,
        standing_ended=_end_standing(told, by=by),
        frozen=_freeze(told, [story.host for _pk, story in unknown], by=by),
        revoked=_revoke(told, by=by),
        edits=told.edited(),
    )


def _end_standing(told: Forgotten, *, by: Principal) -> list[int]:
    """Those that people ended after the backup stay ended, and are not only suspended."""
    rows = StandingApproval.objects.filter(pk__in=told.standing, ended_at=None).select_related("host")
    for row in (ended := list(rows)):
        standing.end(row, told.standing[row.pk], WHY, by=by)
    return [row.pk for row in ended]


def _revoke(told: Forgotten, *, by: Principal) -> list[int]:
    """API tokens that were changed or revoked after the backup: what they may now is not what they should."""
    rows = ApiToken.objects.filter(pk__in=told.api_tokens, revoked_at=None).select_related("owner")
    return [row.pk for row in rows if tokens.revoke(row, by=by)]


def _freeze(told: Forgotten, doubtful: list[str], *, by: Principal) -> list[str]:
    """What was frozen is frozen again; so is what this database would get wrong, until somebody has seen to it."""
    wanted = {scope: f"Frozen before the restore by {why}" for scope, why in told.freezes.items() if why is not None}
    for name in doubtful:
        wanted[name] = "A change that this database does not know was begun before the restore. Look at the host first."
    if told.edits:
        edited = ", ".join(told.edited())
        wanted[EVERYTHING] = f"What was edited after the backup has to be edited again: {edited}."
    hosts = {host.name: host for host in Host.objects.filter(name__in=wanted)}
    for scope, why in wanted.items():
        if scope == EVERYTHING or scope in hosts:
            freeze.freeze(hosts.get(scope), by=by, reason=why)
    return sorted(Freeze.objects.filter(lifted_at=None).values_list("scope", flat=True))


def _conclude(accepted: Accepted, *, by: Principal, reason: str) -> Accepted:
    """The record, with which the database is in force again. At that moment nothing is approved."""
    withdrawn = accepted.withdrawn
    while True:
        with transaction.atomic():
            head.locked()  # whoever approves appends a record: until this commits nobody does
            if not restored.is_anything_approved():
                accepted = Accepted(**asdict(accepted) | {"withdrawn": withdrawn})
                rebuild.close()
                said = {"reason": reason} | asdict(accepted)
                records.tell_of_host("restore.accepted", None, by=by, key=EVERYTHING, payload=said)
                return accepted
        withdrawn += restored.withdraw_all(WHY)


def register() -> None:
    """Add `accept` to `manage.py audits`."""
    asked: list[tuple[list[str], dict[str, Any]]] = [
        (["--reason"], {"required": True, "metavar": "R"}),
        (
            ["--as"],
            {"required": True, "dest": "username", "metavar": "USER", "help": "who you are; asks for the password"},
        ),
    ]
    words = "Answer for a restored database: what it forgot comes back, and no approval of it is used any more."
    more_commands.register(more_commands.More("accept", words, asked, _accept))


def _accept(command: Subcommands, *, username: str, reason: str, json: bool, **_: Any) -> None:
    accepted = accept(by=person_at_shell(username), reason=reason)
    if json:
        command.print_json(asdict(accepted))
        return
    for sentence in _sentences(accepted):
        command.say(sentence)


def _sentences(accepted: Accepted) -> Iterator[str]:
    span = f"Records {accepted.first_seq} to {accepted.last_seq}"
    if accepted.put_away:
        yield f"{span} cannot come back, as the database has others: they are in {accepted.put_away}, and were read."
    else:
        yield f"{span} came back."
    closed, ended, doubt = (len(accepted.changes[word]) for word in settling.WORDS)
    yield f"Approvals taken back: {accepted.withdrawn}. Standing ones are suspended."
    yield f"Changes closed: {closed}, ended as recorded: {ended}, in doubt: {doubt}."
    for change in accepted.unknown:
        yield f"Begun, and not known here: {change}. Look at the host."
    if accepted.edits:
        edited = ", ".join(accepted.edits)
        yield f"Edited after the backup, to be done again: {edited}. `manage.py audits list` has them."
    if accepted.revoked:
        yield f"API tokens revoked, as they were changed or revoked after the backup: {len(accepted.revoked)}."
    if accepted.frozen:
        yield f"Frozen: {', '.join(accepted.frozen)}. Lift that when you have seen to it."
