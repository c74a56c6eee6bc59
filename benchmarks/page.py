"""Write the results of `python -m benchmarks --out json=FILE` into docs/performance.md."""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from .plot import write_plot
from .processes import ROOT
from .results import Result, from_json
from .table import COLUMNS, as_cells, describe_run

PAGE = ROOT / "docs" / "performance.md"
_GENERATED = re.compile(
    r"(?P<begin><!-- begin: (?P<part>[a-z]+), [^\n]* -->\n).*?(?P<end><!-- end -->\n)", re.DOTALL
)


def main() -> None:
    """Replace the generated parts of the page, and its plot."""
    parser = argparse.ArgumentParser("python -m benchmarks.page", description=__doc__)
    parser.add_argument("results", type=Path, metavar="FILE")
    parser.add_argument("--page", type=Path, default=PAGE, help="another page to write into")
    parser.add_argument(
        "--without-plot", action="store_true", help="leave out the plot, which needs matplotlib"
    )
    options = parser.parse_args()
    document = json.loads(options.results.read_text("utf-8"))
    results = [from_json(row) for row in document["rows"]]
    page = replace_parts(options.page.read_text("utf-8"), document, results)
    if not options.without_plot:
        write_plot(results, options.page.with_suffix(".svg"))
    options.page.write_text(page, "utf-8")


def replace_parts(page: str, document: dict[str, Any], results: Sequence[Result]) -> str:
    """Return the page with these figures between its markers."""
    parts = {
        "targets": format_table(each for each in results if each.target),
        "rows": "\n".join(_format_groups(results)),
        "machine": "\n".join(f"- {line}" for line in describe_run(document)) + "\n",
    }
    return _GENERATED.sub(
        lambda found: f"{found['begin']}\n{parts[found['part']]}\n{found['end']}", page
    )


def _format_groups(results: Sequence[Result]) -> Iterator[str]:
    """Yield a table for each command, under its name."""
    for group, rows in groupby(sorted(results, key=_get_group), _get_group):
        yield f"### {group.capitalize()}\n\n{format_table(rows)}"


def _get_group(result: Result) -> str:
    return result.name.partition("/")[0]


def format_table(results: Iterable[Result]) -> str:
    """Format rows as a Markdown table."""
    lines = [COLUMNS, ["---"] * len(COLUMNS), *map(as_cells, results)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


if __name__ == "__main__":
    main()
