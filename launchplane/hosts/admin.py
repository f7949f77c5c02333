"""Hosts and what must stay warm on them, in the admin. A new host has to be reached first: `manage.py hosts add`."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path

from launchplane.access.rights import may
from launchplane.hosts import grants
from launchplane.hosts.fields import LinesField, SizeField
from launchplane.hosts.models import Host, RequiredWarm
from launchplane.hosts.rights_page import rights_page
from launchplane.hosts.scoped_admin import ModelForm, ScopedAdmin


class HostForm(ModelForm):
    roles = LinesField(help_text="One a line, such as ci.")
    runner_roots = LinesField(help_text="Folders that hold runners, one a line, such as /srv/runners.")
    service_users = LinesField(help_text="Users that runners run as, one a line.")
    run_patterns = LinesField(
        help_text="Regular expressions (RE2), one a line: a stack, service or container that matches is a run."
    )
    minimum_free_bytes = SizeField(label="Minimum free disk", help_text="With a unit: 20 GB. Less is a finding.")
    reclaimable_limit_bytes = SizeField(
        label="Reclaimable limit", help_text="With a unit: 50 GB. More that Docker could free is a finding."
    )
    workdir_limit_bytes = SizeField(
        label="Work folder limit", help_text="With a unit: 50 GB. More in the runners' work folders is a finding."
    )
    pressure_percent = forms.IntegerField(
        min_value=1,
        max_value=100,
        label="Disk pressure, %",
        help_text="From this share of the disk on, a clean-up may run.",
    )

    class Meta:
        model = Host
        fields = "__all__"
        labels = {"docker_url": "Docker address", "ssh_target": "SSH target", "ssh_host_key": "SSH host key"}
        widgets = {"ssh_host_key": forms.Textarea(attrs={"rows": 2}), "notes": forms.Textarea(attrs={"rows": 4})}


@admin.register(Host)
class HostAdmin(ScopedAdmin):
    form = HostForm
    host_field = "pk"
    verbs = ("view", "change")
    list_display = ["name", "connection", "ssh_target", "docker_url", "approved", "is_sandbox", "added_at"]
    search_fields = ["name", "docker_url", "ssh_target", "engine_id"]
    readonly_fields = ["name", "connection", "engine_id", "docker_root", "is_sandbox", "added_at"]
    fieldsets = [
        (None, {"fields": ["name", "roles", "notes"]}),
        (
            "How it is reached",
            {
                "fields": ["connection", "docker_url", "ssh_target", "ssh_host_key", "engine_id", "docker_root"],
                "description": "The engine's id was pinned when the host was added; another one is refused.",
            },
        ),
        (
            "Limits",
            {
                "fields": [
                    "minimum_free_bytes",
                    "reclaimable_limit_bytes",
                    "workdir_limit_bytes",
                    "pressure_percent",
                ],
                "description": "The report holds the host against these.",
            },
        ),
        ("Runners", {"fields": ["runner_roots", "service_users", "run_patterns", "managed_label"]}),
        (
            "What may be done",
            {"fields": ["approved", "hygiene_enabled", "lanes_enabled", "maintenance_window"]},
        ),
        ("Added", {"fields": ["is_sandbox", "added_at"]}),
    ]

    def view_on_site(self, obj: Host) -> str:
        """Straight to the page: the way round by the object's number is closed."""
        return obj.get_absolute_url()

    def get_urls(self) -> list[URLPattern]:
        page = self.admin_site.admin_view(self.rights_view)
        return [path("<path:object_id>/rights/", page, name="hosts_host_rights"), *super().get_urls()]

    def rights_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Who may do what on this host: guardian's page of that kind has inline style and asks nobody's leave."""
        host = self.get_object(request, object_id)
        if host is None:
            raise Http404(f"no host {object_id}")
        context = {**self.admin_site.each_context(request), "opts": self.opts, "title": f"Rights on {host}"}
        return rights_page(request, host, context)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **options: Any
    ) -> HttpResponse:
        """With a link to the rights for those who may give them."""
        host = options.get("obj")
        context["may_manage_access"] = host is not None and may(request.user, grants.MANAGE, host)
        return super().render_change_form(request, context, *args, **options)


class HostPartAdmin(ScopedAdmin):
    """A row that belongs to one host for good."""

    list_filter = [("host", admin.RelatedOnlyFieldListFilter)]

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        return ["host"] if obj is not None else []


@admin.register(RequiredWarm)
class RequiredWarmAdmin(HostPartAdmin):
    list_display = ["name", "kind", "host", "reason"]
    search_fields = ["name", "reason"]
