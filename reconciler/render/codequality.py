"""A code quality report of GitLab: what its merge request widget shows at the lines of files.

Source: GitLab's documentation, "Code Quality report format": a list of objects with a description,
a check name, a unique fingerprint, a severity and a location, of which a line is required.
"""

from __future__ import annotations

from .. import json_text
from ..diagnostics.shorten import shorten
from ..report.report import Report
from .escape import clean
from .places import AS_GIVEN, Base
from .sarif import Result, hash_result, is_of_a_file, list_results, number_results
from .view import build_view

_SEVERITY = {"error": "critical", "warning": "minor", "note": "info"}
_LONGEST = 2_000
_MOST = 5_000


def render(report: Report, base: Base = AS_GIVEN) -> str:
    """Return the report as a list of issues; what an exemption covers is none.

    An error that belongs to no file, such as a missing key, is at the project file; what else has
    no file is left out.
    """
    results = [
        result
        for result in list_results(build_view(report), base)
        if result.justification is None and (is_of_a_file(result) or result.level == "error")
    ]
    order = list(_SEVERITY)
    most = sorted(results, key=lambda result: order.index(result.level))[:_MOST]
    issues = [_render_issue(result, nth, base.project_file) for result, nth in number_results(most)]
    return json_text.dump(issues)


def _render_issue(result: Result, nth: int, default: str) -> dict[str, object]:
    place, hint = result.location, result.properties["hint"]
    account = result.properties.get("account")
    said = f"{account}: {result.message}" if account else result.message
    text = f"{said} ({hint})" if hint else said
    return {
        "description": clean(shorten(text, _LONGEST)),
        "check_name": clean(result.code),
        "fingerprint": f"{hash_result(result)}{nth or ''}",
        "severity": _SEVERITY[result.level],
        "location": {
            "path": clean(place.file if place else default),
            "lines": {"begin": place.line if place and place.line else 1},
        },
    }
