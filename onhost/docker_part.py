"""The part `docker` of host.json: which engine, what is never taken from it, and how often anything is.

    {"socket": "/var/run/docker.sock", "root": "/var/lib/docker", "engine_id": "7TJD:…",
     "runner_roots": ["/srv/runners"], "docker_configs": ["/root/.docker"],
     "keep": {"image": ["postgres:*"], "container": ["registry"], "volume": ["pg_*"], "builder": ["buildx_*"]},
     "hourly": {"remove_image": 100, "remove_container": 100, "remove_volume": 0,
                "prune_build_cache": 4, "prune_builder": 4}}

`keep` and `hourly` are needed, and `hourly` names all five: what an administrator did not allow is not done.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

from onhost import names
from onhost.refusals import Untrusted

NEEDED = {"keep", "hourly"}
OPTIONAL = {"socket", "root", "engine_id", "runner_roots", "docker_configs"}
KINDS = ("image", "container", "volume", "builder")
REMOVALS = ("remove_image", "remove_container", "remove_volume", "prune_build_cache", "prune_builder")
MOST_AN_HOUR = 2000
MOST_PATTERNS = 500
LONGEST = 500


@dataclass(frozen=True)
class DockerPart:
    """What an administrator says of this host's engine. `keep` has patterns by kind, `hourly` a number by removal."""

    socket: str
    root: str
    engine_id: str | None
    runner_roots: tuple[str, ...]
    docker_configs: tuple[str, ...]
    keep: Mapping[str, tuple[str, ...]]
    hourly: Mapping[str, int]

    def keeps(self, kind: str, called: Iterable[str]) -> str | None:
        """The pattern by which a thing is never touched that is called all this; None without one."""
        called = tuple(called)
        patterns = self.keep.get(kind, ())
        return next((each for each in patterns if any(fnmatchcase(name, each) for name in called)), None)


def parse(told: object) -> DockerPart:
    """The part as it was checked. Raises Untrusted `config` with what is wrong with it."""
    if not isinstance(told, dict) or not NEEDED <= set(told) <= NEEDED | OPTIONAL:
        raise Untrusted("config", f"its docker needs {sorted(NEEDED)} and may have {sorted(OPTIONAL)}")
    engine_id = told.get("engine_id")
    _require(engine_id is None or _is_text(engine_id), "engine_id has to be the engine's id")
    return DockerPart(
        socket=_path(told, "socket", "/var/run/docker.sock"),
        root=_path(told, "root", "/var/lib/docker"),
        engine_id=engine_id,
        runner_roots=_paths(told, "runner_roots"),
        docker_configs=_paths(told, "docker_configs"),
        keep=_keep(told["keep"]),
        hourly=_hourly(told["hourly"]),
    )


def _keep(told: object) -> dict[str, tuple[str, ...]]:
    if not isinstance(told, dict) or not set(told) <= set(KINDS):
        raise Untrusted("config", f"its docker's keep is an object with some of {list(KINDS)}")
    return {kind: _texts(patterns, f"keep's {kind}") for kind, patterns in told.items()}


def _hourly(told: object) -> dict[str, int]:
    if not isinstance(told, dict) or set(told) != set(REMOVALS):
        raise Untrusted("config", f"its docker's hourly names exactly {list(REMOVALS)}")
    for name, most in told.items():
        good = isinstance(most, int) and not isinstance(most, bool) and 0 <= most <= MOST_AN_HOUR
        _require(good, f"hourly's {name} has to be a whole number from 0 to {MOST_AN_HOUR}")
    return dict(told)


def _path(told: Mapping[str, object], field: str, otherwise: str) -> str:
    path = told.get(field, otherwise)
    _require(names.is_path(path), f"{field} is no absolute path in its plain spelling")
    return str(path)


def _paths(told: Mapping[str, object], field: str) -> tuple[str, ...]:
    paths = _texts(told.get(field, []), field)
    for path in paths:
        _require(path == "/" or names.is_path(path.replace("/.", "/")), f"{field} has a path that is not spelt plainly")
    return paths


def _texts(told: object, field: str) -> tuple[str, ...]:
    good = isinstance(told, list) and len(told) <= MOST_PATTERNS and all(map(_is_text, told))
    _require(good, f"{field} has to be a list of texts, none of them empty")
    return tuple(told) if isinstance(told, list) else ()


def _is_text(told: object) -> bool:
    return isinstance(told, str) and 0 < len(told) <= LONGEST and told.isprintable()


def _require(holds: bool, otherwise: str) -> None:
    if not holds:
        raise Untrusted("config", f"its docker: {otherwise}")
