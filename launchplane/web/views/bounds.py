"""Budgets and protections of a host, and what a budget would have done to past snapshots (X20)."""

from django import forms
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.utils.http import urlencode

from hygiene.contracts import BudgetRule
from hygiene.models import FIXED_SCOPES, NOT_JUDGED_YET, Budget, Protection
from hygiene.simulate import Trial, try_budget
from launchplane.hosts.fields import LengthField, SizeField, show_length, show_size
from launchplane.hosts.models import Host, RequiredWarm
from launchplane.web.access import host_or_404
from launchplane.web.views.frame import host_page

EDITED = (Protection, RequiredWarm, Budget)
TRIED_SNAPSHOTS = 10


class TryBudget(forms.Form):
    """A budget that is not saved."""

    scope = forms.ChoiceField()
    max_bytes = SizeField(required=False, label="At most", help_text="Such as 20 GB. Empty: age alone decides.")
    reserve_bytes = SizeField(label="Reserve", initial=0, help_text="Such as 5 GB. Always kept.")
    min_age_seconds = LengthField(label="Minimum age", initial=30 * 86400, help_text="Such as 30 days.")

    def __init__(self, *args: object, scopes: list[str], **options: object) -> None:
        super().__init__(*args, **options)  # type: ignore[arg-type]
        self.fields["scope"] = forms.ChoiceField(choices=[(scope, scope) for scope in scopes])

    def clean(self) -> dict[str, object]:
        values = super().clean() or {}
        most, reserve = values.get("max_bytes"), values.get("reserve_bytes")
        if most is not None and reserve is not None and reserve > most:
            self.add_error("reserve_bytes", "The reserve must not be larger than the maximum.")
        return values

    def as_rule(self) -> BudgetRule:
        return BudgetRule.model_validate(self.cleaned_data)


@login_required
def budgets(request: HttpRequest, name: str) -> HttpResponse:
    host = host_or_404(request, name)
    found = list(Budget.objects.filter(host=host))
    form = TryBudget(request.GET if "scope" in request.GET else None, scopes=_scopes(found))
    return host_page(
        request,
        "host/budgets.html",
        host,
        tab="budgets",
        budgets=[(budget, _as_query(budget)) for budget in found],
        protections=Protection.objects.filter(host=host),
        required=RequiredWarm.objects.filter(host=host),
        form=form,
        trials=_try(host, form),
        tried=TRIED_SNAPSHOTS,
        not_judged_yet=NOT_JUDGED_YET,
        may_edit={model._meta.model_name: _may_edit(request, model) for model in EDITED},
    )


def _scopes(budgets: list[Budget]) -> list[str]:
    """The fixed scopes, and the builders that have a budget; none that decides nothing yet."""
    return sorted({*FIXED_SCOPES, *(budget.scope for budget in budgets)} - set(NOT_JUDGED_YET))


def _as_query(budget: Budget) -> str:
    """The form's query string with the values that this budget has."""
    values = {
        "scope": budget.scope,
        "max_bytes": "" if budget.max_bytes is None else show_size(budget.max_bytes),
        "reserve_bytes": show_size(budget.reserve_bytes),
        "min_age_seconds": show_length(budget.min_age_seconds),
    }
    return urlencode(values)


def _try(host: Host, form: TryBudget) -> list[Trial] | None:
    """What the typed budget would have done; None if nothing (usable) was typed."""
    if not form.is_bound or not form.is_valid():
        return None
    return try_budget(host, form.as_rule(), snapshots=TRIED_SNAPSHOTS)


def _may_edit(request: HttpRequest, model: type[Protection] | type[RequiredWarm] | type[Budget]) -> bool:
    """The admin's pages are for staff who may change such rows."""
    right = f"{model._meta.app_label}.change_{model._meta.model_name}"
    return request.user.is_staff and request.user.has_perm(right)
