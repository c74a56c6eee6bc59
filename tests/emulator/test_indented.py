"""Responses are written as the standard library would."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from reconciler.emulator.indented import dump_indented

_SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text()


@given(st.recursive(_SCALARS, lambda v: st.lists(v) | st.dictionaries(st.text(), v)))
def test_the_text_is_that_of_the_standard_library(value):
    assert dump_indented(value) == json.dumps(value, indent=2)
