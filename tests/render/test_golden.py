"""The formats for other programs and other places, file by file: a change of them is reviewed."""

from __future__ import annotations

import pytest
from render.hand_made import REPORTS
from render.parts import own
from render.reports import drifted

from reconciler.render import render

ENDINGS = {"html": "html", "markdown": "md", "junit": "xml", "sarif": "sarif", "github": "log"}
SCENARIOS = {"partly_applied": REPORTS["partly_applied"], "drifted": drifted}


@pytest.mark.parametrize("name", SCENARIOS)
@pytest.mark.parametrize("format_", ENDINGS)
def test_reports_look_as_reviewed(name, format_, golden):
    """One folder for each scenario, one file for each format."""
    golden(f"{name}/expected.{ENDINGS[format_]}", own(render(SCENARIOS[name](), format_)))
