"""`python -m reconciler.action STEP`: one step of the GitHub Action; see `action.yml`."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from ..cli.console import Console
from ..cli.errors import build_error_report
from ..clock import SystemClock
from ..diagnostics.codes import usage
from ..diagnostics.errors import Exit, UsageError
from ..render import render
from .job import Job
from .steps import Step

STEPS = {
    "approve": Step.approve,
    "run": Step.run,
    "record": Step.record,
    "publish": Step.publish,
}


def main(argv: Sequence[str]) -> Exit:
    """Run a step and return its exit code; an error is an annotation and an output."""
    console = Console(os.environ)
    step = Step(Job(os.environ), console, SystemClock())
    try:
        if len(argv) != 1 or argv[0] not in STEPS:
            raise UsageError(usage.BAD_OPTIONS(f"give one step: {', '.join(STEPS)}"))
        return STEPS[argv[0]](step)
    except Exception as error:
        report = build_error_report("", error, os.environ)
        console.write_document(render(report, "github"))
        step.fail(report)
        return report.exit_code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
