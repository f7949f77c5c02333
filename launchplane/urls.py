"""Every address there is."""

from django.contrib import admin
from django.contrib.auth import views as auth
from django.urls import path, reverse_lazy

from launchplane.api import api
from launchplane.health import health
from launchplane.web.access import admin_login
from launchplane.web.views import bounds, dashboard, inventory, report, runs, snapshots

urlpatterns = [
    path("", dashboard.dashboard, name="dashboard"),
    path("hosts/<str:name>/", report.host, name="host"),
    path("hosts/<str:name>/observe/", runs.observe, name="observe"),
    path("hosts/<str:name>/inventory/", inventory.inventory, name="inventory"),
    path("hosts/<str:name>/inventory/frees/", inventory.frees, name="frees"),
    path("hosts/<str:name>/resource/", inventory.resource, name="resource"),
    path("hosts/<str:name>/budgets/", bounds.budgets, name="budgets"),
    path("hosts/<str:name>/snapshots/", snapshots.snapshots, name="snapshots"),
    path("runs/<int:pk>/", runs.run, name="run"),
    path("accounts/login/", auth.LoginView.as_view(), name="login"),
    path("accounts/logout/", auth.LogoutView.as_view(), name="logout"),
    path(
        "accounts/password/",
        auth.PasswordChangeView.as_view(success_url=reverse_lazy("dashboard")),
        name="password_change",
    ),
    path("health", health, name="health"),
    path("v1/", api.urls),
    path("admin/login/", admin_login),
    path("admin/", admin.site.urls),
]
