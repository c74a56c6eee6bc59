"""Check this machine and the files of a project for `doctor`; writes nothing that stays."""

from __future__ import annotations

import json
import os
import re
from collections import defaultdict
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from shlex import quote
from tempfile import TemporaryFile

from .._version import __version__, describe_runtime
from ..config.discovery import PROJECT_FILE
from ..config.schema import read_schema
from ..diagnostics.codes import config, journal
from ..model.project import Project
from ..report.checkup import Check, report_problem, report_unknown

_PACKAGES = ("requests", "urllib3", "PyYAML", "jsonschema", "msgspec", "deepdiff")
_FOLDER = ".reconciler"
_COMMENT = re.compile(r"^#\s*yaml-language-server:\s*\$schema=(\S+)", re.MULTILINE)
_URL = re.compile(r"[a-z][a-z0-9+.-]+://", re.IGNORECASE)


def check_versions() -> Iterator[Check]:
    """Yield the versions of the tool and the packages that it uses, and of Python."""
    packages = ", ".join(f"{name} {metadata.version(name)}" for name in _PACKAGES)
    yield Check("versions", f"reconciler {__version__}; {packages}")
    yield Check("platform", describe_runtime())


def check_folder(root: str) -> Check:
    """Check that the journal can be written, with a file that has no name and goes at once."""
    folder = os.path.join(root, _FOLDER)
    kept_in = folder if os.path.lexists(folder) else root
    try:
        with TemporaryFile(dir=kept_in):
            pass
    except OSError as error:
        why = error.strerror or str(error)
        shown = os.path.relpath(kept_in)
        return report_problem(
            "folder", journal.UNWRITABLE(f"nothing can be written to {shown}: {why}")
        )
    return Check("folder", f"the journal can be written to {os.path.relpath(folder)}")


def check_files(project: Project) -> Iterator[Check]:
    """Check the files of a valid project, and the schemas that they name for editors.

    Files that name the same schema are one check.
    """
    files = sorted({file for account in project.accounts for file in account.files})
    meters = {one.location for account in project.accounts for one in account.declared}
    names = ", ".join(account.name for account in project.accounts)
    declared = f"valid; declared meters: {len(meters)}; meter files: {len(files)}"
    yield Check("files", f"{declared}; accounts: {names}")
    kinds = dict.fromkeys(files, "meters")
    project_file = os.path.join(os.path.relpath(project.root), PROJECT_FILE)
    if os.path.isfile(project_file):
        kinds[os.path.normpath(project_file)] = "project"
    naming: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for file, kind in kinds.items():
        naming[_find_schema(file), kind].append(file)
    for (schema, kind), named_by in sorted(naming.items()):
        yield _check_schema(schema, kind, named_by)


def _find_schema(file: str) -> str:
    """Return the URL, or the path from here, of the schema that a file names; else an empty one."""
    try:
        found = _COMMENT.search(Path(file).read_text("utf-8-sig"))
    except (OSError, UnicodeDecodeError):  # one with an odd name is shown in another way
        return ""
    if not found or _URL.match(found[1]):
        return found[1] if found else ""
    return os.path.normpath(os.path.join(os.path.dirname(file), found[1]))


def _check_schema(schema: str, kind: str, files: list[str]) -> Check:
    """Check that the schema that some files name is the one of this version."""
    first = files[0]
    more = f" and {len(files) - 1} more" if len(files) > 1 else ""
    if not schema:
        message = (
            f"{first}{more}: no comment names a schema; with "
            "`# yaml-language-server: $schema=PATH` as its first line, an editor checks the file"
        )
        return report_unknown("schema", message)
    if _URL.match(schema):
        return report_unknown("schema", f"{first}{more}: the schema at {schema} is not read")
    try:
        current = json.loads(Path(schema).read_text("utf-8")) == read_schema(kind)
        problem = "is not the one of this version"
    except (ValueError, RecursionError):
        current, problem = False, "is not a JSON Schema"
    except OSError as error:
        current, problem = False, f"cannot be read ({error.strerror})"
    if current:
        return Check("schema", f"{first}{more}: the schema {schema} is up to date")
    message = f"{first}{more}: the schema {schema} {problem}"
    hint = f"`reconciler schema {kind} > {quote(schema)}`"
    return report_problem("schema", config.SCHEMA_OUTDATED(message, hint=hint))
