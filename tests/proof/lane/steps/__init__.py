"""The proofs, each one function: it takes the place, and gives its evidence or raises NotProven."""
