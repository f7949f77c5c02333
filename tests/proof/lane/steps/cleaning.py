"""Hygiene over ssh, on the same host: the numbers of its own client, and a clean-up of what was approved."""

import json
from typing import Any

from tests.client import human_size
from tests.proof.lane.place import HOST, MANAGED, Place
from tests.proof.lane.record import Evidence, require
from tests.proof.lane.steps.asking import approve, ask, ended_well

TITLES = {"Images": "images", "Containers": "containers", "Local Volumes": "volumes", "Build Cache": "build_cache"}
ROUNDS = 3
THINGS = """
folder=$(mktemp -d); cd $folder
install -D /usr/bin/busybox bin/busybox
tar -c . | docker import - ci/tools:1
docker run --name ended --network none --volume kept:/kept ci/tools:1 \
  busybox sh -c 'busybox head -c 300000 /dev/zero >/kept/it; busybox head -c 70000 /dev/zero >/written'
printf 'FROM ci/tools:1\\nRUN ["/bin/busybox", "touch", "/built"]\\nCOPY bin /copied\\n' >Dockerfile
docker build --quiet --network none --tag ci/built:1 .
cd /; rm -r $folder
"""


def same_numbers(place: Place) -> Evidence:
    """H3: the report is what `docker system df` on the host itself says, image by image and byte by byte."""
    _leave_things(place)
    ours, theirs = _ours(place), _clients(place)
    require(ours == theirs, f"the report says {ours}, the client {theirs}")
    return {"report": ours, "client": theirs}


def cleaned(place: Place) -> Evidence:
    """H25: dangling images that carry the managed label go, by an approved change, and nothing else does."""
    before = _images(place)
    labelled = {image for image, told in before.items() if told["dangling"] and told["managed"]}
    planned = place.shell.json("hygiene", "plan", HOST, "dangling")
    require(len(labelled) == ROUNDS - 1, f"{len(labelled)} images are to go")
    require(len(planned["steps"]) == len(labelled), f"the plan has {planned['steps']}")
    ask(place, planned, later=False)
    who = approve(place, planned, phrase="")
    done = ended_well(planned, place)
    after = _images(place)
    require(set(before) - set(after) == labelled, f"{set(before) - set(after)} went, not {labelled}")
    ours, theirs = _ours(place), _clients(place)
    require(ours == theirs, f"afterwards the report says {ours}, the client {theirs}")
    place.keep("clean-up.json", json.dumps(done, indent=2))
    return {"change": done["id"], **who, "removed": sorted(labelled), "kept": sorted(after), "afterwards": ours}


def _leave_things(place: Place) -> None:
    """What jobs leave: an image built anew under the same tag, again and again, a stopped container, a volume, cache.

    One dangling image is somebody else's: it has no label, and no clean-up may touch it.
    """
    key, _, value = MANAGED.partition("=")
    for number in range(ROUNDS):
        _import(place, f"job {number}", "ci/job:latest", f"LABEL {key}={value}")
    _import(place, "somebody's", "", "LABEL theirs=yes")
    place.host.must(["sh", "-ec", THINGS])


def _import(place: Place, content: str, tag: str, change: str) -> None:
    script = f'd=$(mktemp -d); echo "$1" >$d/it; tar -C $d -c . | docker import --change "$2" - {tag}; rm -r $d'
    place.host.must(["sh", "-c", script, "sh", content, change])


def _ours(place: Place) -> dict[str, list[str]]:
    report = place.shell.json("hygiene", "report", HOST, ends=(0, 3))
    summary: dict[str, dict[str, Any]] = report["docker_summary"]
    return {title: _printed(summary[name]) for title, name in TITLES.items()}


def _printed(line: dict[str, Any]) -> list[str]:
    sizes = [human_size(line[name]) for name in ("size_bytes", "reclaimable_bytes")]
    return [str(line["count"]), str(line["active"]), *sizes]


def _clients(place: Place) -> dict[str, list[str]]:
    lines = place.host.must(["docker", "system", "df", "--format", "{{json .}}"])
    told = [json.loads(line) for line in lines.splitlines()]
    return {one["Type"]: [one["TotalCount"], one["Active"], one["Size"], one["Reclaimable"].split()[0]] for one in told}


def _images(place: Place) -> dict[str, dict[str, bool]]:
    """Every image by its id, as the host's own client inspects it."""
    ids = place.host.must(["docker", "images", "--all", "--quiet", "--no-trunc"]).split()
    key, _, value = MANAGED.partition("=")
    told = json.loads(place.host.must(["docker", "inspect", *sorted({*ids})])) if ids else []
    return {
        image["Id"]: {
            "dangling": not image["RepoTags"],
            "managed": (image["Config"].get("Labels") or {}).get(key) == value,
        }
        for image in told
    }
