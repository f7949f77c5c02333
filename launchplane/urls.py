"""Every address there is."""

from django.contrib import admin
from django.contrib.auth import views as auth
from django.urls import path
from django.views.generic import RedirectView

from launchplane.api.app import api
from launchplane.health import health
from launchplane.web.access import admin_login, no_shortcut
from launchplane.web.login import LoginView, PasswordChangeView
from launchplane.web.views import (
    audit,
    bounds,
    changes,
    dashboard,
    deciding,
    freezing,
    inventory,
    lane_deeds,
    lanes,
    plan_runs,
    planning,
    report,
    runs,
    snapshots,
    standing_approvals,
)

urlpatterns = [
    path("", dashboard.dashboard, name="dashboard"),
    path("hosts/<str:name>/", report.host, name="host"),
    path("hosts/<str:name>/observe/", runs.observe, name="observe"),
    path("hosts/<str:name>/inventory/", inventory.inventory, name="inventory"),
    path("hosts/<str:name>/inventory/frees/", inventory.frees, name="frees"),
    path("hosts/<str:name>/resource/", inventory.resource, name="resource"),
    path("hosts/<str:name>/budgets/", bounds.budgets, name="budgets"),
    path("hosts/<str:name>/snapshots/", snapshots.snapshots, name="snapshots"),
    path("hosts/<str:name>/inventory/retire/", planning.retire, name="retire"),
    path("hosts/<str:name>/changes/", changes.host_changes, name="host_changes"),
    path("hosts/<str:name>/changes/plan/", planning.plan, name="plan"),
    path("hosts/<str:name>/changes/standing/", standing_approvals.ask, name="standing_ask"),
    path("hosts/<str:name>/audit/", audit.host_audit, name="host_audit"),
    path("hosts/<str:name>/lanes/", lanes.host_lanes, name="host_lanes"),
    path("lanes/", lanes.lanes, name="lanes"),
    path("lanes/<str:name>/", lanes.lane, name="lane"),
    path("lanes/<str:name>/readiness/", lanes.lane_readiness, name="lane_readiness"),
    path("lanes/<str:name>/observe/", lane_deeds.lane_observe, name="lane_observe"),
    path("lanes/<str:name>/look/", lane_deeds.lane_look, name="lane_look"),
    path("lanes/<str:name>/plan/", lane_deeds.lane_plan, name="lane_plan"),
    path("audit/", audit.audit, name="audit"),
    path("audit/senders/", audit.audit_senders, name="audit_senders"),
    path("audit/<int:pk>/", audit.audit_record, name="audit_record"),
    path("audit/<int:pk>/verify/", audit.audit_verify, name="audit_verify"),
    path("plans/<int:pk>/", plan_runs.plan_run, name="plan_run"),
    path("plans/<int:pk>/again/", plan_runs.again, name="plan_run_again"),
    path("changes/", changes.changes, name="changes"),
    path("changes/<uuid:pk>/", changes.change, name="change"),
    path("changes/<uuid:pk>/progress/", changes.progress, name="change_progress"),
    path("changes/<uuid:pk>/request/", deciding.request_change, name="change_request"),
    path("changes/<uuid:pk>/approve/", deciding.approve, name="change_approve"),
    path("changes/<uuid:pk>/reject/", deciding.reject, name="change_reject"),
    path("changes/<uuid:pk>/revoke/", deciding.revoke, name="change_revoke"),
    path("changes/<uuid:pk>/apply/", deciding.apply, name="change_apply"),
    path("changes/<uuid:pk>/cancel/", deciding.cancel, name="change_cancel"),
    path("changes/<uuid:pk>/resolve/", deciding.resolve, name="change_resolve"),
    path("standing/", standing_approvals.approvals, name="standing_approvals"),
    path("standing/<int:pk>/", standing_approvals.approval, name="standing_approval"),
    path("standing/<int:pk>/grant/", standing_approvals.grant, name="standing_grant"),
    path("standing/<int:pk>/resume/", standing_approvals.resume, name="standing_resume"),
    path("standing/<int:pk>/end/", standing_approvals.end, name="standing_end"),
    path("freeze/", freezing.freeze, name="freeze"),
    path("runs/<int:pk>/", runs.run, name="run"),
    path("accounts/login/", LoginView.as_view(), name="login"),
    path("accounts/logout/", auth.LogoutView.as_view(), name="logout"),
    path("accounts/password/", PasswordChangeView.as_view(), name="password_change"),
    path("health", health, name="health"),
    path("v1/", api.urls),
    path("admin/login/", admin_login),
    path("admin/r/<path:rest>", no_shortcut, name="no_shortcut"),
    path("admin/password_change/", RedirectView.as_view(pattern_name="password_change")),
    path("admin/", admin.site.urls),
]
