"""Rights on one host: given and taken through one door, by those who may, and each on record."""

import ast
import re
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from guardian.models import UserObjectPermission
from guardian.utils import get_group_obj_perms_model, get_user_obj_perms_model

from audits.models import AuditRecord
from launchplane.access.models import CredentialChange, User
from launchplane.access.people import Principal
from launchplane.access.rights import may
from launchplane.hosts.grants import grant, withdraw
from launchplane.hosts.models import Host, HostGroupObjectPermission, HostUserObjectPermission
from launchplane.problems import Refused
from tests.factories import a_host, a_person, allow

APPROVE = "hosts.approve_change"


@pytest.fixture
def host(db: None) -> Host:
    return a_host()


def person(user: User) -> Principal:
    return Principal.person(user, source="web")


def again(user: User) -> User:
    """The same person with no permission remembered."""
    return User.objects.get(pk=user.pk)


def last() -> AuditRecord:
    return AuditRecord.objects.latest("seq")


def refusal(code: str, given: AuditRecord) -> bool:
    return given.kind == "access.denied" and code in given.payload


def test_a_right_is_given_on_one_host_and_taken_back(admin: User, ann: User, host: Host) -> None:
    other = a_host("other")
    assert grant(APPROVE, to=ann, host=host, by=person(admin))
    assert may(again(ann), APPROVE, host)
    assert not may(again(ann), APPROVE, other)
    assert withdraw(APPROVE, of=ann, host=host, by=person(admin))
    assert not may(again(ann), APPROVE, host)


def test_a_group_s_right_is_its_members(admin: User, ann: User, host: Host) -> None:
    operators = Group.objects.get(name="Operators")
    grant(APPROVE, to=operators, host=host, by=person(admin))
    assert may(again(ann), APPROVE, host)
    withdraw(APPROVE, of=operators, host=host, by=person(admin))
    assert not may(again(ann), APPROVE, host)


@pytest.mark.parametrize("group", [False, True])
def test_both_are_on_record_with_who_what_whom_and_where(admin: User, ann: User, host: Host, group: bool) -> None:
    holder = Group.objects.get(name="Operators") if group else ann
    name = "group Operators" if group else "ann"
    for deed, verb in ((grant(APPROVE, to=holder, host=host, by=person(admin)), "given"), (None, "taken")):
        if deed is None:
            withdraw(APPROVE, of=holder, host=host, by=person(admin))
        record = last()
        assert (record.kind, record.key, record.actor_name, record.host) == ("access.rights", name, "admin", host.name)
        assert f"{name}: {verb} {APPROVE} on {host.name}" in record.payload
        assert '"accounts":["ann"]' in record.payload
    assert CredentialChange.objects.filter(user=ann, by=admin, what="rights").count() == 2


def test_what_is_so_already_is_no_edit(admin: User, ann: User, host: Host) -> None:
    grant(APPROVE, to=ann, host=host, by=person(admin))
    before = AuditRecord.objects.count()
    assert not grant(APPROVE, to=ann, host=host, by=person(admin))
    assert not withdraw("hosts.freeze_host", of=ann, host=host, by=person(admin))
    assert AuditRecord.objects.count() == before


def test_who_may_not_manage_access_gives_and_takes_nothing_and_that_is_on_record(ann: User, host: Host) -> None:
    bob = a_person("bob")
    allow(bob, "hosts.freeze_host", host)
    with pytest.raises(Refused, match="You may not give or take rights on chris-testing"):
        grant(APPROVE, to=bob, host=host, by=person(ann))
    assert refusal("not_permitted", last())
    with pytest.raises(Refused):
        withdraw("hosts.freeze_host", of=bob, host=host, by=person(ann))
    assert last().host == host.name
    assert HostUserObjectPermission.objects.count() == 1


def test_somebody_inactive_gives_nothing(admin: User, ann: User, host: Host) -> None:
    admin.is_active = False
    with pytest.raises(Refused):
        grant(APPROVE, to=ann, host=host, by=person(admin))


def test_access_to_one_host_is_managed_there_alone_and_makes_no_other_manager(ann: User, host: Host) -> None:
    bob, other = a_person("bob"), a_host("other")
    allow(ann, "hosts.manage_access", host)
    assert grant(APPROVE, to=bob, host=host, by=person(again(ann)))
    with pytest.raises(Refused):
        grant(APPROVE, to=bob, host=other, by=person(again(ann)))
    with pytest.raises(Refused, match="does not make others do so"):
        grant("hosts.manage_access", to=bob, host=host, by=person(again(ann)))


@pytest.mark.req("X2")
def test_nobody_gives_themselves_a_right(ann: User, host: Host) -> None:
    allow(ann, "hosts.manage_access", host)
    for holder in (ann, Group.objects.get(name="Operators")):
        with pytest.raises(Refused, match="Nobody gives a right to themselves"):
            grant(APPROVE, to=holder, host=host, by=person(again(ann)))
        assert refusal("self_grant", last())


@pytest.mark.parametrize("right", ["hosts.add_host", "hosts.delete_host", "hygiene.change_budget", "nonsense"])
def test_what_is_no_right_on_a_host_is_refused(admin: User, ann: User, host: Host, right: str) -> None:
    with pytest.raises(Refused, match="is no right on a host"):
        grant(right, to=ann, host=host, by=person(admin))


def test_rights_on_hosts_are_rows_that_point_at_the_host(host: Host) -> None:
    assert get_user_obj_perms_model(host) is HostUserObjectPermission
    assert get_group_obj_perms_model(host) is HostGroupObjectPermission


def test_a_right_goes_with_its_host_and_its_holder(admin: User, ann: User, host: Host) -> None:
    grant(APPROVE, to=ann, host=host, by=person(admin))
    ann.delete()
    bob = a_person("bob")
    grant(APPROVE, to=bob, host=host, by=person(admin))
    grant(APPROVE, to=Group.objects.get(name="Operators"), host=host, by=person(admin))
    Host.objects.filter(pk=host.pk).delete()
    assert not HostUserObjectPermission.objects.exists()
    assert not HostGroupObjectPermission.objects.exists()
    connection.check_constraints()


def product_code() -> dict[str, str]:
    """The text of each file of the product, by its path."""
    root = Path(django_settings.BASE_DIR)
    files = (file for part in ("launchplane", "hygiene", "audits") for file in (root / part).rglob("*.py"))
    return {file.relative_to(root).as_posix(): file.read_text() for file in files if "migrations" not in file.parts}


def test_no_code_but_that_of_grants_calls_guardian_s_own_ways_to_give_and_take() -> None:
    ways = re.compile(r"\b(?:\w*assign_perm\w*|\w*remove_perm\w*)\b")
    used = {path: set(ways.findall(text)) for path, text in product_code().items() if ways.search(text)}
    assert used == {"launchplane/hosts/grants.py": {"assign_perm", "remove_perm"}}


def test_no_code_writes_people_groups_and_rights_in_a_way_that_announces_nothing() -> None:
    """`update` and the bulk ways send no signal, so nothing would be recorded: each use is known."""
    concerned = re.compile(r"import (?:.*\b)?(?:User|Group|Permission|Host(?:User|Group)ObjectPermission)\b")
    silent = {"bulk_create", "bulk_update", "update", "abulk_create", "abulk_update", "aupdate", "_raw_delete"}
    writers = {path for path, text in product_code().items() if concerned.search(text) and silent & methods_of(text)}
    assert {path for path in writers if path.startswith(("launchplane/access/", "launchplane/hosts/"))} <= {
        "launchplane/access/models/accounts.py",  # a hash that is only made stronger
        "launchplane/access/passwords.py",  # tries
        "launchplane/access/tokens.py",  # when a token was used; that one was revoked, which it records
        "launchplane/access/watch.py",  # its own rows
    }


def methods_of(text: str) -> set[str]:
    calls = (node.func for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call))
    return {call.attr for call in calls if isinstance(call, ast.Attribute)}


@pytest.mark.django_db(transaction=True)
def test_rights_from_before_move_to_the_rows_that_point_at_the_host() -> None:
    executor = MigrationExecutor(connection)
    executor.migrate([("hosts", "0003_rights_on_one_host")])
    try:
        ann, host = a_person("ann", group=""), Host.objects.create(name="h", engine_id="E")
        content_type = ContentType.objects.get_for_model(Host)
        right = Permission.objects.get(codename="approve_change", content_type=content_type)
        given = {"user": ann, "permission": right, "content_type": content_type}
        UserObjectPermission.objects.bulk_create(
            UserObjectPermission(object_pk=str(key), **given) for key in (host.pk, 987654)
        )
    finally:
        executor = MigrationExecutor(connection)
        executor.migrate(executor.loader.graph.leaf_nodes())
    assert not UserObjectPermission.objects.exists()
    assert HostUserObjectPermission.objects.get().content_object == host
    assert may(again(ann), APPROVE, host)
