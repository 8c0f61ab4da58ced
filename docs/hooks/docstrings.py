"""Griffe's extension: our docstrings as griffe and Markdown read them. Our names of sections differ a little."""

import re
from typing import Any

import griffe

ROLE = re.compile(r':(?:attr|class|data|func|meth|mod):`~?([^`]+)`')
READING = re.compile(r'^(Reading|Deviation): ', re.MULTILINE)


class Docstrings(griffe.Extension):
    """Rewrites each docstring before griffe parses it."""

    def on_object(self, *, obj: griffe.Object, **kwargs: Any) -> None:
        if obj.docstring:
            obj.docstring.value = markdown(obj.docstring.value)


def markdown(docstring: str) -> str:
    """The docstring with griffe's section of examples, without roles of Sphinx."""
    text = re.sub(r'^Example:$', 'Examples:', docstring, flags=re.MULTILINE)
    return READING.sub(r'\n**\1:** ', ROLE.sub(r'`\1`', text))
