"""Names of lanes, scopes, labels, users and folders: what is safe, and what is the same."""

import re

import pytest
from hypothesis import assume, given

from lanes import names
from tests.lanes.likely import LIKELY

HOSTILE = ["", "\n", "a\n", "../b", "a..b", "a/b", "-a", ".a", "a b", "a\0", "%n", "ä", "ａ", "a;b", "$(id)", "a" * 300]


@pytest.mark.req("M31")
@pytest.mark.parametrize("name", [*HOSTILE, "A", "a" * 65, "_a"])
def test_a_name_that_is_no_slug_is_no_lanes_name(name: str) -> None:
    assert not names.is_lane_name(name)


@pytest.mark.parametrize("name", ["a", "0", "cm-website-chris-testing", "a.b_c-d", "a" * 64])
def test_a_slug_is_a_lanes_name(name: str) -> None:
    assert names.is_lane_name(name)


@pytest.mark.req("M13")
def test_the_unit_follows_from_the_lanes_name() -> None:
    assert names.unit_name("cm-website") == "launchplane-runner@cm-website.service"


@pytest.mark.parametrize("scope", ["a", "acme-2", "cbusillo/odoo-tenant-cm-website", "Acme/.github", "a/" + "b" * 100])
def test_an_owner_or_a_repository_is_a_scope(scope: str) -> None:
    assert names.is_scope(scope)


@pytest.mark.req("M31")
@pytest.mark.parametrize(
    "scope",
    [
        *HOSTILE[:4],
        "/b",
        "a/",
        "a//b",
        "a/b/c",
        "a/..",
        "a/.",
        "a/b.git",
        "a--b",
        "a-",
        "a" * 40,
        "a/" + "b" * 101,
        "a/b\n",
    ],
)
def test_anything_else_is_no_scope(scope: str) -> None:
    assert not names.is_scope(scope)


@pytest.mark.parametrize("label", ["X64", "cm-website", "gpu_a100", "ubuntu-22.04"])
def test_a_plain_word_is_a_label(label: str) -> None:
    assert names.is_label(label)


@pytest.mark.req("M31")
@pytest.mark.parametrize("label", ["", "a,b", "a b", "-a", "a\n", "a:b", "ä", "a" * 65])
def test_a_label_that_config_sh_could_misread_is_none(label: str) -> None:
    assert not names.is_label(label)


@pytest.mark.req("M31")
@pytest.mark.parametrize("user", ["root", "", "Root", "0", "-u", "a b", "a:b", "a\n", "a" * 33])
def test_a_lane_runs_as_an_ordinary_user(user: str) -> None:
    assert not names.is_service_user(user)
    assert names.is_service_user("lane-cm_2")


@pytest.mark.req("M31")
@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "srv",
        "/srv/",
        "//srv",
        "/srv//a",
        "/srv/../etc",
        "/srv/a..b",
        "/srv/.",
        "/srv/a b",
        "/srv/%n",
        "/srv\n",
        "/a" * 101,
    ],
)
def test_a_path_has_one_spelling(path: str) -> None:
    assert not names.is_plain_path(path)


@pytest.mark.req("M25")
@pytest.mark.req("M59")
@pytest.mark.parametrize(
    "root", ["/srv/runners/", "/srv/Runners", "/srv/runners/a", "/srv", "/srv/./runners", "/srv/run"]
)
def test_a_root_is_allowed_only_exactly_as_it_is_written(root: str) -> None:
    assert names.is_allowed_root("/srv/runners", ["/srv/runners"])
    assert not names.is_allowed_root(root, ["/srv/runners"])


@pytest.mark.req("M31")
def test_a_root_that_is_allowed_but_not_plain_is_refused() -> None:
    assert not names.is_allowed_root("/srv/runners/", ["/srv/runners/"])


@pytest.mark.req("M36")
def test_names_that_differ_only_in_case_are_the_same() -> None:
    assert names.same("CM-Website", "cm-website")
    assert not names.same("cm-website", "cm-website2")


@pytest.mark.req("M12")
def test_a_label_in_another_case_is_there() -> None:
    assert names.missing_labels(("GPU", "x"), ("gpu", "Linux")) == ("x",)


def test_labels_that_nobody_wants_are_found_but_for_githubs_own() -> None:
    assert names.foreign_labels(("a",), ("self-hosted", "Linux", "X64", "A", "others")) == ("others",)


@given(LIKELY)
def test_what_is_accepted_means_nothing_to_a_shell_or_systemd(text: str) -> None:
    accepts = (names.is_lane_name, names.is_label, names.is_service_user, names.is_scope, names.is_plain_path)
    assume(any(accept(text) for accept in accepts))
    assert re.fullmatch(r"[A-Za-z0-9._/-]+", text) or names.is_service_user(text)
