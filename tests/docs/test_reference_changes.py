"""The reference of changes says what the code does: statuses, gates, rights, records and codes, compared one by one."""

import re
import typing
from collections.abc import Iterable
from datetime import timedelta

import pytest

from audits.contracts import Actor, Checkpoint, Record, Trailer, Verdict
from audits.record import LONGEST_PAYLOAD
from hygiene.gates import TABLE
from hygiene.plan.assemble import NEXT_STEPS
from hygiene.plan.items import MOST, VERBS
from launchplane.access.groups import GROUPS, READ
from launchplane.access.one_person import ACCOUNT_IS_YOUNG
from launchplane.changes import apply as applying
from launchplane.changes import approvals, finish, recover, requests, routine, standing, stopping
from launchplane.changes.contracts import Blocker, Boundary, DeclaredCall, Gate
from launchplane.changes.document import ApprovalDocument, LaneChangeDocument, NotificationDocument, StepDocument
from launchplane.changes.eyes import PASSWORD_IS_RECENT
from launchplane.changes.kinds import all_kinds
from launchplane.changes.management.commands.changes import code_of
from launchplane.changes.models import Change, StandingApproval, Step
from launchplane.changes.states import NEXT
from launchplane.hosts.contracts import Contract
from launchplane.hosts.models import Host
from launchplane.web.views.standing_approvals import AskForm
from onhost.engine import removing
from tests.docs.reading import PROJECT, cells, codes, text_of

CHANGES = "docs/reference/changes.md"
KINDS = "docs/reference/kinds-and-gates.md"
APPROVALS = "docs/reference/approvals.md"
AUDITS = "docs/reference/audits.md"
PERMISSIONS = "docs/reference/permissions.md"
CODE = re.compile(r"`([^`]+)`")
NAMES = r'"([a-z_]+)"'
EVERY_GATE = {gate for gates in TABLE.values() for gate in gates}


def sources(*folders: str) -> str:
    """The text of every module in these folders."""
    return "\n".join(path.read_text() for folder in folders for path in sorted((PROJECT / folder).rglob("*.py")))


def rows(name: str, first: Iterable[str]) -> dict[str, list[str]]:
    """The rows of a document's tables whose first cell is one of these codes, by that code."""
    wanted = {f"`{code}`" for code in first}
    return {row[0].strip("`"): row for row in cells(name) if row[0] in wanted}


def fields(*contracts: type[Contract]) -> set[str]:
    return {name for contract in contracts for name in contract.model_fields}


def test_every_status_goes_on_to_what_the_table_says() -> None:
    shown = {row[0].strip("`"): set(CODE.findall(row[2])) for row in cells(CHANGES) if len(row) == 3}
    expected = {str(status): {str(new) for new in following} for status, following in NEXT.items()}
    # a change that is taken from a dead worker stays with the word it has
    expected["applying"].discard("applying")
    assert {status: following for status, following in shown.items() if status in expected} == expected


def test_every_word_of_a_change_is_there_and_no_other() -> None:
    words = {*Change.Status.values, *Change.Why.values, *Step.Outcome.values}
    assert codes(CHANGES) == words | fields(LaneChangeDocument, StepDocument)


def test_every_field_within_the_document_is_there() -> None:
    named = set(CODE.findall(text_of(CHANGES)))
    assert fields(ApprovalDocument, NotificationDocument, Gate, Blocker, Boundary, DeclaredCall) <= named


@pytest.mark.parametrize("status", Change.Status.values)
def test_the_exit_codes_of_a_change_are_the_ones_shown(status: str) -> None:
    words = {0: ["planned", "completed"], 4: ["failed", "closed", "in doubt"]}
    shown = {int(row[0]): row[1] for row in cells(CHANGES) if len(row) == 2 and row[0].isdigit()}
    label = {"approved": "approved", "applying": "being applied"}.get(status, Change.Status(status).label)
    assert label in shown[code_of(Change(status=status))]
    assert all(word in shown[code] for code, among in words.items() for word in among)


def test_the_times_are_those_of_the_code() -> None:
    shown = [row[1] for row in cells(CHANGES) if len(row) == 2 and re.match(r"\d+ (hour|minute|second)s?\b", row[1])]
    assert [in_words(shown_time) for shown_time in shown] == [
        requests.TO_APPROVE,
        approvals.TO_EXECUTE,
        routine.TO_EXECUTE,
        finish.TRY_AGAIN_AFTER,
        applying.BUSY_FOR,
        timedelta(seconds=stopping.LONGEST_SECONDS),
        recover.LEASE,
        timedelta(seconds=removing.REMOVE_SECONDS),
        timedelta(seconds=removing.PRUNE_SECONDS),
    ]


def in_words(text: str) -> timedelta:
    number, unit = text.partition(";")[0].split()[:2]
    return timedelta(**{f"{unit.removesuffix('s')}s": int(number)})


def test_the_kinds_are_the_registered_ones() -> None:
    shown = [row for row in cells(KINDS) if len(row) == 4 and row[0].startswith("`hygiene.")]
    assert [(row[0].strip("`"), row[1], row[3].strip("`")) for row in shown] == [
        (kind.name, kind.title, kind.routine_cron or "")
        for kind in all_kinds().values()
        if kind.name.startswith("hygiene.")
    ]
    for row in shown:
        authority = all_kinds()[row[0].strip("`")].authority
        assert ("standing approval" in row[2]) == (authority == "standing")


def test_each_kind_has_the_gates_of_the_table() -> None:
    shown = rows(KINDS, EVERY_GATE)
    kinds = [f"hygiene.{CODE.findall(cell)[0]}" for cell in next(r for r in cells(KINDS) if r[0] == "gate")[1:]]
    found = {kind: {gate for gate, row in shown.items() if row[column]} for column, kind in enumerate(kinds, 1)}
    assert found == {kind: set(names) for kind, names in TABLE.items()}


def test_every_gate_says_what_opens_and_what_closes_it() -> None:
    said = {row[0].replace(" ", "_") for row in cells(KINDS) if len(row) == 3 and row[2].startswith("Closed: ")}
    assert said == EVERY_GATE


def test_the_gates_that_people_are_not_held_back_by_are_named() -> None:
    sentence = re.search(r"^(`.+`) hold back scheduled runs only", text_of(KINDS), re.MULTILINE)
    assert sentence is not None
    assert set(CODE.findall(sentence[1])) == all_kinds()["hygiene.build-cache"].routine_gates


def test_every_blocker_is_there_and_no_other() -> None:
    written = set(re.findall(rf"Blocker\(\s*code={NAMES}", sources("hygiene")))
    by_class = {f"item_{word}" for word in ("protected", "in_use", "unknown")}
    shown = {row[0].strip("`") for row in cells(KINDS) if len(row) == 3 and row[0].startswith("`")}
    assert shown - set(VERBS.values()) == written | by_class
    assert set(NEXT_STEPS) <= shown


def test_every_call_is_there_and_no_other() -> None:
    shown = {row[0].strip("`") for row in cells(KINDS) if len(row) == 3}
    assert set(VERBS.values()) <= shown
    assert f"A plan holds {MOST} items at most" in text_of(KINDS)


def test_every_rule_of_an_approval_has_its_code() -> None:
    source = sources("launchplane/changes")
    named = set(re.findall(r"Raises Refused: (.*?)or states", source, re.DOTALL)[0].split("`")[1::2])
    assert named == codes(APPROVALS, column=1)
    text = text_of(APPROVALS)
    assert f"within the last {PASSWORD_IS_RECENT.seconds // 60} minutes" in text
    assert f"within the last {ACCOUNT_IS_YOUNG.days * 24} hours" in text


def test_the_form_of_a_standing_approval_is_the_one_shown() -> None:
    shown = {row[0]: row[2] for row in cells(APPROVALS) if len(row) == 4}
    values = [str(field.initial) for field in AskForm().fields.values() if field.initial is not None]
    written = [value.replace(" GB", "0" * 9) for value in list(shown.values())[1:]]
    assert written == values
    assert str(standing.LONGEST.days) in [row[3] for row in cells(APPROVALS) if len(row) == 4]


def test_every_end_of_a_standing_approval_is_there() -> None:
    assert set(StandingApproval.Ended.values) <= codes(APPROVALS)


def test_every_field_of_a_record_an_export_and_a_verdict_is_there() -> None:
    named = set(CODE.findall(text_of(AUDITS)))
    expected = {name for contract in (Record, Actor, Trailer, Checkpoint, Verdict) for name in contract.model_fields}
    assert expected <= named
    assert f"at most {LONGEST_PAYLOAD:,} characters" in text_of(AUDITS)


def test_every_kind_of_record_is_there() -> None:
    source = sources("launchplane", "hygiene")
    of_changes = set(re.findall(r'Telling\(\s*"([a-z_ ]+)"(?![^()]*of_kind)', without_nesting(source)))
    of_changes |= set(re.findall(r'_close\(change, by, "([a-z ]+)"', source))
    standing_ones = set(re.findall(r'_tell\(\s*"([a-z_]+)"', source)) | set(StandingApproval.Ended.values)
    direct = set(re.findall(r'kind="([a-z_.]+)"', source)) | set(re.findall(r'tell_of_host\("([a-z_.]+)"', source))
    written = {f"change.{about}" for about in of_changes} | {f"standing.{about}" for about in standing_ones} | direct
    assert written <= codes(AUDITS)
    assert set(all_kinds()) - {name for name in all_kinds() if not name.startswith("hygiene.")} <= codes(AUDITS)


def without_nesting(source: str) -> str:
    """The source with what stands in inner brackets taken away, so that a call's own arguments are left."""
    return re.sub(r"\{[^{}]*\}", "", source)


def test_everything_that_verifying_can_find_is_there() -> None:
    source = sources("audits")
    found = set(re.findall(rf"\bfault\(\s*{NAMES}", source)) | set(re.findall(rf"Fault\(code={NAMES}", source))
    assert found
    assert found <= codes(AUDITS)


def test_every_right_is_there_and_each_group_has_those_of_the_code() -> None:
    own = {f"hosts.{codename}" for codename, _name in Host._meta.permissions} | {"hosts.change_host"}
    shown = rows(PERMISSIONS, own)
    assert set(shown) == own
    groups = next(row for row in cells(PERMISSIONS) if row[1:] == ["Operators", "Approvers", "Auditors"])[1:]
    table = {row[0]: row for row in cells(PERMISSIONS) if len(row) == 4}
    for column, group in enumerate(groups, 1):
        held = {right for right in own if right in GROUPS[group]}
        assert {right for right in own if f"`{right}`" in table and table[f"`{right}`"][column] == "yes"} == held
    assert all(set(READ) <= set(rights) for rights in GROUPS.values())


def test_the_rights_have_the_names_that_the_settings_show() -> None:
    shown = {row[0].strip("`"): row[1] for row in cells(PERMISSIONS) if len(row) == 3}
    for codename, name in Host._meta.permissions:
        assert shown[f"hosts.{codename}"] == name


def test_the_states_of_a_gate_are_named() -> None:
    assert set(typing.get_args(Gate.model_fields["state"].annotation)) <= set(CODE.findall(text_of(CHANGES)))
