"""JSON for other programs, as `schemas/report.schema.json` and its neighbours describe it.

`json_text` escapes it, so that no name can move or hide anything on a screen.
"""

from __future__ import annotations

from collections.abc import Iterator

from ... import json_text
from ...report.report import Report
from ...report.result import PlainText
from .. import Document
from .report import render_report
from .small import render_small


def render(document: Document) -> str:
    """Return the document as indented JSON; a plain text as it is."""
    return "".join(render_parts(document))


def render_parts(document: Document) -> Iterator[str]:
    """Yield the same in parts; of what there may be many, each entry is made when it is written."""
    if isinstance(document, PlainText):
        yield document.text
        return
    shape = render_report(document) if isinstance(document, Report) else render_small(document)
    yield from json_text.iterate(shape)
