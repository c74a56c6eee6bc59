"""A platform and its connected accounts: each with its own objects, keys and events."""

import pytest
import stripe
from emulator.client import METERS, account, meter
from emulator.test_stripe_client import connect

from reconciler.emulator import SeedError, Server, open_state

SEED = {
    "account": {"id": "acct_1", "name": "Platform"},
    "accounts": [
        {"account": {"id": "acct_2", "name": "Shop", "country": "DE", "created": 2_000},
         "meters": [meter("calls", id="mtr_2")]},
        {"account": {"id": "acct_3", "created": 3_000}},
    ],
}  # fmt: skip


def platform(**headers):
    emulated = account(seed=SEED)
    emulated.headers |= {name.replace("_", "-"): value for name, value in headers.items()}
    return emulated


@pytest.mark.parametrize("header", [{"stripe_account": "acct_2"}, {"stripe_context": "acct_2"},
                                    {"stripe_context": "acct_1/acct_2"}])  # fmt: skip
def test_a_header_selects_the_account(header):
    """Its meters are its own, and so are the events that tell of them."""
    connected = platform(**header)
    assert connected.get().ids == ["mtr_2"]
    assert connected.get("/v1/account").json["id"] == "acct_2"
    made = connected.post(**meter("seats")).json["id"]
    assert len(connected.get("/v1/events").ids) == 1
    connected.headers = {"authorization": "Bearer sk_test_emulator"}
    assert connected.get().ids == connected.get("/v1/events").ids == []
    assert connected.get(f"{METERS}/{made}").status == 404


def test_each_account_has_its_own_names_and_idempotency_keys():
    emulated = platform()
    first = emulated.post(key="k", **meter("calls"))
    emulated.headers["stripe-account"] = "acct_3"
    second = emulated.post(key="k", **meter("calls"))
    assert (first.status, second.status, second.replayed) == (200, 200, False)
    assert first.json["id"] != second.json["id"]
    assert emulated.post(key="k", **meter("calls")).replayed


def test_an_unknown_account_is_refused():
    for header in ("stripe_account", "stripe_context"):
        refused = platform(**{header: "acct_9"}).get()
        assert (refused.status, refused.error["code"]) == (403, "account_invalid")
        assert "does not have access to account 'acct_9'" in refused.error["message"]
    assert platform().get("/v1/accounts/acct_9").status == 403


def test_a_platform_lists_its_connected_accounts():
    emulated = platform()
    listed = emulated.get("/v1/accounts").json
    assert [each["id"] for each in listed["data"]] == ["acct_3", "acct_2"]
    assert emulated.get("/v1/accounts", limit=1, starting_after="acct_3").ids == ["acct_2"]
    assert emulated.get("/v1/accounts", created={"lt": 3_000}).ids == ["acct_2"]
    shop = emulated.get("/v1/accounts/acct_2").json
    assert (shop["business_profile"]["name"], shop["country"]) == ("Shop", "DE")
    assert emulated.get("/v1/accounts/acct_1").json == emulated.get("/v1/account").json
    emulated.headers["stripe-account"] = "acct_2"
    assert emulated.get("/v1/accounts").ids == []
    assert emulated.get("/v1/accounts/acct_3").status == 403


def test_the_stripe_package_selects_an_account():
    with open_state(None, SEED) as store, Server(store) as server:
        v1 = connect(server).v1
        assert [each.id for each in v1.accounts.list().auto_paging_iter()] == ["acct_3", "acct_2"]
        options = {"stripe_account": "acct_2"}
        (only,) = v1.billing.meters.list(options=options).data
        assert only.id == "mtr_2"
        assert v1.accounts.retrieve("acct_2").country == "DE"
        with pytest.raises(stripe.PermissionError):
            v1.billing.meters.list(options={"stripe_account": "acct_9"})
        server.edit(f"{METERS}/mtr_2", {"display_name": "Edited"}, account="acct_2")
        assert v1.billing.meters.retrieve("mtr_2", options=options).display_name == "Edited"


def test_connected_accounts_survive_a_restart(tmp_path):
    """Objects, events, ids and stored answers of each."""
    path = tmp_path / "state.db"
    with open_state(path, SEED) as store, Server(store) as server:
        options = {"stripe_account": "acct_3", "idempotency_key": "k"}
        made = connect(server).v1.billing.meters.create(meter("calls"), options)
    with open_state(path) as store, Server(store) as server:
        meters = connect(server).v1.billing.meters
        again = meters.create(meter("calls"), options)
        assert (again.id, again.last_response.headers["idempotent-replayed"]) == (made.id, "true")
        assert meters.create(meter("seats"), {"stripe_account": "acct_3"}).id != made.id
        assert store.connected["acct_2"].account.name == "Shop"
        assert store.ledger.meters == {}


@pytest.mark.parametrize(
    ("accounts", "complaint"),
    [
        ([{}], "accounts[0].account: is missing; give an object with the id"),
        ([{"account": {}}], "accounts[0].account.id: is missing; give"),
        ([{"account": {"id": "acct_1"}}], "accounts[0].account.id: 'acct_1' is used twice"),
        ([{"account": {"id": "a", "livemode": True}}], "accounts[0].account.livemode: must be the"),
        ([{"account": {"id": "a"}, "prices": [{"meter": "x"}]}],
         "accounts[0].prices[0].meter: no meter has the id or event_name 'x'"),
    ],
)  # fmt: skip
def test_a_wrong_seed_is_reported_with_its_place(accounts, complaint):
    with pytest.raises(SeedError) as caught:
        account(seed={"account": {"id": "acct_1"}, "accounts": accounts})
    assert str(caught.value).startswith(complaint)
