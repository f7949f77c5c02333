"""Who gets in: every page, every person, every method."""

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.utils import timezone
from guardian.shortcuts import assign_perm

from hygiene.models import ObservationRun
from launchplane.hosts.models import Host
from tests.factories import PASSWORD, a_host, a_person
from tests.web.reading import text_of

PAGES = ["", "inventory/", "inventory/frees/", "resource/", "budgets/", "snapshots/", "observe/"]


def test_the_admin_has_no_password_form_of_its_own(client: Client, db: None) -> None:
    response = client.get("/admin/", follow=True)
    assert response.redirect_chain[-1][0] == "/accounts/login/?next=%2Fadmin%2F"
    assert client.post("/admin/login/", {"username": "x", "password": "y"}).status_code == 302


def test_logging_in_leads_to_where_one_wanted(client: Client, db: None) -> None:
    a_person("ann")
    sent = client.post("/accounts/login/", {"username": "ann", "password": PASSWORD, "next": "/admin/"})
    assert sent["Location"] == "/admin/"


def test_a_login_cannot_lead_elsewhere(client: Client, db: None) -> None:
    a_person("ann")
    sent = client.post(
        "/accounts/login/", {"username": "ann", "password": PASSWORD, "next": "https://elsewhere.example/"}
    )
    assert sent["Location"] == "/"


def test_a_wrong_password_says_so_and_keeps_the_name(client: Client, db: None) -> None:
    page = client.post("/accounts/login/", {"username": "ann", "password": "wrong"}).content.decode()
    assert "Please enter a correct username and password" in page
    assert 'value="ann"' in page


def test_it_only_allows_post_to_log_out(visitor: Client) -> None:
    assert visitor.get("/accounts/logout/").status_code == 405


@pytest.mark.parametrize("tab", ["observe/", "inventory/frees/"])
def test_it_only_allows_post(visitor: Client, host: Host, tab: str) -> None:
    assert visitor.get(f"/hosts/{host.name}/{tab}").status_code == 405


@pytest.mark.parametrize("tab", PAGES)
def test_a_host_that_one_may_not_see_is_exactly_like_none(client: Client, host: Host, tab: str) -> None:
    client.force_login(a_person("stranger", group=""))
    send = client.post if tab in ("observe/", "inventory/frees/") else client.get
    hidden = send(f"/hosts/{host.name}/{tab}", {"kind": "image", "key": "x"})
    missing = send(f"/hosts/no-such-host/{tab}", {"kind": "image", "key": "x"})
    assert hidden.status_code == missing.status_code == 404
    assert text_of(hidden) == text_of(missing)


def test_a_stranger_sees_no_host_and_no_trouble(client: Client, host: Host) -> None:
    ObservationRun.objects.create(host=host, status="failed", asked_at=timezone.now(), sentence="Secret trouble.")
    client.force_login(a_person("stranger", group=""))
    page = text_of(client.get("/"))
    assert host.name not in page
    assert "Secret trouble." not in page
    assert "No host yet." in page


def test_a_right_for_one_host_shows_that_one_only(client: Client, host: Host) -> None:
    other = a_host("other")
    guest = a_person("guest", group="")
    assign_perm("hosts.view_host", guest, other)
    client.force_login(guest)
    assert client.get("/hosts/other/").status_code == 200
    assert client.get(f"/hosts/{host.name}/").status_code == 404
    assert host.name not in text_of(client.get("/"))


def test_observing_needs_its_own_right(client: Client, host: Host) -> None:
    client.force_login(a_person("auditor", group="Auditors"))
    assert "Observe now" not in text_of(client.get(f"/hosts/{host.name}/"))
    response = client.post(f"/hosts/{host.name}/observe/")
    assert response.status_code == 403
    assert "Observing a host now needs the right “Can observe host now”" in text_of(response)
    assert not ObservationRun.objects.filter(host=host).exists()


def test_a_right_to_observe_one_host_is_enough_for_that_one(client: Client, host: Host) -> None:
    guest = a_person("guest", group="Auditors")
    assign_perm("hosts.observe_host", guest, host)
    client.force_login(guest)
    assert client.post(f"/hosts/{host.name}/observe/").status_code == 302
    assert client.post(f"/hosts/{a_host('other').name}/observe/").status_code == 403


def test_a_post_from_elsewhere_is_refused(host: Host, operator: object) -> None:
    client = Client(enforce_csrf_checks=True)
    client.login(username="operator", password=PASSWORD)
    response = client.post(f"/hosts/{host.name}/observe/")
    assert response.status_code == 403
    assert "Sent from an old page" in text_of(response)


def test_a_run_of_a_hidden_host_is_not_found(client: Client, host: Host) -> None:
    run = ObservationRun.objects.create(host=host, asked_at=timezone.now())
    client.force_login(a_person("stranger", group=""))
    assert client.get(f"/runs/{run.pk}/").status_code == 404


def test_someone_who_is_no_staff_is_told_so_at_the_settings(client: Client, db: None) -> None:
    client.force_login(a_person("guest", staff=False))
    response = client.get("/admin/", follow=True)
    assert response.status_code == 403
    assert "Your account may not open the settings." in text_of(response)


ADMIN_PAGES = [
    "",
    "hosts/host/",
    "hosts/host/1/change/",
    "hosts/requiredwarm/add/",
    "hygiene/protection/",
    "hygiene/budget/add/",
    "hygiene/snapshot/",
    "hygiene/observationrun/",
    "schedule/schedule/",
    "hosts/host/1/rights/",
    "hosts/host/1/history/",
    "access/user/",
    "access/user/add/",
    "access/credentialchange/",
    "access/apitoken/",
    "access/apitoken/add/",
    "access/trustedworkflow/",
    "access/trustedworkflow/add/",
    "auth/group/",
    "auth/group/add/",
]


def every_page(host: Host) -> list[str]:
    pages = [f"/hosts/{host.name}/{tab}" for tab in ("", "inventory/", "budgets/", "snapshots/", "resource/")]
    return ["/", "/accounts/login/", "/accounts/password/", "/none/", *pages]


def test_every_page_has_a_strict_policy_and_nothing_inline(visitor: Client, host: Host) -> None:
    for address in every_page(host):
        assert_strict(visitor.get(address))


@pytest.mark.parametrize("address", ADMIN_PAGES)
def test_every_admin_page_has_a_strict_policy_and_nothing_inline(client: Client, host: Host, address: str) -> None:
    boss = a_person("boss")
    boss.is_superuser = True
    boss.save()
    client.force_login(boss)
    response = client.get(f"/admin/{address}".replace("/1/", f"/{host.pk}/"))
    assert response.status_code == 200
    assert_strict(response)


def assert_strict(response: object) -> None:
    policy = response["Content-Security-Policy"]  # type: ignore[index]
    assert "unsafe" not in policy
    assert all(part in policy for part in ("default-src 'none'", "script-src 'self'", "frame-ancestors 'none'"))
    body = response.content.decode()  # type: ignore[attr-defined]
    assert "<style" not in body
    assert " style=" not in body
    assert "<script>" not in body
    assert " onclick=" not in body


def test_the_groups_have_the_rights_that_the_pages_ask_for(db: None) -> None:
    wanted = Permission.objects.filter(codename="observe_host", group__name="Operators")
    assert wanted.count() == 1


@pytest.mark.parametrize("address", ["/hosts/a%00b/", "/hosts/%2e%2e/", "/hosts/A/", "/runs/99999999999999999999/"])
def test_an_address_that_can_be_no_host_is_not_found(visitor: Client, address: str) -> None:
    assert visitor.get(address).status_code == 404
