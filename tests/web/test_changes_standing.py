"""Standing approvals in the browser: asked for by one, granted by another, suspended, resumed and ended."""

import pytest
from django.test import Client

from launchplane.access.models import User
from launchplane.changes import standing
from launchplane.changes.models import StandingApproval
from launchplane.hosts.models import Host
from tests.changes import toy
from tests.changes.ways import granted, standing_request
from tests.factories import PASSWORD, a_person
from tests.web.reading import text_of

ASK = f"/hosts/folder/changes/standing/?kind={toy.ROUTINE}"
TYPED = {
    "items_per_run": "10",
    "items_per_day": "100",
    "bytes_per_run": "5 GB",
    "bytes_per_day": "20 GB",
    "days": "30",
    "reason": "every half hour",
}


def log_in(client: Client, user: User) -> Client:
    client.post("/accounts/login/", {"username": user.get_username(), "password": PASSWORD})
    return client


def do(client: Client, row: StandingApproval, deed: str, **said: str) -> tuple[int, str]:
    typed = {"digest": row.bounds_digest, "reason": "within bounds", **said}
    response = client.post(f"/standing/{row.pk}/{deed}/", typed)
    row.refresh_from_db()
    return response.status_code, "" if response.status_code == 302 else text_of(response)


def test_one_asks_and_another_grants(client: Client, folder: Host, operator: User, approver: User) -> None:
    log_in(client, operator)
    assert "Never touched warm" in text_of(client.get(ASK))
    assert client.post(ASK, TYPED).status_code == 302
    row = StandingApproval.objects.get()
    assert (row.items_per_run, row.bytes_per_day, row.reason) == (10, 20 * 10**9, "every half hour")
    assert "somebody else has to decide" in text_of(client.get(f"/standing/{row.pk}/"))
    log_in(client, approver)
    assert "Standing approval: Routine removal of files folder · operator: every half hour" in text_of(client.get("/"))
    assert do(client, row, "grant")[0] == 302
    assert row.granted_by == approver
    assert "in force" in text_of(client.get("/standing/"))


@pytest.mark.parametrize(
    ("field", "typed", "said"),
    [
        ("bytes_per_run", "plenty", "“plenty” is not a size"),
        ("bytes_per_day", "1 GB", "A day can’t have less than one run."),
        ("items_per_run", "0", "greater than or equal to 1"),
        ("items_per_run", "99999999999", "less than or equal to"),
        ("days", "9999", "less than or equal to 366"),
        ("reason", "", "This field is required."),
    ],
)
def test_bad_input_keeps_what_was_typed_and_says_why(
    client: Client, folder: Host, operator: User, field: str, typed: str, said: str
) -> None:
    client.force_login(operator)
    response = client.post(ASK, {**TYPED, field: typed})
    assert response.status_code == 400
    assert said in text_of(response)
    assert not StandingApproval.objects.exists()


def test_asking_needs_its_right(client: Client, folder: Host) -> None:
    client.force_login(a_person("auditor", group="Auditors"))
    response = client.post(ASK, TYPED)
    assert response.status_code == 403
    assert "Asking for it needs the right" in text_of(response)


@pytest.mark.parametrize("kind", ["", "no.such", toy.ONCE])
def test_a_kind_that_is_no_routine_leads_to_those_that_are(
    client: Client, folder: Host, operator: User, kind: str
) -> None:
    client.force_login(operator)
    page = text_of(client.post(f"/hosts/folder/changes/standing/?kind={kind}", TYPED))
    assert "Let a routine run" in page
    assert not StandingApproval.objects.exists()


def test_nobody_grants_an_own_wish(client: Client, folder: Host, operator: User) -> None:
    operator.is_superuser = True
    operator.save()
    row = standing_request(folder, operator)
    code, said = do(log_in(client, operator), row, "grant")
    assert code == 403
    assert "somebody else has to decide" in said
    assert row.granted_at is None


def test_an_old_login_is_asked_for_the_password(client: Client, folder: Host, operator: User, approver: User) -> None:
    row = standing_request(folder, operator)
    client.force_login(approver)
    assert "Grant: Routine removal of files, on folder" in do(client, row, "grant")[1]
    assert row.granted_at is None
    assert do(client, row, "grant", password=PASSWORD)[0] == 302
    assert row.granted_at is not None


def test_another_digest_grants_nothing(client: Client, folder: Host, operator: User, approver: User) -> None:
    row = standing_request(folder, operator)
    code, said = do(log_in(client, approver), row, "grant", digest="0" * 64)
    assert code == 409
    assert "What you looked at are not these bounds." in said


def test_looser_bounds_are_said_before_anybody_tries(
    client: Client, folder: Host, operator: User, approver: User
) -> None:
    row = standing_request(folder, operator)
    toy.sign(folder, "keep.json", text='{"protected": [], "budget_bytes": 0}')
    log_in(client, approver)
    page = text_of(client.get(f"/standing/{row.pk}/"))
    assert "It can’t be granted any more" in page
    assert "warm is not protected any more." in page
    assert do(client, row, "grant")[0] == 409


def test_a_suspended_one_is_resumed_by_who_may_grant(
    client: Client, folder: Host, operator: User, approver: User
) -> None:
    row = granted(standing_request(folder, operator), approver)
    standing.suspend(folder, toy.ROUTINE, "warm was missing after a run")
    log_in(client, approver)
    assert "suspended Standing approval: Routine removal of files" in text_of(client.get("/"))
    assert "warm was missing after a run" in text_of(client.get(f"/standing/{row.pk}/"))
    assert do(client, row, "resume", digest="")[0] == 409
    assert do(client, row, "resume", reason="it is back")[0] == 302
    assert row.suspended_at is None


def test_either_side_ends_it_and_then_nothing_is_clickable(
    client: Client, folder: Host, operator: User, approver: User
) -> None:
    row = granted(standing_request(folder, operator), approver)
    client.force_login(operator)
    assert do(client, row, "end", reason="")[0] == 400
    assert do(client, row, "end", reason="not wanted")[0] == 302
    assert row.ended == StandingApproval.Ended.REVOKED
    body = client.get(f"/standing/{row.pk}/").content.decode().partition('id="content-start"')[2]
    assert "<form" not in body
    assert "At an end" in text_of(client.get("/standing/"))


def test_without_a_right_nothing_can_be_ended(client: Client, folder: Host, operator: User) -> None:
    row = standing_request(folder, operator)
    client.force_login(a_person("auditor", group="Auditors"))
    assert "<button" not in client.get(f"/standing/{row.pk}/").content.decode().partition('id="content-start"')[2]
    for deed in ("grant", "end"):
        assert do(client, row, deed)[0] == 403
    assert row.ended_at is None


@pytest.mark.parametrize("deed", ["grant", "resume", "end"])
def test_it_only_allows_post(client: Client, folder: Host, operator: User, deed: str) -> None:
    client.force_login(operator)
    assert client.get(f"/standing/{standing_request(folder, operator).pk}/{deed}/").status_code == 405


@pytest.mark.parametrize("address", ["", "grant/", "resume/", "end/"])
def test_one_of_a_hidden_host_is_not_found(client: Client, folder: Host, operator: User, address: str) -> None:
    row = standing_request(folder, operator)
    client.force_login(a_person("stranger", group=""))
    assert client.post(f"/standing/{row.pk}/{address}").status_code == 404
    assert "every half hour" not in text_of(client.get("/standing/"))
