"""What a new host starts with: state that nobody may touch, and budgets that only report."""

from hygiene.contracts import Inventory
from hygiene.models import Budget, Protection
from launchplane.hosts.edits import as_added, record_edit
from launchplane.hosts.models import GB, Host, RequiredWarm

HOUR = 3600
DAY = 24 * HOUR

PROTECTIONS = [
    (Protection.Kind.ANY, r"(?i)(^|[^a-z0-9])(actions|github)[-_.]?runner", "state of a CI runner"),
    (
        Protection.Kind.ANY,
        r"(?i)(^|[^a-z0-9])runner[-_.]?(state|data|config|credentials|home|work)",
        "state of a CI runner",
    ),
    (Protection.Kind.ANY, r"(?i)(^|[^a-z0-9])bootstrap([^a-z0-9]|$)", "bootstrap state of the host"),
    (Protection.Kind.ANY, r"(?i)(^|[/_-])launchplane([/:_-]|$)", "Launchplane's own"),
    (Protection.Kind.LABEL, r"^launchplane\.protect=(?i:true|yes|1)$", "labelled as protected"),
]

# scope: largest, always kept, youngest that may go
BUDGETS: dict[str, tuple[int | None, int, int]] = {
    "build_cache": (50 * GB, 10 * GB, 7 * DAY),
    "images": (None, 0, 60 * DAY),
    "images.dangling": (None, 0, 7 * DAY),
    "images.labelled": (None, 0, DAY),
    "containers": (None, 0, 14 * DAY),
    "runner_work": (50 * GB, 0, 7 * DAY),
    "logs": (10 * GB, 0, 7 * DAY),
}
BUILDER_BUDGET = (100 * GB, 20 * GB, 14 * DAY)

# a sandbox is a few seconds old, and there to show what could go
SANDBOX_BUDGETS = BUDGETS | dict.fromkeys(("images.dangling", "images.labelled", "containers"), (None, 0, 0))
SANDBOX_LABEL = "launchplane.managed=true"


def give_defaults(host: Host) -> None:
    """Enter the protections and budgets that a new host starts with; what is there already stays as it is.

    No signal is sent of a row: of a new host there is no report yet that they would change, and no agreement.
    """
    Protection.objects.bulk_create(
        [Protection(host=host, kind=kind, pattern=pattern, reason=reason) for kind, pattern, reason in PROTECTIONS],
        ignore_conflicts=True,
    )
    budgets = SANDBOX_BUDGETS if host.is_sandbox else BUDGETS
    Budget.objects.bulk_create(
        [Budget(host=host, scope=scope, **_bounds(bounds)) for scope, bounds in budgets.items()], ignore_conflicts=True
    )
    if host.is_sandbox and not host.managed_label:
        host.managed_label = SANDBOX_LABEL
        host.save(update_fields=["managed_label"])


def enter_defaults(host: Host) -> None:
    """`give_defaults` to a host that is being added, on record as one edit."""
    give_defaults(host)
    entered = {
        "protections": [f"{kind} {pattern}" for kind, pattern in host.protections.values_list("kind", "pattern")],
        "budgets": [f"{budget.scope}: {budget.mode}" for budget in host.budgets.all()],
    }
    values = {name: {"before": None, "after": after} for name, after in entered.items()}
    record_edit(host, "entered the defaults of", values)


def require_running_builders(host: Host, inventory: Inventory) -> None:
    """Enter the builders that run when a host is first seen as required warm, each with a budget of its own."""
    for builder in inventory.builders:
        if builder.state == "running":
            reason = "It ran when the host was added."
            required, new = RequiredWarm.objects.get_or_create(
                host=host, kind=RequiredWarm.Kind.BUILDER, name=builder.name, defaults={"reason": reason}
            )
            if new:
                record_edit(required, "added", as_added(required))
            Budget.objects.get_or_create(host=host, scope=f"builder:{builder.name}", defaults=_bounds(BUILDER_BUDGET))


def _bounds(bounds: tuple[int | None, int, int]) -> dict[str, int | None]:
    return dict(zip(("max_bytes", "reserve_bytes", "min_age_seconds"), bounds, strict=True))
