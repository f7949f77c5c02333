"""What a plan is made from, in few words: one look at a host that is approved and opted in, and nothing stored."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from hygiene.contracts import History, Inventory, Key, Observation, Policy, Readings
from hygiene.gates import PhaseOne
from hygiene.judge import Judgement
from hygiene.plan.scene import HostFacts, Scene
from hygiene.reclaim import Layers
from hygiene.report import build_report
from launchplane.hosts.models import Host
from tests.factories import an_inventory, digest, readings
from tests.hygiene.inventories import keys_of
from tests.hygiene.judging import DAY, NOW, here_since, policy

MONTH_AGO = NOW - 30 * DAY
ENGINE = "ENGINE:chris-testing"
LATELY = PhaseOne("a change", NOW - timedelta(hours=1))


def a_scene(
    inventory: Inventory | None = None,
    *,
    rules: Policy | None = None,
    history: Mapping[Key, History] | None = None,
    reading: Readings | None = None,
    phase_one: PhaseOne | None = LATELY,
    **host: Any,
) -> Scene:
    """Everything is here for a month unless `history` says otherwise; every budget may be applied; `host` differs."""
    seen, rules, read = inventory or an_inventory(), rules or policy(), reading or readings()
    past = dict.fromkeys(keys_of(seen), here_since(MONTH_AGO, dangling=MONTH_AGO)) | dict(history or {})
    layers = {image.id: Layers((digest(("own", image.id)),), (image.size_bytes or 0,)) for image in seen.images}
    observation = Observation(inventory=seen, readings=read, events=(), observed_at=NOW, duration_ms=412)
    judgement = Judgement(seen, past, rules, layers, now=NOW)
    facts: dict[str, Any] = {
        "name": "chris-testing",
        "engine_id": ENGINE,
        "docker_url": "unix:///run/docker.sock",
        "user": "launchplane",
        "approved": True,
        "hygiene_enabled": True,
        "pressure_percent": 80,
        "maintenance_window": "",
        "run_patterns": (),
        "applied": frozenset(rule.scope for rule in rules.budgets),
    }
    return Scene(
        host=HostFacts(**facts | host),
        snapshot="a snapshot",
        observed_at=NOW,
        inventory=seen,
        readings=read,
        report=build_report(Host(name="chris-testing"), observation, judgement, rules),
        history=past,
        layers=layers,
        policy=rules,
        phase_one=phase_one,
    )
