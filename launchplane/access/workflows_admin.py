"""Trusted workflows in the settings: which runs of which repository may call, and what they may do."""

import re
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest

from launchplane.access import workflows
from launchplane.access.actions import RIGHTS, Action
from launchplane.access.models import TrustedWorkflow, User
from launchplane.access.people import Principal
from launchplane.access.reach_form import ReachAdmin, ReachForm, person_of, reach_values
from launchplane.access.rights import may

DECIDES = ["repository_id", "owner_id", "workflow_ref", "ref", "environment", "events"]


class WordsField(forms.CharField):
    """A list of words, typed with blanks or commas between them."""

    def prepare_value(self, value: Any) -> Any:
        return " ".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        words = re.split(r"[\s,]+", str(super().to_python(value)))
        return list(dict.fromkeys(filter(None, words)))

    def has_changed(self, initial: Any, data: Any) -> bool:
        return sorted(initial or []) != sorted(self.to_python(data or ""))

    def run_validators(self, value: Any) -> None:
        for word in value:
            super().run_validators(word)


class TrustedWorkflowForm(ReachForm):
    """Refuses what would let in nobody, as two rows would, and what its author may not do."""

    events = WordsField(
        help_text="What the run is for, with blanks between: push schedule workflow_dispatch. "
        "pull_request and its like, and workflow_run, are never let in.",
        initial="push schedule workflow_dispatch",
    )
    author: User

    class Meta:
        model = TrustedWorkflow
        fields = ("repository", *DECIDES, "actions", "all_hosts", "hosts")
        help_texts = {
            "repository_id": "The number that GitHub gave it: “id” at https://api.github.com/repos/OWNER/NAME.",
            "owner_id": "The number of its owner: “owner”, “id” there.",
        }

    def clean(self) -> dict[str, Any]:
        typed = super().clean()
        if not self.errors:
            self._refuse_more_than_the_author_may(typed)
        return typed

    def _post_clean(self) -> None:
        """Held against the others when it has its new values."""
        if self.instance.pk is None:
            workflows.belongs_here(self.instance)
        super()._post_clean()  # type: ignore[misc]
        if not self.errors and (other := workflows.met_by(self.instance)) is not None:
            self.add_error(
                None,
                ValidationError(
                    f"A run could fit this and “{other}”, and then neither would let it in. Name a workflow, a ref, "
                    "an environment or events in which the two differ."
                ),
            )

    def _refuse_more_than_the_author_may(self, typed: dict[str, Any]) -> None:
        """Nobody grants what they may not do: else a workflow would be the way round."""
        for action in map(Action, typed["actions"]):
            right, general = RIGHTS[action]
            everywhere = self.author.has_perm(right)
            here = everywhere or (
                not typed["all_hosts"] and all(may(self.author, right, host) for host in typed["hosts"])
            )
            if not here or (general and not self.author.has_perm(general)):
                needs = " and ".join(filter(None, (right, general)))
                self.add_error("actions", ValidationError(f"You may not do {action} there yourself: it needs {needs}."))


@admin.register(TrustedWorkflow)
class TrustedWorkflowAdmin(ReachAdmin):
    """Each edit is on record; one that lets in more, or lets it do more, says so and who answers for it."""

    form = TrustedWorkflowForm
    list_display = ["__str__", "runs", "may", "where", "last_use", "added_by_name"]
    search_fields = ["repository", "repository_id", "workflow_ref"]
    readonly_fields = ["issuer", "audience", "added_by_name", "widened_by_name", "last_use", "last_run"]

    def get_fieldsets(self, request: HttpRequest, obj: TrustedWorkflow | None = None) -> Any:
        sets = [
            ("Who", {"fields": ["repository", *DECIDES]}),
            ("May do what", {"fields": ["actions", "all_hosts", "hosts"]}),
        ]
        return sets if obj is None else [*sets, ("Known", {"fields": self.readonly_fields})]

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **options: Any) -> Any:
        """The form knows who fills it in."""
        form = super().get_form(request, obj, change, **options)
        return type(form.__name__, (form,), {"author": person_of(request)})

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).prefetch_related("hosts")

    @admin.display(description="last used", ordering="last_used_at")
    def last_use(self, row: TrustedWorkflow) -> str:
        """With the number of the run, by which GitHub shows it."""
        run = f", {' '.join(row.last_run.split()[:2])}" if row.last_run else ""
        return super().last_use(row) + run

    @admin.display(description="runs")
    def runs(self, row: TrustedWorkflow) -> str:
        if (row.issuer, row.audience) != (settings.OIDC_ISSUER, settings.OIDC_AUDIENCE):
            return "none: it is for another issuer or audience than those that are set"
        narrower = [row.workflow_ref, row.ref, row.environment and f"environment {row.environment}"]
        return ", ".join(filter(None, [*narrower, f"by {' '.join(row.events)}"]))

    def save_model(self, request: HttpRequest, obj: TrustedWorkflow, form: Any, change: bool) -> None:
        if change:
            form.before = workflows.extent(TrustedWorkflow.objects.select_for_update().get(pk=obj.pk))
        else:
            by = Principal.person(person_of(request), source="web")
            obj.added_by, obj.added_by_name = by.user, by.name
        super().save_model(request, obj, form, change)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """The record, when the hosts are stored, too."""
        super().save_related(request, form, formsets, change)
        if not change:
            workflows.record_edit(form.instance, "added")
        elif form.changed_data:
            workflows.edited(form.instance, form.before, reach_values(form.instance, form))

    def delete_model(self, request: HttpRequest, obj: TrustedWorkflow) -> None:
        workflows.record_edit(obj, "deleted")
        super().delete_model(request, obj)
