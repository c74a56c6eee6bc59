"""Every command on a page of the documentation runs, and prints what the page shows."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from pages import Reader

ROOT = Path(__file__).parents[1]
PAGES = [page for page in sorted((ROOT / "docs").rglob("*.md")) if "```console" in page.read_text()]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT / "docs")))
def test_the_page_can_be_followed(page, tmp_path, monkeypatch, run, request):
    ignored = shutil.ignore_patterns(".reconciler")
    shutil.copytree(ROOT / "examples", tmp_path / "examples", ignore=ignored)
    monkeypatch.chdir(tmp_path)
    text = page.read_text("utf-8")
    followed = Reader(run, monkeypatch).follow(text)
    if request.config.getoption("--update-golden"):
        page.write_text(followed, "utf-8")
        text = followed
    assert followed == text
