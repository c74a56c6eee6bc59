"""`schema`: print a JSON Schema of a file or of an output."""

from __future__ import annotations

from typing import Annotated

from ...config.schema import list_schemas, read_schema_text
from ...diagnostics.codes import usage
from ...diagnostics.errors import UsageError
from ...diagnostics.suggest import suggest
from ...render import Document
from ...report.result import PlainText
from ..arguments import Options, positional
from ..context import PLAIN, Command, Context


class SchemaOptions(Options, frozen=True, kw_only=True):
    """The name of the schema."""

    name: Annotated[
        str | None,
        positional(
            "`meters` and `project` are the files that you write, `report` is the JSON of most "
            "commands, the others are that of the command of this name",
            "NAME",
        ),
    ] = None


def _schema(options: SchemaOptions, _: Context) -> Document:
    names = list_schemas()
    if options.name in names:
        return PlainText(text=read_schema_text(options.name))
    listed = f"the schemas are {', '.join(names)}"
    if options.name is None:
        raise UsageError(usage.NO_SCHEMA("the name of the schema is missing", hint=listed))
    close = suggest(options.name, names)
    hint = f"did you mean {close}? {listed}" if close else listed
    raise UsageError(usage.NO_SCHEMA(f"there is no schema {options.name!r}", hint=hint))


COMMAND = Command(
    SchemaOptions,
    "Print the JSON Schema of a file or of the JSON output of a command. Editors check a meter "
    "file by the schema that its first line names: `# yaml-language-server: $schema=PATH`.",
    _schema,
    PLAIN,
)
