"""A person at a browser without scripts: opens pages, fills their forms, and presses the button."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin

import requests

from tests.proof.lane.record import NotProven, require

SECONDS = 60


@dataclass
class Form:
    """One form of a page, with what its fields hold now."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)


class Forms(HTMLParser):
    """All forms of a page, and the messages that it shows."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.complaints: list[str] = []
        self._area = self._select = ""
        self._complaining = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(Form(told.get("action", ""), told.get("method", "get").lower()))
        self._complaining = "errorlist" in told.get("class", "") or self._complaining
        if self.forms and (name := told.get("name", "") or self._select):
            self._take(tag, name, told)

    def handle_endtag(self, tag: str) -> None:
        self._area = "" if tag == "textarea" else self._area
        self._select = "" if tag == "select" else self._select
        self._complaining = self._complaining and tag != "ul"

    def handle_data(self, data: str) -> None:
        if self._area:
            self.forms[-1].fields[self._area] += data
        if self._complaining and data.strip():
            self.complaints.append(data.strip())

    def _take(self, tag: str, name: str, told: dict[str, str]) -> None:
        form = self.forms[-1]
        form.names.add(name)
        if tag == "textarea":
            self._area, form.fields[name] = name, ""
        elif tag == "select":
            self._select = name
        elif tag == "option" and "selected" in told:
            form.fields[name] = told.get("value", "")
        elif tag == "input" and _counts(told):
            form.fields[name] = told.get("value", "on" if told.get("type") == "checkbox" else "")


@dataclass
class Person:
    """Somebody who is logged in."""

    name: str
    password: str
    address: str
    session: requests.Session = field(default_factory=requests.Session)

    def log_in(self) -> None:
        """Raises NotProven unless the server lets them in."""
        done = self.send("/accounts/login/", "", username=self.name, password=self.password)
        require("/accounts/login" not in done.url, f"{self.name} could not log in")

    def read(self, path: str) -> str:
        """The text of a page that is there."""
        answer = self.session.get(self.address + path, timeout=SECONDS)
        require(answer.status_code == 200, f"{path} answers {answer.status_code} to {self.name}")
        return answer.text

    def json(self, path: str) -> Any:
        """What the API answers to a session, which may only look."""
        answer = self.session.get(self.address + path, timeout=SECONDS)
        require(answer.status_code == 200, f"{path} answers {answer.status_code}: {answer.text[:600]}")
        return answer.json()

    def send(self, path: str, action: str, **values: Any) -> requests.Response:
        """Fill the form of the page `path` that has these fields and goes to `action`, and press its button.

        A value None unticks a box. Raises NotProven where there is no such form, or the page complains.
        """
        form = self._form(path, action, set(values))
        filled = {name: value for name, value in (form.fields | values).items() if value is not None}
        where = urljoin(self.address + path, form.action or path)
        answer = self.session.post(where, data=filled, headers={"Referer": self.address + path}, timeout=SECONDS)
        complaints = Forms(answer.text).complaints
        require(answer.status_code == 200, f"{where} answers {answer.status_code}: {_said(answer.text)}")
        require(not complaints, f"{where} complains: {'; '.join(complaints)}")
        return answer

    def _form(self, path: str, action: str, names: set[str]) -> Form:
        found = Forms(self.read(path)).forms
        for form in found:
            if form.method == "post" and action in form.action and names <= form.names:
                return form
        told = [f"{form.method} {form.action}: {', '.join(sorted(form.names))}" for form in found]
        raise NotProven(f"{path} has no form for {action or 'itself'} with {sorted(names)}, but {told}")


def _counts(told: dict[str, str]) -> bool:
    """Whether a browser sends this field as the page has it; of buttons it sends the one that is pressed."""
    kind = told.get("type", "text")
    return kind not in ("submit", "button", "image", "file") and (
        kind not in ("checkbox", "radio") or "checked" in told
    )


def _said(text: str) -> str:
    """The words of a page, as far as they help."""
    words: list[str] = []

    class Words(HTMLParser):
        def handle_data(self, data: str) -> None:
            words.extend(data.split())

    Words().feed(text)
    return " ".join(words)[:600]
