"""What an operator may enter for a host."""

import pytest
from django.core.exceptions import ValidationError

from launchplane.hosts.models import Host
from launchplane.hosts.validators import validate_folders, validate_ssh_host_key, validate_ssh_target

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGtIBvTLPkpoY7JmRhVjm9rWnqEm1fAlgB1D4Nno4rZk"


@pytest.mark.parametrize(
    ("folders", "why"),
    [
        (["/srv/runners", "/srv/runners"], "'/srv/runners' is named twice"),
        (["/srv/runners", "/opt", "//srv/./runners/"], "is named twice"),
        (["/srv/runners/a", "/opt", "/srv/runners"], "'/srv/runners/a' lies in '/srv/runners'"),
        (["/srv", "/srv/a", "/srv/a/b"], "'/srv/a' lies in '/srv'"),
        (["/srv", "/srv-2", "/srv/a"], "'/srv/a' lies in '/srv'"),
        (["/", "/srv"], "'/srv' lies in '/'"),
    ],
)
def test_folders_that_would_be_counted_twice_are_refused(folders: list[str], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        validate_folders(folders)


def test_folders_beside_each_other_are_accepted() -> None:
    validate_folders(["/srv/runners", "/srv/runners-2", "/opt/runners", "/srv/a"])
    validate_folders([])


def test_a_target_that_ssh_could_read_as_an_option_is_refused() -> None:
    for target in ("-oProxyCommand=id@host", "root@-oProxyCommand=id", "host", "a@b c", "a@b\n", "a@b:99999"):
        with pytest.raises(ValidationError, match="no target for ssh"):
            validate_ssh_target(target)
    validate_ssh_target("launchplane@[2001:db8::1]:2222")


def test_a_host_key_is_one_public_key_and_nothing_else() -> None:
    for key in (
        "ssh-ed25519",
        "ssh-ed25519 AAAA",
        "ssh-dss AAAAB3NzaC1kc3M=",
        f"{KEY}\n{KEY}",
        f"@cert-authority {KEY}",
    ):
        with pytest.raises(ValidationError, match="no host key"):
            validate_ssh_host_key(key)
    validate_ssh_host_key(f"{KEY} root@runner-1")


@pytest.mark.parametrize(
    ("connection", "target", "key", "field"),
    [("ssh", "", KEY, "ssh_target"), ("ssh", "a@b", "", "ssh_host_key"), ("local", "a@b", "", "ssh_target")],
)
def test_a_host_over_ssh_has_a_target_and_a_pinned_key_and_no_other_has(
    connection: str, target: str, key: str, field: str
) -> None:
    with pytest.raises(ValidationError) as refused:
        Host(connection=connection, ssh_target=target, ssh_host_key=key).clean()
    assert list(refused.value.message_dict) == [field]
