"""Every example on a page runs, and its commands print what the page shows."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from pages import Reader, find_blocks

ROOT = Path(__file__).parents[1]
PAGES = [
    page
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    if find_blocks(page, "console|python")
]


@pytest.fixture
def project(tmp_path, monkeypatch) -> Path:
    """Copy the examples and make their parent the current folder."""
    shutil.copytree(
        ROOT / "examples", tmp_path / "examples", ignore=shutil.ignore_patterns(".reconciler")
    )
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_page_can_be_followed(page, project, monkeypatch, run, golden):
    golden(page, Reader(run, monkeypatch).follow(page))


FILE = """\
Write `billing/a.txt`:

```text
one
two
```

and change it, in `billing/a.txt`:

```diff
 one
-two
+three
```

"""
SESSION = """\
1. Look at it:

   ```console
   $ cd billing
   $ cat a.txt
   one
   {}
   $ cat b.txt
   ...
   $ echo $?
   1
   ```
"""
PYTHON = "```python\nassert open('a.txt').read() == 'one\\n'\n```\n"


@pytest.mark.parametrize("shown", ["three", "two", "..."])
def test_the_followed_page_has_the_real_output(shown, tmp_path, monkeypatch, run):
    """Whatever it has shown; what it leaves out stays out."""
    monkeypatch.chdir(tmp_path)
    page = tmp_path / "page.md"
    page.write_text(FILE + SESSION.format(shown) + "<!-- skip: next -->\n\n" + PYTHON)
    right = page.read_text().replace("two\n   $", "three\n   $")
    assert Reader(run, monkeypatch).follow(page) == right


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("```python\nassert not 'this'.strip(), 'not empty'\n```\n", "not empty"),
        ("```console\n$ cat a.txt\n```\n", "page.md, line 1.*exit code 1"),
        ("```console\n$ reconciler explain X\n```\n", "page.md, line 1.*exit code 64"),
        ("```console\n$ curl example.com\n```\n", "no page may run .*curl"),
        (FILE.replace("-two", "-four"), "a.txt does not have these lines once:\none\nfour"),
    ],
)
def test_an_example_that_fails_is_an_error(text, said, tmp_path, monkeypatch, run):
    monkeypatch.chdir(tmp_path)
    page = tmp_path / "page.md"
    page.write_text(text)
    with pytest.raises(AssertionError, match=f"(?s){said}"):
        Reader(run, monkeypatch).follow(page)


def test_the_workflow_is_an_example():
    """One that the build checks."""
    text = (ROOT / "examples/ci/github/one-account.yml").read_text("utf-8")
    assert find_blocks(ROOT / "docs" / "how-to" / "ci.md", "yaml")[0] == text


def test_one_line_of_the_readme_installs_and_does_what_the_blocks_show():
    """The commands after the installation are those whose output is on the page."""
    text = (ROOT / "README.md").read_text("utf-8")
    (line,) = re.findall(r"^    (pip install \. && .*)$", text, re.M)
    install, *commands = line.split(" && ")
    shown = re.findall(r"^\$ (.*)$", text.split(line)[1], re.M)
    assert install == "pip install ."
    assert [command.split(" --detailed")[0] for command in shown[:3]] == commands
