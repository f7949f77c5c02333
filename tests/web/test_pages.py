"""What each page says, for the data that hosts really have."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from hygiene.models import Budget, ObservationRun
from launchplane.access.models import User
from launchplane.hosts.models import Contact, Host
from launchplane.schedule.heartbeat import QUEUES, beat
from tests.factories import GB, a_busy_inventory, a_host, a_volume, an_image, an_inventory, observed, readings
from tests.web.reading import text_of

TABS = ["", "inventory/", "budgets/", "snapshots/"]


@pytest.mark.parametrize("tab", TABS)
def test_each_page_of_a_host_opens(visitor: Client, host: Host, tab: str) -> None:
    response = visitor.get(f"/hosts/{host.name}/{tab}")
    assert response.status_code == 200
    assert host.name in text_of(response)


@pytest.mark.parametrize("tab", ["", "inventory/"])
def test_a_host_that_was_never_observed_says_so(visitor: Client, tab: str) -> None:
    a_host("new")
    assert "new was never observed" in text_of(visitor.get(f"/hosts/new/{tab}"))


def test_without_a_host_the_first_page_says_how_to_add_one(visitor: Client) -> None:
    assert ".venv/bin/python manage.py hosts add NAME --docker-url" in text_of(visitor.get("/"))


@pytest.mark.req("H65")
def test_the_first_page_shows_every_host_with_its_state(visitor: Client) -> None:
    a_host("new")
    observed(a_host("fine", managed_label=""), an_inventory([an_image("a:1")]), reading=readings(free=511 * GB))
    lost = a_host("lost")
    Contact.objects.create(host=lost, at=timezone.now(), reachable=False, reason="connection refused")
    page = text_of(visitor.get("/"))
    assert "new never observed" in page
    assert "lost cannot be reached connection refused" in page
    assert "fine" in page


def test_a_report_that_is_old_is_not_called_healthy(visitor: Client) -> None:
    host = a_host("fine", managed_label="")
    observed(host, an_inventory([an_image("a:1")]), at=timezone.now() - timedelta(hours=2))
    page = text_of(visitor.get("/"))
    assert "fine not observed lately" in page
    assert "healthy" not in page


def test_the_first_page_shows_failed_and_lost_observations(visitor: Client) -> None:
    host = a_host("flaky")
    for status, sentence in (("failed", "The engine hung."), ("lost", "Its worker died.")):
        ObservationRun.objects.create(host=host, status=status, asked_at=timezone.now(), sentence=sentence)
    page = text_of(visitor.get("/"))
    assert "observation failed The engine hung." in page
    assert "observation lost Its worker died." in page


def test_old_troubles_are_not_shown(visitor: Client) -> None:
    long_ago = timezone.now() - timedelta(days=8)
    ObservationRun.objects.create(host=a_host("flaky"), status="failed", asked_at=long_ago, sentence="Old.")
    assert "Old." not in text_of(visitor.get("/"))


@pytest.mark.req("H7")
def test_a_disk_that_could_not_be_read_is_not_measured_with_the_reason(visitor: Client) -> None:
    observed(a_host("blind"), a_busy_inventory(), reading=readings(total=None))
    page = text_of(visitor.get("/hosts/blind/"))
    assert "Free disk not measured statvfs /var/lib/docker: permission denied" in page
    assert "Disk used percent statvfs /var/lib/docker: permission denied" in page
    assert "Free disk 0 B" not in page


def test_the_host_page_shows_findings_with_their_next_step(visitor: Client, host: Host) -> None:
    page = text_of(visitor.get(f"/hosts/{host.name}/"))
    assert "finding orphan buildkit present" in page
    assert "finding competing prune docker-prune.timer also prunes Docker on this host" in page
    assert page.count("Next: ") >= 2


def test_the_host_page_shows_what_docker_says_by_type(visitor: Client, host: Host) -> None:
    page = text_of(visitor.get(f"/hosts/{host.name}/"))
    for line in ("Images 8 0 47.41 GB", "Containers 3 0", "Local volumes 4 0", "Build cache 12 0"):
        assert line in page


@pytest.mark.req("P19")
def test_the_host_page_shows_registry_logins(visitor: Client, host: Host) -> None:
    assert "ghcr.io user not stated · /root/.docker/config.json" in text_of(visitor.get(f"/hosts/{host.name}/"))


def test_the_chart_has_its_table(visitor: Client, host: Host) -> None:
    page = visitor.get(f"/hosts/{host.name}/").content.decode()
    assert '<svg class="line"' in page
    assert "As a table" in page
    assert "314 GB" in page


def test_the_last_failure_is_on_the_host_page(visitor: Client, host: Host) -> None:
    ObservationRun.objects.create(host=host, status="lost", asked_at=timezone.now(), sentence="Its worker died.")
    assert "The last observation was lost" in text_of(visitor.get(f"/hosts/{host.name}/"))


@pytest.mark.req("H72")
def test_the_budgets_page_lists_bounds_protections_and_what_is_required(visitor: Client, host: Host) -> None:
    page = text_of(visitor.get(f"/hosts/{host.name}/budgets/"))
    assert "build_cache 50 GB 10 GB 7 days report only" in page
    assert "bootstrap state of the host" in page
    assert "odoo-docker-chris-testing0 builder It ran when the host was added." in page


@pytest.mark.req("X20")
def test_a_budget_is_tried_on_past_snapshots_without_being_saved(visitor: Client, host: Host) -> None:
    before = Budget.objects.count()
    typed = {"scope": "images", "max_bytes": "", "reserve_bytes": "0", "min_age_seconds": "1 day"}
    response = visitor.get(f"/hosts/{host.name}/budgets/", typed)
    assert len(response.context["trials"]) == 3
    assert "Used again later" in text_of(response)
    assert Budget.objects.count() == before


@pytest.mark.req("H7")
def test_a_snapshot_that_lacks_a_list_has_the_reason_instead_of_figures(visitor: Client, host: Host) -> None:
    observed(host, an_inventory(unmeasured={"images": "the engine did not answer"}))
    typed = {"scope": "images", "max_bytes": "", "reserve_bytes": "0", "min_age_seconds": "1 day"}
    page = text_of(visitor.get(f"/hosts/{host.name}/budgets/", typed))
    assert "Not known: the engine did not answer" in page


def test_budgets_that_judge_nothing_yet_say_so_and_cannot_be_tried(visitor: Client, host: Host) -> None:
    response = visitor.get(f"/hosts/{host.name}/budgets/", {"scope": "logs"})
    assert "logs 10 GB 0 B 7 days judges nothing yet" in text_of(response)
    assert "Try logs" not in text_of(response)
    assert "Try images" in text_of(response)
    assert response.context["form"].errors["scope"]


def test_a_budget_that_makes_no_sense_keeps_what_was_typed(visitor: Client, host: Host) -> None:
    typed = {"scope": "images", "max_bytes": "1 GB", "reserve_bytes": "2 GB", "min_age_seconds": "soon"}
    response = visitor.get(f"/hosts/{host.name}/budgets/", typed)
    assert "The reserve must not be larger than the maximum." in text_of(response)
    assert "“soon” is not a length of time" in text_of(response)
    assert 'value="soon"' in response.content.decode()
    assert response.context["trials"] is None


def test_two_snapshots_are_compared_in_the_order_they_were_taken(visitor: Client) -> None:
    host = a_host()
    kept, going, coming = an_image("kept:1"), a_volume("going"), a_volume("coming", size=2 * GB)
    now = timezone.now()
    older = observed(host, an_inventory([kept], volumes=[going]), at=now - timedelta(hours=1))
    newer = observed(host, an_inventory([kept], volumes=[coming]), at=now)
    for first, second in ((older, newer), (newer, older)):
        page = text_of(visitor.get(f"/hosts/{host.name}/snapshots/", {"from": first.pk, "to": second.pk}))
        assert "1 gone Item What Size going volume gone 1 GB" in page
        assert "1 new Item What Size coming volume new 2 GB" in page
        assert "kept:1" not in page


@pytest.mark.req("H7")
def test_a_comparison_says_what_it_could_not_compare(visitor: Client) -> None:
    host = a_host()
    older = observed(host, an_inventory([an_image("kept:1")]), at=timezone.now() - timedelta(hours=1))
    newer = observed(host, an_inventory(unmeasured={"images": "timed out"}))
    page = text_of(visitor.get(f"/hosts/{host.name}/snapshots/", {"from": older.pk, "to": newer.pk}))
    assert "Not compared, since one of the two could not list all of it: images." in page
    assert "Nothing else changed." in page


def test_equal_snapshots_say_that_nothing_changed(visitor: Client, host: Host) -> None:
    first, second, *_ = host.snapshots.all()
    response = visitor.get(f"/hosts/{host.name}/snapshots/", {"from": first.pk, "to": second.pk})
    assert "Nothing changed" in text_of(response)


@pytest.mark.parametrize("key", ["0", "x", "-1", "²", "9" * 30])
def test_a_snapshot_that_is_not_there_is_not_found(visitor: Client, host: Host, key: str) -> None:
    known = host.snapshots.first()
    assert known is not None
    response = visitor.get(f"/hosts/{host.name}/snapshots/", {"from": key, "to": str(known.pk)})
    assert response.status_code == 404


def test_a_snapshot_of_another_host_is_not_found(visitor: Client, host: Host) -> None:
    other = observed(a_host("other"), an_inventory())
    known = host.snapshots.first()
    assert known is not None
    response = visitor.get(f"/hosts/{host.name}/snapshots/", {"from": other.pk, "to": known.pk})
    assert response.status_code == 404


def test_a_sandbox_is_called_one_on_every_page(visitor: Client, host: Host) -> None:
    said = "Sandbox: this engine was made for trying things out. Nothing here is yours."
    assert said not in text_of(visitor.get("/"))
    a_host("toy", is_sandbox=True)
    for address in ("/", f"/hosts/{host.name}/", "/accounts/password/", "/admin/", "/hosts/none/"):
        assert said in text_of(visitor.get(address))


def test_silent_workers_are_named_until_they_are_heard_of(visitor: Client) -> None:
    assert "Not heard of for 3 minutes: the workers observe, apply." in text_of(visitor.get("/"))
    for queue in QUEUES:
        beat(queue)
    assert "Not heard of" not in text_of(visitor.get("/"))


def test_the_initial_password_is_a_reminder_until_it_is_changed(visitor: Client, operator: User) -> None:
    User.objects.filter(pk=operator.pk).update(password_is_initial=True)
    assert "You use the password printed at the first start." in text_of(visitor.get("/"))
    new = {"new_password1": "much better this time", "new_password2": "much better this time"}
    visitor.post("/accounts/password/", {"old_password": "correct horse battery staple", **new})
    assert "printed at the first start" not in text_of(visitor.get("/"))
