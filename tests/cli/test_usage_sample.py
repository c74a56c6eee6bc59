"""`drift --sample-usage`: meters with prices in use and no usage, through real HTTP."""

from __future__ import annotations

import json
import signal
from collections import Counter

import pytest
import stripe
from cli.conftest import KEY
from cli.world import CALLS, SEATS, account_of, existing

from reconciler.drift.usage_sample import WINDOW
from reconciler.emulator import Key, Settings
from reconciler.model.event import RESEND
from reconciler.render import FORMATS

DECLARED = f"{SEATS}\n{CALLS}"
READ = {"billing_meter_read", "plan_read", "event_read", "accounts_kyc_basic_read"}
DAY = 86_400


def price(name: str, meter: str, **more: object) -> dict[str, object]:
    return {"id": f"price_{name}", "meter": meter, "product": "prod_A", **more}


def subscribe(customer: str, *prices: str, **more: object) -> dict[str, object]:
    return {"customer": customer, "items": [{"price": f"price_{name}"} for name in prices], **more}


def seed(*customers: str, **more: object) -> dict[str, object]:
    """Two meters with a price each; the customers are subscribed to the price of calls."""
    return {
        "meters": [
            existing("seats", "Seats", id="mtr_s"),
            existing("calls", "Calls", "sum", id="mtr_c"),
        ],
        "prices": [price("seats", "mtr_s"), price("calls", "mtr_c")],
        "customers": [{"id": customer} for customer in customers],
        "subscriptions": [subscribe(customer, "calls") for customer in customers],
        **more,
    }


def client(made) -> stripe.StripeClient:
    return stripe.StripeClient(
        "sk_test_app", base_addresses={"api": made.server.url}, max_network_retries=0
    )


def send(made, customer: str, value: str = "1") -> None:
    """Send usage of calls; the minute that it is in has passed then."""
    payload = {"stripe_customer_id": customer, "value": value}
    client(made).v1.billing.meter_events.create({"event_name": "calls", "payload": payload})
    made.server.clock.sleep(60)


def sample(run, made, number: object = 5, *more: str):
    return run("drift", made.folder, "--sample-usage", str(number), "--format", "json", *more)


def samples(ran) -> dict[str, dict[str, object]]:
    return {each["event_name"]: each for each in account_of(ran)["usage_sample"]["meters"]}


def suspicions(ran) -> list[tuple[str, str, str]]:
    found = account_of(ran)["findings"]
    return [(each["event_name"], each["kind"], each["severity"]) for each in found]


def asked(made) -> Counter[str]:
    """The requests of a sample, by the last part of their path."""
    gets = Counter(each.path.rsplit("/", 1)[-1] for each in made.server.log if each.method == "GET")
    return Counter({name: gets[name] for name in ("subscriptions", "event_summaries")})


def test_no_usage_is_a_suspicion_that_states_its_coverage(world, run, clock):
    """Counts, window, customers; the severity is low, since they may have used nothing."""
    made = world(DECLARED, seed("cus_1", "cus_2", "cus_3"))
    clock.sleep(30 * DAY)
    ran = sample(run, made, 2)
    assert (ran.code, suspicions(ran)) == (2, [("calls", "no_usage", "low")])
    (found,) = account_of(ran)["findings"]
    assert (found["code"], found["attribution"], found["since"]) == ("D019", None, None)
    end = int(clock.now()) // 60 * 60
    assert found["sample"] == {
        "meter_id": "mtr_c",
        "start": end - WINDOW,
        "end": end,
        "customers": 3,
        "more": True,
        "used": 0,
        "zero": 0,
        "unused": 2,
        "recent": 0,
        "refused": 0,
        "zero_listed": None,
    }
    assert found["message"].startswith(
        "2 sampled customers of mtr_c (of at least 3 with a subscription to its prices) have no "
        "usage from "
    )
    assert "the customer key 'stripe_customer_id'" in found["message"]
    assert samples(ran)["seats"]["customers"] == 0
    assert made.posts() == []


def test_the_requests_are_counted_and_end_with_the_first_usage(world, run):
    """One listing of subscriptions and the summaries; archived prices where customers are few."""
    made = world(DECLARED, seed("cus_1", "cus_2", "cus_3"))
    plain = len(made.server.log)
    run("drift", made.folder)
    without, before = len(made.server.log) - plain, len(made.server.log)
    ran = sample(run, made, 3)
    made_more = len(made.server.log) - before - without
    sampled = account_of(ran)["usage_sample"]
    assert (sampled["most"], sampled["requests"]) == (3, made_more)
    assert asked(made) == {"subscriptions": 2, "event_summaries": 3}
    assert made_more == 6  # the third is the archived prices of seats

    send(made, "cus_1")
    made.server.log.clear()
    ran = sample(run, made, 3)
    assert (ran.code, suspicions(ran)) == (0, [])
    assert asked(made) == {"subscriptions": 2, "event_summaries": 1}
    assert samples(ran)["calls"]["used"] == 1


def test_rows_of_zero_are_told_from_missing_rows(world, run):
    """Usage that comes to 0 lacks the value key; one request more shows that 0 is usage."""
    made = world(DECLARED, seed("cus_1", "cus_2", "cus_3"))
    send(made, "cus_1", "0")
    ran = sample(run, made)
    assert (ran.code, suspicions(ran)) == (2, [("calls", "zero_usage", "high")])
    (found,) = account_of(ran)["findings"]
    assert (found["code"], found["sample"]["zero_listed"]) == ("D018", False)
    assert found["message"].startswith("1 of 3 sampled customers of mtr_c (of 3 with")
    assert "has usage that comes to 0, and 2 have none, from" in found["message"]
    assert "the value key 'value'" in found["message"]
    assert asked(made)["event_summaries"] == 4
    last = made.server.log.matching(path="*/event_summaries")[-1].params
    created = made.server.state.ledger.meters["mtr_c"]["created"]
    assert int(last["start_time"]) < int(last["end_time"]) < created - RESEND

    made = world(
        CALLS.replace("sum", "last"),
        seed(
            "cus_1",
            meters=[existing("calls", "Calls", "last", id="mtr_c")],
            prices=[price("calls", "mtr_c")],
        ),
    )
    send(made, "cus_1", "0")
    assert suspicions(sample(run, made)) == [("calls", "zero_usage", "low")]


def test_zero_proves_nothing_where_stripe_lists_it_without_usage(world, run):
    """Then it is no usage; of a count, 0 never is any."""
    settings = Settings(empty_summaries="zero")
    subscribed = [subscribe("cus_1", "calls", "seats")]
    made = world(DECLARED, seed("cus_1", subscriptions=subscribed), settings=settings)
    ran = sample(run, made)
    assert suspicions(ran) == [("calls", "no_usage", "low"), ("seats", "no_usage", "low")]
    assert samples(ran)["calls"]["zero_listed"] is True
    assert (samples(ran)["seats"]["zero"], samples(ran)["seats"]["unused"]) == (0, 1)
    assert "as Stripe lists 0 where there is no usage" in account_of(ran)["findings"][0]["message"]
    assert asked(made)["event_summaries"] == 3


def test_the_oldest_subscriptions_are_read_first_also_on_archived_prices(world, run):
    """Of several of a customer the oldest counts; what has ended does not."""
    prices = [
        price("calls", "mtr_c"),
        price("old", "mtr_c", active=False),
        price("seats", "mtr_s"),
    ]
    given = [
        subscribe("cus_1", "calls", created=500),
        subscribe("cus_3", "calls", status="incomplete_expired"),
        subscribe("cus_9", "calls", created=10),
        subscribe("cus_9", "old", created=1000),
    ]
    customers = ("cus_1", "cus_3", "cus_9")
    made = world(DECLARED, seed(*customers, prices=prices, subscriptions=given))
    send(made, "cus_9")
    for most, archived in ((1, 0), (5, 1)):
        made.server.log.clear()
        found = samples(sample(run, made, most))
        calls = found["calls"]
        assert (calls["customers"], calls["used"], calls["unused"]) == (2, 1, 0)
        assert calls["more"] is not bool(archived)
        assert asked(made)["subscriptions"] == 2 + archived
        assert found["seats"]["customers"] == 0


def test_an_archived_price_is_read_once(world, run):
    """`prices: required` reads whether it is in use, and the sample its customers."""
    required = CALLS.replace("}}", "}, prices: required}")
    prices = [price("calls", "mtr_c", active=False)]
    made = world(required, seed("cus_1", meters=seed()["meters"][1:], prices=prices))
    assert samples(sample(run, made))["calls"]["customers"] == 1
    assert asked(made)["subscriptions"] == 2


def test_only_active_meters_that_are_declared_active_are_sampled(world, run):
    """Not an inactive, a retired, an undeclared one, nor one of two, nor another than --only's."""
    retired = SEATS.replace("seats,", "seats, status: inactive,")
    meters = [
        existing("seats", "Seats", id="mtr_s"),
        existing("calls", "Calls", "sum", status="inactive", id="mtr_c"),
        existing("other", "Other"),
        *(existing("both", "Both", id=f"mtr_{n}") for n in range(2)),
    ]
    both = SEATS.replace("seats", "both").replace("Seats", "Both")
    made = world(f"{retired}\n{CALLS}\n{both}", seed("cus_1", meters=meters))
    ran = sample(run, made)
    assert samples(ran) == {}
    said = [each["message"] for each in account_of(ran)["diagnostics"]]
    assert "sampled no usage: no meter that is declared active is active" in said
    made = world(DECLARED, seed("cus_1"))
    ran = sample(run, made, 5, "--only", "seats")
    assert (ran.code, set(samples(ran))) == (0, {"seats"})


def test_every_page_of_subscriptions_is_read_until_customers_suffice(world, run):
    """101 subscriptions of one customer are two pages; a third customer is on the second."""
    many = [subscribe("cus_1", "calls", created=1_000_000 + n) for n in range(100)]
    given = [subscribe("cus_2", "calls", created=1), *many]
    made = world(DECLARED, seed("cus_1", "cus_2", subscriptions=given))
    assert samples(sample(run, made, 2))["calls"]["unused"] == 2
    assert asked(made)["subscriptions"] == 3


@pytest.mark.parametrize("status", [404, 400])
def test_a_customer_that_stripe_refuses_ends_nothing(status, world, run, clock):
    """It is counted, and the others are read."""
    new = subscribe("cus_2", "calls", created=int(clock.now()) - 60)
    given = [subscribe("cus_1", "calls"), new]
    made = world(DECLARED, seed("cus_1", "cus_2", subscriptions=given))
    made.server.arm(f"garbage:status={status}:path=*/event_summaries:times=1")
    ran = sample(run, made)
    assert suspicions(ran) == [("calls", "no_usage", "low")]
    assert (samples(ran)["calls"]["refused"], samples(ran)["calls"]["unused"]) == (1, 1)
    message = account_of(ran)["findings"][0]["message"]
    assert "(of 2 with a subscription to its prices; 1 subscribed in this time; 1 could" in message
    assert account_of(ran)["complete"] is True


def test_a_customer_deleted_meanwhile_ends_nothing(world, run):
    made = world(DECLARED, seed("cus_1"))
    deleted = made.at(lambda: client(made).v1.customers.delete("cus_1"), "GET", "/event_summaries")
    ran = sample(run, made)
    assert deleted
    assert (ran.code, samples(ran)["calls"]["refused"]) == (0, 1)
    said = [each for each in account_of(ran)["diagnostics"] if each["code"] == "D020"]
    assert "'calls' (Stripe refused 1 request)" in said[0]["message"]


@pytest.mark.parametrize(
    ("may", "missing"),
    [
        (READ, "subscription_read"),
        (READ | {"subscription_read"}, "billing_meter_event_read"),
        (READ - {"plan_read"}, "plan_read"),
    ],
)
def test_a_missing_permission_is_named_and_changes_no_verdict(may, missing, world, run):
    """The report is incomplete; where prices are missing too, that decides the exit code."""
    settings = Settings(keys=(Key(KEY, frozenset(may)),))
    made = world(DECLARED, seed("cus_1"), settings=settings)
    without = run("drift", made.folder, "--format", "json")
    ran = sample(run, made)
    assert ran.code == without.code
    assert account_of(ran)["complete"] is False
    assert "usage_sample" not in account_of(ran)
    said = {each["code"]: each for each in account_of(ran)["diagnostics"]}
    assert (said["D107"]["level"], missing in said["D107"]["message"]) == ("warning", True)


@pytest.mark.parametrize("number", ["0", "101", "-1", "many", "1.5", "", "1" * 5000, "٣"])
def test_a_wrong_number_is_wrong_usage(number, world, run):
    made = world(DECLARED, seed())
    ran = run("drift", made.folder, f"--sample-usage={number}")
    assert ran.code == 64
    assert "is not a whole number from 1 to 100" in ran.out + ran.err
    assert len(made.server.log) == 0


@pytest.mark.parametrize("format_", [each for each in FORMATS if each != "codequality"])
def test_every_format_states_the_coverage_and_none_says_all_clear(format_, world, run):
    """With a suspicion, and without one."""
    made = world(DECLARED, seed("cus_1", "cus_2"))
    for code, requests, result in ((2, 5, "no usage"), (0, 4, "has usage")):
        ran = run("drift", made.folder, "--sample-usage", "2", "--format", format_)
        said = " ".join(ran.out.replace("\\_", "_").replace("&#x27;", "'").split())
        assert ran.code == code
        assert "sampled the usage of 1 meter with up to 2 customers each, from 20" in said
        assert f"by {requests} requests: 'calls' ({result}: " in said
        assert "; not sampled: 'seats' (no subscription to its prices)" in said
        assert "Usage was only sampled" in said or format_ in ("json", "sarif", "junit")
        send(made, "cus_1")


def test_an_exemption_covers_a_suspicion(world, run):
    made = world(DECLARED, seed("cus_1"))
    project = (made.folder / "reconciler.yaml").read_text("utf-8")
    for kind, code in (("zero_usage", 2), ("no_usage", 0)):
        entry = f"{{event_name: calls, kind: {kind}, reason: beta, until: '2027-12-31'}}"
        made.file("reconciler.yaml", f"{project}ignore: [{entry}]\n")
        assert sample(run, made).code == code


def test_a_suspicion_does_not_fail_a_run_that_asks_for_more(world, run):
    made = world(DECLARED, seed("cus_1"))
    assert sample(run, made, 1, "--fail-on", "high").code == 0


def test_each_account_has_its_own_sample(world, run, monkeypatch):
    made = world(DECLARED, seed("cus_1"))
    made.add_account("other", "OTHER_KEY")
    ran = run("drift", made.folder, "--account", "*", "--sample-usage", "1", "--format", "json")
    first, second = json.loads(ran.out)["accounts"]
    assert first["usage_sample"]["requests"] == 4
    assert "usage_sample" not in second


def test_an_account_with_an_emulator_is_sampled(tmp_path, run):
    (tmp_path / "seed.json").write_text(json.dumps(seed("cus_1")), "utf-8")
    text = "version: 1\nmeters: [m.yaml]\naccounts: {local: {emulator: e.json, seed: seed.json}}\n"
    (tmp_path / "reconciler.yaml").write_text(text, "utf-8")
    (tmp_path / "m.yaml").write_text(f"version: 1\nmeters: [{SEATS}, {CALLS}]\n", "utf-8")
    ran = run("drift", tmp_path, "--sample-usage", "1")
    assert ran.code == 2
    assert "1 sampled customer of mtr_c" in " ".join(ran.out.split())


def test_the_verdict_tells_a_suspicion_from_a_difference(world, run):
    """What a sample suspects is not said to be otherwise than declared."""
    made = world(DECLARED, seed("cus_1"))
    ran = run("drift", made.folder, "--sample-usage", "1")
    assert "\nSuspicion: usage of 1 event_name may not arrive.\n1 low, 1 without" in ran.out
    made.write(DECLARED.replace("Seats", "Chairs"))
    ran = run("drift", made.folder, "--sample-usage", "1")
    said = "Drift: 1 event_name not as declared; usage of 1 event_name may not arrive."
    assert said in " ".join(ran.out.split())


def test_a_signal_ends_a_sample(world, run):
    made = world(DECLARED, seed("cus_1", "cus_2"))
    happened = made.at(lambda: made.interrupt(signal.SIGINT), "GET", "/event_summaries")
    assert sample(run, made).code == 130
    assert happened
    assert asked(made)["event_summaries"] < 2


def test_rejected_usage_explains_why_there_is_none(world, run):
    """The sample is stated, and the verdict is about what was rejected."""
    made = world(DECLARED, seed("cus_1"))
    send(made, "cus_1", "many")
    ran = run("drift", made.folder, "--sample-usage", "1")
    assert "no_usage" not in ran.out
    assert "(no usage: 1 of at least 1 customer)" in " ".join(ran.out.split())
    assert "\nDrift: usage of 1 event_name was rejected.\n1 revenue, 1 without" in ran.out
    send(made, "cus_1", "0")
    ran = sample(run, made, 1)
    assert {kind for _, kind, _ in suspicions(ran)} == {"usage_rejected", "zero_usage"}
