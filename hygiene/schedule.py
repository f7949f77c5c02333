"""The scheduled jobs of hygiene. So far there is one, and it only reads."""

from hygiene.services import observe_host
from launchplane.hosts.models import Host
from launchplane.hosts.signals import host_added
from launchplane.schedule.jobs import Job
from launchplane.schedule.jobs import register as register_job
from launchplane.schedule.tick import adopt


def register() -> None:
    """Make the jobs known, and give each new host its defaults and its schedule."""
    from hygiene.defaults import enter_defaults

    register_job(Job(name="observe", title="Observe", default_cron="*/5 * * * *", starts_enabled=True, run=_observe))
    host_added.connect(lambda host, **_: enter_defaults(host), weak=False, dispatch_uid="hygiene.defaults")
    host_added.connect(lambda host, **_: adopt(host), weak=False, dispatch_uid="hygiene.schedule")


def _observe(host: Host) -> str:
    return observe_host(host, asked_by="schedule").sentence
