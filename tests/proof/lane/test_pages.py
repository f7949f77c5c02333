"""What a browser without scripts would send of a form."""

import pytest

from tests.proof.lane.pages import Forms

PAGE = """
<form action="/search"><input name="q" value="x"></form>
<form method="post" action="/save"><ul class="errorlist"><li>Not so.</li></ul>
<input type="hidden" name="token" value="t"><input name="name" value="lane-a">
<input type="checkbox" name="ticked" checked><input type="checkbox" name="empty">
<textarea name="labels">one
two</textarea>
<select name="policy"><option value="a">A<option value="b" selected>B</select>
<button name="pressed" type="submit">Save</button><input type="submit" name="_save" value="Save"></form>
"""


def test_each_field_has_what_the_page_has() -> None:
    _, form = Forms(PAGE).forms
    assert (form.method, form.action) == ("post", "/save")
    assert form.fields == {"token": "t", "name": "lane-a", "ticked": "on", "labels": "one\ntwo", "policy": "b"}


def test_a_field_that_is_not_sent_can_still_be_filled() -> None:
    _, form = Forms(PAGE).forms
    assert {"empty", "_save", "policy"} <= form.names


def test_what_a_page_complains_of_is_heard() -> None:
    assert Forms(PAGE).complaints == ["Not so."]


@pytest.mark.parametrize("text", ["", "<p>nothing</p>", "<form", "<input name=x>"])
def test_a_page_without_a_form_has_none(text: str) -> None:
    assert Forms(text).forms == []
