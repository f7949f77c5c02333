"""JSON as a broken or hostile engine may send it: strategies."""

from typing import Any

from hypothesis import strategies as st

scalars: st.SearchStrategy[Any] = (
    st.none()
    | st.booleans()
    | st.sampled_from([-1, 0, 1, 5_000, 2**53 - 1, 2**53, 2**60, -(2**63)])
    | st.sampled_from(["", "a", "sha256:" + "a" * 64, "buildx_buildkit_x0_state", "nul\0", "lone\ud800", "line\nend"])
    | st.floats(allow_nan=False)
    | st.just("label" * 900)
    | st.text(alphabet=st.characters(), max_size=8)
)

anything: st.SearchStrategy[Any] = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
)


def objects(*fields: str, inner: st.SearchStrategy[Any] = anything) -> st.SearchStrategy[Any]:
    """Objects with some of these fields, each holding anything; now and then something else altogether."""
    return st.fixed_dictionaries({}, optional=dict.fromkeys(fields, inner)) | anything
