"""An account's meters as `apply` knows them: a step goes out, and what came of it comes back."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from ..execution.protocol import Answer, Doubtful, Refused, Seen
from ..execution.steps import Step, Verb
from ..model.meter import Live
from .client import METERS, Meters, path_of
from .codec import meter
from .errors import NotFoundError, StripeError
from .transport import Transport

_FINAL = frozenset({400, 401, 402, 403, 404})
"""Answers that say for certain that nothing was done, and that another try changes nothing."""


class AccountMeters:
    """Implements `answer.Meters` over HTTP."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._meters = Meters.over(transport)

    def send(self, step: Step, key: str) -> Answer:
        """One request, tried again with the same idempotency key while that is safe.

        Raises StoppedError only if nothing of it has been sent.
        """
        path, params = request_for(step)
        try:
            reply = self._transport.post(path, params, key)
            live = reply.read(meter)
        except StripeError as error:
            return _failed(error)
        about = reply.about
        return Seen(live, about.request_id, about.attempts, about.replayed, about.doubts)

    def read(self, meter_id: str) -> Live | None:
        """The meter as it is now; None when the account knows no such id."""
        try:
            return self._meters.get(meter_id)
        except NotFoundError:
            return None

    def find(self, event_name: str, known: Collection[str]) -> tuple[Live, ...]:
        """Meters of this name that came into being after those whose ids are `known`.

        Reads the list, newest first, until a page ends with older ones than the newest that is
        known: no clock is asked, ours may differ from Stripe's. An inactive one may be missing.
        """
        newer: list[Live] = []
        for page in self._meters.pages():
            newer += (live for live in page.data if live.id not in known)
            familiar = [live.created for live in page.data if live.id in known]
            if familiar and page.data[-1].created < max(familiar):
                break
        return tuple(live for live in newer if live.event_name == event_name)

    def live(self) -> tuple[Live, ...]:
        """Every meter of the account, active and inactive, each once."""
        return self._meters.everything()

    def to_the_end(self) -> AccountMeters:
        """The same account for what has to be finished: no stop signal is heeded any more."""
        return AccountMeters(self._transport.to_the_end())


def request_for(step: Step) -> tuple[str, dict[str, Any]]:
    """Where a step is posted, and what is posted there; every block of a new meter is explicit."""
    want = step.change.want
    match step.verb:
        case Verb.CREATE if want:
            return METERS, want.meter.as_api()
        case Verb.UPDATE if want and step.meter_id:
            return path_of(step.meter_id), {"display_name": want.meter.display_name}
        case (Verb.DEACTIVATE | Verb.REACTIVATE) as verb if step.meter_id:
            return f"{path_of(step.meter_id)}/{verb}", {}
    raise AssertionError(f"a plan never holds {step}")


def _failed(error: StripeError) -> Refused | Doubtful:
    about = error.about
    rest = (about.request_id, about.attempts, about.replayed, about.doubts)
    if about.status in _FINAL:
        return Refused(error.problem, about.status, *rest)
    return Doubtful(error.problem, about.status, *rest)
