"""launchplane-docker on a machine with a real engine, asked over ssh with the control plane's key."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.onhost.over_ssh import Way, write
from tests.onhost.room import PROGRAMS

pytestmark = pytest.mark.testbed

DOCKER = "launchplane-docker"
FOLDER = "/tmp/image"
# where Debian keeps it, beside the other one
SUDO_RS = "/usr/lib/cargo/bin"


@pytest.fixture
def way(key_holder: Way) -> Iterator[Way]:
    """Nothing was removed within the hour; afterwards nothing of the test is left."""
    host = key_holder.host
    host.must(["rm", "-f", "/var/lib/launchplane/removals"])
    host.must(["install", "-D", "/usr/bin/busybox", f"{FOLDER}/bin/busybox"])
    yield key_holder
    host.must(
        ["sh", "-c", "docker ps -aq | xargs -r docker rm -f; docker images -q | sort -u | xargs -r docker rmi -f"]
    )
    host.must(["sh", "-c", "docker volume ls -q | xargs -r docker volume rm"])


def an_image(way: Way, name: str) -> dict[str, object]:
    """An image of that name, as a plan would name it."""
    way.host.must(["sh", "-c", f"date +%s%N >{FOLDER}/made; tar -C {FOLDER} -c . | docker import - {name}"])
    told = json.loads(way.host.must(["docker", "image", "inspect", name]))[0]
    named = {"id": told["Id"], "tags": told["RepoTags"], "digests": told["RepoDigests"], "size_bytes": told["Size"]}
    return {"engine_id": engine_id(way), **named}


def engine_id(way: Way) -> str:
    return way.host.must(["docker", "info", "--format", "{{.ID}}"]).strip()


def images(way: Way) -> list[str]:
    return way.host.must(["docker", "images", "--quiet", "--no-trunc"]).split()


def observed(way: Way) -> dict[str, Any]:
    answer = way.say(DOCKER, "observe", since=None, until="2040-01-01T00:00:00Z", pinned_id=engine_id(way))
    assert answer["ok"] is True
    found: dict[str, Any] = answer["facts"]
    return found


@pytest.mark.req("H1")
def test_what_is_told_is_what_the_engines_own_client_shows(way: Way) -> None:
    image = an_image(way, "app:1")
    way.host.must(["docker", "run", "--network=none", "--env=TOKEN=canary", "--name=job", "app:1", "busybox", "true"])
    way.host.must(["docker", "volume", "create", "scratch"])
    told = observed(way)
    assert told["identity"]["engine_id"] == engine_id(way)
    answers = {name: answer["value"] for name, answer in told["answers"].items()}
    assert [found["Id"] for found in answers["df"]["Images"]] == [image["id"]]
    assert [found["Names"] for found in answers["containers"]] == [["/job"]]
    assert [found["Name"] for found in answers["volumes"]["Volumes"]] == ["scratch"]
    assert "canary" not in json.dumps(told)


def test_an_image_is_removed_and_nothing_else(way: Way) -> None:
    image, other = an_image(way, "app:1"), an_image(way, "other:1")
    with way.held():
        dry = way.change(DOCKER, "remove_image", **image, dry_run=True)
        assert (dry["ok"], sorted(images(way))) == (True, sorted([str(image["id"]), str(other["id"])]))
        done = way.change(DOCKER, "remove_image", **image)
        again = way.change(DOCKER, "remove_image", **image)
    assert (done["facts"]["removal"]["outcome"], again["facts"]["removal"]["outcome"]) == ("done", "gone")
    assert images(way) == [other["id"]]


def test_a_container_that_runs_and_a_volume_in_use_stay(way: Way) -> None:
    image = an_image(way, "app:1")
    mount = "--volume=scratch:/scratch"
    run = ["docker", "run", "--detach", "--network=none", mount, "--name=job", "app:1", "busybox", "sleep", "600"]
    container = way.host.must(run).strip()
    volume = json.loads(way.host.must(["docker", "volume", "inspect", "scratch"]))[0]
    same = {"engine_id": engine_id(way), "image_id": image["id"], "seen_at": "2040-01-01T00:00:00Z"}
    made = {"engine_id": engine_id(way), "name": "scratch", "driver": "local", "created_at": volume["CreatedAt"]}
    with way.held():
        answers = [
            way.change(DOCKER, "remove_container", **same, id=container, name="job"),
            way.change(DOCKER, "remove_volume", **made),
            way.change(DOCKER, "remove_image", **image),
        ]
        assert [answer["facts"]["removal"]["outcome"] for answer in answers] == ["skipped"] * 3
        way.host.must(["docker", "stop", "--time=0", "job"])
        answers = [
            way.change(DOCKER, "remove_container", **same, id=container, name="job"),
            way.change(DOCKER, "remove_volume", **made),
        ]
    assert [answer["facts"]["removal"]["outcome"] for answer in answers] == ["done"] * 2


def test_what_host_json_keeps_and_what_is_over_its_cap_stay(way: Way) -> None:
    precious = an_image(way, "precious:1")
    others = [an_image(way, f"app:{number}") for number in range(3)]
    with way.held():
        assert way.change(DOCKER, "remove_image", **precious)["error"]["code"] == "protected"
        codes = [way.change(DOCKER, "remove_image", **other)["error"] for other in others]
    assert codes[:2] == [None, None]
    assert codes[2]["code"] == "over_cap"
    assert sorted(images(way)) == sorted([str(precious["id"]), str(others[2]["id"])])


def test_build_cache_is_pruned_by_the_bounds_that_came(way: Way) -> None:
    write(way.host, f"{FOLDER}/Dockerfile", "FROM scratch\nCOPY made /made\n")
    way.host.must(["sh", "-c", f"date +%s%N >{FOLDER}/made; docker build --network=none --tag built {FOLDER}"])
    bounds = {"engine_id": engine_id(way), "keep_bytes": 0, "max_bytes": 0}
    with way.held():
        kept = way.change(DOCKER, "prune_build_cache", **bounds, min_age_seconds=86400)
        assert kept["facts"]["removal"]["deleted"] == []
        gone = way.change(DOCKER, "prune_build_cache", **bounds, min_age_seconds=0)
    assert gone["facts"]["removal"]["outcome"] == "done"
    assert observed(way)["answers"]["df"]["value"]["BuildCache"] != []  # what the image is made of is in use


@pytest.mark.req("M52")
def test_it_is_the_same_where_sudo_is_the_one_in_rust(way: Way) -> None:
    """sudo-rs reads no digest and no pattern: the lines have neither, and it allows and refuses as sudo does."""
    host = way.host
    host.must([f"{SUDO_RS}/visudo", "-c", "-f", "/etc/sudoers.d/launchplane"])
    as_user = ["runuser", "--user", "launchplane", "--", f"{SUDO_RS}/sudo", "-n", "-u"]
    for refused in (["root", "/bin/sh"], ["root", f"{PROGRAMS}/{DOCKER}", ""], ["lane-cm", f"{PROGRAMS}/{DOCKER}"]):
        done = host.run([*as_user, *refused], stdin=way.request("identify"))
        assert (done.returncode, done.stdout) == (1, "")
    host.must(["mount", "--bind", f"{SUDO_RS}/sudo", "/usr/bin/sudo"])
    answer = way.say(DOCKER, "identify")
    host.must(["umount", "/usr/bin/sudo"])
    assert answer["facts"]["identity"]["engine_id"] == engine_id(way)
