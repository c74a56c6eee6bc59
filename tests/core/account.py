"""An account in memory that implements `answer.Meters`, and answers as it is told to."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable
from dataclasses import replace

from core.worlds import plan_of
from virtual import VirtualClock

from reconciler.diagnostics.diagnostic import Level, Problem
from reconciler.diagnostics.errors import ReconcilerError
from reconciler.execution.execute_step import Run
from reconciler.execution.protocol import Answer, Doubtful, Refused, Seen
from reconciler.execution.steps import Step, Verb
from reconciler.model.change import Change
from reconciler.model.meter import Live, StatusTransitions

NOW = 1_790_000_000
SAID = Problem("S999", Level.ERROR, "said the API")

Behaviour = Callable[["Account", Step], Answer]


class Account:
    """Meters by id; every request is kept, and `script` says what becomes of the next ones.

    `before` is called with each request before anything else, to act somebody else's part;
    `blind` are the calls that fail: read, find or live.
    """

    def __init__(self, meters: Iterable[Live], *script: Behaviour) -> None:
        self.meters = {meter.id: meter for meter in meters}
        self.script = list(script)
        self.requests: list[tuple[str, str, str]] = []
        self.looks: list[str] = []
        self.blind: dict[str, Exception] = {}
        self.before: Callable[[Account, Step], None] = lambda *_: None
        self.finishing = False
        self.lock = threading.Lock()

    @property
    def keys(self) -> list[str]:
        """Number of the request and of the attempt, as the keys have them."""
        return ["-".join(key.split("-")[-2:]) for _, _, key in self.requests]

    @property
    def sent(self) -> list[tuple[str, str]]:
        """Verb and meter, or event_name, of every request."""
        return [(verb, target) for verb, target, _ in self.requests]

    def send(self, step: Step, key: str) -> Answer:
        self.before(self, step)
        with self.lock:
            target = step.meter_id or step.change.event_name
            self.requests.append((str(step.verb), target, key))
            behave = self.script.pop(0) if self.script else seen()
            return behave(self, step)

    def read(self, meter_id: str) -> Live | None:
        self._look("read")
        return self.meters.get(meter_id)

    def find(self, event_name: str, known: Collection[str]) -> tuple[Live, ...]:
        self._look("find")
        found = [m for m in self.meters.values() if m.event_name == event_name]
        return tuple(m for m in sorted(found, key=lambda m: -m.created) if m.id not in known)

    def live(self) -> tuple[Live, ...]:
        self._look("live")
        return tuple(self.meters.values())

    def to_the_end(self) -> Account:
        self.finishing = True
        return self

    def put(self, meter: Live) -> Live:
        """Somebody else's change, or ours."""
        self.meters[meter.id] = meter
        return meter

    def change(self, id_: str, **fields: object) -> Live:
        return self.put(replace(self.meters[id_], **fields))

    def obey(self, step: Step) -> Live:
        """The effect of a request."""
        want = step.change.want
        if step.verb is Verb.CREATE:
            assert want
            id_ = f"mtr_new_{want.event_name}"
            made = {f: getattr(want.meter, f) for f in want.meter.__dataclass_fields__}
            times = {"created": NOW, "updated": NOW}
            return self.put(Live(id=id_, status="active", livemode=False, **times, **made))
        assert step.meter_id
        if step.verb is Verb.UPDATE:
            assert want
            return self.change(step.meter_id, display_name=want.meter.display_name, updated=NOW)
        at = NOW if step.verb is Verb.DEACTIVATE else None
        status = "inactive" if at else "active"
        return self.change(
            step.meter_id, status=status, updated=NOW, status_transitions=StatusTransitions(at)
        )

    def _look(self, call: str) -> None:
        with self.lock:
            self.looks.append(call)
        if call in self.blind:
            raise self.blind[call]


def seen(*, shows: Live | None = None, **more: object) -> Behaviour:
    """A fresh 2xx answer after the effect; with `shows`, one without effect that shows this."""
    return lambda account, step: Seen(shows or account.obey(step), "req_1", **more)


def replayed(shows: Live, attempts: int = 1, doubts: int = 0) -> Behaviour:
    """An old answer."""
    return seen(shows=shows, replayed=True, attempts=attempts, doubts=doubts)


def refused(status: int = 400, **more: object) -> Behaviour:
    """A definite no."""
    return lambda *_: Refused(SAID, status, "req_1", **more)


def lost(status: int | None = None, **more: object) -> Behaviour:
    """A doubtful answer, and there was no effect."""
    more.setdefault("doubts", int(status != 429))
    return lambda *_: Doubtful(SAID, status, "req_1", **more)


def late(status: int | None = None, **more: object) -> Behaviour:
    """A doubtful answer, and there was an effect."""

    def behave(account: Account, step: Step) -> Answer:
        account.obey(step)
        return Doubtful(SAID, status, "req_1", **more)

    return behave


def then(behaviour: Behaviour, edit: Callable[[Account], object]) -> Behaviour:
    """Somebody else changes something right after the request."""

    def behave(account: Account, step: Step) -> Answer:
        answer = behaviour(account, step)
        edit(account)
        return answer

    return behave


def raising(error: BaseException) -> Behaviour:
    """What no adapter should do."""

    def behave(*_: object) -> Answer:
        raise error

    return behave


def fails(kind: type[ReconcilerError], message: str = "no answer") -> ReconcilerError:
    """An error of the account when it is read."""
    return kind(replace(SAID, message=message))


def run_of(account: Account, *changes: Change, **more: object) -> Run:
    """A run of these lines on a clock that never waits."""
    plan = plan_of(*changes)
    facts = {
        "plan": plan,
        "changes": plan.changes,
        "meters": account,
        "clock": VirtualClock(NOW),
        "livemode": False,
        **more,
    }
    return Run(**{"notebook": Pages(), **facts})


class Pages:
    """A notebook in memory."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, int, str]] = []

    def intend(self, step: Step, key: str, *, begun: bool = False) -> None:
        self.lines.append(("intend", step.n, key))

    def observe(self, step: Step, key: str, answer: Answer) -> None:
        self.lines.append((type(answer).__name__, step.n, key))

    def unsent(self, step: Step, key: str) -> None:
        self.lines.append(("unsent", step.n, key))
