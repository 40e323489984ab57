// The scenarios of Humanloop's guide to sessions, with the vendor's TypeScript SDK: `node guide.js SCENARIO`.
// Prints as JSON what the SDK gave back.
const { createRequire } = require("module");
const { randomUUID } = require("crypto");
const { Humanloop } = createRequire(process.env.SDK_FOLDER + "/")("humanloop");

const userRequest = "Which country won Eurovision 2023?";
const humanloop = new Humanloop({
  apiKey: "hl_sk_test",
  basePath: process.env.HUMANLOOP_HOST,
  openaiApiKey: "sk-callers",
});

async function chain(session) {
  const moderator = await humanloop.chat({
    project: "sessions_example_moderator",
    model_config: {
      model: "gpt-4",
      temperature: 0,
      max_tokens: 1,
      chat_template: [
        { role: "user", content: "{{user_request}}" },
        { role: "system", content: "You are a moderator. Is this request abusive?" },
        { role: "system", content: "Answer Yes or No. If you are unsure, answer Yes." },
      ],
    },
    inputs: { user_request: userRequest },
    messages: [],
    ...session,
  });
  const google = await humanloop.log({
    project: "sessions_example_google",
    config: {
      name: "Google Search",
      source_code: "function search(q) {}",
      type: "tool",
      description: "Searches Google for the answer to the user's question.",
    },
    inputs: { q: userRequest },
    output: "Sweden",
    ...session,
  });
  const assistant = await humanloop.complete({
    project: "sessions_example_assistant",
    model_config: {
      prompt_template: "Question: {{user_request}}\nGoogle result: {{google_answer}}\nAnswer:\n",
      model: "text-davinci-002",
      temperature: 0,
    },
    inputs: { user_request: userRequest, google_answer: "Sweden" },
    ...session,
  });
  return {
    outputs: [moderator.data.data[0].output, "Sweden", assistant.data.data[0].output],
    google: google.data.id,
    session: google.data.session_id,
    reference: session.session_reference_id,
  };
}

const scenarios = {
  S2: () => chain({}),
  S3: () => chain({ session_reference_id: randomUUID() }),
  S4: async () => {
    const reference = randomUUID();
    const parent = randomUUID();
    const common = {
      project: "sessions_example_assistant",
      config: { model: "gpt-4", type: "model" },
      messages: [{ role: "user", content: userRequest }],
      inputs: { user_request: userRequest },
      output: "Sweden won the Eurovision Song Contest in 2023.",
      session_reference_id: reference,
    };
    await humanloop.log({ ...common, reference_id: parent });
    await humanloop.log({ ...common, parent_reference_id: parent });
    return { reference, parent };
  },
  S5: async () => {
    const reference = randomUUID().replaceAll("-", "");
    const referenceId = randomUUID().replaceAll("-", "");
    const created = await humanloop.log({
      project: "sessions_example_deferred_log",
      inputs: { input: "parent" },
      source: "sdk",
      config: {
        model: "gpt-3.5-turbo",
        max_tokens: -1,
        temperature: 0.7,
        prompt_template: "A prompt template",
        type: "model",
      },
      session_reference_id: reference,
      reference_id: referenceId,
    });
    const updated = await humanloop.logs.updateByRef({ referenceId, output: "updated parent output" });
    return { reference, ids: [created.data.id, updated.data.id] };
  },
  rest: async () => {
    const session = await humanloop.sessions.create();
    const log = (await humanloop.log({ project: "rest", config: { model: "m" }, inputs: { a: "b" }, output: "c" })).data;
    await humanloop.feedback({ type: "rating", value: "good", data_id: log.id, user: "u" });
    await humanloop.feedback([{ type: "correction", value: "d", data_id: log.id }]);
    const registered = await humanloop.modelConfigs.register({ project: "rest", model: "gpt-4", endpoint: "chat" });
    await humanloop.modelConfigs.get({ id: registered.data.config.id });
    await humanloop.projects.listConfigs({ id: log.project_id });
    await humanloop.projects.getActiveConfig({ id: log.project_id });
    await humanloop.projects.export({ id: log.project_id });
    await humanloop.projects.list({});
    await humanloop.sessions.get({ id: session.data.id });
    await humanloop.sessions.list({ projectId: log.project_id });
    const messages = [{ role: "user", content: userRequest }];
    const chatted = await humanloop.chatDeployed({ project: "rest", messages });
    const page = await humanloop.logs.list({ projectId: log.project_id, startDate: new Date(0) });
    if (page.data.records.length !== 2) throw new Error("the page holds " + page.data.records.length);
    return { project: log.project_id, log: log.id, chatted: chatted.data.data[0].output };
  },
  stream: async () => {
    const messages = [{ role: "user", content: "data: streamed" }];
    const response = await humanloop.chatStream({ project: "streamed", model_config: { model: "gpt-4" }, messages });
    const reader = response.data.getReader();
    let output = "";
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      const event = typeof next.value === "string" || next.value instanceof Uint8Array ? JSON.parse(Buffer.from(next.value).toString()) : next.value;
      output += event.output;
    }
    return { output };
  },
};

scenarios[process.argv[2]]().then(
  (result) => console.log(JSON.stringify(result)),
  (error) => {
    console.error(error);
    process.exit(1);
  }
);
