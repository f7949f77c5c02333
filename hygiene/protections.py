"""No-touch rules, matched: which of an operator's patterns covers a resource. Pure."""

from collections.abc import Iterable, Mapping, Sequence

from hygiene.contracts import Kind, ProtectionRule
from launchplane.patterns import PatternSet


class Protections:
    """Rules compiled once for a whole inventory; each name costs one linear pass whatever the number of rules."""

    def __init__(self, rules: Sequence[ProtectionRule]) -> None:
        """Raises BadPattern if a rule's pattern is not valid: nothing is classified by half of the rules."""
        self._by_kind = {kind: _Group(rules, (kind.value, "any")) for kind in Kind}
        self._labels = _Group(rules, ("label",))

    def match(self, kind: Kind, names: Iterable[str], labels: Mapping[str, str]) -> ProtectionRule | None:
        """The first rule that covers a resource of `kind` with these names and labels."""
        for name in names:
            if rule := self._by_kind[kind].first(name):
                return rule
        for label, value in labels.items():
            if rule := self._labels.first(f"{label}={value}"):
                return rule
        return None


class _Group:
    def __init__(self, rules: Sequence[ProtectionRule], kinds: tuple[str, ...]) -> None:
        self._rules = [rule for rule in rules if rule.kind in kinds]
        self._patterns = PatternSet([rule.pattern for rule in self._rules])

    def first(self, text: str) -> ProtectionRule | None:
        if not self._rules:
            return None
        position = self._patterns.first(text)
        return None if position is None else self._rules[position]
