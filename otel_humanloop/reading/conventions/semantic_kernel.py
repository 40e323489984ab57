"""Microsoft's Semantic Kernel, in .NET and Python, with its experimental diagnostics of models.

https://learn.microsoft.com/semantic-kernel/concepts/enterprise-readiness/observability/

Spans follow `otel_genai` and `otel_genai_events`; the operations and the counts have older names. In Python, why an
answer stopped is written as the name of an enumeration's member.
"""

from __future__ import annotations

from otel_humanloop.operation import Kind
from otel_humanloop.reading.convention import Convention, Counting, Fields, Rank
from otel_humanloop.reading.readers import arguments, identifier, mapped, one_of, structure
from otel_humanloop.reading.usage import tokens

_ENUMERATION = "FinishReason."


def _reason(written: str) -> tuple[str]:
    """`FinishReason.TOOL_CALLS` by its value."""
    return (written.removeprefix(_ENUMERATION).lower() if written.startswith(_ENUMERATION) else written,)


CONVENTION = Convention(
    name="semantic_kernel",
    rank=Rank.FRAMEWORK,
    scopes=("Microsoft.SemanticKernel.", "semantic_kernel."),
    counting=Counting(prompt_includes_cache=True, output_includes_reasoning=True),
    fields=Fields(
        kind=one_of(
            {
                "chat.completions": Kind.MODEL,
                "chat.streaming_completions": Kind.MODEL,
                "text.completions": Kind.MODEL,
                "text.streaming_completions": Kind.MODEL,
                "chat_completion": Kind.MODEL,
                "streaming_chat_completion": Kind.MODEL,
            },
            "gen_ai.operation.name",
        ),
        inputs=arguments("gen_ai.tool.call.arguments"),
        output=structure("gen_ai.tool.call.result"),
        usage=tokens(
            prompt_tokens="gen_ai.response.prompt_tokens",
            output_tokens="gen_ai.response.completion_tokens",
        ),
        finish_reasons=mapped(identifier("gen_ai.response.finish_reason"), _reason),
    ),
)
