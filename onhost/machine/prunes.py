"""Find what else prunes on this host (H62): systemd units, crontabs and cron's script folders. Runs nothing."""

from __future__ import annotations

from launchplane.hosts.machine.crontabs import cron_prunes
from launchplane.hosts.machine.limits import Limits
from launchplane.hosts.machine.survey import Survey
from launchplane.hosts.machine.units import unit_prunes


def read_prunes(limits: Limits, *, root: str = "/") -> Survey:
    """What was found, sorted, and which places could not be read."""
    survey = Survey(root, limits)
    unit_prunes(survey)
    cron_prunes(survey)
    survey.found.sort(key=lambda prune: (prune.source, prune.what))
    return survey
