"""Errors of the emulator itself, and the errors that it answers requests with, as Stripe does."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Self

from .indented import dump_indented

_NO_RETRY = {"Stripe-Should-Retry": "false"}
_OWN_CODES = ("emulator_error", "not_emulated", "state_not_stored")
_DOCS = "https://stripe.com/docs/error-codes/"


class EmulatorError(Exception):
    """The emulator cannot be started as asked; the message says what, where and what to do."""


class StateError(EmulatorError):
    """A state file that cannot be read or written, or that another process has locked."""


class SeedError(EmulatorError):
    """A seed that does not describe an account; the message names the place inside it."""


class SettingError(EmulatorError):
    """A setting or a fault with invalid text."""


@dataclass(eq=False)
class RequestError(Exception):
    """An HTTP error as Stripe returns it: the status and the fields of its `error` object."""

    status: int
    message: str
    code: str | None = None
    param: str | None = None
    kind: str = "invalid_request_error"
    headers: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.message

    def _build_v1_body(self, log_url: str) -> str:
        """Build the error in the shape of API v1, absent fields omitted as Stripe does."""
        error = {"message": self.message, "type": self.kind}
        if self.code:
            error["code"] = self.code
            if self.code not in _OWN_CODES:
                error["doc_url"] = _DOCS + self.code.replace("_", "-")
        if self.param:
            error["param"] = self.param
        if log_url:
            error["request_log_url"] = log_url
        return dump_indented({"error": error})

    def render(self, *, v2: bool, log_url: str = "") -> str:
        """Return the error as JSON text, in the shape of API v1 or v2.

        `log_url` is where the Dashboard would show the request; only v1 has it.
        """
        return self._v2_body if v2 else self._build_v1_body(log_url)

    @property
    def _v2_body(self) -> str:
        """The error in the shape of API v2: its code and message, and a type where v2 has one."""
        code = "not_found" if self.status == 404 else "invalid_fields" if self.param else self.code
        place = f"{self.param}: " if code == "invalid_fields" and self.param else ""
        shown = {"code": code} if code else {}
        shown["message"] = place + self.message
        if not code or self.kind != "invalid_request_error":
            shown["type"] = self.kind
        elif code == "rate_limit":
            shown["type"] = code
        return dump_indented({"error": shown})

    @classmethod
    def invalid(cls, param: str, message: str, code: str | None = None) -> Self:
        """Return the 400 for the value of a parameter."""
        return cls(400, message, code, param)

    @classmethod
    def no_such(cls, noun: str, object_id: str, param: str = "id", status: int = 404) -> Self:
        """Return the error for an unknown id: 404 in a path, 400 in a parameter."""
        return cls(status, f"No such {noun}: '{object_id}'", "resource_missing", param)

    @classmethod
    def unknown_url(cls, method: str, path: str) -> Self:
        """Return the 404 for a path or a method that the API does not have."""
        return cls(
            404,
            f"Unrecognized request URL ({method}: {path}). Please see https://stripe.com/docs "
            "or we can help at https://support.stripe.com/.",
        )

    @classmethod
    def unsupported(cls, method: str, path: str, supported: Iterable[str]) -> Self:
        """Return the 501 for a call that Stripe has and the emulator has not."""
        text = f"The emulator does not support {method} {path}. Supported: {', '.join(supported)}"
        return cls(501, text, "not_emulated", kind="api_error", headers=_NO_RETRY)

    @classmethod
    def failed(cls, why: str) -> Self:
        """Return the 500 for an exception inside the emulator."""
        text = f"The emulator failed, which is a bug of the emulator: {why}"
        return cls(500, text, "emulator_error", kind="api_error", headers=_NO_RETRY)

    @classmethod
    def no_access(cls, masked: str, account_id: str) -> Self:
        """Return the 403 for an account that the key (masked) does not reach."""
        return cls(
            403,
            f"The provided key '{masked}' does not have access to account '{account_id}' (or that "
            "account does not exist). Application access may have been revoked.",
            "account_invalid",
        )

    @classmethod
    def key_in_use(cls, key: str, kind: str) -> Self:
        """Return the 409 for an idempotency key whose first request is still in progress."""
        return cls(
            409,
            "There is currently another in-progress request using this Idempotent Key (that "
            "probably means you submitted twice, and the other request is still going through): "
            f"{key}. Please try again later.",
            "idempotency_key_in_use",
            kind=kind,
        )

    @classmethod
    def rate_limited(cls, reason: str | None) -> Self:
        """Return a 429 for too many requests, with the Stripe-Rate-Limited-Reason if any."""
        return cls(
            429,
            "Request rate limit exceeded. Learn more about rate limits here: "
            "https://stripe.com/docs/rate-limits.",
            "rate_limit",
            headers={"Stripe-Rate-Limited-Reason": reason} if reason else {},
        )

    @classmethod
    def wrong_content_type(cls, *, is_missing: bool) -> Self:
        """Return the 400 for a POST to v1 whose body is no form, or has no type."""
        missing = " The request has no Content-Type header." if is_missing else ""
        return cls(
            400,
            "Invalid request (check that your POST content type is "
            f"application/x-www-form-urlencoded).{missing} If you have any questions, we can help "
            "at https://support.stripe.com/.",
        )

    @classmethod
    def key_mismatch(cls, key: str, what: str) -> Self:
        """Return the 400 for an idempotency key that was first used for something else."""
        return cls(
            400,
            f"Keys for idempotent requests can only be used {what}. Try using a key other than "
            f"'{key}' if you meant to execute a different request.",
            kind="idempotency_error",
        )

    @classmethod
    def locked(cls, status: int) -> Self:
        """Return the error for a locked object: a 409, or a 429 without a reason."""
        return cls(
            status,
            "This object cannot be accessed right now because another API request or Stripe "
            "process is currently accessing it. Please try again later.",
            "lock_timeout",
        )

    @classmethod
    def internal(cls, message: str = "", status: int = 500, code: str | None = None) -> Self:
        """Return an error of the API itself."""
        default = "Sorry! There was an error while talking to Stripe. Please try again later."
        return cls(status, message or default, kind="api_error", code=code)
