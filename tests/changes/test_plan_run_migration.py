"""Plan runs of before programs could ask: each is then of the person who asked."""

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from tests.factories import a_person

BEFORE, AFTER = [("changes", "0003_restored")], [("changes", "0004_plan_runs_of_programs")]


@pytest.mark.django_db(transaction=True)
def test_a_run_of_before_is_of_the_person_who_asked() -> None:
    person = a_person()
    executor = MigrationExecutor(connection)
    executor.migrate(BEFORE)
    try:
        old = executor.loader.project_state(BEFORE).apps
        host = old.get_model("hosts", "Host").objects.create(name="ci-1", engine_id="E")
        old.get_model("changes", "PlanRun").objects.create(
            host=host, kind="k", asked="{}", asked_digest="d", asked_by_id=person.pk, asked_at=timezone.now()
        )
    finally:
        executor = MigrationExecutor(connection)
        executor.migrate(executor.loader.graph.leaf_nodes())

    run = executor.loader.project_state(AFTER).apps.get_model("changes", "PlanRun").objects.get()

    assert (run.identity, [found.pk for found in run.responsible.all()]) == (f"user:{person.pk}", [person.pk])
