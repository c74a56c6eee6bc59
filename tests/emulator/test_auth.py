"""Keys, permissions, account scope, versions, URLs and limits: what comes before execution."""

import base64

import pytest
from emulator.asking import METERS, account, meter

from reconciler.emulator import Key, SettingError, parse_key
from reconciler.emulator.messages import Request

LIVE = {"account": {"id": "acct_live", "livemode": True}}
READER = Key("rk_test_reader123456", frozenset({"billing_meter_read"}))
WRITER = Key("rk_test_writer123456", frozenset({"billing_meter_write", "plan_read"}))


def asked(emulated, path=METERS, **headers):
    """A GET with exactly these headers."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return emulated.ask(Request("GET", path, "", named))


@pytest.mark.parametrize("key", ["sk_test_1", "rk_test_1", "sk_test_51Abc_x"])
def test_any_well_formed_test_key_opens_a_test_account(key):
    """As Bearer token or as the user name of Basic."""
    emulated = account()
    basic = base64.b64encode(f"{key}:".encode()).decode()
    assert asked(emulated, authorization=f"Bearer {key}").status == 200
    assert asked(emulated, authorization=f"Basic {basic}").status == 200


@pytest.mark.parametrize(
    "header",
    [
        "", "Bearer", "Bearer ", "Bearer sk_test_", "Bearer sk_prod_1", "Bearer hello",
        "Bearer pk_test_1", "Bearer sk_live_1", "Basic !!!", "Basic /w==", "Digest sk_test_1",
        "Bearer sk_test_ü",
    ],
)  # fmt: skip
def test_anything_else_is_a_401(header):
    """No key, a malformed one, and one of the other mode."""
    said = asked(account(), authorization=header)
    assert (said.status, said.error["type"]) == (401, "invalid_request_error")


def test_a_refused_key_is_masked_in_the_message():
    """As Stripe masks it: the prefix and four characters."""
    message = asked(account(), authorization="Bearer sk_live_secretsecret1234").error["message"]
    assert message == "Invalid API Key provided: sk_live_***1234"


def test_a_live_account_wants_a_live_key():
    """Prefixes tell the mode where no keys are listed."""
    live = account(seed=LIVE)
    assert asked(live, authorization="Bearer sk_live_1").status == 200
    assert asked(live, authorization="Bearer sk_test_1").status == 401


def test_listed_keys_are_the_only_ones():
    """And act on the account whatever their prefix says; an expired one is told apart."""
    keys = (Key("sk_test_known"), Key("sk_test_old", expired=True))
    live = account(seed=LIVE, keys=keys)
    assert asked(live, authorization="Bearer sk_test_known").status == 200
    assert asked(live, authorization="Bearer sk_live_other").status == 401
    assert asked(live, authorization="Bearer sk_test_old").error["code"] == "api_key_expired"


READS = frozenset({"plan_read", "event_read"})


@pytest.mark.parametrize(
    ("word", "key"),
    [
        ("sk_test_1", Key("sk_test_1")),
        ("rk_test_1=plan_read", Key("rk_test_1", frozenset({"plan_read"}))),
        (
            "rk_live_1=plan_read,event_read",
            Key("rk_live_1", frozenset({"plan_read", "event_read"})),
        ),
        ("rk_test_1=", Key("rk_test_1", frozenset())),
    ],
)
def test_a_key_as_it_is_written(word, key):
    """Without permissions it may do everything, with an empty list nothing."""
    assert parse_key(word) == key


@pytest.mark.parametrize("word", ["", "hello", "rk_test_=plan_read", "rk_test_1=plan_raed"])
def test_a_key_that_is_none_is_said(word):
    """And what a permission may be called."""
    with pytest.raises(SettingError, match=r"write it as|plan_read, plan_write"):
        parse_key(word)


PERMISSIONS = [
    (READER, "GET", METERS, None),
    (READER, "POST", METERS, "billing_meter_write"),
    (READER, "GET", "/v1/prices", "plan_read"),
    (READER, "POST", "/v1/prices", "plan_write"),
    (READER, "GET", "/v1/events", "event_read"),
    (READER, "GET", "/v1/account", "accounts_kyc_basic_read"),
    (WRITER, "GET", METERS, None),
    (WRITER, "POST", METERS, None),
    (WRITER, "GET", "/v1/prices", None),
    (WRITER, "POST", "/v1/prices", "plan_write"),
]


@pytest.mark.parametrize(("key", "method", "path", "lacks"), PERMISSIONS)
def test_a_restricted_key_may_do_what_it_may(key, method, path, lacks):
    """403 with the name of the permission; a write permission includes the read."""
    emulated = account(keys=(key,))
    emulated.headers["authorization"] = f"Bearer {key.secret}"
    said = emulated.post(path, **meter()) if method == "POST" else emulated.get(path)
    if lacks is None:
        assert said.status == 200
    else:
        assert (said.status, said.error["type"]) == (403, "invalid_request_error")
        assert f"('{lacks}') permissions on this key would allow" in said.error["message"]
        assert key.secret not in said.error["message"]


def test_a_key_does_not_show_itself():
    """Not even where settings are printed."""
    assert READER.secret not in repr(account(keys=(READER,)).state.settings)


@pytest.mark.parametrize("header", ["stripe_account", "stripe_context"])
def test_requests_may_name_this_account_and_no_other(header):
    """An account that the key has no access to is a 403."""
    emulated = account(seed={"account": {"id": "acct_1"}})
    key = {"authorization": "Bearer sk_test_1"}
    assert asked(emulated, **key, **{header: "acct_1"}).status == 200
    said = asked(emulated, **key, **{header: "acct_2"})
    assert (said.status, said.error["code"]) == (403, "account_invalid")


def test_an_organization_key_needs_context_and_version():
    """Both, on every request; a path ends in the account."""
    emulated = account(seed={"account": {"id": "acct_1"}})
    key = {"authorization": "Bearer sk_org_live_1"}
    version, context = "2026-09-30.endive", "org_1/acct_1"
    assert asked(emulated, **key, stripe_context=context).status == 400
    assert asked(emulated, **key, stripe_version=version).status == 400
    assert asked(emulated, **key, stripe_version=version, stripe_context=context).status == 200


@pytest.mark.parametrize(
    ("version", "status"),
    [
        ("2026-09-30.endive", 200), ("2020-08-27", 200), ("2025-03-31.basil; x_beta=v1", 200),
        ("endive", 400), ("2026-9-30", 400), ("2026-09-30.", 400),
    ],
)  # fmt: skip
def test_any_well_formed_version_is_taken_and_echoed(version, status):
    """A malformed one is a 400."""
    said = asked(account(), authorization="Bearer sk_test_1", stripe_version=version)
    assert said.status == status
    assert said.headers["Stripe-Version"] == version or status == 400


def test_every_answer_has_a_request_id_of_its_own():
    """Also those that are refused."""
    emulated = account()
    answers = [emulated.get(), emulated.get("/v1/nope"), asked(emulated), emulated.get()]
    ids = [said.headers["Request-Id"] for said in answers]
    assert all(each.startswith("req_") for each in ids)
    assert len(set(ids)) == 4


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/customers"), ("DELETE", f"{METERS}/mtr_1"), ("PUT", METERS), ("GET", "/"),
        ("HEAD", METERS), ("GET", f"{METERS}/a/b"), ("GET", f"{METERS}/mtr_1/deactivate"),
        ("GET", f"{METERS}/"),
    ],
)  # fmt: skip
def test_what_the_api_does_not_have_is_a_404(method, path):
    """Unknown paths and methods alike, in Stripe's words."""
    emulated = account()
    said = emulated.ask(Request(method, path, "", emulated.headers))
    assert said.status == 404
    assert said.error["message"].startswith(f"Unrecognized request URL ({method}: {path})")


def test_the_account_is_the_seeds():
    """What a client checks its key against."""
    said = account(seed={"account": {"id": "acct_9"}}).get("/v1/account")
    assert (said.json["id"], said.json["object"]) == ("acct_9", "account")


def test_more_requests_than_the_limit_are_refused():
    """A second's worth at once, then as they come back; 429 says which limit it was."""
    emulated = account(rate_limit=3)
    assert [emulated.get().status for _ in range(4)] == [200, 200, 200, 429]
    said = emulated.get()
    assert said.error["code"] == "rate_limit"
    assert said.headers["Stripe-Rate-Limited-Reason"] == "global-rate"
    assert "Retry-After" not in said.headers
    emulated.now += 0.34
    assert [emulated.get().status for _ in range(2)] == [200, 429]
    emulated.now += 60
    assert [emulated.get().status for _ in range(4)] == [200, 200, 200, 429]


def test_each_endpoint_may_have_a_limit_of_its_own():
    """All ids of one call count together; other calls go on."""
    emulated = account(endpoint_rate_limit=2)
    statuses = [emulated.get(f"{METERS}/mtr_{n}").status for n in range(3)]
    assert statuses == [404, 404, 429]
    said = emulated.get(f"{METERS}/mtr_9")
    assert said.headers["Stripe-Rate-Limited-Reason"] == "endpoint-rate"
    assert emulated.get().status == 200


def test_a_rate_limited_key_stays_free():
    """429s come before the idempotency layer."""
    emulated = account(rate_limit=1)
    emulated.get()
    assert emulated.post(key="k", **meter()).status == 429
    emulated.now += 1
    assert "idempotent-replayed" not in emulated.post(key="k", **meter()).headers
