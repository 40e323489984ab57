"""Hugging Face's smolagents, by OpenInference's instrumentation.

https://huggingface.co/docs/smolagents/tutorials/inspect_runs

It follows `openinference`; beside it an agent's task and how many steps it was allowed.
"""

from __future__ import annotations

from otel_humanloop.reading.convention import Convention, Fields, Rank
from otel_humanloop.reading.readers import gathered, integer, structure, text

CONVENTION = Convention(
    name="smolagents",
    rank=Rank.FRAMEWORK,
    scopes=("openinference.instrumentation.smolagents",),
    keys=("smolagents.",),
    fields=Fields(
        inputs=gathered({"task": text("smolagents.task")}),
        parameters=gathered(
            {
                "max_steps": integer("smolagents.max_steps"),
                "tools": structure("smolagents.tools_names"),
            }
        ),
    ),
)
