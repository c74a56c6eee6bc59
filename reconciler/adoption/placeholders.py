"""Fill in the templates of pipelines, in which `$` and braces have a meaning of their own."""

from __future__ import annotations

import re
from collections.abc import Mapping


def fill(template: str, values: Mapping[str, str]) -> str:
    """Return the template with each placeholder replaced; a value is not searched for others."""
    return re.sub("|".join(map(re.escape, values)), lambda found: values[found[0]], template)
