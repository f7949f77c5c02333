"""What lanes are like, as people say it: shapes, causes, work, proofs, and the one answer of a lane's page. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from lanes.contracts import Condition, Desired, Observed, Shape
from lanes.parts import Parts
from lanes.work import Work
from launchplane.changes.contracts import Gate
from launchplane.words import human_age, printable

OLD = "not looked at lately"
COUNTS = " Counts as closed."
# older than this, nothing that was seen is called a lane's state of now
OLD_AFTER = timedelta(hours=1)

SHAPES: Mapping[Shape, tuple[str, str, str]] = {
    "absent": ("", "not there", "Neither GitHub nor its host has anything of it."),
    "github_only": (
        "warn",
        "only at GitHub",
        "GitHub has a runner of its name, and no unit on its host supervises it.",
    ),
    "local_service_only": (
        "warn",
        "only on its host",
        "Its host has something of it, and GitHub lists no runner of it.",
    ),
    "supervised_active": ("good", "supervised, runs", "It is registered, and its own unit runs it."),
    "supervised_inactive": ("bad", "supervised, stopped", "It is registered and has its unit, which does not run."),
    "mismatched_labels": ("warn", "other labels", "It is supervised, and its labels are not those of its record."),
    "unknown_conflict": (
        "unsure",
        "not clear",
        "What was seen does not fit together, or not enough of it could be read.",
    ),
}
CAUSES: Mapping[Condition, str] = {
    "none": "",
    "registration_expired": "The runner’s own log says that GitHub does not know its registration any more: somebody "
    "deleted it there, or it was offline for too long.",
    "offline_busy": "GitHub counts a job on it although it is offline: its process or its machine went away in the "
    "middle of one.",
    "version_deprecated": "GitHub does not serve the runner’s version any more, so it gets no jobs.",
    "session_conflict": "Another process or machine uses the same registration, and GitHub talks to one of them only.",
}
PROOFS: Mapping[str, str] = {
    "lane_online": "Online at GitHub",
    "service_active": "Its service is active",
    "labels_correct": "Its labels are right",
    "baseline_ready": "Its baseline is ready",
    "control_path": "It can be restarted and removed",
    "unit_gone": "Its unit is gone",
    "registration_gone": "Its registration is gone",
    "not_configured": "Its directory is not configured",
}
WORK: Mapping[str, tuple[str, str]] = {
    "none": ("", "idle"),
    "running": ("wait", "busy"),
    "unknown": ("unsure", "not known"),
}
WHAT_IT_DOES: Mapping[str, str] = {
    "lane.create": "Fetches GitHub’s runner, registers it and has systemd run it, from every boot on.",
    "lane.adopt": "Has systemd run a registered runner that nothing supervises.",
    "lane.reconcile": "Does as little as makes it what its record says.",
    "lane.restart": "Starts its unit anew. Only while no job runs.",
    "lane.remove": "Takes its unit, its registration and its configuration away. Only while no job runs.",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """Whether a lane is at work: one word with its tone, and why in a sentence."""

    tone: str
    word: str
    sentence: str


NEVER = Answer("", "never looked at", "")


def answer(desired: Desired, observed: Observed, parts: Parts, proofs: Sequence[Gate], *, now: datetime) -> Answer:
    """At work only if it was seen lately, online and run by its own unit. `proofs` are the five, of that look."""
    said = _of_that_look(desired, observed, parts, {proof.name: proof for proof in proofs})
    if observed.seen_at > now:
        return Answer("unsure", "not known", "The last look is from the future: a clock is wrong.")
    if now - observed.seen_at > OLD_AFTER:
        then = f"Looked at {human_age(observed.seen_at, now)}: {said.word}. {said.sentence}"
        return Answer("unsure", OLD, then)
    return said


def cause(observed: Observed) -> str:
    """Why it is not at work, as systemd, GitHub and the runner's own log tell it (X12); nothing if none says a word."""
    told = printable(observed.cause) or CAUSES[observed.condition]
    unread = observed.unmeasured.get("condition", "")
    if told or not unread:
        return told
    return f"What its log says could not be read: {printable(unread).rstrip('.')}."


def _of_that_look(desired: Desired, observed: Observed, parts: Parts, proofs: Mapping[str, Gate]) -> Answer:
    online, active = proofs["lane_online"], proofs["service_active"]
    if parts.registration == "none" and parts.unit == "none" and parts.folder in ("none", "empty"):
        made = "It is on record, and was not made yet." if desired.agent_id is None else "Nothing is left of it."
        return Answer("", "not there", f"{made} {SHAPES['absent'][2]}")
    if online.is_open and active.is_open:
        return _at_work(proofs)
    closed = [proof for proof in (online, active) if proof.state == "closed"]
    if not closed:
        unknown = next(proof for proof in (online, active) if proof.state == "unknown")
        return Answer(
            "unsure", "not known", f"Whether it is at work was not seen. {unknown.reason.removesuffix(COUNTS)}"
        )
    why = f"{closed[0].reason} {cause(observed)}".rstrip()
    return Answer("bad", "not at work", why)


def _at_work(proofs: Mapping[str, Gate]) -> Answer:
    short = [PROOFS[name] for name, proof in proofs.items() if not proof.is_open]
    if not short:
        return Answer("good", "at work", "It is online, and everything about it was seen to be as it must be.")
    missing = "; ".join(words[:1].lower() + words[1:] for words in short)
    return Answer("warn", "at work, not ready", f"It is online and takes jobs. Not proven: {missing}.")


def work_word(work: Work, seen_at: datetime, *, now: datetime) -> tuple[str, str]:
    """Tone and word of whether a job runs; a look of long ago does not tell."""
    lately = timedelta() <= now - seen_at <= OLD_AFTER
    return WORK[work.state if lately else "unknown"]
