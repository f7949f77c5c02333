"""What product repositories read: whether a lane can be relied on, by five proofs that must all be seen (M94). Pure.

A proof that nobody could see is unknown, and unknown counts as closed. No document, record or plan is a proof (M9).
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from lanes.contracts import Desired, Observed
from lanes.parts import Listed, Parts, parts_of
from launchplane.changes.contracts import Gate, Json
from launchplane.hosts.contracts import Contract
from launchplane.words import human_duration, printable

LONGEST = 300
PROOFS = ("lane_online", "service_active", "labels_correct", "baseline_ready", "control_path")


class Readiness(Contract):
    """The five proofs of a lane, in the order of PROOFS, from what was seen at `seen_at`."""

    lane_name: str
    seen_at: datetime
    proofs: tuple[Gate, Gate, Gate, Gate, Gate]

    @property
    def is_open(self) -> bool:
        """Whether all five were seen to hold."""
        return all(proof.is_open for proof in self.proofs)


def readiness(
    desired: Desired, observed: Observed, *, now: datetime, at_most_old: timedelta, listed: Listed | None = None
) -> Readiness:
    """The proofs as of `now`: an observation older than `at_most_old`, or from the future, proves nothing."""
    parts = parts_of(desired, observed, listed)
    seen_at = observed.seen_at if observed.listing is None else min(observed.seen_at, observed.listing.seen_at)
    proofs = (
        _lane_online(parts, observed),
        _service_active(desired, parts, observed),
        _labels_correct(desired, parts),
        _baseline_ready(observed),
        _control_path(desired, parts, observed),
    )
    if why := _not_of_now(seen_at, now, at_most_old):
        one, two, three, four, five = (_unknown(proof.name, why) for proof in proofs)
        proofs = (one, two, three, four, five)
    return Readiness(lane_name=desired.lane_name, seen_at=seen_at, proofs=proofs)


def _lane_online(parts: Parts, observed: Observed) -> Gate:
    """Our runner, and no word in its log that something else answers in its name."""
    name, runner = "lane_online", parts.runner
    if parts.registration in ("unread", "ambiguous"):
        return _unknown(name, parts.why["listing"])
    if parts.registration != "ours" or runner is None:
        return _closed(name, parts.why.get("listing") or "GitHub does not list it")
    evidence: dict[str, Json] = {"runner_id": runner.id, "condition": observed.condition}
    if not runner.online:
        return _closed(name, "GitHub shows it offline", evidence)
    if observed.condition != "none":
        return _closed(name, f"Its log speaks against it: {observed.condition.replace('_', ' ')}", evidence)
    if "condition" in observed.unmeasured:
        return _unknown(name, f"Its log was not read: {observed.unmeasured['condition']}", evidence)
    return _open(name, f"GitHub shows runner {runner.id} online", evidence)


def _service_active(desired: Desired, parts: Parts, observed: Observed) -> Gate:
    """Active, enabled, and as the lane's own user (M63)."""
    name, service = "service_active", observed.service
    if parts.unit == "unread" or service is None:
        return _unknown(name, parts.why["service"])
    evidence: dict[str, Json] = {"unit": service.unit, "active_state": service.active_state, "enabled": service.enabled}
    if parts.unit != "active":
        return _closed(name, parts.why.get("service") or f"{service.unit} is not active", evidence)
    if not service.enabled:
        return _closed(name, f"{service.unit} will not start again after a reboot", evidence)
    if not service.process_user:
        return _unknown(name, "Whom its process runs as was not read", evidence)
    if service.process_user != desired.service_user:
        return _closed(name, f"Its process does not run as {desired.service_user}", evidence)
    return _open(name, f"{service.unit} is active and enabled, as {desired.service_user}", evidence)


def _labels_correct(desired: Desired, parts: Parts) -> Gate:
    name = "labels_correct"
    if parts.registration in ("unread", "ambiguous"):
        return _unknown(name, parts.why["listing"])
    if parts.registration != "ours" or parts.runner is None:
        return _closed(name, "GitHub lists no runner of ours")
    evidence: dict[str, Json] = {"wanted": desired.labels, "seen": parts.runner.labels}
    if parts.labels:
        return _closed(name, " ".join(parts.labels), evidence)
    return _open(name, f"GitHub lists {', '.join(desired.labels)}", evidence)


def _baseline_ready(observed: Observed) -> Gate:
    """Read as a whole, and all of it as it must be; what is known to be wrong comes before what is not known."""
    name, baseline = "baseline_ready", observed.baseline
    if baseline is None or not baseline.checks:
        return _unknown(name, observed.unmeasured.get("baseline") or "Nobody looked at the baseline")
    evidence: dict[str, Json] = dict(baseline.checks)
    wrong = [check for check, state in baseline.checks.items() if state is False]
    unread = [check for check, state in baseline.checks.items() if state is None]
    if wrong:
        return _closed(name, f"Not as it must be: {', '.join(wrong)}", evidence)
    if unread:
        return _unknown(name, f"Not read: {', '.join(unread)}", evidence)
    return _open(name, f"All {len(baseline.checks)} checks of the baseline hold", evidence)


def _control_path(desired: Desired, parts: Parts, observed: Observed) -> Gate:
    """Whether it could be restarted and removed: the programs are there, and unit and configuration are ours."""
    name, there = "control_path", observed.control_path
    if "unread" in (parts.folder, parts.unit):
        return _unknown(name, parts.why.get("directory") or parts.why["service"])
    if why := _not_ours(desired, parts, observed):
        return _closed(name, why)
    if there is None:
        return _unknown(name, observed.unmeasured.get("control_path") or "Nobody asked the programs on its host")
    if not there:
        return _closed(name, "The programs that restart and remove it are not on its host")
    sentence = f"The programs on {desired.host_name} can restart and remove it"
    return _open(name, sentence, {"unit": desired.systemd_unit_name})


def _not_ours(desired: Desired, parts: Parts, observed: Observed) -> str:
    """Why Launchplane may not restart or remove what is there."""
    if not desired.managed:
        return "Launchplane does not manage it"
    if parts.folder != "ours":
        return parts.why.get("directory") or "Its directory is not configured"
    if parts.unit not in ("active", "inactive") or observed.service is None or not observed.service.ours:
        return parts.why.get("service") or "Its unit is not the one that Launchplane writes"
    return ""


def _not_of_now(seen_at: datetime, now: datetime, at_most_old: timedelta) -> str:
    if seen_at > now:
        return "What is known of it is from the future: a clock is wrong"
    if now - seen_at > at_most_old:
        return f"What is known of it is {human_duration(now - seen_at)} old"
    return ""


def _open(name: str, sentence: str, evidence: Mapping[str, Json]) -> Gate:
    return Gate(name=name, state="open", reason=_sentence(sentence), evidence=evidence)


def _closed(name: str, sentence: str, evidence: Mapping[str, Json] | None = None) -> Gate:
    return Gate(name=name, state="closed", reason=_sentence(sentence), evidence=evidence or {})


def _unknown(name: str, sentence: str, evidence: Mapping[str, Json] | None = None) -> Gate:
    return Gate(name=name, state="unknown", reason=f"{_sentence(sentence)} Counts as closed.", evidence=evidence or {})


def _sentence(text: str) -> str:
    """Text that a host or GitHub may have sent, on one line, with its full stop."""
    return f"{printable(text[:LONGEST]).rstrip('.')}."
