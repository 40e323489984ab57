"""Keys anyone may have written: `input.value`, `input`, `output` and their like, on spans nobody else claims.

They are read last, and claim nothing: that a span has an `output` does not make it an AI operation. Written from what
programs that make their own spans are known to do; there is no capture of it here.
"""

from __future__ import annotations

from otel_humanloop.reading.convention import Convention, Fields, Rank
from otel_humanloop.reading.readers import arguments, structure

_INPUTS = ("input.value", "input", "inputs", "tool_arguments")
_OUTPUTS = ("output.value", "output", "outputs", "tool_response")

CONVENTION = Convention(
    name="bare",
    rank=Rank.BARE,
    keys=(*_INPUTS, *_OUTPUTS),
    fields=Fields(inputs=arguments(*_INPUTS), output=structure(*_OUTPUTS)),
)
