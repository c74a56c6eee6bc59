"""Tables of the documentation that are generated."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from conftest import Golden


def expect(name: str, wanted: str, golden: Golden, page: Path) -> None:
    """Compare what is between `<!-- name -->` and `<!-- end -->` with this text."""
    head, rest = page.read_text().split(f"<!-- {name} -->\n", 1)
    tail = rest.split("<!-- end -->", 1)[1]
    golden(page, f"{head}<!-- {name} -->\n{wanted}<!-- end -->{tail}")


def type_of(schema: dict[str, Any]) -> str:
    """Describe the type of a value in a few words."""
    if "$ref" in schema:
        return schema["$ref"].rpartition("/")[2]
    if "oneOf" in schema:
        return " or ".join(map(type_of, schema["oneOf"]))
    if "enum" in schema:
        return " ".join(f"`{value}`" for value in schema["enum"] if value is not None)
    if "const" in schema:
        return f"`{schema['const']}`"
    if schema.get("type") == "array":
        return f"list of {type_of(schema['items'])}"
    types = schema["type"]
    return types if isinstance(types, str) else " or ".join(types)


def described(name: str, schema: dict[str, Any], shared: dict[str, Any]) -> Iterator[str]:
    """Yield the table of one object of a schema."""
    yield from ("", f"### {name}", "", schema["description"], "")
    yield from ("| key | type | meaning |", "|---|---|---|")
    for key, value in schema["properties"].items():
        refers = shared.get(value.get("$ref", "").rpartition("/")[2], {})
        meaning = value.get("description") or refers.get("description", "")
        yield f"| {key} | {type_of(value)} | {meaning} |".replace("  ", " ")
