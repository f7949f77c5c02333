"""What hygiene keeps out of: registries, previews, and a clean-up for each repository."""

import pytest
from django.apps import apps
from django.core.management import get_commands, load_command_class
from django.db.models import Model

from hygiene.models import Budget, ProductRepository, Protection
from hygiene.plan.items import VERBS
from launchplane.changes.kinds import all_kinds
from launchplane.changes.models import Change, StandingApproval
from launchplane.schedule import jobs
from launchplane.schedule.models import Schedule
from launchplane.urls import urlpatterns
from onhost.docker_part import REMOVALS
from tests.docs.reading import text_of

LOCAL = {"remove_image", "remove_container", "remove_volume", "prune_build_cache", "prune_builder"}


def doors() -> set[str]:
    """The name of everything that somebody, or the clock, can set off: subcommands, kinds, jobs, addresses."""
    found = {
        *all_kinds(),
        *(job.name for job in jobs.all_jobs()),
        *(str(getattr(each, "pattern", each)) for each in urlpatterns),
    }
    for command in ("hosts", "hygiene", "lanes", "changes", "freeze", "audits"):
        parser = load_command_class(get_commands()[command], command).create_parser("manage.py", command)
        among = next(action.choices for action in parser._actions if getattr(action, "_name_parser_map", None))
        found |= {f"{command} {name}" for name in among or ()}
    return found


@pytest.mark.req("H63")
def test_nothing_that_can_be_set_off_is_about_a_registry_or_a_preview() -> None:
    assert len(doors()) > 40
    assert [name for name in doors() if "registr" in name or "preview" in name] == []


@pytest.mark.req("H63")
def test_every_removal_is_one_of_an_engine_on_its_own_host() -> None:
    assert set(VERBS.values()) == set(REMOVALS) == LOCAL


@pytest.mark.req("H63")
def test_the_documents_say_that_registries_and_previews_are_not_part_of_it() -> None:
    text = text_of("docs/explanation/scope.md")
    assert "**Registries.** How long a registry keeps images and tags is its own matter" in text
    assert "**Previews.** Deployments for pull requests, and taking them down, belong to whatever deploys them." in text


@pytest.mark.req("H64")
@pytest.mark.parametrize("model", [Budget, Protection, Schedule, StandingApproval, Change])
def test_what_decides_about_a_clean_up_belongs_to_a_host(model: type[Model]) -> None:
    assert "host" in {field.name for field in model._meta.get_fields() if field.is_relation}


@pytest.mark.req("H64")
def test_nothing_but_its_hosts_hangs_on_a_repository() -> None:
    related = {
        other._meta.label
        for other in apps.get_models(include_auto_created=True)
        for field in other._meta.get_fields()
        if field.related_model is ProductRepository
    }
    assert related == {"hosts.Host", "hygiene.ProductRepository_hosts"}
