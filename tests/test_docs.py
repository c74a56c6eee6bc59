"""The README and its pages: links lead somewhere, tables are complete."""

import ast
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from tables import described, expect

from reconciler.config.schema import read_schema
from reconciler.diagnostics import catalogue
from reconciler.diagnostics.catalogue import CATALOGUE
from reconciler.diagnostics.codes import usage
from reconciler.diagnostics.diagnostic import Rule
from reconciler.diagnostics.errors import Exit
from reconciler.render import FORMATS

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])
MOST_LINES = 300


def anchors(page: Path) -> set[str]:
    """Return the fragments that GitHub gives to the headings of a page."""
    heads = re.findall(r"^#+ (.*)$", page.read_text("utf-8"), re.M)
    return {re.sub(r"[^\w -]", "", head.lower()).replace(" ", "-") for head in heads}


def test_the_readme_is_short():
    assert len(README.read_text("utf-8").splitlines()) <= MOST_LINES


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page):
    """To a file of the repository, and to a heading of it where the link names one."""
    for target in re.findall(r"\]\((?!https?:)([^)\s]+)\)", page.read_text("utf-8")):
        path, _, fragment = target.partition("#")
        file = page.parent / path if path else page
        assert file.exists(), target
        assert not fragment or fragment in anchors(file), target


SITE = tomllib.loads((ROOT / "zensical.toml").read_text("utf-8"))["project"]


def listed(entries: list[dict[str, Any]]) -> Iterator[str]:
    """Yield the pages of a navigation."""
    for entry in entries:
        for page in entry.values():
            yield from listed(page) if isinstance(page, list) else [page]


def test_every_page_is_in_the_navigation():
    """Once, and the README leads to the site and to the other pages."""
    pages = list(listed(SITE["nav"]))
    assert sorted(pages) == sorted(str(page.relative_to(DOCS)) for page in DOCS.rglob("*.md"))
    linked = set(re.findall(r"\(([\w/-]+\.md)\)", README.read_text("utf-8")))
    others = {page.name for page in ROOT.glob("*.md")} - {"README.md", "CHANGELOG.md"}
    assert {"docs/index.md", *others} <= linked


def test_links_of_the_site_stay_in_it():
    for page in DOCS.rglob("*.md"):
        for target in re.findall(r"\]\((?!https?:|#)([^)\s#]+)", page.read_text("utf-8")):
            assert DOCS in (page.parent / target).resolve().parents, f"{page.name}: {target}"


@pytest.mark.full
def test_the_site_is_built_without_a_warning(tmp_path):
    """Strictly, and without a network: tests have none."""
    if not find_spec("zensical"):
        pytest.skip("zensical is not installed: pip install -e '.[docs]'")
    shutil.copy(ROOT / "zensical.toml", tmp_path)
    shutil.copytree(DOCS, tmp_path / "docs")
    build = [sys.executable, "-m", "zensical", "build", "--strict"]
    done = subprocess.run(build, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "site" / "how-to" / "adopt" / "index.html").exists()


def test_the_table_of_codes_is_the_catalogue(golden):
    rows = [f"| {rule.code} | {rule.level} | {rule.title} |" for rule in CATALOGUE.values()]
    table = "\n".join(["", "| code | level | what |", "|---|---|---|", *rows, "", ""])
    expect("codes", table, golden, DOCS / "reference" / "diagnostics.md")


def test_the_tables_of_keys_are_the_schema(golden):
    schema = read_schema("report")
    shared = schema["$defs"]
    objects = {"report": schema, **{k: v for k, v in shared.items() if "properties" in v}}
    lines = [line for name, each in objects.items() for line in described(name, each, shared)]
    expect("keys", "\n".join([*lines, "", ""]), golden, DOCS / "reference" / "json.md")


CODES = ROOT / "reconciler" / "diagnostics" / "codes"


def test_no_code_means_two_things(monkeypatch):
    """Importing a catalogue with two rules of one code fails."""
    monkeypatch.setattr(usage, "ANOTHER", Rule("S001", "title", "why", "remedy"), raising=False)
    with pytest.raises(ValueError, match="S001 is the code of two rules"):
        catalogue._collect_rules()


def test_every_code_is_used():
    """No rule is documented that nothing raises."""
    used = {use for path in (ROOT / "reconciler").rglob("*.py") for use in rules_used(path)}
    declared = {
        (module.stem, name): rule.code
        for module in CODES.glob("[a-z]*.py")
        for name, rule in vars(import_module(f"reconciler.diagnostics.codes.{module.stem}")).items()
        if isinstance(rule, Rule)
    }
    assert set(declared.values()) == set(CATALOGUE), "a module is not part of the catalogue"
    assert {code for place, code in declared.items() if place not in used} == set()


def rules_used(path: Path) -> Iterator[tuple[str, str]]:
    """Yield the rules that a file uses, each as its module of `codes` and its name there."""
    tree = ast.parse(path.read_text("utf-8"))
    modules: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level:
            home = path.parents[node.level - 1].joinpath(*(node.module or "").split("."))
            if home == CODES:
                modules |= {alias.asname or alias.name: alias.name for alias in node.names}
            elif home.parent == CODES:
                yield from ((home.name, alias.name) for alias in node.names)
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            yield modules.get(node.value.id, ""), node.attr


@pytest.mark.parametrize("code", CATALOGUE)
def test_every_code_can_be_explained(code, run):
    """`explain` says why and what to do."""
    done = run("explain", code)
    assert done.code == 0
    assert CATALOGUE[code].title in done.out


def test_every_exit_code_is_on_its_page():
    """The table of exit codes names each of them."""
    table = re.findall(r"^\| (\d+) \|", (DOCS / "reference" / "exit-codes.md").read_text(), re.M)
    assert table == [str(int(code)) for code in Exit]


def test_the_table_of_commands_is_that_of_the_help(run):
    """`--help` and the page name the same commands."""
    page = (DOCS / "reference" / "commands.md").read_text()
    documented = set(re.findall(r"^\| `(\w+)` \| .* \| [\d ]+ \|$", page, re.M))
    listed = set(re.findall(r"^  ([a-z]+) {2,}\w", run("--help").out, re.M))
    assert documented == listed


def test_every_format_is_on_its_page():
    """The table of formats is that of the renderers."""
    page = (DOCS / "reference" / "output-formats.md").read_text()
    assert re.findall(r"^\| `(\w+)` \| [^|]* \|$", page, re.M) == list(FORMATS)


def test_no_guarantee_without_its_test():
    """Every test that the page on reliability names exists."""
    named = re.findall(r"`(test_\w+)`", (DOCS / "explanation" / "reliability.md").read_text())
    sources = [path.read_text("utf-8") for path in (ROOT / "tests").rglob("test_*.py")]
    defined = {test for text in sources for test in re.findall(r"^def (test_\w+)", text, re.M)}
    assert len(named) > 30
    assert set(named) - defined == set()
