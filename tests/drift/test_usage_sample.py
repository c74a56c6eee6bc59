"""Samples of usage: which of them raise a suspicion, and what is said of them."""

from __future__ import annotations

import re

from builders.meters import NOW, declare, existing
from hypothesis import given
from hypothesis import strategies as st

from reconciler.drift.usage_sample import check_sample, describe_sampling
from reconciler.model.finding import Kind, Severity
from reconciler.model.match import match_meters
from reconciler.model.usage import UsageSample, UsageSampling

COUNTS = st.integers(0, 100)
SAMPLES = st.builds(
    UsageSample,
    meter_id=st.just("mtr_a"),
    start=st.just(NOW - 60),
    end=st.just(NOW),
    customers=st.integers(100, 2_000),
    more=st.booleans(),
    used=COUNTS,
    zero=COUNTS,
    unused=COUNTS,
    recent=COUNTS,
    refused=COUNTS,
    zero_listed=st.sampled_from([None, True, False]),
)


@given(SAMPLES, st.sampled_from(["sum", "last", "count"]))
def test_a_suspicion_needs_a_sample_without_usage_and_is_never_of_revenue(sample, formula):
    """Its kind and severity follow from the counts, and the message has every count."""
    (names,) = match_meters([declare(formula=formula)], [existing(formula=formula)])
    found = list(check_sample(names, {names.event_name: sample}, ()))
    suspicious = sample.used == 0 and sample.zero + sample.unused > 0
    assert len(found) == suspicious
    assert not list(check_sample(names, {}, ()))
    explained = list(check_sample(names, {names.event_name: sample}, ("mtr_a",)))
    assert explained == [each for each in found if each.kind == Kind.ZERO_USAGE]
    for finding in found:
        proven = sample.zero > 0 and sample.zero_listed is False
        assert (finding.kind == Kind.ZERO_USAGE) is proven
        high = proven and formula != "last"
        assert finding.severity == (Severity.HIGH if high else Severity.LOW)
        numbers = re.findall(r"\b\d[\d,]*\b", finding.message.replace(",", ""))
        shown = (sample.zero + sample.unused, sample.customers, sample.recent, sample.refused)
        assert {str(number) for number in shown if number} <= set(numbers)
        assert ("at least" in finding.message) is sample.more
        assert " may " in finding.message
        assert finding.sample is sample


@given(st.dictionaries(st.text(max_size=400), SAMPLES, min_size=1, max_size=30))
def test_the_coverage_counts_every_meter(samples):
    """Those that were sampled, and those that were not, with a few of their names."""
    sampling = UsageSampling(most=5, start=NOW - 60, end=NOW, requests=7, samples=samples)
    said = describe_sampling(sampling).message
    read = sum(sample.sampled > 0 for sample in samples.values())
    assert f"of {read} meter" in said
    assert "by 7 requests" in said
    assert ("; not sampled: " in said) is (read < len(samples))
