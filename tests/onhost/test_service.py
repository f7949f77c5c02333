"""A lane's unit as text: what it runs, as whom, and what can never get into it."""

import configparser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onhost import config, names, service
from tests.onhost.room import CONFIG, LANE, USERS

LINES = service.render(
    config.Lane(LANE, "lane-cm", "/srv/runners", "/srv/runners/homes/lane-cm", "cbusillo/odoo-tenant-cm-website")
).splitlines()


@pytest.mark.req("M46")
@pytest.mark.req("M47")
@pytest.mark.req("M48")
@pytest.mark.req("M49")
@pytest.mark.req("M50")
@pytest.mark.parametrize(
    "line",
    [
        "User=lane-cm",
        f"WorkingDirectory=/srv/runners/{LANE}",
        f"ExecStart=/srv/runners/{LANE}/run.sh",
        "Environment=RUNNER_MANUALLY_TRAP_SIG=1",
        "Environment=HOME=/srv/runners/homes/lane-cm",
        "Environment=DOCKER_CONFIG=/srv/runners/homes/lane-cm/.docker",
        "Restart=always",
        "StartLimitBurst=5",
        "UMask=0077",
        "KillMode=mixed",
        "TimeoutStopSec=300",
        "WantedBy=multi-user.target",
    ],
)
def test_the_unit_says_it_once(line: str) -> None:
    assert LINES.count(line) == 1


@pytest.mark.req("M57")
def test_the_unit_has_no_place_for_a_token() -> None:
    assert not [line for line in LINES if "token" in line.lower()]
    assert {"user", "root", "home", "scope"} == config.LANE_FIELDS


@pytest.mark.req("M31")
@given(st.from_regex(names.SLUG, fullmatch=True).filter(names.is_slug), st.from_regex(names.USER, fullmatch=True))
def test_no_accepted_name_adds_a_line_or_a_specifier(name: str, user: str) -> None:
    root = "/srv/runners"
    text = service.render(config.Lane(name, user, root, f"{root}/homes/{user}", "o/r"))
    assert len(text.splitlines()) == len(LINES)
    assert "%" not in text
    parsed = configparser.RawConfigParser(strict=False, comment_prefixes=("#",))
    parsed.read_string(text)
    assert parsed["Service"]["User"] == user
    assert parsed["Service"]["ExecStart"] == f"{root}/{name}/run.sh"


def test_a_unit_is_named_after_its_lane() -> None:
    lanes = CONFIG["lanes"]
    assert isinstance(lanes, dict)
    lane = config.Lane(LANE, *(lanes[LANE][name] for name in ("user", "root", "home", "scope")))
    assert lane.unit == f"launchplane-runner@{LANE}.service"
    assert lane.user in USERS
