"""JSON in parts: the same document as in one piece, with one entry at a time."""

from __future__ import annotations

import json

from hypothesis import example, given
from hypothesis import strategies as st

from reconciler import json_text

_LEAVES = st.none() | st.integers() | st.text(max_size=3)
_NESTED = st.dictionaries(st.text(max_size=3), st.lists(_LEAVES, max_size=2), max_size=2)


def lazily(tree):
    """The same tree, with an iterator for every list that is directly in a mapping."""
    match tree:
        case dict():
            return {
                key: iter([lazily(one) for one in each]) if isinstance(each, list) else each
                for key, each in tree.items()
            }
    return tree


@given(st.dictionaries(st.text(max_size=3), st.lists(_NESTED, max_size=2) | _LEAVES, max_size=3))
def test_the_parts_are_the_document(document):
    """Indented as the standard library does it."""
    assert "".join(json_text.iterate(lazily(document))) == json_text.dump(document)
    assert json.loads(json_text.dump(document)) == document


_ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(_ANYTHING)
@example("half a pair: \ud800")
@example({"a": [float("nan"), -0.0, 1e22, 10**40], "b": [], "c": {}, "": "\x7f\u2028"})
def test_text_is_that_of_the_standard_library(document):
    """Also of what UTF-8 or strict JSON cannot have."""
    expected = json.dumps(document, indent=2).replace("##", "\\u0023#")
    assert json_text.dump(document).replace("##", "\\u0023#") == f"{expected}\n"


def test_a_document_is_indented_by_two_spaces():
    """Whether it has iterators or not."""
    expected = '{\n  "a": [\n    {\n      "b": [\n        1\n      ]\n    }\n  ],\n  "c": []\n}\n'
    assert json_text.dump({"a": [{"b": [1]}], "c": []}) == expected
    assert json_text.dump({"a": iter([{"b": iter([1])}]), "c": iter([])}) == expected


def test_one_entry_exists_at_a_time():
    """Each is asked for when the one before it has been written."""
    made = []

    def entries():
        for n in range(3):
            made.append(n)
            yield {"n": n}

    written = []
    for part in json_text.iterate({"entries": entries()}):
        written += [part] if '"n"' in part else []
        assert len(made) <= len(written) + 1
    assert len(written) == len(made) == 3
