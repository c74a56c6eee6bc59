"""What a plain scalar means: only what YAML 1.1 and 1.2 agree on, anything doubtful by name.

Sources: YAML 1.2.2, section 10.3.2 (core schema); the YAML 1.1 type repository at
https://yaml.org/type/.
"""

from __future__ import annotations

import re

Scalar = str | int | float | bool | None

_CONSTANTS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,299})")
_FLOAT = re.compile(r"(?:[-+]?[0-9]+\.[0-9]*|\.[0-9]+)(?:[eE][-+][0-9]+)?")
_FIRST = frozenset("0123456789+-.~=<nNtTfFyYoO")
_DOUBTFUL = re.compile(
    r"""
      (?i:y|n|yes|no|on|off)
    | = | <<
    | [-+]?0b[01_]+ | [-+]?0o[0-7]+ | [-+]?0x[0-9a-fA-F_]+
    | [-+]?[0-9][0-9_]*(?: :[0-5]?[0-9] )+(?:\.[0-9_]*)?
    | [-+]?(?: \.[0-9][0-9_]* | [0-9][0-9_]*(?:\.[0-9_]*)? )(?:[eE][-+]?[0-9]+)?
    | [-+]?\.(?:inf|Inf|INF) | \.(?:nan|NaN|NAN)
    | [0-9]{4}-[0-9]{1,2}-[0-9]{1,2}
      (?: (?:[Tt]|[ \t]+) [0-9]{1,2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]*)?
          (?: [ \t]*(?:Z|[-+][0-9]{1,2}(?::?[0-9]{2})?) )? )?
    """,
    re.VERBOSE,
)


def resolve(text: str) -> tuple[Scalar, bool]:
    """The value of a plain scalar, and whether every YAML reader takes it for a string.

    What the two versions read differently (`on`, `010`, `1e3`, a date) stays a string
    that not every reader takes for one; so does a number too long to compute with.
    """
    if text and text[0] not in _FIRST:
        return text, True
    if text in _CONSTANTS:
        return _CONSTANTS[text], False
    if _INTEGER.fullmatch(text):
        return int(text), False
    if _FLOAT.fullmatch(text):
        return float(text), False
    return text, not _DOUBTFUL.fullmatch(text)
