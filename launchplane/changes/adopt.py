"""Beginning a new evidence folder when the old one is gone: with it went what the database may have forgotten.

So no approval from before is used any more, and a person answers for that on record.
"""

from typing import Any

from django.db import transaction

from audits import more_commands, segments
from launchplane.access.authenticate import person_at_shell
from launchplane.access.people import Principal
from launchplane.changes import eyes, records, restored
from launchplane.changes.models.host import EVERYTHING
from launchplane.commands import Subcommands
from launchplane.problems import Refused


def adopt(*, by: Principal, reason: str) -> int:
    """Take back every unused approval, suspend standing ones, record it, and write a new folder from the database.

    Returns how many approvals were taken back. Raises Refused `not_permitted`, `reason_missing`, `evidence_there`,
    recorded; AuditRefused if the folder cannot be written: then it can be asked for again.
    """
    try:
        if by.user is None or not (by.user.is_active and by.user.is_superuser):
            raise Refused("not_permitted", "Only a superuser may begin a new evidence folder.")
        reason = eyes.require_reason(reason)
        segments.refuse_if_there()
    except Refused as problem:
        raise records.deny_of_host("evidence.denied", None, problem, by=by, key=EVERYTHING, wanted="adopt") from problem
    withdrawn = restored.withdraw_all()
    with transaction.atomic():
        said = {"reason": reason, "withdrawn": withdrawn}
        records.tell_of_host("evidence.adopted", None, by=by, key=EVERYTHING, payload=said)
    segments.begin_anew()
    return withdrawn


def register() -> None:
    """Add `adopt` to `manage.py audits`."""
    asked: list[tuple[list[str], dict[str, Any]]] = [
        (["--reason"], {"required": True, "metavar": "R"}),
        (
            ["--as"],
            {"required": True, "dest": "username", "metavar": "USER", "help": "who you are; asks for the password"},
        ),
    ]
    words = "Begin a new evidence folder, after the old one was lost or put away."
    more_commands.register(more_commands.More("adopt", words, asked, _adopt))


def _adopt(command: Subcommands, *, username: str, reason: str, json: bool, **_: Any) -> None:
    withdrawn = adopt(by=person_at_shell(username), reason=reason)
    if json:
        command.print_json({"withdrawn": withdrawn})
    else:
        command.say(f"A new evidence folder was begun. Approvals taken back: {withdrawn}. Standing ones are suspended.")
