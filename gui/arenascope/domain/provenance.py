"""Where a figure comes from. Every number shown carries one of these."""

from __future__ import annotations

from enum import StrEnum


class Provenance(StrEnum):
    """Origin of a figure, from the surest to the least sure about this device."""

    FILE = "file"  #: read from the model file
    PLANNED = "planned"  #: computed exactly from the runtime's own rules
    ESTIMATED = "estimated"  #: computed with a range
    MEASURED = "measured"  #: read on this device, in this run
