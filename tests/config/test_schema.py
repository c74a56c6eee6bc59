"""The published schemas are valid and documented, and checked alike by both implementations."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from reconciler.config import schema
from reconciler.config.schema import read_schema
from reconciler.config.schema_errors import find_violations
from reconciler.config.schema_fast_path import _IGNORED, _KEYWORDS, is_valid

NAMES = ("meters", "project")


def subschemas(node: Any) -> Iterator[dict[str, Any]]:
    """Every schema of a tree without references."""
    yield node
    for inner in node.get("properties", {}).values():
        yield from subschemas(inner)
    for keyword in ("items", "additionalProperties"):
        if isinstance(node.get(keyword), dict):
            yield from subschemas(node[keyword])


@pytest.mark.parametrize("name", NAMES)
def test_the_schema_and_its_examples_are_valid(name):
    published = read_schema(name)
    Draft202012Validator.check_schema(published)
    for node in subschemas(schema._load_schema(name)):
        for example in node.get("examples", []):
            assert find_violations(example, node, 9) == {}
            assert is_valid(example, node)


@pytest.mark.parametrize("name", NAMES)
def test_an_editor_can_explain_every_key(name):
    """Every key has a title and a description, every pattern a message."""
    for node in subschemas(schema._load_schema(name)):
        for key, inner in node.get("properties", {}).items():
            assert inner["title"], key
            assert inner["description"], key
        assert ("pattern" in node) <= ("patternErrorMessage" in node)
        assert node.get("type") != "object" or "additionalProperties" in node


@pytest.mark.parametrize("name", NAMES)
def test_the_fast_path_supports_every_keyword_of_the_schema(name):
    """With an unsupported one, every file would need jsonschema."""
    for node in subschemas(schema._load_schema(name)):
        assert node.keys() <= _IGNORED | _KEYWORDS.keys()


WORDS = st.sampled_from(
    ["", " ", "a", "a ", "a\n", "a\u202e", "acct_1", "24h", "sum", "by_id", "hour", "x" * 101]
)
SCALARS = st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from([0.5, 1e9]) | WORDS


def guided(node: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Values that nearly fit a schema, so that every keyword decides something."""
    near = [SCALARS]
    near += [st.sampled_from(node["enum"])] if "enum" in node else []
    near += [st.just(node["const"])] if "const" in node else []
    if "items" in node:
        near.append(st.lists(st.deferred(lambda: guided(node["items"])), max_size=3))
    if node.get("type") == "object":
        properties = node.get("properties", {})
        known = {key: st.deferred(lambda n=n: guided(n)) for key, n in properties.items()}
        near.append(st.fixed_dictionaries({}, optional=known))
        others = node["additionalProperties"]
        inner = guided(others) if isinstance(others, dict) else SCALARS
        near.append(st.dictionaries(WORDS, inner, max_size=2))
    return st.one_of(near)


@pytest.mark.parametrize("name", NAMES)
@given(data=st.data())
def test_the_fast_path_agrees_with_jsonschema(name, data):
    node = data.draw(st.sampled_from(list(subschemas(schema._load_schema(name)))))
    value = data.draw(guided(node))
    assert is_valid(value, node) == (not find_violations(value, node, 9))


def edges(node: dict[str, Any]) -> Iterator[Any]:
    """Values on both sides of every limit of a schema, and one of each type."""
    yield from (None, True, False, 0, 1, 1.0, 0.5)
    yield from ("", "x", "x\n", [], ["x"], ["x", "x"], {}, {"x": 1})
    yield from node.get("enum", [])
    for keyword in ("minLength", "maxLength"):
        if keyword in node:
            yield from ("x" * (node[keyword] + step) for step in (-1, 0, 1))
    for keyword in ("minimum", "maximum", "exclusiveMinimum"):
        if keyword in node:
            yield from (node[keyword] + step for step in (-1, 0, 1))


@pytest.mark.parametrize("name", NAMES)
def test_the_fast_path_agrees_with_jsonschema_at_every_limit(name):
    for node in subschemas(schema._load_schema(name)):
        for value in edges(node):
            assert is_valid(value, node) == (not find_violations(value, node, 9)), (
                node["title"],
                value,
            )


def test_an_unknown_keyword_is_left_to_jsonschema():
    assert not is_valid(3, {"multipleOf": 3})
    assert find_violations(3, {"multipleOf": 3}, 9) == {}


def test_every_key_of_a_meter_can_be_overridden():
    """But the event_name, which says what is overridden; keys are described in one place."""
    definitions = read_schema("meters")["$defs"]
    meter, override = (definitions[name]["properties"] for name in ("meter", "override"))
    assert override.keys() == meter.keys()
    assert all("$ref" in key for key in override.values())
