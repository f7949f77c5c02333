"""host.json: what it may say. Anything else stops both programs, whoever asks for what."""

import copy
import json
from typing import Any

import pytest

from onhost import config
from onhost.refusals import Refusal
from onhost.sudoers import render
from tests.onhost.room import CONFIG, LANE, OTHER


def changed(**lane: object) -> dict[str, Any]:
    """The good one, with one lane's fields changed."""
    told: dict[str, Any] = copy.deepcopy(CONFIG)
    told["lanes"][LANE].update(lane)
    return told


def renamed(name: str) -> dict[str, Any]:
    told = changed()
    told["lanes"][name] = told["lanes"].pop(LANE)
    return told


BAD_ROOTS = ["/", "/srv", "/home", "/etc/x", "/tmp/x", "/usr/x", "srv", "/srv/x/", "/srv//x", "/srv/../x", "/srv/%n"]
BAD: list[object] = [
    [],
    {},
    CONFIG | {"version": 2},
    CONFIG | {"version": True},
    CONFIG | {"version": "1"},
    CONFIG | {"host": "Chris"},
    CONFIG | {"host": None},
    CONFIG | {"more": 1},
    CONFIG | {"lanes": []},
    CONFIG | {"github": "ftp://github.com"},
    CONFIG | {"github": "https://github.com/"},
    CONFIG | {"github": "https://user@github.com"},
    CONFIG | {"roots": []},
    CONFIG | {"roots": "/srv/runners"},
    CONFIG | {"roots": ["/srv/runners", 7]},
    *(CONFIG | {"roots": ["/srv/runners", root]} for root in BAD_ROOTS),
    CONFIG | {"packages": "a" * 64},
    CONFIG | {"packages": "all"},
    CONFIG | {"packages": None},
    CONFIG | {"packages": ["a" * 63]},
    CONFIG | {"packages": ["A" * 64]},
    CONFIG | {"packages": [7]},
    changed(user="root"),
    changed(user="lane-other"),
    changed(user="lane cm"),
    changed(user="-lane"),
    changed(user="_lane"),
    changed(user=7),
    changed(root="/srv/others"),
    changed(root="/srv/runners/"),
    changed(root=["/srv/runners"]),
    changed(home="/home/lane-cm"),
    changed(home="/srv/runners"),
    changed(home=f"/srv/runners/{LANE}/home"),
    changed(home=f"/srv/runners/{LANE}"),
    changed(home="/srv/runners/homes/lane-other"),
    changed(home="/srv/runners/homes"),
    changed(home=None),
    changed(scope="a/b/c"),
    changed(scope="a/.."),
    changed(scope="a b"),
    changed(scope="https://github.com/a"),
    changed(more=1),
    *(renamed(name) for name in ("..", "a..b", "a/b", "A", "x" * 65, "a\n", "-a", "a%n", "", "ä")),
]


def test_the_good_one_is_read() -> None:
    found = config.parse(json.dumps(CONFIG).encode())
    assert sorted(found.lanes) == [LANE, OTHER]
    assert found.github == "https://github.com"
    assert found.lanes[LANE].directory == f"/srv/runners/{LANE}"


@pytest.mark.req("M31")
@pytest.mark.parametrize("told", BAD, ids=repr)
def test_a_bad_one_is_refused_with_a_sentence(told: object) -> None:
    with pytest.raises(Refusal) as refused:
        config.parse(json.dumps(told).encode())
    assert refused.value.summary


@pytest.mark.parametrize("data", [b"", b"{", b"\xff", b'{"version": 1, "version": 1}', b"NaN", b"[" * 5000], ids=repr)
def test_what_is_no_json_is_refused(data: bytes) -> None:
    with pytest.raises(Refusal):
        config.parse(data)


@pytest.mark.req("M52")
def test_sudo_allows_three_programs_without_arguments_and_each_as_one_user() -> None:
    lines = render("launchplane", config.parse(json.dumps(CONFIG).encode())).splitlines()
    programs = "/usr/local/lib/launchplane"
    assert lines[1:] == [
        f'launchplane ALL=(root) NOPASSWD: {programs}/launchplane-unit ""',
        f'launchplane ALL=(root) NOPASSWD: {programs}/launchplane-docker ""',
        f'launchplane ALL=(lane-cm) NOPASSWD: {programs}/launchplane-runner ""',
        f'launchplane ALL=(lane-other) NOPASSWD: {programs}/launchplane-runner ""',
    ]


@pytest.mark.parametrize("user", ["root", "lane-cm", "a b", "ALL=(ALL) ALL\nx", "%wheel", ""])
def test_sudo_is_for_a_user_of_its_own(user: str) -> None:
    with pytest.raises(Refusal):
        render(user, config.parse(json.dumps(CONFIG).encode()))
