"""Measure what commands take, each beside a floor, and print the figures with their targets."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .machine import describe_machine
from .measure import Selection, measure, select_rows
from .results import Result, as_json
from .rows import DERIVED, ROWS
from .table import format_text

_FORMATS = ("text", "json")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the selected rows; return 1 if one of them failed."""
    options = _parse(argv)
    if options.list:
        print("\n".join((*(row.name for row in ROWS), *(row.name for row in DERIVED))))
        return 0
    selection: Selection = options.selection
    document = {"version": 1, "machine": describe_machine(), "runs": selection.runs}
    results = measure(selection, _report)
    for format_, file in options.out:
        file.write_text(_render(format_, document, results), "utf-8")
    print(_render(options.format, document, results), end="")
    return int(any(result.error for result in results))


def _render(format_: str, document: dict[str, Any], results: Sequence[Result]) -> str:
    if format_ == "text":
        return format_text(document, results)
    rows = [as_json(result) for result in results]
    return json.dumps(document | {"rows": rows}, indent=2, ensure_ascii=False) + "\n"


def _report(result: Result) -> None:
    """Print the name of a row that is complete: the whole takes minutes."""
    state = {True: "met", False: "missed", None: "done"}[result.is_met]
    if result.skipped or result.error:
        state = f"skipped: {result.skipped}" if result.skipped else f"failed: {result.error}"
    print(f"{result.name}: {state}", file=sys.stderr, flush=True)


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m benchmarks", description=__doc__)
    parser.add_argument("row", nargs="*", help="glob of the rows to measure (default: all)")
    parser.add_argument("--list", action="store_true", help="print the names of all rows")
    parser.add_argument(
        "--runs", type=_parse_runs, metavar="N", help="runs of each row (default 5)"
    )
    parser.add_argument(
        "--quick", action="store_true", help="three runs, without the rows that take long"
    )
    parser.add_argument("--format", choices=_FORMATS, default="text", help="of standard output")
    parser.add_argument(
        "--out",
        type=_parse_out,
        action="append",
        default=[],
        metavar="FORMAT=FILE",
        help="also write a file; repeatable",
    )
    options = parser.parse_args(argv)
    runs = options.runs or (3 if options.quick else 5)
    options.selection = Selection(tuple(options.row or ["*"]), runs, options.quick)
    if not any(select_rows(options.selection)):
        parser.error(f"no row matches {' '.join(options.row)}; --list prints their names")
    return options


def _parse_runs(word: str) -> int:
    if not word.isdecimal() or int(word) < 1:
        raise argparse.ArgumentTypeError(f"{word} is not a number above 0")
    return int(word)


def _parse_out(word: str) -> tuple[str, Path]:
    format_, equals, file = word.partition("=")
    if format_ not in _FORMATS or not equals or not file:
        raise argparse.ArgumentTypeError(f"{word} is not text=FILE or json=FILE")
    try:
        Path(file).open("a").close()  # not at the end
    except OSError as error:
        raise argparse.ArgumentTypeError(f"{file}: {error.strerror}") from None
    return format_, Path(file)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
