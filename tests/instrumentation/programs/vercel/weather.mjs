// A question with one call of a tool, by the Vercel AI SDK, told over OTLP.

import { createOpenAI } from "@ai-sdk/openai";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { BatchSpanProcessor, NodeTracerProvider } from "@opentelemetry/sdk-trace-node";
import { generateText, stepCountIs, tool } from "ai";
import { z } from "zod";

const provider = new NodeTracerProvider({ spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())] });
provider.register();

const openai = createOpenAI({ baseURL: process.env.OPENAI_BASE_URL });
await generateText({
  model: openai.chat("gpt-4o"),
  prompt: "What is the weather in Paris?",
  stopWhen: stepCountIs(3),
  tools: {
    get_weather: tool({
      description: "The weather in a city",
      inputSchema: z.object({ city: z.string() }),
      execute: async ({ city }) => `sunny in ${city}`,
    }),
  },
  experimental_telemetry: {
    isEnabled: true,
    functionId: "weather",
    metadata: { userId: "u-1", sessionId: "s-1" },
  },
});
await provider.shutdown();
