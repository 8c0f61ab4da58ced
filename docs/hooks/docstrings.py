"""Griffe's extension: our docstrings as griffe and Markdown read them. Our names of sections differ a little."""

import re
from typing import Any

import griffe

ROLE = re.compile(r':(?:attr|class|data|func|meth|mod):`~?([^`]+)`')
EXAMPLE = re.compile(r'^Example:$', re.MULTILINE)
READING = re.compile(r'^(Reading|Deviation): ', re.MULTILINE)
TABLE = re.compile(r'^=+ +=+.*\n(?:.+\n)+=+ +=+$', re.MULTILINE)
# the letters of shapes stand once, in the docstring of the module
LETTERS = re.compile(r'^Shapes: (.+(?:\n.+)*)', re.MULTILINE)
FIRST_SECTION = re.compile(r'^(?:Args|Attributes|Shape|Returns|Raises|Reading|Deviation|Example):', re.MULTILINE)


class Docstrings(griffe.Extension):
    """Rewrites each docstring before griffe parses it."""

    def on_object(self, *, obj: griffe.Object, **kwargs: Any) -> None:
        if not obj.docstring:
            return
        text = obj.docstring.value
        if obj.parent and obj.parent.is_module and obj.parent.docstring:
            text = with_letters(text, obj.parent.docstring.value)
        obj.docstring.value = markdown(text)


def with_letters(docstring: str, module: str) -> str:
    """The docstring with the letters of shapes that its module explains, before the first section."""
    letters, section = LETTERS.search(module), FIRST_SECTION.search(docstring)
    if not letters or not section:
        return docstring
    return f'{docstring[: section.start()]}*Shapes: {letters[1]}*\n\n{docstring[section.start() :]}'


def markdown(docstring: str) -> str:
    """The docstring with griffe's section of examples, and without the roles and tables of Sphinx."""
    text = EXAMPLE.sub('Examples:', ROLE.sub(r'`\1`', docstring))
    return TABLE.sub(r'```text\n\g<0>\n```', READING.sub(r'\n**\1:** ', text))
