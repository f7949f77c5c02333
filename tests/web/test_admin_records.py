"""Every edit in the settings: who, what, from what to what; together with its record or not at all."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.contrib import admin as django_admin
from django.contrib.auth.models import Group, Permission
from django.db.models import Model
from django.test import Client

from audits.models import AuditRecord
from hygiene.models import Budget, Protection
from launchplane.access.models import User
from launchplane.hosts.models import Host, HostUserObjectPermission, RequiredWarm
from launchplane.schedule.models import Schedule
from launchplane.schedule.tick import adopt
from tests.factories import PASSWORD, a_host, a_person, allow
from tests.refusing import refusing_audit
from tests.web.reading import text_of
from tests.web.test_admin import host_form

SET = {"password1": "a wholly new one", "password2": "a wholly new one"}


@dataclass
class Things:
    """What there is to be edited."""

    host: Host
    ann: User
    group: Group
    protection: Protection
    requirement: RequiredWarm
    budget: Budget
    schedule: Schedule


@pytest.fixture
def things(db: None) -> Things:
    host = a_host()
    adopt(host)
    ann = a_person("ann", group="Auditors")
    allow(ann, "hosts.freeze_host", host)
    return Things(
        host,
        ann,
        Group.objects.create(name="Night"),
        Protection.objects.create(host=host, kind="image", pattern="^keep", reason="seed"),
        RequiredWarm.objects.create(host=host, kind="image", name="odoo:verify", reason="slow"),
        Budget.objects.get(host=host, scope="logs"),
        Schedule.objects.get(host=host, job="observe"),
    )


@pytest.fixture
def window(client: Client, things: Things) -> Client:
    boss = a_person("admin", group="")
    User.objects.filter(pk=boss.pk).update(is_superuser=True)
    client.force_login(boss)
    return client


def account(user: User, **changed: str) -> dict[str, Any]:
    return {"username": user.username, "is_active": "on", "is_staff": "on", **changed}


BUDGET = {"scope": "logs", "max_bytes": "5 GB", "reserve_bytes": "0", "min_age_seconds": "2 days", "mode": "report"}
YES = {"post": "yes"}
Door = Callable[[Things], tuple[str, dict[str, Any]]]

# by name: where the form is sent and what it says
DOORS: dict[str, Door] = {
    "add protection": lambda t: (
        "/admin/hygiene/protection/add/",
        {"host": t.host.pk, "kind": "volume", "pattern": "^precious", "reason": "mine"},
    ),
    "change protection": lambda t: (
        f"/admin/hygiene/protection/{t.protection.pk}/change/",
        {"kind": "image", "pattern": "^keep", "reason": "seed of CI"},
    ),
    "delete protection": lambda t: (f"/admin/hygiene/protection/{t.protection.pk}/delete/", YES),
    "add requirement": lambda t: (
        "/admin/hosts/requiredwarm/add/",
        {"host": t.host.pk, "kind": "builder", "name": "warm0", "reason": "busy"},
    ),
    "change requirement": lambda t: (
        f"/admin/hosts/requiredwarm/{t.requirement.pk}/change/",
        {"kind": "image", "name": "odoo:verify", "reason": "very slow"},
    ),
    "delete requirement": lambda t: (f"/admin/hosts/requiredwarm/{t.requirement.pk}/delete/", YES),
    "change budget": lambda t: (f"/admin/hygiene/budget/{t.budget.pk}/change/", BUDGET),
    "delete budget": lambda t: (f"/admin/hygiene/budget/{t.budget.pk}/delete/", YES),
    "opt a host in": lambda t: (
        f"/admin/hosts/host/{t.host.pk}/change/",
        host_form(docker_url=t.host.docker_url, hygiene_enabled="on"),
    ),
    "switch a schedule off": lambda t: (
        f"/admin/schedule/schedule/{t.schedule.pk}/change/",
        {"cron": t.schedule.cron},
    ),
    "add user": lambda _t: ("/admin/access/user/add/", {"username": "bob", "usable_password": "true", **SET}),
    "change user": lambda t: (f"/admin/access/user/{t.ann.pk}/change/", account(t.ann, email="ann@example.org")),
    "set a password": lambda t: (f"/admin/access/user/{t.ann.pk}/password/", SET),
    "delete user": lambda t: (f"/admin/access/user/{t.ann.pk}/delete/", YES),
    "add group": lambda _t: ("/admin/auth/group/add/", {"name": "Day"}),
    "change group": lambda t: (
        f"/admin/auth/group/{t.group.pk}/change/",
        {"name": "Late", "permissions": str(Permission.objects.get(codename="approve_change").pk)},
    ),
    "delete group": lambda t: (f"/admin/auth/group/{t.group.pk}/delete/", YES),
    "give a right": lambda t: (
        f"/admin/hosts/host/{t.host.pk}/rights/",
        {"do": "give", "holder": f"user:{t.ann.pk}", "right": "hosts.approve_change"},
    ),
    "take a right": lambda t: (
        f"/admin/hosts/host/{t.host.pk}/rights/",
        {"do": "take", "holder": f"user:{t.ann.pk}", "right": "hosts.freeze_host"},
    ),
    "own password": lambda _t: (
        "/accounts/password/",
        {"old_password": PASSWORD, "new_password1": "a wholly new one", "new_password2": "a wholly new one"},
    ),
}

# by the same name: what the record must say
SAID: dict[str, list[str]] = {
    "add protection": ['"pattern":{"after":"^precious","before":null}', "added protection volume ^precious"],
    "change protection": ['"reason":{"after":"seed of CI","before":"seed"}'],
    "delete protection": ["deleted protection image ^keep", '"reason":{"after":null,"before":"seed"}'],
    "add requirement": ['"name":{"after":"warm0","before":null}'],
    "change requirement": ['"reason":{"after":"very slow","before":"slow"}'],
    "delete requirement": ["deleted required warm item image odoo:verify", '"before":"odoo:verify"'],
    "change budget": ['"max_bytes":{"after":5000000000,"before":10000000000}'],
    "delete budget": ['"max_bytes":{"after":null,"before":10000000000}'],
    "opt a host in": ['"hygiene_enabled":{"after":true,"before":false}'],
    "switch a schedule off": ['"enabled":{"after":false,"before":true}'],
    "add user": ["bob was made", '"username":{"after":"bob","before":null}'],
    "change user": ['"email":{"after":"ann@example.org","before":""}'],
    "set a password": ["ann: a password was set"],
    "delete user": ["ann was deleted", '"groups":{"after":null,"before":["Auditors"]}', "hosts.freeze_host on chris"],
    "add group": ["group Day was made"],
    "change group": ["group Night is now called Late", "group Late: given hosts.approve_change"],
    "delete group": ["group Night was deleted"],
    "give a right": ["ann: given hosts.approve_change on chris-testing"],
    "take a right": ["ann: taken hosts.freeze_host on chris-testing"],
    "own password": ["admin: a password was set"],
}

EDITED: list[type[Model]] = [
    Protection,
    RequiredWarm,
    Budget,
    Host,
    Schedule,
    User,
    Group,
    HostUserObjectPermission,
    User.groups.through,
    Group.permissions.through,
]


def everything() -> list[list[dict[str, Any]]]:
    """All that can be edited, as it is stored; a login's time is no edit."""
    found = [list(model._default_manager.order_by("pk").values()) for model in EDITED]
    return [[{name: row[name] for name in row if name != "last_login"} for row in rows] for rows in found]


@pytest.mark.parametrize("door", DOORS)
def test_an_edit_is_on_record_with_who_and_what_was_and_is(window: Client, things: Things, door: str) -> None:
    before = AuditRecord.objects.count()
    address, form = DOORS[door](things)
    assert window.post(address, form).status_code == 302
    records = list(AuditRecord.objects.order_by("seq")[before:])
    payloads = " ".join(record.payload for record in records)
    assert {record.actor_name for record in records} == {"admin"}
    assert [part for part in SAID[door] if part not in payloads] == []
    for user in User.objects.all():
        assert user.password not in payloads
    assert "a wholly new one" not in payloads


@pytest.mark.parametrize("door", DOORS)
def test_an_edit_that_cannot_be_recorded_is_not_stored_and_nothing_typed_is_lost(
    window: Client, things: Things, door: str
) -> None:
    address, form = DOORS[door](things)
    before = everything()
    with refusing_audit():
        response = window.post(address, form)
    assert response.status_code == 503
    assert "The record could not be stored, so the edit was not either." in text_of(response)
    assert everything() == before
    page = response.content.decode()
    for name, value in form.items():
        if "password" in name and "usable" not in name:
            assert str(value) not in page
        elif name != "usable_password":
            assert f'name="{name}" value="{value}"' in page


def test_what_was_kept_is_stored_when_it_is_sent_again(window: Client, things: Things) -> None:
    address, form = DOORS["change protection"](things)
    with refusing_audit():
        page = window.post(address, form).content.decode()
    assert f'action="{address}"' in page
    assert window.post(address, form).status_code == 302
    things.protection.refresh_from_db()
    assert things.protection.reason == "seed of CI"


def test_a_secret_in_what_was_typed_is_not_in_the_record(window: Client, things: Things) -> None:
    notes = "engine: https://bob:hunter2hunter2@engine.example/ PASSWORD=hunter3hunter3"
    form = host_form(docker_url=things.host.docker_url, notes=notes)
    assert window.post(f"/admin/hosts/host/{things.host.pk}/change/", form).status_code == 302
    payload = AuditRecord.objects.latest("seq").payload
    assert "notes" in json.loads(payload)["values"]
    assert "hunter2" not in payload
    assert "hunter3" not in payload


def test_an_engine_s_address_with_a_password_is_not_even_taken(window: Client, things: Things) -> None:
    before = AuditRecord.objects.count()
    form = host_form(docker_url="tcp://bob:hunter2hunter2@127.0.0.1:2375")
    assert window.post(f"/admin/hosts/host/{things.host.pk}/change/", form).status_code == 200
    assert AuditRecord.objects.count() == before


def test_nothing_is_edited_in_bulk_or_inline() -> None:
    """A list's own form or an action would be a door that no test above goes through."""
    for model, options in django_admin.site._registry.items():
        assert options.actions is None, model
        assert not options.inlines, model
        assert not options.list_editable, model
