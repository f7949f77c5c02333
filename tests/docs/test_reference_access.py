"""What the reference says of programs, actions and refused bearers is what the code has."""

import re

from launchplane.access.actions import RIGHTS
from launchplane.access.bearer import LONGEST
from launchplane.access.oidc.claims import LEEWAY_SECONDS, LONGEST_LIFE_SECONDS
from launchplane.access.oidc.keys import KeysUnavailable
from launchplane.access.tokens_admin import OTHERS, OWN, VIEW
from tests.docs.reading import PROJECT, cells, codes, text_of

PERMISSIONS = "docs/reference/permissions.md"
NOT_LET_IN = re.compile(r'(?:NotLetIn|Unreadable)\(\s*"([a-z_]+)"')


def test_every_action_is_there_with_the_rights_of_a_token_s_owner() -> None:
    shown = {
        row[0].strip("`"): re.findall(r"`([a-z.]+_[a-z]+)`", row[2]) for row in cells(PERMISSIONS) if len(row) == 3
    }
    expected = {action.value: list(filter(None, rights)) for action, rights in RIGHTS.items()}
    assert {name: rights for name, rights in shown.items() if name in expected} == expected


def test_every_code_of_a_refused_bearer_is_there() -> None:
    raised = {
        code for path in (PROJECT / "launchplane/access").rglob("*.py") for code in NOT_LET_IN.findall(path.read_text())
    }
    assert len(raised) > 15
    assert raised <= codes(PERMISSIONS)
    assert f"`{KeysUnavailable().code}` is 503" in text_of(PERMISSIONS)


def test_every_right_about_programs_is_there() -> None:
    assert {OWN, OTHERS, VIEW, "access.add_trustedworkflow", "hosts.send_evidence"} <= codes(PERMISSIONS)


def test_the_limits_are_those_of_the_code() -> None:
    text = text_of(PERMISSIONS)
    assert f"more than {LONGEST:,} characters" in text
    assert f"more than {LEEWAY_SECONDS} seconds ahead" in text
    assert LONGEST_LIFE_SECONDS == 3600
