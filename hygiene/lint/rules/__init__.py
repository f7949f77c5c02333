"""Which commands take more from a host than their repository owns. Each rule is a pure function of words."""
