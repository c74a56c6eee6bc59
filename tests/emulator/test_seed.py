"""Seeds: what may be omitted, the resulting account, and how errors are reported."""

import json

import pytest
from emulator.client import METERS, account, meter

from reconciler.emulator import SeedError, open_state

INACTIVE = meter("b", status="inactive", created=2_000, updated=3_000)


def test_a_seed_describes_an_account():
    """Meters in the order of their times, prices on the meters that they name."""
    emulated = account(
        seed={
            "account": {"id": "acct_7"},
            "meters": [INACTIVE, meter("a", id="mtr_a", created=1_000)],
            "prices": [
                {"meter": "a", "id": "price_1", "product": "prod_1", "unit_amount": 9},
                {"meter": "b", "active": False, "created": 5, "currency": "eur"},
            ],
        }
    )
    newest, oldest = emulated.get().json["data"]
    assert oldest["id"] == "mtr_a"
    assert (oldest["created"], oldest["updated"]) == (1_000, 1_000)
    assert newest["status_transitions"] == {"deactivated_at": 3_000}
    assert set(newest) == set(emulated.post(**meter("c")).json)
    [price] = emulated.get("/v1/prices", recurring={"meter": "mtr_a"}).json["data"]
    assert (price["id"], price["unit_amount"], price["product"]) == ("price_1", 9, "prod_1")
    [archived] = emulated.get("/v1/prices", active=False).json["data"]
    assert (archived["recurring"]["meter"], archived["currency"]) == (newest["id"], "eur")
    assert emulated.get("/v1/account").json["id"] == "acct_7"


def test_an_inactive_meter_was_updated_when_it_was_deactivated():
    deactivated = {"status": "inactive", "status_transitions": {"deactivated_at": 9_000}}
    [made] = account(seed={"meters": [meter(created=1_000, **deactivated)]}).meters
    assert (made["updated"], made["status_transitions"]["deactivated_at"]) == (9_000, 9_000)


def test_a_seed_always_gives_the_same_account():
    """Omitted ids and times do not depend on the day."""
    seed = {"meters": [meter("a"), meter("b"), meter("a", status="inactive")]}
    meters = account(seed=seed).meters
    assert meters == account(seed=seed).meters
    assert [each["created"] - 1_735_689_600 for each in meters] == [0, 60, 120]


def test_a_listed_meter_is_a_seed_for_the_same_meter():
    """And generated ids differ from given ones."""
    shown = account(seed={"meters": [meter("a"), INACTIVE]}).meters
    assert account(seed={"meters": shown}).meters == shown
    for more in (meter("c"), meter("c", created=1)):
        assert len(account(seed={"meters": [*shown, more]}).meters) == 3
    emulated = account(seed={"meters": shown})
    emulated.create("d")
    assert len(emulated.meters) == 3


def test_two_active_meters_may_have_the_same_event_name():
    """Although the API never creates them; a price then names one by its id."""
    same_name = [meter("a", id="mtr_1"), meter("a", id="mtr_2")]
    prices = [{"meter": "mtr_2"}]
    assert len(account(seed={"meters": same_name, "prices": prices}).get(status="active").ids) == 2


def test_an_event_name_refers_to_its_active_meter():
    same_name = [meter("a", id="mtr_1", status="inactive"), meter("a", id="mtr_2")]
    emulated = account(seed={"meters": same_name, "prices": [{"meter": "a"}]})
    assert emulated.get("/v1/prices").json["data"][0]["recurring"]["meter"] == "mtr_2"


def test_a_seed_may_contain_events():
    """With the current state of the meter, and with the request that caused them."""
    events = [
        {"type": "billing.meter.deactivated", "meter": "b", "created": 1_789_999_000,
         "request": {"id": "req_1", "idempotency_key": "k"}},
        {"type": "billing.meter.created", "meter": "b", "created": 1_789_998_000},
    ]  # fmt: skip
    emulated = account(seed={"meters": [INACTIVE], "events": events})
    newest, oldest = emulated.get("/v1/events").json["data"]
    assert newest["request"] == {"id": "req_1", "idempotency_key": "k"}
    assert newest["data"] == {"object": emulated.meters[0]}
    assert oldest["request"] == {"id": None, "idempotency_key": None}


BAD = [
    ([], "seed: [] must be an object with any of account"),
    ({"metres": []}, "metres: unknown field; use any of account, accounts, meters"),
    ({"meters": {}}, "meters: {} must be an array"),
    ({"meters": [1]}, "meters[0]: 1 must be an object"),
    ({"account": {"livemode": "no"}}, "account.livemode: 'no' must be true or false"),
    ({"meters": [{"event_name": "a", "display_name": "A"}]},
     "meters[0].default_aggregation: is missing; give an object such as"),
    ({"meters": [meter(), meter(default_aggregation={"formula": "max"})]},
     "meters[1].default_aggregation.formula: 'max' must be one of count, last, sum"),
    ({"meters": [meter(event_nam="a")]}, "meters[0].event_nam: unknown field; use any of id,"),
    ({"meters": [meter("x" * 101)]}, "meters[0].event_name: "),
    ({"meters": [meter(created=True)]}, "meters[0].created: True must be a whole number"),
    ({"meters": [meter(created=1.0)]}, "meters[0].created: 1.0 must be a whole number from 0"),
    ({"prices": [{"meter": 7}]}, "prices[0].meter: 7 must be a string of 1 to 5000 characters"),
    ({"meters": [meter(livemode=True)]}, "meters[0].livemode: must be the account's, which is"),
    ({"meters": [meter(status_transitions={"deactivated_at": 5})]},
     "meters[0].status_transitions.deactivated_at: must be null while active"),
    ({"meters": [meter(id="mtr_1"), meter("b", id="mtr_1")]},
     "meters[1].id: 'mtr_1' is used twice"),
    ({"prices": [{"meter": "a"}]}, "prices[0].meter: no meter has the id or event_name 'a'"),
    ({"meters": [meter("a"), meter("a")], "prices": [{"meter": "a"}]},
     "prices[0].meter: 2 meters are named 'a'; give an id"),
    ({"events": [{"type": "x"}]}, "events[0].meter: is missing; give a string of 1 to 5000"),
]  # fmt: skip


@pytest.mark.parametrize(("seed", "complaint"), BAD, ids=[text[:40] for _, text in BAD])
def test_an_invalid_seed_is_reported_with_its_place(seed, complaint):
    with pytest.raises(SeedError) as caught:
        open_state(None, seed)
    assert str(caught.value).startswith(complaint)


def test_a_seed_may_be_a_json_file(tmp_path):
    """Errors name the file."""
    path = tmp_path / "seed.json"
    with pytest.raises(SeedError, match=r"seed\.json: cannot be read"):
        open_state(None, path)
    path.write_text("{'meters': []}")
    with pytest.raises(SeedError, match=r"seed\.json: is not JSON"):
        open_state(None, path)
    path.write_text('{"meters": [{}]}')
    with pytest.raises(SeedError, match=r"seed\.json: meters\[0\]\.event_name: is missing"):
        open_state(None, path)
    path.write_text(json.dumps({"meters": [meter()]}))
    assert len(open_state(None, str(path)).ledger.meters) == 1


def test_seeded_meters_can_be_changed_like_any_other():
    emulated = account(seed={"meters": [meter("a", id="mtr_a")]})
    assert emulated.post(f"{METERS}/mtr_a/deactivate").json["status"] == "inactive"
    assert emulated.post(**meter("a")).status == 200
    assert len(emulated.events) == 2


SHOP = {
    "meters": [meter("calls", id="mtr_1")],
    "products": [{"id": "prod_1", "name": "Calls", "default_price": "price_1"}],
    "prices": [
        {"id": "price_1", "meter": "calls", "product": "prod_1", "metadata": {"a": "b"},
         "tiers": [{"up_to": 5, "unit_amount": 2}, {"up_to": "inf", "unit_amount": 1}]},
        {"id": "price_seat", "product": "prod_seat", "unit_amount": 900, "interval_count": 3},
        {"id": "price_once", "interval": None, "unit_amount_decimal": "0.5"},
    ],
    "customers": [{"id": "cus_1", "email": "a@example.com", "default_payment_method": "pm_1"}],
    "subscriptions": [
        {"id": "sub_1", "customer": "cus_1", "items": [{"price": "price_1"}]},
        {"id": "sub_2", "status": "trialing",
         "items": [{"price": "price_seat", "quantity": 4}]},
    ],
    "alerts": [{"meter": "calls", "customer": "cus_1", "gte": 9}],
    "events": [{"type": "customer.created", "object": "cus_1", "created": 1_789_999_000}],
}  # fmt: skip


def test_a_seed_may_describe_a_shop():
    """Linked as through the API; a product that only a price names is added."""
    emulated = account(seed=SHOP)
    deep = ["customer", "items.data.price.product"]
    first = emulated.get("/v1/subscriptions/sub_1", expand=deep).json
    assert first["customer"]["email"] == "a@example.com"
    assert first["items"]["data"][0]["price"]["product"]["default_price"] == "price_1"
    second = emulated.get("/v1/subscriptions/sub_2").json
    assert (second["status"], second["items"]["data"][0]["quantity"]) == ("trialing", 4)
    assert emulated.get("/v1/products/prod_seat").json["name"] == "prod_seat"
    tiers = emulated.get("/v1/prices/price_1", expand=["tiers"]).json
    assert (tiers["billing_scheme"], len(tiers["tiers"])) == ("tiered", 2)
    once = emulated.get("/v1/prices/price_once").json
    assert (once["type"], once["unit_amount_decimal"]) == ("one_time", "0.5")
    assert emulated.get("/v1/billing/alerts", meter="mtr_1").json["data"][0]["status"] == "active"
    (event,) = emulated.get("/v1/events").json["data"]
    assert event["data"]["object"]["id"] == "cus_1"


def test_a_seeded_subscription_keeps_its_status_until_it_is_changed():
    emulated = account(seed=SHOP)
    assert emulated.get("/v1/events", type="customer.subscription.*").ids == []
    changed = emulated.post("/v1/subscriptions/sub_1", description="Main").json
    assert (changed["status"], changed["description"]) == ("active", "Main")


@pytest.mark.parametrize(
    ("name", "thing", "complaint"),
    [
        ("products", {}, "products[0].name: is missing; give"),
        ("products", {"name": "a", "id": "p", "default_price": "price_1"},
         "products[0].default_price: the product has no price with the id 'price_1'"),
        ("prices", {"tiers": [{"up_to": 5, "unit_amount": 2}]},
         "prices[0].tiers[0][up_to]: The last tier must have up_to=inf."),
        ("prices", {"meter": "calls", "interval": None}, "prices[0].meter: no meter has"),
        ("customers", {"metadata": {"a": 1}}, "customers[0].metadata.a: 1 must be a string"),
        ("customers", {"mail": "a@b"}, "customers[0].mail: unknown field"),
        ("alerts", {"meter": "calls"}, "alerts[0].meter: no meter has"),
        ("events", {"type": "x", "object": "cus_9"}, "events[0].object: nothing in the seed has"),
    ],
)  # fmt: skip
def test_a_wrong_shop_is_reported_with_its_place(name, thing, complaint):
    with pytest.raises(SeedError) as caught:
        open_state(None, {name: [thing]})
    assert str(caught.value).startswith(complaint)


@pytest.mark.parametrize(
    ("valid", "refused"),
    [({"created": 1}, {"created": 1.0}), ({"created": 1}, {"created": True})],
)
def test_a_seed_is_refused_though_it_equals_a_valid_one(valid, refused):
    """Each twice: a valid seed is validated once."""
    for _ in range(2):
        assert account(seed={"meters": [meter("a", **valid)]}).meters
        with pytest.raises(SeedError, match=r"meters\[0\]\.created: .* must be a whole number"):
            account(seed={"meters": [meter("a", **refused)]})
    with pytest.raises(SeedError, match="must be an array of meters"):
        account(seed={"meters": (meter("a", **valid),)})
