"""What can go wrong around the emulator, and how it refuses a request as Stripe would."""

from __future__ import annotations

import json
from collections.abc import Mapping


class EmulatorError(Exception):
    """The emulator cannot be started as asked; the message says what, where and what to do."""


class StateError(EmulatorError):
    """A state file that cannot be read or written, or that another process holds."""


class SeedError(EmulatorError):
    """A seed that describes no account; the message names the place inside it."""


class SettingError(EmulatorError):
    """A switch or a fault whose text cannot be understood."""


class RequestError(Exception):
    """A request refused as Stripe refuses it: the HTTP status and the fields of its `error`."""

    def __init__(
        self,
        status: int,
        message: str,
        code: str | None = None,
        param: str | None = None,
        kind: str = "invalid_request_error",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code
        self.param = param
        self.kind = kind
        self.headers = headers or {}

    def body(self) -> str:
        """The error as JSON text, absent fields left out as Stripe leaves them out."""
        error = {"message": self.message, "type": self.kind}
        if self.code:
            error["code"] = self.code
            error["doc_url"] = f"https://stripe.com/docs/error-codes/{self.code.replace('_', '-')}"
        if self.param:
            error["param"] = self.param
        return json.dumps({"error": error}, indent=2)


def no_such(noun: str, object_id: str, param: str = "id", status: int = 404) -> RequestError:
    """The answer to an id that the account does not know: 404 in a path, 400 in a parameter."""
    return RequestError(status, f"No such {noun}: '{object_id}'", "resource_missing", param)


def unknown_url(method: str, path: str) -> RequestError:
    """The answer to a path or a method that the API does not have."""
    return RequestError(
        404,
        f"Unrecognized request URL ({method}: {path}). Please see https://stripe.com/docs "
        "or we can help at https://support.stripe.com/.",
    )
