"""A chat through LlamaIndex, under OpenInference."""

from __future__ import annotations

import os

from llama_index.llms.openai import OpenAI
from openinference.instrumentation.llama_index import LlamaIndexInstrumentor
from provider import provide

LlamaIndexInstrumentor().instrument(tracer_provider=provide())
OpenAI(model="gpt-4o", api_base=os.environ["OPENAI_BASE_URL"]).complete("What is the weather in Paris?")
