"""API tokens and trusted workflows in the settings: who may make which, what is shown once, and what is on record."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.utils import timezone

from audits.models import AuditRecord
from launchplane.access import tokens, workflows
from launchplane.access.acting import acting_as
from launchplane.access.actions import Action
from launchplane.access.models import ApiToken, TrustedWorkflow, User
from launchplane.access.people import FIRST_START
from launchplane.hosts.models import Host
from tests.access.making import a_workflow, made_token
from tests.factories import a_host, a_person, allow
from tests.refusing import refusing_audit
from tests.web.reading import text_of
from tests.web.test_doors import assert_strict

TOKENS, WORKFLOWS = "/admin/access/apitoken/", "/admin/access/trustedworkflow/"


@pytest.fixture
def host(db: None) -> Host:
    return a_host("ci-1")


@pytest.fixture
def boss(db: None) -> User:
    boss = a_person("boss", group="")
    User.objects.filter(pk=boss.pk).update(is_superuser=True)
    return User.objects.get(pk=boss.pk)


@pytest.fixture
def window(client: Client, boss: User) -> Client:
    client.force_login(boss)
    return client


def with_right(name: str, *codenames: str) -> User:
    """Somebody who holds these rights, and those of an operator."""
    person = a_person(name)
    with acting_as(FIRST_START):
        person.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    return person


def token_form(of: User, **changed: Any) -> dict[str, Any]:
    usual = {"name": "nightly", "owner": of.pk, "actions": ["host.read"], "all_hosts": "on", "days": "30"}
    return {name: value for name, value in (usual | changed).items() if value is not None}


def workflow_form(**changed: Any) -> dict[str, Any]:
    usual = {
        "repository": "octo/app",
        "repository_id": "4711",
        "owner_id": "42",
        "ref": "refs/heads/main",
        "events": "push, schedule",
        "actions": ["host.read"],
        "all_hosts": "on",
    }
    return {name: value for name, value in (usual | changed).items() if value is not None}


def last() -> AuditRecord:
    return AuditRecord.objects.latest("seq")


def shown_in(response: Any) -> str:
    found = re.search(r"lp_[0-9a-f]{12}_[A-Za-z0-9_-]{43}", response.content.decode())
    assert found is not None
    return found[0]


def test_a_token_is_shown_once_and_kept_nowhere(window: Client, boss: User, host: Host) -> None:
    response = window.post(f"{TOKENS}add/", token_form(boss))
    text = shown_in(response)
    row = ApiToken.objects.get()

    assert response.status_code == 200
    assert "no-store" in response["Cache-Control"]
    assert_strict(response)
    assert tokens.caller_with(text, address="").principal.user == boss
    secret = text.rpartition("_")[2]
    for page in (TOKENS, f"{TOKENS}{row.pk}/change/", f"{TOKENS}{row.pk}/history/", "/audit/"):
        assert secret not in window.get(page).content.decode()
    assert secret not in str(list(ApiToken.objects.values())) + last().payload
    assert (row.made_by, row.expires_at - row.made_at) == (boss, timedelta(days=30))


def test_its_making_is_on_record(window: Client, boss: User, host: Host) -> None:
    window.post(f"{TOKENS}add/", token_form(boss, all_hosts=None, hosts=[host.pk]))

    record = last()

    assert (record.kind, record.actor_name, record.source) == ("access.api_token", "boss", "web")
    assert '"hosts":["ci-1"]' in record.payload
    assert '"actions":["host.read"]' in record.payload


def test_a_token_that_cannot_be_recorded_is_not_made(window: Client, boss: User, host: Host) -> None:
    with refusing_audit():
        response = window.post(f"{TOKENS}add/", token_form(boss))

    assert response.status_code == 503
    assert not ApiToken.objects.exists()


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"days": "366"}, "less than or equal to 365"),
        ({"days": "0"}, "greater than or equal to 1"),
        ({"days": None}, "required"),
        ({"actions": []}, "required"),
        ({"actions": ["change.approve"]}, "not one of the available choices"),
        ({"all_hosts": None}, "Choose hosts"),
        ({"name": ""}, "required"),
        ({"name": "a\x07b"}, "in one line"),
        ({"name": "x" * 81}, "at most 80"),
        ({"owner": "999"}, "not one of the available choices"),
    ],
    ids=str,
)
def test_a_form_that_is_wrong_says_so_and_makes_nothing(
    window: Client, boss: User, host: Host, changed: dict[str, Any], said: str
) -> None:
    response = window.post(f"{TOKENS}add/", token_form(boss, **changed))

    assert said in text_of(response)
    assert not ApiToken.objects.exists()


def test_hosts_and_all_of_them_are_not_both_meant(window: Client, boss: User, host: Host) -> None:
    assert "and not both" in text_of(window.post(f"{TOKENS}add/", token_form(boss, hosts=[host.pk])))


def test_the_same_form_sent_twice_makes_one_token(window: Client, boss: User, host: Host) -> None:
    window.post(f"{TOKENS}add/", token_form(boss))

    assert "already exists" in text_of(window.post(f"{TOKENS}add/", token_form(boss)))
    assert ApiToken.objects.count() == 1


def test_whoever_may_make_own_tokens_makes_none_for_others(client: Client, boss: User, host: Host) -> None:
    ann, bob = with_right("ann", "add_apitoken"), a_person("bob")
    client.force_login(ann)

    assert "not one of the available choices" in text_of(client.post(f"{TOKENS}add/", token_form(bob)))
    assert shown_in(client.post(f"{TOKENS}add/", token_form(ann)))
    assert ApiToken.objects.get().owner == ann


def test_whoever_may_make_own_tokens_sees_and_edits_own_ones_only(client: Client, boss: User, host: Host) -> None:
    ann = with_right("ann", "add_apitoken")
    own, other = made_token(ann, name="own"), made_token(boss, name="another")
    client.force_login(ann)

    text = text_of(client.get(TOKENS))
    assert "own" in text
    assert "another" not in text
    assert client.get(f"{TOKENS}{own.row.pk}/change/").status_code == 200
    assert client.get(f"{TOKENS}{other.row.pk}/change/").status_code == 302
    client.post(f"{TOKENS}{other.row.pk}/change/", token_form(boss, name="mine now"))
    assert ApiToken.objects.get(pk=other.row.pk).name == "another"


def test_whoever_may_make_tokens_of_others_makes_none_of_a_superuser(client: Client, boss: User, host: Host) -> None:
    clerk, bob = with_right("clerk", "manage_apitokens"), a_person("bob")
    client.force_login(clerk)

    assert shown_in(client.post(f"{TOKENS}add/", token_form(bob)))
    assert "not one of the available choices" in text_of(client.post(f"{TOKENS}add/", token_form(boss)))
    theirs = made_token(boss, [Action.HOST_READ])
    client.post(f"{TOKENS}{theirs.row.pk}/change/", token_form(boss, actions=["evidence.export"]))
    assert ApiToken.objects.get(pk=theirs.row.pk).actions == ["host.read"]


def test_whoever_holds_no_such_right_makes_none(client: Client, host: Host) -> None:
    client.force_login(a_person("ann"))

    assert client.get(TOKENS).status_code == client.get(f"{TOKENS}add/").status_code == 403
    assert client.get(WORKFLOWS).status_code == client.get(f"{WORKFLOWS}add/").status_code == 403


def test_an_auditor_sees_what_is_let_in_and_changes_nothing(client: Client, boss: User, host: Host) -> None:
    made = made_token(boss, name="nightly")
    workflow = a_workflow(repository="octo/app")
    client.force_login(a_person("auditor", group="Auditors"))

    assert "nightly boss" in text_of(client.get(TOKENS))
    assert "octo/app" in text_of(client.get(WORKFLOWS))
    assert "Save" not in client.get(f"{TOKENS}{made.row.pk}/change/").content.decode()
    assert client.post(f"{TOKENS}{made.row.pk}/change/", {"revoke": "on"}).status_code == 403
    assert client.post(f"{WORKFLOWS}{workflow.pk}/delete/", {"post": "yes"}).status_code == 403


def test_a_change_of_a_token_is_on_record_with_what_was(window: Client, boss: User, host: Host) -> None:
    row = made_token(boss, [Action.HOST_READ], [host], name="nightly").row
    form = token_form(boss, actions=["host.read", "evidence.export"], all_hosts=None, hosts=[host.pk])

    window.post(f"{TOKENS}{row.pk}/change/", form)

    assert ApiToken.objects.get().actions == ["host.read", "evidence.export"]
    assert '"actions":{"after":["evidence.export","host.read"],"before":["host.read"]}' in last().payload


def test_a_host_that_its_editor_does_not_see_stays(client: Client, host: Host) -> None:
    unseen = a_host("ci-2")
    clerk = with_right("clerk", "manage_apitokens")
    clerk.groups.clear()
    allow(clerk, "hosts.view_host", host)
    ann = a_person("ann")
    row = made_token(ann, [Action.HOST_READ], [host, unseen], name="nightly").row
    client.force_login(clerk)

    page = client.get(f"{TOKENS}{row.pk}/change/").content.decode()
    client.post(f"{TOKENS}{row.pk}/change/", token_form(ann, name="daily", all_hosts=None, hosts=[host.pk]))

    assert f'value="{unseen.pk}"' not in page.partition('id="id_hosts"')[2].partition("</fieldset>")[0]
    row.refresh_from_db()
    assert (row.name, set(row.hosts.all())) == ("daily", {host, unseen})


def test_a_revoked_token_stays_to_be_seen_and_is_as_it_was(window: Client, boss: User, host: Host) -> None:
    row = made_token(boss, [Action.HOST_READ], name="nightly").row
    window.post(f"{TOKENS}{row.pk}/change/", token_form(boss, revoke="on"))
    assert "revoked API token nightly of boss" in last().payload
    assert ApiToken.objects.get().revoked_at is not None

    assert window.post(f"{TOKENS}{row.pk}/change/", token_form(boss, name="other")).status_code == 403
    assert window.post(f"{TOKENS}{row.pk}/delete/", {"post": "yes"}).status_code == 403
    assert "revoked 20" in text_of(window.get(TOKENS))


def test_a_token_of_somebody_who_was_deactivated_can_be_revoked(window: Client, boss: User, host: Host) -> None:
    ann = a_person("ann")
    row = made_token(ann, [Action.HOST_READ], name="nightly").row
    User.objects.filter(pk=ann.pk).update(is_active=False)

    window.post(f"{TOKENS}{row.pk}/change/", token_form(ann, revoke="on"))

    assert ApiToken.objects.get().revoked_at is not None


def test_a_person_goes_with_their_tokens_and_the_record_says_so(window: Client, boss: User, host: Host) -> None:
    ann = a_person("ann")
    made_token(ann, name="nightly")

    assert window.post(f"/admin/access/user/{ann.pk}/delete/", {"post": "yes"}).status_code == 302

    assert not ApiToken.objects.exists()
    assert '"programs let in":{"after":null,"before":["nightly"]}' in last().payload


def test_a_workflow_is_added_for_the_issuer_that_is_set_and_on_record(
    window: Client, boss: User, host: Host, settings: Any
) -> None:
    assert window.post(f"{WORKFLOWS}add/", workflow_form()).status_code == 302

    row = TrustedWorkflow.objects.get()
    assert (row.issuer, row.audience) == (settings.OIDC_ISSUER, settings.OIDC_AUDIENCE)
    assert (row.events, row.added_by, row.all_hosts) == (["push", "schedule"], boss, True)
    assert (last().kind, last().actor_name) == ("access.trusted_workflow", "boss")
    assert '"what":"added trusted workflow octo/app' in last().payload


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"repository_id": "octo/app"}, "Enter a whole number"),
        ({"repository_id": "0"}, "greater than or equal to 1"),
        ({"repository_id": str(2**63)}, "less than or equal to"),
        ({"owner_id": None}, "required"),
        ({"events": "push pull_request_target"}, "pull_request_target is never trusted"),
        ({"events": "workflow_run"}, "workflow_run is never trusted"),
        ({"events": "Push!"}, "Events are written like"),
        ({"events": ""}, "required"),
        ({"ref": "refs/heads/a b"}, "without blanks"),
        ({"actions": []}, "required"),
        ({"all_hosts": None}, "Choose hosts"),
    ],
    ids=str,
)
def test_a_workflow_that_is_wrong_says_so_and_is_not_added(
    window: Client, host: Host, changed: dict[str, Any], said: str
) -> None:
    response = window.post(f"{WORKFLOWS}add/", workflow_form(**changed))

    assert said in text_of(response)
    assert not TrustedWorkflow.objects.exists()


def test_two_workflows_that_could_fit_one_run_are_not_both_there(window: Client, host: Host) -> None:
    window.post(f"{WORKFLOWS}add/", workflow_form())

    for same in ({}, {"ref": ""}, {"environment": "production"}):
        assert "neither would let it in" in text_of(window.post(f"{WORKFLOWS}add/", workflow_form(**same)))
    for other in ({"ref": "refs/heads/next"}, {"events": "workflow_dispatch"}, {"owner_id": "43"}):
        assert window.post(f"{WORKFLOWS}add/", workflow_form(**other)).status_code == 302


@pytest.mark.parametrize(
    ("changed", "verb"),
    [
        ({"actions": ["host.read", "lane.read"]}, "widened"),
        ({"ref": ""}, "widened"),
        ({"ref": "refs/heads/next"}, "widened"),
        ({"events": "push schedule workflow_dispatch"}, "widened"),
        ({"repository_id": "4712"}, "widened"),
        ({"all_hosts": "on", "hosts": []}, "widened"),
        ({"events": "push"}, "changed"),
        ({"environment": "production"}, "changed"),
        ({"repository": "octo/renamed"}, "changed"),
    ],
    ids=str,
)
def test_who_lets_more_in_answers_for_it(
    window: Client, boss: User, host: Host, changed: dict[str, Any], verb: str
) -> None:
    row = a_workflow([Action.HOST_READ], [host], ref="refs/heads/main", events=["push", "schedule"])
    form = workflow_form(all_hosts=None, hosts=[host.pk])

    assert window.post(f"{WORKFLOWS}{row.pk}/change/", form | changed).status_code == 302

    assert f'"what":"{verb} trusted workflow' in last().payload
    assert (TrustedWorkflow.objects.get().widened_by == boss) is (verb == "widened")


def test_nobody_lets_a_workflow_do_what_they_may_not_do(client: Client, host: Host) -> None:
    clerk = with_right("clerk", "add_trustedworkflow", "view_trustedworkflow")
    clerk.groups.clear()
    allow(clerk, "hosts.view_host", host)
    client.force_login(clerk)
    on_one = {"all_hosts": None, "hosts": [host.pk]}

    assert "You may not do host.read there" in text_of(client.post(f"{WORKFLOWS}add/", workflow_form()))
    assert "You may not do change.request there" in text_of(
        client.post(f"{WORKFLOWS}add/", workflow_form(actions=["change.request"], **on_one))
    )
    assert "audits.view_auditrecord" in text_of(
        client.post(f"{WORKFLOWS}add/", workflow_form(actions=["evidence.export"], **on_one))
    )
    assert client.post(f"{WORKFLOWS}add/", workflow_form(**on_one)).status_code == 302


def test_a_workflow_of_another_audience_is_shown_to_let_in_none(window: Client, host: Host, settings: Any) -> None:
    a_workflow()
    settings.OIDC_AUDIENCE = "https://moved.example"

    assert "none: it is for another issuer or audience" in text_of(window.get(WORKFLOWS))


def test_a_deleted_workflow_is_on_record_with_what_it_was(window: Client, host: Host) -> None:
    row = a_workflow(ref="refs/heads/main")

    assert window.post(f"{WORKFLOWS}{row.pk}/delete/", {"post": "yes"}).status_code == 302

    assert not TrustedWorkflow.objects.exists()
    assert '"what":"deleted trusted workflow' in last().payload
    assert "refs/heads/main" in last().payload


@pytest.mark.parametrize("address", [TOKENS, f"{TOKENS}add/", WORKFLOWS, f"{WORKFLOWS}add/"])
def test_every_page_is_strict(window: Client, boss: User, host: Host, address: str) -> None:
    made_token(boss)
    a_workflow()

    assert_strict(window.get(address))


def test_extents_are_compared_by_whom_they_let_in(host: Host) -> None:
    wide, narrow = workflows.extent(a_workflow()), workflows.extent(a_workflow([Action.HOST_READ], [host]))

    assert narrow.is_within(wide)
    assert not wide.is_within(narrow)
    assert wide.meets(narrow)


def test_a_token_that_ends_is_shown_as_over(window: Client, boss: User, host: Host) -> None:
    made_token(boss)
    ApiToken.objects.update(expires_at=timezone.now())

    assert "over since" in text_of(window.get(TOKENS))
