"""What a plan is made from: one observation of a host, what is known of its past, and what operators said. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from hygiene.contracts import BudgetRule, Container, History, Inventory, Key, Policy, Readings, Report
from hygiene.gates import PhaseOne
from hygiene.judge import Judgement
from hygiene.reclaim import Layers


@dataclass(frozen=True, slots=True)
class HostFacts:
    """The settings of a host that decide on its clean-ups. `applied` are the scopes whose budget may be applied.

    `ssh_target` is empty for a host of this machine. `user` is who changes it there.
    """

    name: str
    engine_id: str
    docker_url: str
    user: str
    approved: bool
    hygiene_enabled: bool
    pressure_percent: int
    maintenance_window: str
    run_patterns: tuple[str, ...]
    applied: frozenset[str]
    ssh_target: str = ""


@dataclass(frozen=True, slots=True)
class Scene:
    """One look at a host. `snapshot` is the digest of the stored inventory."""

    host: HostFacts
    snapshot: str
    observed_at: datetime
    inventory: Inventory
    readings: Readings
    report: Report
    history: Mapping[Key, History]
    layers: Mapping[str, Layers]
    policy: Policy
    phase_one: PhaseOne | None

    def judge(self, *, policy: Policy | None = None, inventory: Inventory | None = None) -> Judgement:
        """The verdicts as of the observation, under this policy and inventory instead of the scene's own if given."""
        return Judgement(
            inventory or self.inventory, self.history, policy or self.policy, self.layers, now=self.observed_at
        )

    def budget(self, scope: str) -> BudgetRule | None:
        """The budget of a scope, in whatever mode."""
        return next((rule for rule in self.policy.budgets if rule.scope == scope), None)

    def applied_budget(self, scope: str) -> BudgetRule | None:
        """The budget of a scope, if it may be applied."""
        return self.budget(scope) if scope in self.host.applied else None

    def with_budgets(self, rules: Iterable[BudgetRule]) -> Policy:
        """The policy with `rules` in the place of all budgets."""
        return self.policy.model_copy(update={"budgets": tuple(rules)})


def without(inventory: Inventory, going: Iterable[Container]) -> Inventory:
    """The inventory as it will be when these containers are gone: what only they use is used by nobody."""
    leaving = {container.id: container for container in going}
    if not leaving:
        return inventory
    held: dict[str, int] = {}
    for container in leaving.values():
        for volume in {mount.source for mount in container.mounts if mount.kind == "volume"}:
            held[volume] = held.get(volume, 0) + 1
    volumes = tuple(
        volume
        if volume.name not in held or volume.ref_count is None
        else volume.model_copy(update={"ref_count": max(volume.ref_count - held[volume.name], 0)})
        for volume in inventory.volumes
    )
    staying = tuple(container for container in inventory.containers if container.id not in leaving)
    return inventory.model_copy(update={"containers": staying, "volumes": volumes})


def builder_container(inventory: Inventory, node: str) -> Container | None:
    """The container of the running builder `node`."""
    ids = {found.container_id for found in inventory.builders if found.name == node and found.state == "running"}
    return next((container for container in inventory.containers if container.id in ids), None)
