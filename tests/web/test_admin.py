"""Settings in the admin: what may be edited, by whom, and what happens to bad input."""

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.test import Client
from django_q.models import Failure, OrmQ, Success
from django_q.models import Schedule as QueueSchedule
from guardian.shortcuts import assign_perm
from pytest_django import DjangoCaptureOnCommitCallbacks

from hygiene.models import Budget, Protection, Snapshot
from launchplane.hosts.models import Host
from launchplane.schedule.models import Schedule
from launchplane.schedule.tick import adopt
from tests.factories import GB, a_host, a_person
from tests.web.reading import text_of


@pytest.mark.parametrize("model", [QueueSchedule, Success, Failure, OrmQ])
def test_the_queue_s_own_pages_are_gone(model: type) -> None:
    assert not admin.site.is_registered(model)


@pytest.mark.parametrize("page", ["schedule", "success", "failure", "ormq"])
def test_the_queue_s_own_addresses_are_gone(visitor: Client, page: str) -> None:
    assert visitor.get(f"/admin/django_q/{page}/").status_code == 404


def test_a_host_cannot_be_added_here_and_the_page_says_how(visitor: Client, host: Host) -> None:
    assert visitor.get("/admin/hosts/host/add/").status_code == 403
    assert "manage.py hosts add NAME" in text_of(visitor.get("/admin/hosts/host/"))


def host_form(**changes: str) -> dict[str, str]:
    return {
        "docker_url": "unix:///var/run/docker.sock",
        "minimum_free_bytes": "20 GB",
        "reclaimable_limit_bytes": "50 GB",
        "workdir_limit_bytes": "50 GB",
        "pressure_percent": "80",
        **changes,
    }


def test_lists_are_typed_one_a_line_and_sizes_with_a_unit(visitor: Client, host: Host) -> None:
    typed = host_form(runner_roots="/srv/runners\n/opt/runners\n", minimum_free_bytes="1.5 TB")
    assert visitor.post(f"/admin/hosts/host/{host.pk}/change/", typed).status_code == 302
    host.refresh_from_db()
    assert host.runner_roots == ["/srv/runners", "/opt/runners"]
    assert host.minimum_free_bytes == 1500 * GB
    assert "1.5 TB" in visitor.get(f"/admin/hosts/host/{host.pk}/change/").content.decode()


@pytest.mark.parametrize(
    ("field", "typed", "said"),
    [
        ("runner_roots", "/srv/../etc", "is no absolute folder"),
        ("run_patterns", "ok\n(unclosed", "not a regular expression of RE2"),
        ("minimum_free_bytes", "plenty", "“plenty” is not a size"),
        ("docker_url", "tcp://0.0.0.0:2375", "is no engine address"),
        ("pressure_percent", "101", "less than or equal to 100"),
    ],
)
def test_bad_input_keeps_what_was_typed_and_says_why(
    visitor: Client, host: Host, field: str, typed: str, said: str
) -> None:
    response = visitor.post(f"/admin/hosts/host/{host.pk}/change/", host_form(**{field: typed}))
    assert response.status_code == 200
    assert said in text_of(response)
    assert typed.splitlines()[-1] in response.content.decode()


def test_the_engine_s_id_cannot_be_edited(visitor: Client, host: Host) -> None:
    visitor.post(f"/admin/hosts/host/{host.pk}/change/", host_form(engine_id="OTHER", name="other"))
    host.refresh_from_db()
    assert (host.engine_id, host.name) == ("ENGINE:chris-testing", "chris-testing")


def protection(host: Host, pattern: str) -> dict[str, str]:
    return {"host": str(host.pk), "kind": "volume", "pattern": pattern, "reason": "precious"}


def test_a_new_protection_is_in_the_report_at_once(
    visitor: Client, host: Host, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    before = host.snapshots.latest().joint_reclaim_bytes
    with django_capture_on_commit_callbacks(execute=True):
        visitor.post("/admin/hygiene/protection/add/", protection(host, "^buildx_buildkit_old"))
    after = Snapshot.objects.filter(host=host).latest().joint_reclaim_bytes
    assert before is not None
    assert after is not None
    assert before - after == int(30.1 * GB)


@pytest.mark.parametrize("pattern", ["(", "(?!x)", "", "x" * 501, r"(a)\1"])
def test_a_pattern_that_does_not_compile_is_refused(visitor: Client, host: Host, pattern: str) -> None:
    before = Protection.objects.count()
    response = visitor.post("/admin/hygiene/protection/add/", protection(host, pattern))
    assert response.status_code == 200
    assert Protection.objects.count() == before


def test_a_budget_is_typed_with_units(visitor: Client, host: Host) -> None:
    Budget.objects.filter(host=host, scope="logs").delete()
    typed = {"host": host.pk, "scope": "logs", "max_bytes": "5 GB", "reserve_bytes": "0", "min_age_seconds": "2 days"}
    visitor.post("/admin/hygiene/budget/add/", {**typed, "mode": "report"})
    budget = Budget.objects.get(host=host, scope="logs")
    assert (budget.max_bytes, budget.min_age_seconds) == (5 * GB, 172800)


def test_a_budget_whose_reserve_is_larger_than_it_is_refused(visitor: Client, host: Host) -> None:
    budget = Budget.objects.get(host=host, scope="logs")
    typed = {"scope": "logs", "max_bytes": "1 GB", "reserve_bytes": "2 GB", "min_age_seconds": "1", "mode": "report"}
    response = visitor.post(f"/admin/hygiene/budget/{budget.pk}/change/", typed)
    assert "The reserve must not be larger than the maximum." in text_of(response)


def test_what_was_observed_cannot_be_edited(visitor: Client, host: Host) -> None:
    snapshot = host.snapshots.first()
    assert snapshot is not None
    address = f"/admin/hygiene/snapshot/{snapshot.pk}/"
    assert visitor.get(f"{address}change/").status_code == 200
    assert visitor.post(f"{address}change/", {"resources": 0}).status_code == 403
    assert visitor.post(f"{address}delete/", {"post": "yes"}).status_code == 403
    assert visitor.get("/admin/hygiene/snapshot/add/").status_code == 403


def test_a_schedule_can_be_moved_and_a_bad_one_is_refused(visitor: Client, host: Host) -> None:
    adopt(host)
    schedule = Schedule.objects.get(host=host, job="observe")
    address = f"/admin/schedule/schedule/{schedule.pk}/change/"
    assert "has not five fields" in text_of(visitor.post(address, {"cron": "often", "enabled": "on"}))
    assert visitor.post(address, {"cron": "0 3 * * *", "enabled": "on"}).status_code == 302
    schedule.refresh_from_db()
    assert schedule.cron == "0 3 * * *"
    assert visitor.get("/admin/schedule/schedule/add/").status_code == 403


def test_who_may_only_look_cannot_change(client: Client, host: Host) -> None:
    client.force_login(a_person("auditor", group="Auditors"))
    address = f"/admin/hosts/host/{host.pk}/change/"
    assert client.get(address).status_code == 200
    assert client.post(address, host_form()).status_code == 403
    assert client.post("/admin/hygiene/protection/add/", protection(host, "x")).status_code == 403


def test_a_right_for_one_host_edits_that_one_only(client: Client, host: Host) -> None:
    other = a_host("other")
    guest = a_person("guest", group="")
    for right in ("view_host", "change_host"):
        assign_perm(f"hosts.{right}", guest, other)
    guest.user_permissions.add(Permission.objects.get(codename="add_protection"))
    client.force_login(guest)
    assert client.post(f"/admin/hosts/host/{other.pk}/change/", host_form(notes="mine")).status_code == 302
    assert client.post(f"/admin/hosts/host/{host.pk}/change/", host_form(notes="mine")).status_code == 302
    assert Host.objects.get(pk=host.pk).notes == ""
    assert host.name not in text_of(client.get("/admin/hosts/host/"))
    assert "Select a valid choice" in text_of(client.post("/admin/hygiene/protection/add/", protection(host, "x")))


def test_times_are_unambiguous(visitor: Client, host: Host) -> None:
    assert f"{host.added_at:%Y-%m-%d %H:%M:%S} UTC" in text_of(visitor.get("/admin/hosts/host/"))
