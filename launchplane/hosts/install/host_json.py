"""host.json as our records say it: which lanes, which engine, what stays, how much may go in an hour.

What an administrator wrote there by hand stays: more that is kept, other numbers, another server, which packages.
"""

import glob
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from django.conf import settings

from launchplane.hosts.install.lanes import LaneThere
from launchplane.hosts.models import Host, RequiredWarm
from launchplane.problems import Problem
from onhost import config
from onhost.docker_part import KINDS
from onhost.refusals import Refusal

PUBLIC_API: Final = "https://api.github.com"
ROOT: Final = "/srv/runners"
HOURLY: Final[Mapping[str, int]] = {
    "remove_image": 200,
    "remove_container": 100,
    "remove_volume": 0,
    "prune_build_cache": 6,
    "prune_builder": 12,
}
# an administrator's own, whatever the records say
KEPT: Final = ("github",)
DOCKER_CONFIGS: Final = "/root/.docker"


def host_json(
    name: str, host: Host | None, lanes: Sequence[LaneThere], before: Mapping[str, Any], packages: Sequence[str] = ()
) -> dict[str, Any]:
    """What host `name` is to be allowed. `before` is what is there now; `host` None is one that is not added yet.

    The runner packages that may be unpacked there are those of before, and `packages` by their sha256.
    """
    return {
        "version": 1,
        "host": name,
        "roots": sorted({*(host.runner_roots if host else ()), *(lane.root for lane in lanes)}) or [ROOT],
        "github": server(),
        "lanes": {
            lane.name: {"user": lane.user, "root": lane.root, "home": lane.home, "scope": lane.scope} for lane in lanes
        },
        "docker": _docker(host, lanes, before.get("docker", {})),
        "packages": _packages(before.get("packages", []), packages),
        **{field: before[field] for field in KEPT if field in before},
    }


def read_before(text: str) -> dict[str, Any]:
    """What is there now; {} for nothing. Raises Problem `host_json_unusable`: what somebody keeps in it may be lost."""
    if not text:
        return {}
    try:
        config.parse(text.encode())
    except Refusal as refusal:
        raise Problem(
            "host_json_unusable",
            f"The host's {config.FOLDER}/{config.NAME} can't be used: {refusal.summary}. Mend it there, or remove it.",
        ) from refusal
    told: dict[str, Any] = json.loads(text)
    return told


def docker_configs(lanes: Sequence[LaneThere]) -> tuple[str, ...]:
    """Where Docker clients keep their logins there: root's, and each lane's own."""
    return (DOCKER_CONFIGS, *(f"{lane.home}/.docker" for lane in lanes))


def server() -> str:
    """Where runners are registered: beside the API's address, as GitHub Enterprise Server has it."""
    api = settings.GITHUB_API_URL
    return "https://github.com" if api == PUBLIC_API else api.removesuffix("/api/v3")


def _packages(before: list[str] | str, more: Sequence[str]) -> list[str] | str:
    return before if isinstance(before, str) else sorted({*before, *more})


def _docker(host: Host | None, lanes: Sequence[LaneThere], before: Mapping[str, Any]) -> dict[str, Any]:
    told: dict[str, Any] = {
        "docker_configs": list(docker_configs(lanes)),
        "keep": _keep(host, before.get("keep", {})),
        "hourly": before.get("hourly", dict(HOURLY)),
    }
    if host is not None:
        told |= {"socket": host.docker_url.removeprefix("unix://"), "runner_roots": list(host.runner_roots)}
        told |= {field: value for field, value in _engine(host).items() if value}
    return told


def _engine(host: Host) -> dict[str, str]:
    return {"engine_id": host.engine_id, "root": host.docker_root}


def _keep(host: Host | None, before: Mapping[str, list[str]]) -> dict[str, list[str]]:
    """What must stay warm can't be removed there either, whoever asks. A builder's cache can still be pruned."""
    keep = {kind: list(found) for kind, found in before.items()}
    for item in host.required_warm.all() if host is not None else ():
        name = glob.escape(item.name)
        if item.kind == RequiredWarm.Kind.IMAGE:
            _add(keep, "image", name)
        else:
            _add(keep, "container", f"buildx_buildkit_{name}")
            _add(keep, "volume", f"buildx_buildkit_{name}_state")
    return {kind: sorted(keep[kind]) for kind in KINDS if kind in keep}


def _add(keep: dict[str, list[str]], kind: str, pattern: str) -> None:
    if pattern not in keep.setdefault(kind, []):
        keep[kind].append(pattern)
