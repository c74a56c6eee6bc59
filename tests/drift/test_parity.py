"""Comparing accounts: every event_name once, whichever account is named first."""

from __future__ import annotations

from builders.meters import existing, inactive
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from reconciler.drift.parity import compare_accounts
from reconciler.model.comparison import Parity

NAMES = st.sampled_from(["a", "b", "c"])
METERS = st.builds(
    lambda name, build, formula, display: build("", name, formula=formula, display=display),
    NAMES,
    st.sampled_from([existing, existing, inactive]),
    st.sampled_from(["sum", "last"]),
    st.sampled_from(["A", "B"]),
)
ACCOUNT = st.lists(METERS, max_size=5).map(
    lambda meters: tuple(replace(each, id=f"mtr_{n}") for n, each in enumerate(meters))
)
MAPPINGS = st.sampled_from([{}, {"a": "b"}, {"a": "b", "b": "a"}, {"a": "c", "c": "a"}])
MIRRORED = {Parity.ONLY_A: Parity.ONLY_B, Parity.ONLY_B: Parity.ONLY_A}


@given(ACCOUNT, ACCOUNT, MAPPINGS)
def test_every_event_name_is_compared_once_and_the_order_of_accounts_does_not_matter(a, b, mapping):
    compared = compare_accounts(a, b, mapping)
    for meters, side in ((a, "a"), (b, "b")):
        names = [getattr(each, side).event_name for each in compared if getattr(each, side).meters]
        assert sorted(names) == sorted({meter.event_name for meter in meters})
    back = compare_accounts(b, a, {other: one for one, other in mapping.items()})
    mirrored = {(each.b.event_name, each.a.event_name): each for each in back}
    assert len(mirrored) == len(compared)
    for each in compared:
        other = mirrored[each.a.event_name, each.b.event_name]
        assert other.parity is MIRRORED.get(each.parity, each.parity)
        assert [(one.path, one.b, one.a) for one in other.fields] == [
            (one.path, one.a, one.b) for one in each.fields
        ]


@given(ACCOUNT)
def test_an_account_equals_its_copy_with_other_ids_times_and_mode(account):
    """Only several active meters of one name are a difference: they are not compared."""
    copy = tuple(
        replace(each, id=f"copy_{each.id}", created=1, updated=2, livemode=not each.livemode)
        for each in account
    )
    for each in compare_accounts(account, copy, {}):
        active = [m for m in account if m.active and m.event_name == each.a.event_name]
        wanted = (Parity.INACTIVE, Parity.SAME)[len(active)] if len(active) < 2 else None
        assert each.parity is (wanted or Parity.AMBIGUOUS)
