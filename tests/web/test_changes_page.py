"""The page of a change: what it says before, while and after, and that nothing in it can do harm."""

from pathlib import Path

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from launchplane.access.models import User
from launchplane.access.people import WORKER
from launchplane.changes.apply import apply_change
from launchplane.changes.models import Change
from launchplane.changes.requests import cancel, find_change
from launchplane.hosts.models import Host
from tests.changes import toy
from tests.changes.ways import approved, decided, person, planned, requested
from tests.factories import a_person
from tests.web.reading import text_of


def page_of(client: Client, change: Change) -> str:
    return text_of(client.get(f"/changes/{change.pk}/"))


@pytest.mark.req("H23", "H24")
def test_it_says_what_exactly_will_happen_before_anybody_decides(client: Client, folder: Host, operator: User) -> None:
    client.force_login(a_person("auditor", group="Auditors"))
    page = page_of(client, requested(folder, operator))
    for said in (
        "Remove files waits for approval",
        "Asked for by operator just now: “disk is full”. Nothing has been changed yet.",
        "Frees, together 30 B",
        "Cannot be undone 1 · remove rubbish-1",
        "open toy closed is not there.",
        "Stays, whatever happens warm",
        "As nobody on folder, through the file system: remove at most 3 times.",
        "none: what is removed is gone",
        "There is none: it would be the first of its kind on this host.",
        "operator asked for approval: disk is full audit #",
    ):
        assert said in page
    assert "Decide within 23 h 59 min" in page


def test_items_that_cannot_be_got_back_come_first(client: Client, folder: Host, operator: User) -> None:
    change = planned(folder, operator)
    plan = change.planned()
    steps = tuple(
        step.model_copy(update={"reversible": word})
        for step, word in zip(plan.steps, ("yes", "unknown", "no"), strict=True)
    )
    Change.objects.filter(pk=change.pk).update(plan=plan.model_copy(update={"steps": steps}).model_dump_json())
    client.force_login(operator)
    page = page_of(client, change).partition("Must still hold")[2]
    assert page.index("Cannot be undone") < page.index("May not come back") < page.index("Can be got again")


def test_names_from_the_host_do_no_harm(client: Client, folder: Host, operator: User) -> None:
    (Path(folder.docker_root) / "<img src=x onerror=alert(1)>\u202egnp\n").write_text("x")
    client.force_login(operator)
    change = requested(folder, operator)
    raw = client.get(f"/changes/{change.pk}/").content.decode()
    assert "<img" not in raw
    assert "\u202e" not in raw
    assert "⟨U+202E⟩" in raw


def test_reasons_from_people_do_no_harm(client: Client, folder: Host, operator: User, approver: User) -> None:
    change = requested(folder, operator)
    cancel(change, by=person(operator), reason="<script>alert(1)</script>\u202e")
    client.force_login(approver)
    for address in (f"/changes/{change.pk}/", "/changes/", f"/hosts/{folder.name}/changes/"):
        raw = client.get(address).content.decode()
        assert "<script>alert" not in raw
        assert "\u202e" not in raw


@pytest.mark.parametrize("files", [3, 300])
def test_the_number_of_queries_does_not_depend_on_the_number_of_items(
    client: Client,
    folder: Host,
    operator: User,
    approver: User,
    django_assert_max_num_queries: DjangoAssertNumQueries,
    files: int,
) -> None:
    for number in range(files):
        (Path(folder.docker_root) / f"more-{number}").write_text("x")
    change = requested(folder, operator)
    client.force_login(approver)
    with django_assert_max_num_queries(24):
        client.get(f"/changes/{change.pk}/")


LIST_QUERIES, DASHBOARD_QUERIES = 9, 22


@pytest.mark.parametrize("number", [1, 10])
def test_the_lists_make_the_same_queries_for_one_change_and_for_ten(
    client: Client,
    folder: Host,
    operator: User,
    approver: User,
    number: int,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    for _ in range(number):
        Change.objects.filter(pk=requested(folder, operator).pk).update(subject=str(number))
    client.force_login(approver)
    client.get("/")  # fills the caches of the process
    with django_assert_num_queries(LIST_QUERIES):
        client.get("/changes/")
    with django_assert_num_queries(DASHBOARD_QUERIES):
        assert "Waiting for you" in text_of(client.get("/"))


def test_what_differs_from_the_last_approved_plan_is_named(
    client: Client, folder: Host, operator: User, approver: User
) -> None:
    apply_change(approved(folder, operator, approver), by=WORKER)
    (Path(folder.docker_root) / "new-rubbish").write_text("x")
    toy.sign(folder, "keep.json", text='{"protected": [], "budget_bytes": 5000}')
    client.force_login(approver)
    page = page_of(client, requested(folder, operator))
    assert "No longer protected warm" in page
    assert "Budget 5 kB, was 0 B" in page
    assert "New items 1 Which remove new-rubbish" in page
    assert "remove 1, was 3" in page
    assert "Items that are not in it now 3" in page


def test_the_result_shows_each_outcome_and_what_was_there_before_and_after(
    client: Client, folder: Host, operator: User, approver: User
) -> None:
    change = approved(folder, operator, approver)
    (Path(folder.docker_root) / "rubbish-2").write_text("is needed again")
    apply_change(change, by=WORKER)
    client.force_login(operator)
    page = page_of(client, change)
    assert page.count("2 done, 1 skipped, freed 20 B.") == 1
    assert page.count("2 done") == 1
    assert "Freed 20 B predicted 30 B" in page
    assert "It has changed." in page
    assert "files warm, rubbish-2" in page or "rubbish-2, warm" in page
    assert "Everything that must stay is there." in page


def test_what_is_missing_after_the_run_is_said_loudly(
    client: Client, folder: Host, operator: User, approver: User
) -> None:
    change = approved(folder, operator, approver)
    toy.hook[0] = lambda window, _: toy.sign(folder, "warm", there=False) if window == "at_end" else None
    apply_change(change, by=WORKER)
    toy.hook[0] = toy.nothing
    client.force_login(operator)
    page = page_of(client, change)
    assert "Missing after the run: warm" in page
    assert "Remove files failed" in page


def final_changes(folder: Host, operator: User, approver: User) -> list[Change]:
    done = apply_change(approved(folder, operator, approver), by=WORKER)
    (Path(folder.docker_root) / "more").write_text("x")
    failed = Change.objects.get(pk=requested(folder, operator).pk)
    closed = cancel(failed, by=person(operator), reason="no")
    return [done, closed]


def test_nothing_is_clickable_in_a_final_state(client: Client, folder: Host, operator: User, approver: User) -> None:
    for change in final_changes(folder, operator, approver):
        for somebody in (operator, approver):
            client.force_login(somebody)
            raw = client.get(f"/changes/{change.pk}/").content.decode()
            body = raw.partition('id="content-start"')[2]
            assert "<form" not in body
            assert "<button" not in body
            assert "hx-" not in body


def test_the_progress_counts_and_names_the_item_in_hand(
    client: Client, folder: Host, operator: User, approver: User
) -> None:
    change = approved(folder, operator, approver)
    client.force_login(operator)
    seen: list[str] = []

    def look(window: str, step: object) -> None:
        if window == "before_act":
            seen.append(text_of(client.get(f"/changes/{change.pk}/progress/?was=applying")))

    toy.hook[0] = look
    apply_change(change, by=WORKER)
    toy.hook[0] = toy.nothing
    assert "0 of 3 items have their outcome." in seen[0]
    assert "In hand: 2 · remove rubbish-2" in seen[1]
    assert "done 1 · remove rubbish-1" in seen[1]


def test_the_progress_has_the_page_loaded_anew_when_the_status_is_another(
    client: Client, folder: Host, operator: User, approver: User
) -> None:
    change = approved(folder, operator, approver)
    client.force_login(operator)
    assert "HX-Refresh" not in client.get(f"/changes/{change.pk}/progress/?was=approved").headers
    apply_change(change, by=WORKER)
    assert client.get(f"/changes/{change.pk}/progress/?was=approved").headers["HX-Refresh"] == "true"


def test_only_a_change_that_moves_by_itself_loads_a_script(
    client: Client, folder: Host, operator: User, approver: User
) -> None:
    change = requested(folder, operator)
    client.force_login(operator)
    assert "<script" not in client.get(f"/changes/{change.pk}/").content.decode()
    decided(change, approver)
    raw = client.get(f"/changes/{change.pk}/").content.decode()
    assert f'hx-get="/changes/{change.pk}/progress/?was=approved"' in raw


def test_a_blocked_plan_says_what_stands_in_its_way_and_offers_nothing(
    client: Client, folder: Host, operator: User
) -> None:
    toy.sign(folder, "unreadable")
    client.force_login(operator)
    page = page_of(client, planned(folder, operator))
    assert "It can’t be asked for as it is: Blocked." in page
    assert "Ask for approval" not in page


def test_a_plan_without_a_step_says_so(client: Client, folder: Host, operator: User) -> None:
    toy.remove_all(folder)
    client.force_login(operator)
    page = page_of(client, planned(folder, operator))
    assert "Nothing to do." in page
    assert "Ask for approval" not in page


def test_gates_that_cannot_be_read_are_no_reason_to_hide_the_rest(
    client: Client, folder: Host, operator: User, approver: User
) -> None:
    change = requested(folder, operator)
    Path(folder.docker_root).rename(f"{folder.docker_root}-elsewhere")
    client.force_login(approver)
    page = page_of(client, change)
    assert "They could not be read: The folder is gone. What is unknown counts as closed." in page
    assert "Reject" in page


def test_the_list_filters_by_how_they_stand(client: Client, folder: Host, operator: User, approver: User) -> None:
    apply_change(approved(folder, operator, approver), by=WORKER)
    client.force_login(approver)
    assert "completed" in text_of(client.get("/changes/?status=completed")).partition("Frees")[2]
    assert "No change like that." in text_of(client.get("/changes/?status=open"))
    assert "Removal of files" in text_of(client.get("/changes/?status=nonsense&kind=nonsense&page=x"))


def test_an_approval_that_was_taken_back_stays_in_sight(
    client: Client, folder: Host, operator: User, approver: User
) -> None:
    change = approved(folder, operator, approver)
    client.force_login(approver)
    client.post(f"/changes/{change.pk}/revoke/", {"digest": change.digest, "reason": "not now"})
    assert find_change(change.pk).status == Change.Status.AWAITING_APPROVAL
    page = page_of(client, change)
    assert "Taken back approver, just now “looked at it” Revoked by approver: not now" in page
    assert timezone.now() > change.planned_at
