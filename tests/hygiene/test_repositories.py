"""Repositories that prune, or that nobody has looked at, keep schedules that change their hosts from running (H61)."""

from pathlib import Path

import pytest
from django.core.exceptions import ValidationError
from django.test import Client

from audits.models import AuditRecord
from hygiene.lint.lint import Options, lint
from hygiene.models import ProductRepository
from hygiene.repositories import keep_result, kept_result, why_held_back
from launchplane.access.people import Principal
from launchplane.hosts.models import Host
from launchplane.problems import Problem, Refused
from launchplane.schedule import jobs
from launchplane.schedule.models import Schedule
from launchplane.schedule.tick import adopt, run_job
from tests.factories import a_host, a_person, an_inventory, observed
from tests.web.reading import text_of

pytestmark = pytest.mark.django_db
MUTATING = ["hygiene.build-cache", "hygiene.dangling", "hygiene.aged"]
PRUNES, CLEAN = "docker system prune -af\n", "docker compose down\n"


@pytest.fixture
def host() -> Host:
    host = a_host()
    adopt(host)
    return host


def linted(folder: Path, text: str, host: Host | None = None, *, name: str = "acme/website") -> ProductRepository:
    """The repository, linted with one script in it."""
    folder.mkdir(exist_ok=True)
    (folder / "tidy.sh").write_text(text)
    by = Principal.person(a_person("linter-" + str(ProductRepository.objects.count())), source="command")
    return keep_result(name, lint([folder]), by=by, hosts=[host] if host else [], options=Options())


def enabled(schedule: Schedule) -> Schedule:
    """As the settings do it: looked at as a whole, then saved."""
    schedule.enabled = True
    schedule.full_clean()
    schedule.save()
    return schedule


@pytest.mark.req("H61")
@pytest.mark.parametrize("job", MUTATING)
def test_a_finding_keeps_the_schedule_from_being_enabled_and_says_which(host: Host, tmp_path: Path, job: str) -> None:
    linted(tmp_path, PRUNES, host)

    with pytest.raises(ValidationError) as refused:
        enabled(host.schedules.get(job=job))

    assert refused.value.message_dict["enabled"] == [
        "It cannot be enabled: The repository acme/website uses this host and prunes it itself: tidy.sh:1 "
        "(docker system prune -af). Once that is gone there, `manage.py hygiene lint PATH --repository acme/website` "
        "says so."
    ]
    assert not Schedule.objects.get(host=host, job=job).enabled


@pytest.mark.req("H61")
def test_a_repository_that_was_never_linted_does_too(host: Host) -> None:
    ProductRepository.objects.create(name="acme/shop").hosts.add(host)

    with pytest.raises(ValidationError, match="The repository acme/shop uses this host and was never linted"):
        enabled(host.schedules.get(job="hygiene.aged"))


@pytest.mark.req("H61")
def test_one_that_could_not_be_looked_at_as_a_whole_does_too(host: Host, tmp_path: Path) -> None:
    (tmp_path / "broken.yml").write_text("run: [docker system prune")
    linted(tmp_path, CLEAN, host)

    with pytest.raises(ValidationError, match="not all of it could be looked at"):
        enabled(host.schedules.get(job="hygiene.aged"))


@pytest.mark.req("H61")
def test_once_it_is_gone_the_schedule_can_be_enabled(host: Host, tmp_path: Path) -> None:
    linted(tmp_path, PRUNES, host)
    linted(tmp_path, CLEAN)

    assert enabled(host.schedules.get(job="hygiene.aged")).next_due_at is not None


def test_a_repository_of_another_host_keeps_nothing_back(host: Host, tmp_path: Path) -> None:
    linted(tmp_path, PRUNES, a_host("other"))

    assert why_held_back(host) is None


def test_looking_at_a_host_is_never_held_back(host: Host, tmp_path: Path) -> None:
    linted(tmp_path, PRUNES, host)

    assert enabled(host.schedules.get(job="observe")).enabled
    assert {job.name for job in jobs.all_jobs() if job.held_back(host) is not None} == set(MUTATING)


@pytest.mark.req("H61")
def test_a_schedule_that_was_enabled_before_does_not_run_and_says_why(host: Host, tmp_path: Path) -> None:
    schedule = enabled(host.schedules.get(job="hygiene.dangling"))
    linted(tmp_path, PRUNES, host)

    run_job(schedule.pk)

    schedule.refresh_from_db()
    assert (schedule.enabled, schedule.last_ok) == (True, False)
    assert schedule.last_sentence.startswith(
        "Not run: The repository acme/website uses this host and prunes it itself:"
    )


def test_the_result_is_kept_bounded_with_a_record_of_who(tmp_path: Path, host: Host) -> None:
    repository = linted(tmp_path, PRUNES * 150, host)

    record = AuditRecord.objects.get(kind="repository.lint")
    result = kept_result(repository)
    assert (repository.findings_count, repository.unread_count) == (150, 0)
    assert result is not None
    assert (len(result.findings), result.truncated) == (100, 50)
    assert (record.key, record.actor_name, record.source) == ("acme/website", "linter-0", "command")
    assert '"hosts":["chris-testing"]' in record.payload


def test_hosts_are_added_and_never_taken_by_a_lint(tmp_path: Path, host: Host) -> None:
    linted(tmp_path, CLEAN, host)
    repository = linted(tmp_path, CLEAN, a_host("second"))

    assert [used.name for used in repository.hosts.all()] == ["chris-testing", "second"]


@pytest.mark.parametrize(
    "name", ["", "../etc", "a b", "acme//web", "acme/web\0", "-x", "a/b/c/d/e/f", "äcme/web", "a..b"]
)
def test_what_is_no_name_of_a_repository_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(Problem) as problem:
        linted(tmp_path, CLEAN, name=name)

    assert problem.value.code == "bad_repository"
    assert not ProductRepository.objects.exists()


def test_a_person_without_the_right_keeps_nothing(tmp_path: Path) -> None:
    auditor = Principal.person(a_person("ann", group="Auditors"), source="command")
    (tmp_path / "tidy.sh").write_text(CLEAN)

    with pytest.raises(Refused):
        keep_result("acme/website", lint([tmp_path]), by=auditor, options=Options())
    assert not ProductRepository.objects.exists()


@pytest.fixture
def window(client: Client) -> Client:
    client.force_login(a_person("operator"))
    return client


def test_the_settings_list_repositories_and_show_the_result_without_editing_it(
    window: Client, host: Host, tmp_path: Path
) -> None:
    repository = linted(tmp_path, "docker system prune -af # \u202e x\n", host)

    listed = text_of(window.get("/admin/hygiene/productrepository/"))
    page = window.get(f"/admin/hygiene/productrepository/{repository.pk}/change/")

    assert "acme/website chris-testing" in listed
    assert "system_prune: tidy.sh:1 (docker system prune -af)" in text_of(page)
    assert 'name="findings_count"' not in page.content.decode()


def test_whoever_edits_a_repository_leaves_the_hosts_that_are_hidden(window: Client, host: Host) -> None:
    from tests.factories import allow

    hidden = a_host("hidden")
    narrow = a_person("narrow", group="")
    allow(narrow, "hosts.view_host", host)
    give(narrow, "view_productrepository", "change_productrepository")
    repository = ProductRepository.objects.create(name="acme/website")
    repository.hosts.add(host, hidden)
    window.force_login(narrow)

    page = f"/admin/hygiene/productrepository/{repository.pk}/change/"
    assert ">hidden<" not in window.get(page).content.decode()
    assert window.post(page, {"name": "acme/web", "hosts": []}).status_code == 302

    repository.refresh_from_db()
    assert (repository.name, [used.name for used in repository.hosts.all()]) == ("acme/web", ["hidden"])
    payload = AuditRecord.objects.get(kind="edit.productrepository").payload
    assert '"hosts":{"after":["hidden"],"before":["chris-testing","hidden"]}' in payload


def give(person: object, *codenames: str) -> None:
    from django.contrib.auth.models import Permission

    from launchplane.access.acting import acting_as
    from launchplane.access.people import FIRST_START

    with acting_as(FIRST_START):
        person.user_permissions.add(*Permission.objects.filter(codename__in=codenames))  # type: ignore[attr-defined]


def test_a_repository_is_added_and_deleted_on_record(window: Client, host: Host) -> None:
    page = "/admin/hygiene/productrepository/"
    window.post(f"{page}add/", {"name": "acme/shop", "hosts": [str(host.pk)]})
    repository = ProductRepository.objects.get()
    window.post(f"{page}{repository.pk}/delete/", {"post": "yes"})

    added, deleted = AuditRecord.objects.filter(kind="edit.productrepository").order_by("seq")
    assert '"hosts":{"after":["chris-testing"],"before":[]}' in added.payload
    assert '"hosts":{"after":null,"before":["chris-testing"]}' in deleted.payload
    assert not ProductRepository.objects.exists()


def test_the_page_of_a_schedule_says_why_it_cannot_be_enabled(window: Client, host: Host, tmp_path: Path) -> None:
    linted(tmp_path, PRUNES, host)
    schedule = host.schedules.get(job="hygiene.aged")

    answer = window.post(f"/admin/schedule/schedule/{schedule.pk}/change/", {"cron": schedule.cron, "enabled": "on"})

    assert "It cannot be enabled: The repository acme/website uses this host" in text_of(answer)
    schedule.refresh_from_db()
    assert not schedule.enabled


@pytest.mark.req("H61")
def test_the_page_of_a_host_names_its_repositories_and_how_each_stands(
    window: Client, host: Host, tmp_path: Path
) -> None:
    observed(host, an_inventory())
    linted(tmp_path / "shop", CLEAN, host, name="acme/shop")
    linted(tmp_path / "website", PRUNES, host)

    said = text_of(window.get(host.get_absolute_url()))

    assert "clean acme/shop Nothing in it prunes this host, as of " in said
    assert "holds back acme/website The repository acme/website uses this host and prunes it itself: tidy.sh:1" in said
