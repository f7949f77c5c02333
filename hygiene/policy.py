"""What operators said about a host, gathered for the classifier."""

from hygiene.contracts import Policy
from launchplane.hosts.models import Host, RequiredWarm


def policy_of(host: Host) -> Policy:
    """Protections, budgets and required warm items of `host`. Three queries."""
    required = list(host.required_warm.all())
    return Policy(
        protections=tuple(protection.as_rule() for protection in host.protections.all()),
        budgets=tuple(budget.as_rule() for budget in host.budgets.all()),
        required_builders=tuple(item.name for item in required if item.kind == RequiredWarm.Kind.BUILDER),
        required_images=tuple(item.name for item in required if item.kind == RequiredWarm.Kind.IMAGE),
        managed_label=host.managed_label,
    )
