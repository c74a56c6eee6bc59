"""Texts as YAML: what their quotes hold."""

from __future__ import annotations

import pytest
import yaml

from reconciler.config.yaml.writer import quote


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("XL plan", '"XL plan"'),
        (" XL ", r'"\x20XL\x20"'),
        ("  ", r'"\x20\x20"'),
        ("a\tb\u2028", r'"a\tb\u2028"'),
        ('"', r'"\""'),
    ],
)
def test_a_quoted_text_is_read_back(text, written):
    """Spaces at its ends, which editors remove, are escape sequences."""
    assert quote(text) == written
    assert yaml.safe_load(written) == text
