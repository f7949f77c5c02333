"""Find what else prunes on this host (H62): systemd units, crontabs and cron's script folders. Runs nothing."""

from __future__ import annotations

from onhost.machine.crontabs import cron_prunes
from onhost.machine.limits import Limits
from onhost.machine.survey import Survey
from onhost.machine.units import unit_prunes


def read_prunes(limits: Limits, *, root: str = "/") -> Survey:
    """What was found, sorted, and which places could not be read."""
    survey = Survey(root, limits)
    unit_prunes(survey)
    cron_prunes(survey)
    survey.found.sort(key=lambda prune: (prune.source, prune.what))
    return survey
