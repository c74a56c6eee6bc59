"""Write a document as JSON in ASCII, so that no text in it can move or hide anything on a screen.

Nor can one be a command of the CI runner that reads the log, such as `##[error]`: one of its
characters is written as a JSON escape, and a reader gets the same text. A line of indented JSON
never begins with `::`.
"""

from __future__ import annotations

import json
import re
from typing import Any

_COMMAND = re.compile(r"#(?=#[A-Za-z]*\[)")


def dump(document: Any) -> str:
    """Return the document as indented JSON, ending in a line break."""
    return _COMMAND.sub(r"\\u0023", json.dumps(document, indent=2)) + "\n"
