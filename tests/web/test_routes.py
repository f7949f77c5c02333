"""Every route that there is: who gets in, and that somebody decided it. A new route fails here until it has a line."""

import re
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from django.apps import apps
from django.contrib.contenttypes.models import ContentType
from django.test import Client
from django.urls import URLResolver, get_resolver
from django.utils import timezone

from audits.models import AuditRecord
from hygiene.models import ObservationRun
from launchplane.access.models import User
from launchplane.changes.models import PlanRun
from launchplane.hosts.models import Host
from tests.changes.ways import requested, standing_request
from tests.factories import a_person
from tests.lanes.looked import looked_at
from tests.lanes.records import a_lane
from tests.web.reading import text_of

pytestmark = pytest.mark.req("X2")

# What a person without any right gets, for GET and for POST, at each of our own routes: 404 for whatever is a host's
# (405 where there is no such method), 403 for what is nobody's in particular, 200 for a list that is empty then.
# A new route needs a line here.
HIDDEN, ONLY_POST, EMPTY, FORBIDDEN, NO_POST = (404, 404), (405, 404), (200, 200), (403, 403), (200, 405)
STRANGER = {
    "dashboard": EMPTY,
    "host": HIDDEN,
    "observe": ONLY_POST,
    "inventory": HIDDEN,
    "frees": ONLY_POST,
    "resource": HIDDEN,
    "budgets": HIDDEN,
    "snapshots": HIDDEN,
    "retire": ONLY_POST,
    "host_changes": HIDDEN,
    "plan": HIDDEN,
    "standing_ask": HIDDEN,
    "host_lanes": HIDDEN,
    "host_audit": HIDDEN,
    "lanes": EMPTY,
    "lane": HIDDEN,
    "lane_readiness": HIDDEN,
    "lane_observe": ONLY_POST,
    "lane_look": HIDDEN,
    "lane_plan": ONLY_POST,
    "audit": FORBIDDEN,
    "audit_record": FORBIDDEN,
    "audit_verify": FORBIDDEN,
    "audit_senders": FORBIDDEN,
    "plan_run": HIDDEN,
    "plan_run_again": ONLY_POST,
    "changes": EMPTY,
    "change": HIDDEN,
    "change_progress": HIDDEN,
    "change_request": ONLY_POST,
    "change_approve": ONLY_POST,
    "change_reject": ONLY_POST,
    "change_revoke": ONLY_POST,
    "change_apply": ONLY_POST,
    "change_cancel": ONLY_POST,
    "change_resolve": ONLY_POST,
    "standing_approvals": EMPTY,
    "standing_approval": HIDDEN,
    "standing_grant": ONLY_POST,
    "standing_resume": ONLY_POST,
    "standing_end": ONLY_POST,
    "freeze": (200, 404),  # the form is everybody's; the host that it names is not
    "run": HIDDEN,
    "login": EMPTY,
    "logout": (405, 302),
    "password_change": EMPTY,
    "health": NO_POST,
    "no_shortcut": HIDDEN,
    "v1:openapi-json": EMPTY,  # what there is, not what is in it
    "v1:hosts": NO_POST,
    "v1:host": (404, 405),
    "v1:report": (404, 405),
    "v1:inventory": (404, 405),
    "v1:lanes": NO_POST,
    "v1:lane": (404, 405),
    "v1:readiness": (404, 405),
    "v1:changes": (200, 403),
    "v1:plan": (200, 403),
    "v1:change": (404, 405),
    "v1:hygiene_sent": FORBIDDEN,
    "v1:hygiene_audits": FORBIDDEN,
    "v1:hygiene_audit": (403, 405),
    "v1:hygiene_history": (422, 405),  # of which host was not said
    "v1:lane_sent": FORBIDDEN,
    "v1:lane_audits": FORBIDDEN,
    "v1:lane_audit": (403, 405),
    "v1:lane_history": (422, 405),
    "v1:head": (403, 405),
    "v1:export": (403, 405),
    "v1:api-root": HIDDEN,
    "/admin/login/": (302, 302),
    "/admin/password_change/": (302, 302),
    "admin:index": EMPTY,
    "admin:login": (302, 302),
    "admin:logout": (405, 302),
    "admin:password_change": (302, 302),
    "admin:password_change_done": NO_POST,
    "admin:autocomplete": (403, 405),
    "admin:jsi18n": NO_POST,
    "admin:view_on_site": HIDDEN,
    "admin:app_list": HIDDEN,
    "admin:access_user_history": FORBIDDEN,
    "admin:access_credentialchange_history": FORBIDDEN,
    "admin:auth_group_history": FORBIDDEN,
    "/admin/(?P<url>.*)$": HIDDEN,
}
# Pages of the settings that exist for each kind of row: a row that one may not see leads back to the start, like none.
# A kind of row that is new is held against this, too.
ROWS = {
    "changelist": FORBIDDEN,
    "add": FORBIDDEN,
    "history": (302, 302),
    "delete": FORBIDDEN,
    "change": FORBIDDEN,
    "object": (302, 302),
    "rights": HIDDEN,
    "password_change": FORBIDDEN,
}
# the description of the interface, which happens to have the words in it that are looked for
SAME_FOR_ALL = "v1:openapi-json"
FOR_NOBODY = {"login", "health", "v1:openapi-json", "v1:api-root", "no_shortcut", "admin:view_on_site"}


def routes(patterns: list[Any] | None = None, before: str = "/", space: str = "") -> Iterator[tuple[str, str]]:
    """Name and address of every route, the address as it is written; one without a name is called by that."""
    for found in get_resolver().url_patterns if patterns is None else patterns:
        written = before + str(found.pattern).removeprefix("^")
        if isinstance(found, URLResolver):
            yield from routes(found.url_patterns, written, f"{found.namespace}:" if found.namespace else space)
        else:
            yield (f"{space}{found.name}" if found.name else written), written


def decided(name: str) -> tuple[int, int] | None:
    """What a stranger gets there; None where nobody has decided."""
    if name in STRANGER:
        return STRANGER[name]
    if row := re.fullmatch(r"admin:[a-z]+_[a-z]+_([a-z_]+)", name):
        return ROWS.get(row[1])
    return ROWS["object"] if re.fullmatch(r"/admin/[a-z]+/[a-z]+/<path:object_id>/", name) else None


ALL = sorted(routes())


def test_somebody_has_decided_who_gets_in_at_every_route() -> None:
    assert [name for name, _written in ALL if decided(name) is None] == []


def test_no_decision_is_about_a_route_that_is_gone() -> None:
    assert set(STRANGER) - {name for name, _written in ALL} == set()


@pytest.fixture
def address_of(folder: Host, operator: User) -> Any:
    """A route's address, with things in it that exist: of a host, its change, its standing approval and its runs."""
    change, row = requested(folder, operator), standing_request(folder, operator)
    looked_at(a_lane(folder, name=folder.name))  # one name fills every <str:name>
    now = timezone.now()
    planning = PlanRun.objects.create(
        host=folder, kind="toy", asked="{}", asked_digest="0" * 64, asked_by=operator, asked_by_name="x", asked_at=now
    )
    record = AuditRecord.objects.filter(host=folder.name).first()
    keys = {
        "run": ObservationRun.objects.create(host=folder, asked_at=now, sentence="Secret trouble.").pk,
        "plan_run": planning.pk,
        "plan_run_again": planning.pk,
        "audit_record": record.seq if record else 0,
        "audit_verify": record.seq if record else 0,
    }
    filling = {
        r"<str:name>|<name>": folder.name,
        r"<uuid:pk>|<uuidstr:id>": str(change.pk),
        r"<key>": "nightly",
        r"<path:content_type_id>": str(ContentType.objects.get_for_model(Host).pk),
        r"<path:object_id>": str(folder.pk),
        r"<path:rest>": "1/1/",
        r"<id>": str(operator.pk),
        r"\(\?P<app_label>.*": "hosts/",
        r"\(\?P<url>.*": "nowhere/",
    }

    def address(name: str, written: str) -> str:
        if model := re.fullmatch(r"admin:([a-z]+)_([a-z]+)_history", name):
            # the history of a row that is not there redirects, and the databases do not number rows alike
            there = apps.get_model(model[1], model[2])._default_manager.first()
            written = written.replace("<path:object_id>", str(there.pk if there else 0))
        for pattern, value in filling.items():
            written = re.sub(pattern, value, written)
        return re.sub(r"<int:(pk|seq)>", str(keys.get(name, row.pk)), written)

    return address


@pytest.mark.parametrize("method", ["get", "post"])
def test_nobody_gets_in_without_logging_in(client: Client, address_of: Any, folder: Host, method: str) -> None:
    wrong = []
    for name, written in ALL:
        response = getattr(client, method)(address_of(name, written))
        answer = response.status_code, response.get("Location", "").partition("?")[0]
        told = folder.name in response.content.decode() and name != SAME_FOR_ALL
        if told or not (name in FOR_NOBODY or turned_away(name, *answer)):
            wrong.append((name, *answer))
    assert wrong == []


def turned_away(name: str, status: int, to: str) -> bool:
    """Whether that is how somebody is answered who has not logged in."""
    if name.startswith("v1:"):
        return status in (401, 405)
    if name in ("logout", "admin:logout") and status == 405:
        return True
    return status == 302 and to in ("/accounts/login/", "/admin/login/", "/accounts/password/", "/admin/")


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("fragment", [False, True])
def test_who_has_no_right_learns_nothing(
    client: Client, address_of: Any, folder: Host, method: str, fragment: bool
) -> None:
    stranger, wrong = a_person("stranger", group=""), []
    for name, written in ALL:
        client.force_login(stranger)
        address = address_of(name, written)
        response = getattr(client, method)(address, headers={"HX-Request": "true"} if fragment else {})
        content = "" if name == SAME_FOR_ALL else response.content.decode()
        seen = (content + response.get("Location", "")).replace(address, "")
        told = [secret for secret in (folder.name, folder.engine_id, folder.docker_root, "Secret") if secret in seen]
        if told or response.status_code != (decided(name) or (0, 0))[method == "post"]:
            wrong.append((name, response.status_code, told))
    assert wrong == []


def test_a_refusal_is_a_page_that_says_what_it_may_be(client: Client, address_of: Any) -> None:
    client.force_login(a_person("stranger", group=""))
    for name, written in ALL:
        status = STRANGER.get(name, (0, 0))[0]
        if status in (403, 404) and not name.startswith("v1:") and name != "admin:autocomplete":
            page = text_of(client.get(address_of(name, written)))
            assert ("Not found" if status == 404 else "Not allowed") in page, name


def test_of_what_is_hidden_the_answer_is_that_of_what_does_not_exist(client: Client, address_of: Any) -> None:
    client.force_login(a_person("stranger", group=""))
    for name, written in ALL:
        if STRANGER.get(name) == HIDDEN and "<uuid:pk>" in written:
            hidden = client.get(address_of(name, written))
            missing = client.get(written.replace("<uuid:pk>", str(UUID(int=1))))
            assert text_of(hidden) == text_of(missing)


def test_who_may_only_look_changes_nothing(client: Client, address_of: Any, folder: Host) -> None:
    auditor = a_person("auditor", group="Auditors")
    addresses = {name: address_of(name, written) for name, written in ALL if STRANGER.get(name) == ONLY_POST}
    before = stored(folder)
    client.force_login(auditor)
    for name, address in addresses.items():
        response = client.post(address, {"reason": "x", "digest": folder.changes.get().digest}, follow=True)
        assert response.status_code in (200, 403, 409), name
        assert stored(folder) == before, name


def stored(host: Host) -> list[Any]:
    """What a person could change about a host by those routes."""
    rows = [
        *host.changes.values("status", "requester_name"),
        *host.standing_approvals.values("granted_at", "ended_at", "suspended_at"),
    ]
    return [*rows, host.runs.count(), host.plan_runs.count()]
