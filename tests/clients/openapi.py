"""Stripe's OpenAPI as the `stripe-mock` module carries it in the Go module cache, read in place."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

from clients.stacks import find_module
from jsonschema import Draft202012Validator

from reconciler.emulator import Server
from reconciler.emulator.messages import Request, Response

STRIPE_MOCK = "github.com/stripe/stripe-mock"
VERSION = "v0.203.0"


class Spec:
    """The schemas of the answers, by method and path."""

    def __init__(self, path: Path) -> None:
        found = json.loads(path.read_bytes())
        self._schemas = _convert(found["components"]["schemas"])
        self._operations = [
            (method.upper(), re.compile(re.sub(r"\{\w+\}", "[^/]+", template)), operation)
            for template, operations in found["paths"].items()
            for method, operation in operations.items()
        ]

    def check(self, request: Request, response: Response) -> list[str]:
        """List what an answer has that its schema does not allow; of other paths, nothing."""
        if "application/json" not in response.headers.get("Content-Type", ""):
            return [f"{request.method} {request.path}: {response.headers.get('Content-Type')}"]
        validator = self._find(request.method, request.path, ok=response.status == 200)
        errors = validator.iter_errors(json.loads(response.body)) if validator else ()
        place = f"{request.method} {request.path} {response.status}"
        return [f"{place}: {error.json_path}: {error.message[:200]}" for error in errors]

    @cache  # noqa: B019 - one specification for a session
    def _find(self, method: str, path: str, *, ok: bool) -> Draft202012Validator | None:
        for known, pattern, operation in self._operations:
            if known == method and pattern.fullmatch(path):
                answer = operation["responses"]["200" if ok else "default"]
                schema = _convert(answer["content"]["application/json"]["schema"])
                return Draft202012Validator(schema | {"$defs": self._schemas})
        return None


class Checked(Server):
    """An emulator that keeps every exchange, to be checked against the specification."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.exchanged: list[tuple[Request, Response]] = []

    def exchange(self, request: Request) -> Response | None:
        """Answer a request, and keep both."""
        response = super().exchange(request)
        if response is not None:
            self.exchanged.append((request, response))
        return response

    def violations(self) -> list[str]:
        """List what the answers so far have that their schemas do not allow."""
        spec = load_spec()
        return [text for exchange in self.exchanged for text in spec.check(*exchange)]


@cache
def load_spec() -> Spec:
    """Load the specification; the test is skipped where Go or the module cannot be had."""
    return Spec(find_module(STRIPE_MOCK, VERSION) / "embedded" / "openapi" / "spec3.json")


def _convert(schema: Any) -> Any:
    """Convert the dialect of OpenAPI 3.0 to JSON Schema."""
    if isinstance(schema, list):
        return [_convert(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return {"$ref": schema["$ref"].replace("#/components/schemas/", "#/$defs/")}
    found = {name: _convert(value) for name, value in schema.items() if name != "nullable"}
    if schema.get("nullable") is not True:
        return found
    if "enum" in found:
        found["enum"] = [*found["enum"], None]
    return {"anyOf": [{"type": "null"}, found]}
