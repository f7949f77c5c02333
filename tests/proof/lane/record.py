"""What was proven, as a file that grows with each proof: whoever reads it later needs nothing else."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

Evidence = Mapping[str, Any]
Say = Callable[[str], object]


class NotProven(Exception):
    """A proof did not come out. The message says what was seen instead."""


def require(holds: object, otherwise: str) -> None:
    """Raises NotProven with `otherwise`, a sentence with what was seen, unless `holds`."""
    if not holds:
        raise NotProven(otherwise)


@dataclass
class Record:
    """The artifact: `proof.json` in `folder`, beside what single proofs leave there. Written anew after each proof."""

    folder: Path
    say: Say
    proofs: list[dict[str, Any]] = field(default_factory=list)

    @property
    def path(self) -> Path:
        return self.folder / "proof.json"

    def holds(self, ids: str, title: str, evidence: Evidence) -> None:
        self._add(ids, title, holds=True, evidence=evidence)

    def fails(self, ids: str, title: str, why: str) -> None:
        self._add(ids, title, holds=False, evidence={"why": why})

    @property
    def outcome(self) -> str:
        """ "holds" when every proof that was tried came out."""
        return "holds" if self.proofs and all(proof["holds"] for proof in self.proofs) else "fails"

    def _add(self, ids: str, title: str, *, holds: bool, evidence: Evidence) -> None:
        at = datetime.now(UTC).isoformat(timespec="seconds")
        self.proofs.append({"ids": ids.split(), "title": title, "holds": holds, "at": at, "evidence": dict(evidence)})
        document = {"version": 1, "outcome": self.outcome, "proofs": self.proofs}
        self.path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
        self.say(f"{'✓' if holds else '✗'} {ids:<12} {title}")
        if not holds:
            self.say(f"  {evidence['why']}")
