"""Write the files of a new project."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence

from msgspec import Struct

from ..config.schema import read_schema_text
from ..config.yaml.writer import quote, write_scalar
from .entries import SCHEMA_HINT, Adoption, write_file

METERS = "meters/meters.yaml"
ADOPTED = "meters/adopted.yaml"
PATTERN = "meters/**/*.yaml"
IGNORED = ".reconciler/"
_SCHEMAS = "schemas"
_EXAMPLE = """\
#
# Each entry of `meters` declares one meter. For the first one, replace `meters: []` by:
#
# meters:
#   - event_name: ai_search_api             # the name that usage is sent under
#     display_name: Search API calls
#     default_aggregation: {formula: sum}   # sum | count | last
"""


class NewAccount(Struct, frozen=True, kw_only=True):
    """The account of a new project; `account_id` is known only where the account was read."""

    name: str
    api_key_env: str
    api_base: str | None = None
    livemode: bool = False
    account_id: str | None = None


def write_project_file(account: NewAccount, *, declares_elsewhere: bool) -> str:
    """Return a project file; without a pattern where meter files exist outside of `meters/`."""
    lines = [f"{SCHEMA_HINT}{_SCHEMAS}/project.schema.json", "version: 1"]
    if not declares_elsewhere:
        lines.append(f'meters: ["{PATTERN}"]')
    lines += ["accounts:", f"  {write_scalar(account.name)}:"]
    key = write_scalar(account.api_key_env)
    lines.append(f"    api_key_env: {key}  # the name of the variable, never the key itself")
    if account.api_base:
        lines.append(f"    api_base: {quote(account.api_base)}")
    if account.livemode:
        lines.append("    livemode: true")
    if account.account_id:
        lines.append(f"    account_id: {write_scalar(account.account_id)}  # refuse any other one")
    return "".join(f"{line}\n" for line in lines)


def write_first_meters(adoptions: Sequence[Adoption]) -> str:
    """Return the first meter file; without meters, with an example in a comment."""
    text = write_file(adoptions, posixpath.join("..", _SCHEMAS, "meters.schema.json"))
    return text if adoptions else text + _EXAMPLE


def list_schemas() -> dict[str, str]:
    """Return the schemas for editors, by their path in the project."""
    names = ("meters", "project")
    return {f"{_SCHEMAS}/{name}.schema.json": read_schema_text(name) for name in names}


def extend_gitignore(text: str) -> str | None:
    """Return a `.gitignore` with the entry of the tool added; None where it has the entry."""
    newline = "\r\n" if "\r\n" in text else "\n"
    entries = {line.strip().strip("/").removeprefix("**/") for line in text.splitlines()}
    if IGNORED.strip("/") in entries:
        return None
    gap = newline if text and not text.endswith(("\n", "\r")) else ""
    return f"{text}{gap}{IGNORED}{newline}"
