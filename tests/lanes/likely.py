"""Texts that look like names of lanes, scopes, labels, users and folders, some of them good."""

import string

from hypothesis import strategies as st

WORDS = st.text(string.ascii_letters + string.digits + "._-", min_size=1, max_size=66)
LIKELY = st.one_of(
    WORDS,
    WORDS.map(str.lower),
    st.tuples(WORDS, WORDS).map("/".join),
    st.lists(WORDS, min_size=1, max_size=4).map(lambda parts: "/" + "/".join(parts)),
    st.text(max_size=20),
)
