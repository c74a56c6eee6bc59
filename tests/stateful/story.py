"""A story of one account: files that change, clients that plan and apply, people in the Dashboard.

Everything goes through the real client and the real emulator, without a socket and on a clock that
never waits; lines are applied one at a time, so that a story always goes the same way. When one
fails, hypothesis prints its steps, and they are a script: put

    from stateful.story import Story

before them and run it with `PYTHONPATH=tests python`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack, nullcontext, suppress
from functools import partial
from unittest import mock

from builders.emulated import context
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, rule
from stateful import words
from stateful.attempt import Attempt, Saved, at_moment, save
from stateful.claims import hold
from stateful.ledger import billing, held
from stateful.standing import Watch, converge

from reconciler.emulator import RequestError, parse_settings
from reconciler.execution.execute_step import ApplyContext
from reconciler.operations.apply_plan import OnRefused

A_DAY = "a day passes"


class Story(RuleBasedStateMachine):
    """What may happen to an account, in any order, and what holds all the while."""

    plans: Bundle[Saved] = Bundle("plans")

    @initialize(
        target=plans,
        account=words.accounts(),
        files=words.FILES,
        policy=words.POLICIES,
        switches=words.SWITCHES,
    )
    def begin(
        self, account: list[str], files: list[str], policy: str, switches: dict[str, str]
    ) -> Saved:
        """An account that holds these meters, files that declare these, and a plan."""
        meters, prices = words.seeded(account)
        self.ends = ExitStack()
        one_by_one = mock.patch(
            "reconciler.operations.apply_plan.ApplyContext", partial(ApplyContext, workers=1)
        )
        self.ends.enter_context(one_by_one)
        sold = [price.id for price in prices if not price.active]
        facts = {"settings": parse_settings(switches), "subscribed": sold}
        opened = context(meters, prices, in_process=True, **facts)
        self.it = self.ends.enter_context(opened)
        self.watch = Watch(self.it)
        self.write(files, policy)
        return save(self.it)

    @rule(files=words.FILES, policy=words.POLICIES)
    def write(self, files: list[str], policy: str) -> None:
        """The files declare other meters, or the same ones otherwise, under another policy."""
        existing, prices = held(self.it), billing(self.it)
        declared = (words.declaration(text, existing, prices) for text in files)
        self.it.declare(*declared, **words.policy_of(policy))

    @rule(events=st.lists(words.EDITS | st.just(A_DAY), min_size=1, max_size=3))
    def meanwhile(self, events: list[str]) -> None:
        """An edit of the account in the Dashboard, as far as the API allows it.

        After a day saved plans are too old, and stored answers forgotten.
        """
        for event in events:
            if event == A_DAY:
                self.it.clock.sleep(25 * 3600)
                continue
            self.it.clock.sleep(1)
            with suppress(RequestError):
                words.edit(self.it, event)

    @rule(target=plans)
    def plan(self) -> Saved:
        """A client plans, and saves it."""
        return save(self.it)

    @rule(faults=words.FAULTS, during=words.DURING)
    def apply(self, faults: Sequence[str], during: str) -> None:
        """A client plans and applies at once, leaving out what is refused."""
        run = Attempt(self.it)
        self._carry_out(run, faults, during, partial(self._act, run))

    @rule(
        saved=plans, refusals=words.REFUSALS, faults=st.just([]) | words.FAULTS, during=words.DURING
    )
    def apply_saved(self, saved: Saved, refusals: str, faults: Sequence[str], during: str) -> None:
        """A client applies a saved plan: for the first time, again, or long after."""
        run = Attempt(self.it, saved, OnRefused[refusals])
        self._carry_out(run, faults, during, partial(self._act, run))

    @rule(saved=plans, other=plans, faults=st.just([]) | words.FAULTS, moment=words.MOMENTS)
    def apply_two(self, saved: Saved, other: Saved, faults: Sequence[str], moment: str) -> None:
        """While a client applies a saved plan, another applies another one, or the very same."""
        run = Attempt(self.it, saved)

        def act(_: str) -> None:
            second = Attempt(self.it, other)
            run.interfere()
            run.crossed, run.shared, second.shared = True, saved is other, saved is other
            second.go()
            hold(second)
            self.watch.allow(second)

        self._carry_out(run, faults, f"{moment}: other", act)

    def settle_down(self) -> None:
        """No more faults, no other client: one run, and the account is as declared."""
        run = Attempt(self.it)
        converge(self.it, run)
        self._judge(run)

    def teardown(self) -> None:
        """However a story went, the next run mends it."""
        if not hasattr(self, "ends"):
            return
        with self.ends:
            if sys.exc_info()[0] is None:  # else a step has failed, and that is the news
                self.settle_down()

    def _carry_out(
        self, run: Attempt, faults: Sequence[str], during: str, act: Callable[[str], None]
    ) -> None:
        """A run, struck by faults, with something that happens at one moment of it."""
        moment, _, what = during.partition(": ")
        # A denial that meets another fault may come without the effect.
        denied = any(fault.startswith(("401", "403")) for fault in faults)
        once = all("post=" in fault or "nth=" in fault for fault in faults)
        run.calm = not what and once and not (denied and len(faults) > 1)
        self.it.server.arm(*faults)
        with at_moment(self.it.server, moment, partial(act, what)) if what else nullcontext():
            run.go()
        self.it.server.disarm()
        self._judge(run)

    def _judge(self, run: Attempt) -> None:
        hold(run)
        self.watch.allow(run)
        self.watch.take_snapshot()

    def _act(self, run: Attempt, what: str) -> None:
        match what:
            case "killed":
                run.killed = True
            case "signal":
                run.signalled = True
            case "two signals":
                run.signalled, run.calls_left = True, 2
            case _:
                run.interfere()
                self.meanwhile([what])
