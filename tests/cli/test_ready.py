"""`ready`: the gate of an application's deploy job."""

from __future__ import annotations

import pytest
from cli.world import CALLS, SEATS, existing
from published import held

from reconciler.emulator import Key, Settings

READ_ONLY = frozenset({"billing_meter_read"})
SUM = {"value_settings": {"event_payload_key": "amount"}}
ACCOUNT = [existing("seats", "Seats", id="mtr_s"), existing("calls", "Calls", "sum", id="mtr_c")]


@pytest.fixture
def ready(world, run):
    """`ready(meters, account, *words)`: the project, and the run in its folder."""

    def start(meters, account, *words, **more):
        made = world(meters, {"meters": account}, **more)
        made.server.log.clear()
        return made, run("ready", *words, "-C", made.folder)

    return start


def read(ran):
    """The state of each meter by event_name: its code, None where it is ready."""
    (account,) = held(ran.out)["accounts"]
    return {meter["event_name"]: meter["code"] for meter in account["meters"]}


def test_active_meters_with_the_declared_keys_are_ready(ready):
    _, ran = ready(f"{SEATS}\n{CALLS}", ACCOUNT)
    assert ran.code == 0
    assert "  ready      calls  mtr_c\n  ready      seats  mtr_s\n" in ran.out
    assert ran.out.endswith("Ready: 2 meters.\n")


@pytest.mark.parametrize(
    ("meter", "account", "code"),
    {
        "missing": (CALLS, [], "R001"),
        "inactive": (CALLS, [existing("calls", "Calls", "sum", status="inactive")], "R001"),
        "retired": (CALLS.replace("{", "{status: inactive, ", 1), ACCOUNT, "R002"),
        "another customer key": (
            CALLS,
            [
                existing(
                    "calls",
                    "C",
                    "sum",
                    customer_mapping={"type": "by_id", "event_payload_key": "c"},
                )
            ],
            "R003",
        ),
        "another value key": (CALLS, [existing("calls", "Calls", "sum", **SUM)], "R003"),
        "a count reads no value": (SEATS, [existing("seats", "Seats", **SUM)], None),
        "another name or window": (
            CALLS,
            [existing("calls", "Rings", "sum", event_time_window="day")],
            None,
        ),
    }.values(),
)
def test_each_reason_not_to_deploy_has_a_code(meter, account, code, ready):
    name = "calls" if "calls" in meter else "seats"
    _, ran = ready(meter, account, name, "--format", "json")
    assert (read(ran), ran.code) == ({name: code}, 2 if code else 0)


def test_a_meter_that_is_not_ready_is_explained(ready):
    _, ran = ready(CALLS, [existing("calls", "Calls", "sum", id="mtr_c", **SUM)])
    assert "value_settings.event_payload_key is 'amount', declared 'value'" in " ".join(
        ran.out.split()
    )
    assert "meters.yaml:3:" in ran.out
    assert ran.out.endswith("Not ready: 1 of 1.\n")


def test_a_meter_that_may_be_inactive_is_explained(ready):
    """Only active meters are listed, so the hint says where to look for the others."""
    _, ran = ready(CALLS, [existing("calls", "Calls", "sum", status="inactive")])
    assert "`reconciler plan` says whether an inactive meter has the event_name" in " ".join(
        ran.out.split()
    )


def test_one_listing_of_active_meters_and_a_read_only_key_are_enough(ready):
    """Inactive meters are not listed, no price is read, and nothing is written."""
    settings = Settings(keys=(Key("sk_test_emulator", READ_ONLY),))
    retired = [existing(f"old_{n}", "Old", status="inactive") for n in range(120)]
    made, ran = ready(SEATS, [*ACCOUNT, *retired], settings=settings)
    lists = made.server.log.matching("GET", "/v1/billing/meters")
    assert ran.code == 0
    assert [(entry.path, entry.params.get("status")) for entry in lists] == [
        ("/v1/billing/meters", "active")
    ]
    assert made.posts() == []


def test_a_name_that_is_not_declared_is_an_error_with_a_suggestion(ready):
    made, ran = ready(f"{SEATS}\n{CALLS}", ACCOUNT, "seats", "cals", "--format", "json")
    (account,) = held(ran.out)["accounts"]
    (problem,) = account["diagnostics"]
    assert (ran.code, problem["code"], problem["hint"]) == (1, "R005", "did you mean calls?")
    assert account["meters"] == []
    assert made.server.log.matching("GET", "/v1/billing/meters") == []


def test_the_wrong_mode_is_refused(ready):
    _, ran = ready(SEATS, ACCOUNT, "--format", "json", livemode=True)
    (account,) = held(ran.out)["accounts"]
    assert (ran.code, account["meters"]) == (3, [])
    assert [each["code"] for each in account["diagnostics"]] == ["G006"]


def test_a_key_that_may_not_tell_its_account_is_a_warning(ready, run):
    """As in a plan without changes: what cannot be confirmed refuses writes only."""
    made, _ = ready(SEATS, ACCOUNT, account_id="acct_other")
    made.server.arm("garbage:path=/v1/account:status=403")
    ran = run("ready", "-C", made.folder, "--format", "json")
    (account,) = held(ran.out)["accounts"]
    assert (ran.code, [meter["ready"] for meter in account["meters"]]) == (0, [True])
    assert [(p["code"], p["level"]) for p in account["diagnostics"]] == [("G008", "warning")]


def test_several_active_meters_are_not_ready(ready):
    """Which of them records usage is unknown."""
    twice = [existing("calls", "Calls", "sum", id=f"mtr_{n}") for n in "ab"]
    _, ran = ready(CALLS, twice, "--format", "json")
    (account,) = held(ran.out)["accounts"]
    (meter,) = account["meters"]
    (problem,) = account["diagnostics"]
    assert (ran.code, meter["ready"], meter["meter_id"], meter["code"]) == (2, False, None, "R004")
    assert problem["message"] == "'calls' has several active meters: mtr_a, mtr_b"
    assert (problem["event_name"], problem["location"]["line"]) == ("calls", 3)


def test_each_payload_key_that_differs_is_listed(ready):
    """Before as in Stripe, after as declared; the meter is named all the same."""
    mapping = {"type": "by_id", "event_payload_key": "who"}
    _, ran = ready(
        CALLS,
        [existing("calls", "Calls", "sum", id="mtr_c", customer_mapping=mapping, **SUM)],
        "--format",
        "json",
    )
    (account,) = held(ran.out)["accounts"]
    (meter,) = account["meters"]
    assert (meter["meter_id"], meter["code"]) == ("mtr_c", "R003")
    assert sorted(map(tuple, map(dict.values, meter["fields"]))) == [
        ("customer_mapping.event_payload_key", "who", "stripe_customer_id"),
        ("value_settings.event_payload_key", "amount", "value"),
    ]


def test_a_meter_that_counts_is_compared_by_its_customer_key_alone(ready):
    """Whatever the declared formula: the value key of a count is not read."""
    _, ran = ready(CALLS, [existing("calls", "Calls", "count", **SUM)])
    assert ran.code == 0
