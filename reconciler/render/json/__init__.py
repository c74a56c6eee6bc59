"""JSON for other programs, as `schemas/report.schema.json` and its neighbours describe it.

`json_text` escapes it, so that no name can move or hide anything on a screen.
"""

from __future__ import annotations

from ... import json_text
from ...report.documents import PlainText
from ...report.report import Report
from .. import Document
from .report import render_report
from .small import render_small


def render(document: Document) -> str:
    """Return the document as indented JSON; a plain text as it is."""
    if isinstance(document, PlainText):
        return document.text
    shape = render_report(document) if isinstance(document, Report) else render_small(document)
    return json_text.dump(shape)
