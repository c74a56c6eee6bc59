"""The few calls of GitHub's API that approvals need: lists of one repository, and a status."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..clock import Clock
from ..diagnostics.codes import service
from ..diagnostics.errors import AuthError, ReconcilerError
from ..trusted_url import is_loopback, is_trusted_api_base

_ATTEMPTS = 4
_FIRST_WAIT = 1.0
_LONGEST_WAIT = 60.0
_TIMEOUT = 20.0
_PAGE = 100
_MOST_PAGES = 50
_RETRIED = (429, 500, 502, 503, 504)


class Repository:
    """The API of one repository, with the token of the job.

    Methods raise AuthError without a permission and ReconcilerError (S044) for what else GitHub
    answers, neither with the token in it.
    """

    def __init__(self, environ: Mapping[str, str], clock: Clock) -> None:
        import requests

        base = environ.get("GITHUB_API_URL") or "https://api.github.com"
        if not is_trusted_api_base(base):
            raise ReconcilerError(service.GITHUB_FAILED("GITHUB_API_URL is not an https address"))
        self._base = f"{base.rstrip('/')}/repos/{environ.get('GITHUB_REPOSITORY', '')}"
        self._token = environ.get("GITHUB_TOKEN", "")
        self._clock = clock
        self._session = requests.Session()
        self._session.trust_env = not is_loopback(base)

    def get(self, path: str) -> Any:
        """Return what is at a path; of a list all pages."""
        first = self._send("GET", path, page=1)
        if not isinstance(first, list):
            return first
        every, page = first, first
        for number in range(2, _MOST_PAGES + 1):
            if len(page) < _PAGE:
                return every
            page = self._send("GET", path, page=number)
            every = [*every, *page]
        message = f"GET {path}: more than {_MOST_PAGES * _PAGE} entries"
        raise ReconcilerError(service.GITHUB_FAILED(message))

    def post(self, path: str, body: Mapping[str, Any]) -> None:
        """Send an object to a path."""
        self._send("POST", path, body=body)

    def _send(
        self, method: str, path: str, page: int = 0, body: Mapping[str, Any] | None = None
    ) -> Any:
        import requests

        said = ""
        for attempt in range(_ATTEMPTS):
            wait = min(_FIRST_WAIT * 4**attempt, _LONGEST_WAIT)
            try:
                response = self._session.request(
                    method,
                    self._base + path,
                    params={"per_page": _PAGE, "page": page} if page else None,
                    json=body,
                    auth=self._authorize,
                    timeout=_TIMEOUT,
                    allow_redirects=False,
                )
            except requests.RequestException as error:
                said = type(error).__name__  # its text may hold the request
            else:
                if response.status_code < 300:
                    return _read(response, f"{method} {path}")
                said = f"HTTP {response.status_code}"
                after = response.headers.get("Retry-After", "")
                if response.status_code not in _RETRIED and not after.isdecimal():
                    break
                wait = min(float(after), _LONGEST_WAIT) if after.isdecimal() else wait
            if attempt + 1 < _ATTEMPTS:
                self._clock.sleep(wait)
        denied = said in ("HTTP 401", "HTTP 403", "HTTP 404")
        kind = AuthError if denied else ReconcilerError
        raise kind(service.GITHUB_FAILED(f"{method} {path}: {said}"))

    def _authorize(self, request: Any) -> Any:
        request.headers["Authorization"] = f"Bearer {self._token}"
        request.headers["Accept"] = "application/vnd.github+json"
        request.headers["X-GitHub-Api-Version"] = "2022-11-28"
        return request


def _read(response: Any, request: str) -> Any:
    try:
        return response.json()
    except ValueError:
        raise ReconcilerError(service.GITHUB_FAILED(f"{request}: not JSON")) from None
