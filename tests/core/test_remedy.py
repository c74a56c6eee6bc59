"""A line of YAML that is handed out says exactly what the account has, whatever that is."""

from __future__ import annotations

import yaml
from core.worlds import live, priced, stopped
from hypothesis import given
from hypothesis import strategies as st

from reconciler.remedy import declaration_line, named_line

TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=50)


@given(TEXT, TEXT, TEXT)
def test_a_declaration_reads_back_as_the_meter(name, display, key):
    """Quotes, colons, control and bidirectional characters included."""
    meter = live(name=name, display=display, value_key=key, customer_key=key)
    line = declaration_line(meter)
    (entry,) = yaml.safe_load(line)
    assert "\n" not in line
    assert line.isprintable()
    wanted = {k: v for k, v in meter.meter.as_api().items() if k in entry}
    assert entry == wanted
    assert entry["event_name"] == name


def test_a_stopped_meter_is_declared_so_with_its_prices():
    """The declaration changes nothing in the account."""
    (entry,) = yaml.safe_load(declaration_line(stopped(), priced("p@mtr_i")["mtr_i"]))
    assert entry["status"] == "inactive"
    assert entry["accepts"] == {"active_prices": ["p"]}


@given(TEXT)
def test_a_name_reads_back(display):
    """The line stands under a meter of a file."""
    assert yaml.safe_load(named_line(live(display=display))) == {"display_name": display}
