"""The proofs in their order. The first that does not come out ends it: what comes after stands on it."""

from collections.abc import Callable
from dataclasses import dataclass

from tests.proof.lane.place import Place
from tests.proof.lane.record import Evidence, NotProven, Record
from tests.proof.lane.steps import cleaning, creating, evidence, installing, looking, working


@dataclass(frozen=True)
class Proof:
    """`ids` are the requirements that it is of, `title` what it says when it came out."""

    ids: str
    title: str
    take: Callable[[Place], Evidence]


PROOFS = (
    Proof("L15", "the host is added and its programs are installed, over ssh", installing.installed),
    Proof("M10 L3", "the lane is on record, with its grant", installing.on_record),
    Proof("M6 M81", "zero runners before", looking.zero_runners),
    Proof("M4 M80 M82", "the dry-run is archived, and left zero runners", looking.dry_run),
    Proof("X2", "one person asked, another approved", creating.approved),
    Proof("M34", "without phrase or key nothing is applied", creating.refused_without_phrase_or_key),
    Proof("M60 M83", "applied with phrase and key", creating.applied),
    Proof("M45 M69", "the token is nowhere, during and after", creating.token_is_nowhere),
    Proof("M49 M84", "the unit is enabled and active", creating.unit_active),
    Proof("M47 M85", "the process user is the service user", creating.process_user),
    Proof("M86", "the lane is online", creating.online),
    Proof("M87", "all labels", creating.labelled),
    Proof("M88", "the baseline, read after the service was active", creating.baseline),
    Proof("M89", "the audit comes last", creating.audited_last),
    Proof("M90", "a no-op job runs on the lane", working.job_runs),
    Proof("M94", "product repositories may rely on it, by five proofs", working.ready),
    Proof("M91", "restart and remove dry-runs work", looking.dry_runs_of_a_living_lane),
    Proof("M46", "after a reboot it is at work again by itself", working.rebooted),
    Proof("M71", "restarted, by a worker", working.restarted),
    Proof("M61 M71", "removed", working.removed),
    Proof("L6", "nothing else was touched", working.nothing_else_touched),
    Proof("L13", "somebody else's runner survived everything", working.theirs_survived),
    Proof("H3", "the hygiene report over ssh has the client's own numbers", cleaning.same_numbers),
    Proof("H25", "a clean-up over ssh removes what was approved", cleaning.cleaned),
    Proof("X15", "the audit export verifies by itself", evidence.audit_verifies),
)


def prove(place: Place, record: Record) -> bool:
    """Take every proof; whether all came out. What the server and the host said is kept with the artifact."""
    try:
        return all(_taken(proof, place, record) for proof in PROOFS)
    finally:
        place.keep("server.log", place.server.state.with_suffix(".log").read_text(errors="replace"))
        place.keep("journal.txt", place.host.run(["journalctl", "--no-pager", "--lines=2000"]).stdout)


def _taken(proof: Proof, place: Place, record: Record) -> bool:
    try:
        record.holds(proof.ids, proof.title, proof.take(place))
    except NotProven as problem:
        record.fails(proof.ids, proof.title, str(problem))
        return False
    except Exception as error:
        # whatever went wrong, this proof did not come out, and what is kept says so
        record.fails(proof.ids, proof.title, f"{type(error).__name__}: {error}")
        return False
    return True
