"""Generated code: what it does when it runs, whatever the names are."""

from __future__ import annotations

import json
import re
import subprocess
import warnings

from codegen.meters import SETS, TEXTS, build_meter
from hypothesis import given
from hypothesis import strategies as st

from reconciler import UsageEvent
from reconciler.codegen import LANGUAGES, generate
from reconciler.codegen.names import join_pascal, join_snake, join_upper, name_all


@given(
    names=st.lists(TEXTS, unique=True, max_size=20),
    join=st.sampled_from([join_upper, join_snake, join_pascal]),
)
def test_every_name_has_an_identifier_of_its_own(names, join):
    found = name_all(names, join)
    assert list(found) == names
    assert len(set(found.values())) == len(names)
    assert all(re.fullmatch("[A-Za-z][A-Za-z0-9_]*", identifier) for identifier in found.values())


@given(names=st.permutations(["a_b", "a.b", "a-b", "ab", "A_B", "seats", "1st", "meter_1st"]))
def test_an_identifier_does_not_depend_on_order_or_on_unrelated_names(names):
    every = name_all(names, join_upper)
    assert every["seats"] == "SEATS"
    assert every["a_b"] == name_all(["a_b", "a.b"], join_upper)["a_b"]
    assert len({every["1st"], every["meter_1st"]}) == 2


@given(meters=SETS, value=st.integers(0, 10**15))
def test_python_builds_the_event_of_each_meter(meters, value):
    module: dict[str, object] = {}
    exec(compile(generate(meters, "python"), "meters.py", "exec"), module)
    names = [meter.event_name for meter in meters]
    constants, functions = name_all(names, join_upper), name_all(names, join_snake)
    for meter in meters:
        build = module[f"build_{functions[meter.event_name]}"]
        amount = {meter.value_key: str(value)} if meter.value_key else {}
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            event = build("cus_1", *([value] if amount else []), timestamp=7)
        assert module[constants[meter.event_name]] == meter.event_name
        assert UsageEvent(**event).texts == event["payload"]
        assert len(event.pop("identifier")) == 36
        payload = {meter.customer_key: "cus_1", **amount}
        assert event == {"event_name": meter.event_name, "payload": payload, "timestamp": 7}
        assert bool(warned) is meter.deprecated


@given(meters=SETS)
def test_json_has_every_fact_of_each_meter(meters):
    found = json.loads(generate(meters, "json"))["meters"]
    assert [each["event_name"] for each in found] == sorted(each.event_name for each in meters)
    assert {(each["customer_key"], each["value_key"]) for each in found} == {
        (each.customer_key, each.value_key) for each in meters
    }


@given(meters=SETS)
def test_code_does_not_depend_on_the_order_of_declarations(meters):
    for language in LANGUAGES:
        assert generate(meters, language) == generate(meters[::-1], language)


def test_a_shell_reads_each_variable_as_it_is(tmp_path):
    """No name can run a command, or end its quotes."""
    names = ["seats", "a b", 'quote"d', "it's", "$(touch hit)", "`touch hit`", "back\\slash", "äß"]
    file = tmp_path / "meters.env"
    file.write_text(generate(tuple(map(build_meter, names)), "env"), "utf-8")
    command = ["sh", "-c", "set -a; . ./meters.env; env -0"]
    shell = subprocess.run(command, cwd=tmp_path, capture_output=True, check=True)
    found = dict(line.split("=", 1) for line in shell.stdout.decode().split("\0") if line)
    read = [value for name, value in found.items() if name.startswith("METER_")]
    assert sorted(read) == sorted(names)
    assert list(tmp_path.iterdir()) == [file]
