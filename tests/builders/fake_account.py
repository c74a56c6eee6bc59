"""An account in memory that implements the `Meters` protocol and answers by a script."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable

from builders.meters import plan_of
from msgspec.structs import replace
from virtual import VirtualClock

from reconciler.diagnostics.diagnostic import Diagnostic, Level
from reconciler.diagnostics.errors import ReconcilerError
from reconciler.execution.execute_step import ApplyContext
from reconciler.execution.protocol import Answer
from reconciler.execution.steps import Operation, Step
from reconciler.model.change import Change
from reconciler.model.meter import ExistingMeter, StatusTransitions, Unreadable
from reconciler.model.price import Price
from reconciler.model.request import Outcome, RequestRecord

NOW = 1_790_000_000
API_ERROR = Diagnostic("S999", Level.ERROR, "said the API")

Behaviour = Callable[["Account", Step], Answer]


class Account:
    """Meters by id, and a record of requests; `script` has the behaviour of the next ones.

    `before` is called before each request, to act as another client; `blind` are the calls
    that fail: read, find or list_all; `prices` returns the prices in use on a meter.
    """

    finishing = False

    def __init__(self, meters: Iterable[ExistingMeter], *script: Behaviour) -> None:
        self.meters = {meter.id: meter for meter in meters}
        self.script = list(script)
        self.requests: list[tuple[str, str, str]] = []
        self.looks: list[str] = []
        self.blind: dict[str, Exception] = {}
        self.prices: Callable[[str], tuple[Price, ...] | Unreadable] = lambda _: ()
        self.before: Callable[[Account, Step], None] = lambda *_: None
        self.lock = threading.RLock()  # a behaviour may read the account

    @property
    def keys(self) -> list[str]:
        """The number of the request and of the attempt in each key."""
        return ["-".join(key.split("-")[-2:]) for _, _, key in self.requests]

    @property
    def sent(self) -> list[tuple[str, str]]:
        """The operation and the meter or event_name of every request."""
        return [(operation, target) for operation, target, _ in self.requests]

    def send(self, step: Step, key: str, may_retry: Callable[[RequestRecord], bool]) -> Answer:
        self.before(self, step)
        self.may_retry = may_retry
        with self.lock:
            target = step.meter_id or step.change.event_name
            self.requests.append((str(step.operation), target, key))
            behave = self.script.pop(0) if self.script else confirmed()
            return behave(self, step)

    def read(self, meter_id: str) -> ExistingMeter | None:
        self._look("read")
        return self.meters.get(meter_id)

    def read_prices(self, meter_id: str) -> tuple[Price, ...] | Unreadable:
        return self.prices(meter_id)

    def find(self, event_name: str, known: Collection[str]) -> tuple[ExistingMeter, ...]:
        self._look("find")
        found = [m for m in self.meters.values() if m.event_name == event_name]
        return tuple(m for m in sorted(found, key=lambda m: -m.created) if m.id not in known)

    def list_all(self) -> tuple[ExistingMeter, ...]:
        self._look("list_all")
        return tuple(self.meters.values())

    def ignoring_stop(self) -> Account:
        same = _Finishing.__new__(_Finishing)
        same.__dict__ = self.__dict__
        return same

    def put(self, meter: ExistingMeter) -> ExistingMeter:
        self.meters[meter.id] = meter
        return meter

    def change(self, id_: str, **fields: object) -> ExistingMeter:
        return self.put(replace(self.meters[id_], **fields))

    def obey(self, step: Step) -> ExistingMeter:
        """Apply a request and return the meter."""
        desired = step.change.desired
        if step.operation is Operation.CREATE:
            assert desired
            id_ = f"mtr_new_{desired.event_name}"
            made = {f: getattr(desired.meter, f) for f in desired.meter.__struct_fields__}
            times = {"created": NOW, "updated": NOW}
            return self.put(ExistingMeter(id=id_, status="active", livemode=False, **times, **made))
        assert step.meter_id
        if step.operation is Operation.UPDATE:
            assert desired
            return self.change(step.meter_id, display_name=desired.meter.display_name, updated=NOW)
        at = NOW if step.operation is Operation.DEACTIVATE else None
        status = "inactive" if at else "active"
        return self.change(
            step.meter_id, status=status, updated=NOW, status_transitions=StatusTransitions(at)
        )

    def _look(self, call: str) -> None:
        with self.lock:
            self.looks.append(call)
        if call in self.blind:
            raise self.blind[call]


class _Finishing(Account):
    """The same account, for requests that no stop signal interrupts."""

    finishing = True


def record(result: Outcome, status: int | None, **more: object) -> RequestRecord:
    """The record of a POST, with a request id."""
    return RequestRecord(
        **{"operation": "POST", "request_id": "req_1", "result": result} | {"status": status} | more
    )


def confirmed(*, shows: ExistingMeter | None = None, **more: object) -> Behaviour:
    """A fresh 2xx answer after the effect; with `shows`, one without effect that shows this."""
    came = record(Outcome.CONFIRMED, 200, **more)
    return lambda account, step: Answer(came, shows or account.obey(step))


def replayed(shows: ExistingMeter, attempts: int = 1, doubts: int = 0) -> Behaviour:
    """Answer with a stored response."""
    return confirmed(shows=shows, replayed=True, attempts=attempts, doubts=doubts)


def rejected(status: int = 400, **more: object) -> Behaviour:
    """A definite no; a denied key is one only once the account was read."""
    facts: dict[str, object] = {"result": Outcome.REJECTED}
    if status in (401, 403):
        facts = {"result": Outcome.INDETERMINATE, "doubts": 1}
    return lambda *_: Answer(record(status=status, **facts | more), error=API_ERROR)


def lost_request(status: int | None = None, **more: object) -> Behaviour:
    """Give an indeterminate answer to a request without an effect."""
    more.setdefault("doubts", int(status != 429))
    return lambda *_: Answer(record(Outcome.INDETERMINATE, status, **more), error=API_ERROR)


def lost_answer(status: int | None = None, **more: object) -> Behaviour:
    """Give an indeterminate answer to a request with an effect."""

    def behave(account: Account, step: Step) -> Answer:
        account.obey(step)
        return lost_request(status, **{"doubts": 1} | more)(account, step)

    return behave


def followed_by(behaviour: Behaviour, edit: Callable[[Account], object]) -> Behaviour:
    """Let another client change the account right after the request."""

    def behave(account: Account, step: Step) -> Answer:
        answer = behaviour(account, step)
        edit(account)
        return answer

    return behave


def raising(error: BaseException) -> Behaviour:
    """Raise an error that an adapter must not raise."""

    def behave(*_: object) -> Answer:
        raise error

    return behave


def read_error(kind: type[ReconcilerError], message: str = "no answer") -> ReconcilerError:
    """Return the error of a failed read."""
    return kind(replace(API_ERROR, message=message))


def run_of(account: Account, *changes: Change, **more: object) -> ApplyContext:
    """Return a context that applies these changes on a clock that never waits."""
    plan = plan_of(*changes)
    facts = {
        "plan": plan,
        "meters": account,
        "clock": VirtualClock(NOW),
        "livemode": False,
        **more,
    }
    return ApplyContext(**{"journal": MemoryJournal(), **facts})


class MemoryJournal:
    """A journal in memory."""

    def __init__(self) -> None:
        self.changes: list[tuple[str, int, str]] = []

    def before_request(self, step: Step, key: str, *, begun: bool = False) -> None:
        self.changes.append(("request", step.n, key))

    def after_response(self, step: Step, key: str, answer: Answer) -> None:
        self.changes.append((str(answer.record.result), step.n, key))

    def not_sent(self, step: Step, key: str) -> None:
        self.changes.append(("not_sent", step.n, key))
