"""A price that is attached after the plan, before its meter is deactivated."""

from __future__ import annotations

import pytest
from builders.emulated import context
from builders.fake_account import Account, run_of
from builders.meters import decide_all, declare, existing, inactive
from msgspec.structs import replace
from stateful.words import edit

from reconciler.diagnostics.errors import Exit
from reconciler.execution.executor import apply
from reconciler.model.meter import Unreadable
from reconciler.model.price import Price

OLD = existing("mtr_o", formula="count")
PRICE = Price(id="price_new", meter="mtr_o")


def applied(billing, desired):
    """The result of one deactivation, and its account."""
    account = Account([OLD])
    account.prices = billing
    (line,) = apply(run_of(account, *decide_all([desired], [OLD])))
    return line.result, account


DEACTIVATIONS = [declare(formula="count", status="inactive"), declare(retires=("mtr_o",))]


@pytest.mark.parametrize(
    ("others", "said"),
    [
        ((), "a new price is in use on it: price_new"),
        ((replace(PRICE, id="price_b"),), "new prices are in use on it: price_b, price_new"),
    ],
)
@pytest.mark.parametrize("desired", DEACTIVATIONS, ids=["deactivate", "replace"])
def test_a_new_price_that_is_not_accepted_keeps_its_meter_active(desired, others, said):
    """Attached during the prompt, or while other changes are applied."""
    asked, prices = [], (PRICE, *others)
    result, account = applied(lambda meter_id: asked.append(meter_id) or prices, desired)
    assert (str(result.status), result.error.code, account.sent) == ("stale", "A012", [])
    assert (result.error.message, asked) == (f"mtr_o was not deactivated: {said}", ["mtr_o"])
    assert account.meters["mtr_o"] == OLD


@pytest.mark.parametrize("desired", DEACTIVATIONS, ids=["deactivate", "replace"])
def test_a_new_price_that_the_file_accepts_is_no_obstacle(desired):
    accepting = replace(desired, accepted_prices=("price_new",))
    result, account = applied(lambda _: (PRICE,), accepting)
    assert str(result.status) == "done"
    assert not account.meters["mtr_o"].active


@pytest.mark.parametrize("desired", DEACTIVATIONS, ids=["deactivate", "replace"])
def test_unreadable_prices_prevent_a_deactivation(desired):
    result, account = applied(lambda _: Unreadable("rak_plan_read"), desired)
    assert (str(result.status), result.error.code, account.sent) == ("failed", "G005", [])
    said = "its prices can no longer be read (permission: rak_plan_read)"
    assert result.error.message == f"mtr_o was not deactivated: {said}"


def test_a_reactivation_reads_no_prices():
    asked = []
    other = inactive("mtr_t", display="Was")
    account = Account([other])
    account.prices = asked.append
    apply(run_of(account, *decide_all([declare()], [other])))
    assert account.meters["mtr_t"].active
    assert asked == []


def test_a_price_attached_while_other_changes_are_applied():
    """The next plan is refused."""
    with context(
        [OLD], declared=[declare("new"), declare(formula="count", status="inactive")]
    ) as it:
        planned = it.plan()

        def attach(moment):
            if moment.request.method == "POST" and moment.request.path == "/v1/billing/meters":
                it.server.reached = lambda _: None
                edit(it, "price calls")

        it.server.reached = attach
        report = it.apply(planned)
        ended = {line.change.event_name: line.result for line in report.changes}
        assert (report.exit_code, str(ended["new"].status)) == (Exit.PARTIAL, "done")
        assert (str(ended["calls"].status), ended["calls"].error.code) == ("stale", "A012")
        assert it.list_all()["mtr_o"].active
        assert it.plan().report.exit_code is Exit.REFUSED
