"""The words for what is wrong with a chain, and for what looking at it showed."""

from collections.abc import Iterable

from audits.chain import Chain
from audits.contracts import Fault, Verdict


def cut_off(chain: Chain, how: str) -> Fault:
    missing = (chain.last_seq or 0) + 1
    return fault("cut_off", missing, f"{how}: record {missing} is missing, and what may have come after it.")


def altered(seq: int | None, how: str) -> Fault:
    which = "The first record" if seq is None else f"Record {seq}"
    return fault("record_altered", seq, f"{which} was altered: {how}.")


def fault(code: str, seq: int | None, sentence: str) -> Fault:
    return Fault(code=code, seq=seq, sentence=sentence)


def verdict(what: str, chain: Chain, faults: Iterable[Fault | None], notes: Iterable[str]) -> Verdict:
    return Verdict(
        what=what,
        count=chain.count,
        first_seq=chain.first_seq,
        last_seq=chain.last_seq,
        head_hash=chain.head_hash,
        faults=tuple(fault for fault in faults if fault is not None),
        notes=tuple(notes),
    )
