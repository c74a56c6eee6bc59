"""Read lists: one page, all pages lazily, and every meter of an account exactly once."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from concurrent.futures import Future
from functools import partial
from typing import Any, TypeVar

from msgspec import Struct

from ..diagnostics.codes import service
from ..model.meter import ExistingMeter, Status
from ..threads import start_thread, wait_for
from .codec import Json, Page, parse_id, parse_linked_page, parse_page
from .errors import UnexpectedAnswerError
from .http.connection import Limits
from .response import Reply
from .transport import Transport

T = TypeVar("T")

PER_PAGE = 100
"""The largest page that Stripe returns."""

_DEFAULT_LIMIT = 10
_MOST_PAGES = 10_000


class _Extent(Struct):
    """What was read of a list so far; `seconds` are those of its requests."""

    pages: int = 0
    entries: int = 0
    size: int = 0
    seconds: float = 0.0

    def add(self, entries: int, size: int, seconds: float) -> None:
        """Add one page."""
        self.pages += 1
        self.entries += entries
        self.size += size
        self.seconds += seconds

    def find_excess(self, limits: Limits) -> str | None:
        """Return what exceeds its limit."""
        parts = (
            (self.pages, _MOST_PAGES, "pages"),
            (self.entries, limits.list_entries, "entries"),
            (self.size, limits.list_size, "bytes"),
            (self.seconds, limits.list_time, "seconds"),
        )
        over = (f"it exceeds {most:,.0f} {what}" for value, most, what in parts if value > most)
        return next(over, None)


def read_page(
    transport: Transport, path: str, params: Mapping[str, Any], read: Callable[[Json], T]
) -> Page[T]:
    """Read one page of a list; raise StripeError."""
    limit = params.get("limit") or _DEFAULT_LIMIT
    return transport.get(path, params).read(lambda body: parse_page(body, read, limit))


def iterate_pages(
    transport: Transport,
    path: str,
    params: Mapping[str, Any],
    read: Callable[[Json], T],
    *,
    ahead: Callable[[], object] | None = None,
) -> Iterator[Page[T]]:
    """Yield page after page, each read on demand.

    With `ahead`, a page is requested while the last one is decoded, and not before this returns.
    Raises StripeError, also (S024) if a page starts again at an earlier place, or the list exceeds
    the limits of the transport.
    """
    params = {"limit": PER_PAGE, **params}
    past: set[str] = set()
    extent = _Extent()

    def request(after: str | None) -> Reply:
        return transport.get(path, {**params, "starting_after": after})

    receive: Callable[[], Reply] = partial(request, None)
    while True:
        began = transport.monotonic()
        reply = receive()
        following = _begin_next(request, reply.body, past, ahead) if ahead else None
        found = reply.read(lambda body: _parse_identified(body, read, params["limit"]))
        extent.add(len(found.data), reply.size, transport.monotonic() - began)
        if excess := extent.find_excess(transport.limits):
            raise _describe_endless(path, reply, excess)
        yield Page(tuple(noun for _, noun in found.data), found.has_more)
        if not found.has_more:
            return
        if not found.data:
            raise _describe_endless(path, reply, "an empty page is not the last one")
        after = found.data[-1][0]
        if after in past:
            raise _describe_endless(path, reply, "a page starts again at an earlier place")
        past.add(after)
        receive = following or partial(request, after)


def _begin_next(
    request: Callable[[str], Reply],
    body: Json,
    past: Container[str],
    wait: Callable[[], object],
) -> Callable[[], Reply] | None:
    """Wait, and request the page after one that is not checked yet; return what waits for it."""

    def request_next(after: str) -> Reply:
        wait()
        return request(after)

    match body:
        case {"has_more": True, "data": [*_, {"id": str(last)}]} if last not in past:
            return start_thread(partial(request_next, last)).result
    return None


def _parse_identified(body: Json, read: Callable[[Json], T], limit: int) -> Page[tuple[str, T]]:
    """Parse a page whose entries have ids, which the next page starts after."""
    return parse_page(body, lambda each: (parse_id(each), read(each)), limit)


def iterate_entries(
    transport: Transport, path: str, params: Mapping[str, Any], read: Callable[[Json], T]
) -> Iterator[T]:
    """Yield every entry of a list, lazily; raise as `iterate_pages` does."""
    for each in iterate_pages(transport, path, params, read):
        yield from each.data


def _describe_endless(path: str, reply: Reply, what: str) -> UnexpectedAnswerError:
    return UnexpectedAnswerError(f"GET {path}: {what}", reply.record, service.ENDLESS_LIST)


def iterate_linked(
    transport: Transport, path: str, params: Mapping[str, Any], read: Callable[[Json], T]
) -> Iterator[T]:
    """Yield every entry of a list of API v2, lazily; raise as `iterate_pages` does."""
    params = {"limit": PER_PAGE, **params}
    past: set[str] = set()
    extent = _Extent()
    while True:
        began = transport.monotonic()
        reply = transport.get(path, params)
        found, token = reply.read(lambda body: parse_linked_page(body, read, PER_PAGE))
        extent.add(len(found), reply.size, transport.monotonic() - began)
        if excess := extent.find_excess(transport.limits):
            raise _describe_endless(path, reply, excess)
        yield from found
        if token is None:
            return
        if token in past or not found:
            raise _describe_endless(path, reply, "its pages do not come to an end")
        past.add(token)
        params = {**params, "page": token}


ReadFirst = Callable[[Status | None], Page[ExistingMeter]]
"""Reads the first page of a list by status; None: without a status."""

ReadAll = Callable[[Status | None, Callable[[], object]], Iterable[ExistingMeter]]
"""Reads a list by status, and no page but the first before the function returns."""


def list_every_meter(
    first_page: ReadFirst, every: ReadAll, *, in_pairs: bool = False
) -> tuple[ExistingMeter, ...]:
    """Return every meter of an account, active and inactive, each once, newest first.

    A list by status is no snapshot: a meter whose status changes meanwhile may be missing from
    both. So the list without a status is read. It is not documented whether that list includes
    inactive meters; one of them proves it. Otherwise the inactive ones are read before it (first
    page) and after it, and if there are more pages, the active ones once more: a meter that
    changes once in that time is in one of them. For 1,000 meters, 11 or 12 requests. The newer
    of two versions counts, of equal ones the later read.

    `in_pairs` requests the two first pages at once, in any order, and reads that without a status
    again with the inactive meters that follow: one round trip less, and one request more. Of
    equal versions in a pair, that of an inactive meter counts last.
    """
    first = _begin(partial(first_page, Status.INACTIVE), in_thread=in_pairs)
    plain = tuple(every(None, partial(wait_for, first)))
    inactive = wait_for(first)
    seen = [*inactive.data, *plain]
    if not any(existing.status == Status.INACTIVE for existing in plain):
        read_again = partial(_read_again, plain, first_page, every)
        again = start_thread(read_again) if in_pairs else None
        stopped = tuple(every(Status.INACTIVE, wait_for_nothing))
        seen += (*(wait_for(again) if again else ()), *stopped)
        if inactive.has_more:
            seen += every(Status.ACTIVE, wait_for_nothing)
    newest: dict[str, ExistingMeter] = {}
    for existing in seen:
        if existing.id not in newest or existing.updated >= newest[existing.id].updated:
            newest[existing.id] = existing
    return tuple(sorted(newest.values(), key=lambda existing: (-existing.created, existing.id)))


def wait_for_nothing() -> None:
    """Let the next page of a list be requested at once."""


def _begin(work: Callable[[], T], *, in_thread: bool) -> Future[T]:
    """Do the work, in a thread or at once."""
    if in_thread:
        return start_thread(work)
    future: Future[T] = Future()
    future.set_result(work())
    return future


def _read_again(
    plain: tuple[ExistingMeter, ...], first_page: ReadFirst, every: ReadAll
) -> tuple[ExistingMeter, ...]:
    """Read the list without a status again, as far as it may have been read too early.

    That is its first page, and if it had no other, everything below it too. Newer meters may have
    moved its last one off the page.
    """
    page = first_page(None)
    ids = {existing.id for existing in page.data}
    if not page.has_more or (len(plain) > PER_PAGE and plain[PER_PAGE - 1].id in ids):
        return page.data
    return tuple(every(None, wait_for_nothing))
