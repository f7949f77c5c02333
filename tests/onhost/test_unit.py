"""launchplane-unit's seven verbs, as processes: what each does, what it reads back, and that a dry-run does nothing."""

import pytest

from onhost import config, service
from tests.onhost.room import LANE, OTHER, Room, put

VERBS = ["install-or-update-unit", "daemon-reload", "enable-now", "restart", "stop", "disable", "remove-unit"]
UNIT = f"launchplane-runner@{LANE}.service"


def up(room: Room) -> None:
    """The lane's service, installed and running."""
    for verb in VERBS[:3]:
        assert room.unit_verb(verb).status == 0
    room.manager(orders=[])


@pytest.mark.req("M51")
def test_a_lane_is_brought_up_and_taken_down_by_its_seven_verbs(room: Room) -> None:
    for verb in VERBS:
        answer = room.unit_verb(verb)
        assert (answer.status, answer.told["ok"], answer.stderr) == (0, True, "")
    assert room.manager()["orders"] == [
        "daemon-reload",
        f"enable {UNIT}",
        f"reset-failed {UNIT}",
        f"start {UNIT}",
        f"reset-failed {UNIT}",
        f"restart {UNIT}",
        f"stop {UNIT}",
        f"disable {UNIT}",
    ]
    assert not room.unit().exists()


@pytest.mark.req("M46")
@pytest.mark.req("M48")
@pytest.mark.req("M49")
def test_the_unit_file_is_what_the_host_itself_renders(room: Room) -> None:
    room.unit_verb("install-or-update-unit")
    lane = config.Lane(LANE, "lane-cm", "/srv/runners", "/srv/runners/homes/lane-cm", "cbusillo/odoo-tenant-cm-website")
    assert room.unit().read_text() == service.render(lane)
    found = room.unit().stat()
    assert (found.st_uid, found.st_mode & 0o7777) == (0, 0o644)
    assert [path.name for path in room.unit().parent.iterdir()] == [UNIT]


def test_an_unchanged_unit_is_not_written_again(room: Room) -> None:
    room.unit_verb("install-or-update-unit")
    before = room.unit().stat()
    answer = room.unit_verb("install-or-update-unit")
    assert (answer.told["changed"], answer.told["steps"]) == (False, [])
    assert room.unit().stat().st_ino == before.st_ino


def test_an_older_unit_of_ours_is_replaced(room: Room) -> None:
    room.unit_verb("install-or-update-unit")
    put(room.unit(), f"{service.MARK} 0 for lane {LANE}.\n", mode=0o644)
    assert room.unit_verb("install-or-update-unit").told["changed"] is True
    assert f"{service.MARK} 1 " in room.unit().read_text()


@pytest.mark.req("L13")
@pytest.mark.parametrize("verb", [verb for verb in VERBS if verb != "daemon-reload"])
def test_a_unit_that_somebody_else_wrote_is_left_alone(room: Room, verb: str) -> None:
    put(room.unit(), "[Service]\nExecStart=/bin/true\n", mode=0o644)
    before = room.contents()
    answer = room.unit_verb(verb)
    assert (answer.status, answer.code) == (4, "unit_differs" if verb in ("enable-now", "restart") else "not_ours")
    assert room.contents() == before


@pytest.mark.req("M55")
def test_another_lane_is_not_touched(room: Room) -> None:
    for verb in VERBS[:3]:
        room.unit_verb(verb, OTHER)
    before = room.unit(OTHER).read_text()
    for verb in VERBS:
        room.unit_verb(verb)
    assert room.unit(OTHER).read_text() == before
    told = room.manager()
    assert told["enabled"] == [room.unit(OTHER).name]
    assert list(told["services"]) == [room.unit(OTHER).name]  # type: ignore[call-overload]


@pytest.mark.req("M56")
@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("is_up", [False, True])
def test_a_dry_run_says_its_steps_and_changes_nothing(room: Room, verb: str, is_up: bool) -> None:
    if is_up:
        up(room)
    before = room.contents()
    answer = room.unit_verb(verb, dry_run=True)
    assert room.contents() == before
    assert answer.told["dry_run"] is True
    assert not answer.told.get("changed")


@pytest.mark.req("M56")
def test_a_dry_run_names_each_step(room: Room) -> None:
    assert room.unit_verb("install-or-update-unit", dry_run=True).told["steps"] == [f"write /etc/systemd/system/{UNIT}"]
    up(room)
    assert room.unit_verb("restart", dry_run=True).told["steps"] == [f"systemctl restart -- {UNIT}"]
    assert room.unit_verb("stop", dry_run=True).told["steps"] == [f"systemctl stop -- {UNIT}"]


@pytest.mark.req("M59")
@pytest.mark.parametrize(
    ("verb", "order", "code"),
    [
        ("enable-now", "enable", "not_enabled"),
        ("enable-now", "start", "not_active"),
        ("stop", "stop", "not_stopped"),
        ("disable", "disable", "still_enabled"),
    ],
)
def test_what_systemd_says_it_did_is_read_back(room: Room, verb: str, order: str, code: str) -> None:
    if verb == "enable-now":
        room.unit_verb("install-or-update-unit")
        room.unit_verb("daemon-reload")
    else:
        up(room)
    room.manager(ignored=[order])
    answer = room.unit_verb(verb)
    assert (answer.status, answer.code) == (5, code)


@pytest.mark.req("L8")
def test_an_order_that_fails_is_told_with_what_was_reached(room: Room) -> None:
    room.unit_verb("install-or-update-unit")
    room.unit_verb("daemon-reload")
    room.manager(failing=["start"])
    answer = room.unit_verb("enable-now")
    assert (answer.status, answer.code) == (5, "systemctl")
    assert answer.fact("service")["enabled"] is True
    assert answer.fact("service")["active_state"] == "inactive"


def test_stop_fails_while_a_process_of_its_is_left(room: Room) -> None:
    up(room)
    group = room.path(f"sys/fs/cgroup/system.slice/{UNIT}")
    group.mkdir(parents=True)
    (group / "cgroup.procs").write_text("1\n")
    left = {"active": "failed", "sub": "failed", "pid": "0", "cgroup": f"/system.slice/{UNIT}"}
    room.manager(services={UNIT: left})
    answer = room.unit_verb("stop")
    assert (answer.status, answer.code) == (5, "not_stopped")
    assert answer.fact("service")["process_users"] == ["root"]


@pytest.mark.parametrize(("verb", "code"), [("enable-now", "unit_differs"), ("restart", "unit_differs")])
def test_nothing_is_started_from_a_unit_that_is_not_the_rendered_one(room: Room, verb: str, code: str) -> None:
    up(room)
    with room.unit().open("a") as file:
        file.write("[Service]\nUser=root\n")
    before = room.contents()
    assert room.unit_verb(verb).code == code
    assert room.contents() == before


@pytest.mark.req("M67")
def test_nothing_is_started_as_another_user_that_something_added(room: Room) -> None:
    up(room)
    room.manager(user="root", drop_ins=["/etc/systemd/system/service.d/10-root.conf"])
    assert room.unit_verb("restart").code == "unit_changed"
    assert room.manager()["orders"] == []


def test_nothing_is_started_before_systemd_has_read_the_new_unit(room: Room) -> None:
    up(room)
    put(room.unit(), room.unit().read_text().replace("RestartSec=30", "RestartSec=31"), mode=0o644)
    room.unit_verb("daemon-reload")
    room.unit_verb("install-or-update-unit")
    assert room.unit_verb("restart").code == "reload_needed"


@pytest.mark.parametrize("enabled", [False, True])
def test_a_unit_in_use_is_not_removed(room: Room, enabled: bool) -> None:
    up(room)
    if enabled:
        room.unit_verb("stop")
    assert room.unit_verb("remove-unit").code == ("still_enabled" if enabled else "still_active")
    assert room.unit().exists()


def test_taking_down_what_is_not_there_is_done_already(room: Room) -> None:
    for verb in ("stop", "disable", "remove-unit"):
        answer = room.unit_verb(verb)
        assert (answer.status, answer.told["changed"]) == (0, False)


def test_a_lane_is_taken_down_when_its_folder_is_gone(room: Room) -> None:
    up(room)
    room.directory().rename(room.path("srv/elsewhere"))
    assert [room.unit_verb(verb).status for verb in ("stop", "disable", "remove-unit")] == [0, 0, 0]


@pytest.mark.req("L8")
def test_a_file_that_systemd_has_not_read_yet_is_told_by_what_it_will_run(room: Room) -> None:
    """Whoever was interrupted between writing it and the reload must be able to go on."""
    seen = room.unit_verb("install-or-update-unit").fact("service")
    assert (seen["written"], seen["as_written"], seen["loaded"], seen["ours"]) == (True, True, False, False)
    assert seen["exec_start"] == f"/srv/runners/{LANE}/run.sh"
    room.unit().write_text("[Service]\nExecStart=/usr/bin/other\n")
    seen = room.unit_verb("daemon-reload").fact("service")
    assert (seen["as_written"], seen["loaded"], seen["exec_start"]) == (False, True, "/usr/bin/other")


@pytest.mark.req("L8")
def test_a_unit_whose_file_is_gone_is_loaded_until_systemd_reads_again(room: Room) -> None:
    for verb in ("install-or-update-unit", "daemon-reload", "remove-unit"):
        seen = room.unit_verb(verb).fact("service")
    assert (seen["exists"], seen["written"], seen["loaded"]) == (True, False, True)
    seen = room.unit_verb("daemon-reload").fact("service")
    assert (seen["exists"], seen["written"], seen["loaded"]) == (False, False, False)
