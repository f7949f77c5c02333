"""A token is held in memory between two steps, and is to be found nowhere: not during a registration, nor after."""

import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.core import serializers

from audits.redact import LIVE
from lanes.models import LaneGrant
from launchplane.changes.models import Change
from tests.lane_changes import ways
from tests.lane_changes.place import Place, with_config_sh
from tests.lane_changes.ways import People

# what config.sh can see of all processes, while it has the token itself
LISTS = 'for at in /proc/[0-9]*; do tr "\\0" " " <$at/cmdline; echo; done >arguments 2>/dev/null; '
TELLS = 'echo "the token is $ACTIONS_RUNNER_INPUT_TOKEN"; '


def database() -> str:
    """Every row of every table, the queue among them."""
    return "\n".join(serializers.serialize("json", model._base_manager.all()) for model in apps.get_models())


def files(folder: Path) -> str:
    found = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
    return "\n".join(path.read_bytes().decode("utf-8", "replace") for path in found)


def of_the_host(place: Place) -> str:
    return "\n".join(files(place.room.root / top) for top in ("etc", "var", "srv", "run", "tmp"))


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """All that any logger says, at every level, as it is without a formatter that redacts."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    root = logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield stream
    root.removeHandler(handler)
    root.setLevel(before)


@pytest.mark.req("M45", "M57", "M61", "M69")
def test_no_token_is_left_anywhere_by_a_life_of_a_lane(
    transactional_db: None, place: Place, people: People, log: io.StringIO
) -> None:
    seen: list[str] = []

    def search() -> None:
        seen.extend([database(), files(Path(settings.EVIDENCE_DIR)), files(Path(settings.VAR)), of_the_host(place)])

    place.github.offer(with_config_sh(LISTS + TELLS + 'real "$@"'))
    place.github.meanwhile(r"POST /_runner/register", ways.elsewhere(search))
    assert ways.applied("lane.create", place, people).status == Change.Status.COMPLETED
    assert "config.sh --url" in (place.room.directory() / "arguments").read_text()
    assert ways.applied("lane.remove", place, people).status == Change.Status.COMPLETED
    search()
    seen.append(log.getvalue())
    assert len(seen) == 9
    assert {token.purpose for token in place.github.one_time.values()} == {"registration", "remove"}
    for token in place.github.one_time:
        assert [number for number, text in enumerate(seen) if token in text] == []
        assert LIVE.text(f"it is {token}") == f"it is {token}"  # the redactor has forgotten it, too


@pytest.mark.req("M69")
def test_what_config_sh_says_of_its_token_is_cut_out(place: Place, people: People) -> None:
    place.github.offer(with_config_sh(TELLS + "exit 1"))
    change = ways.applied("lane.create", place, people)
    assert ways.evidence(change, "configure")["output"] == "the token is [token]\n"


@pytest.mark.req("M61", "M69")
def test_a_token_is_dropped_when_the_run_ends_before_it_is_used(
    transactional_db: None, place: Place, people: People
) -> None:
    """A grant is taken back between the token and config.sh."""
    withdraw = ways.elsewhere(lambda: LaneGrant.objects.all().delete())
    place.github.meanwhile(r"POST .*/registration-token", withdraw)
    change = ways.applied("lane.create", place, people)
    assert ways.outcomes(change)["ask-token"] == "done"
    assert ways.outcomes(change)["configure"] == "skipped"
    (token,) = place.github.one_time
    assert LIVE.text(f"it is {token}") == f"it is {token}"
    assert token not in json.dumps(ways.last_record(change))
