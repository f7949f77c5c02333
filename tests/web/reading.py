"""Pages as a person reads them."""

import html
import re

from django.http import HttpResponse


def text_of(response: object) -> str:
    """The words of a page, without markup, with single spaces."""
    assert isinstance(response, HttpResponse)
    body = re.sub(r"<head>.*?</head>", "", response.content.decode(), flags=re.DOTALL)
    words = html.unescape(re.sub(r"<[^>]*>", " ", body)).split()
    return re.sub(r" ([.,:;])(?= |$)", r"\1", " ".join(words))
