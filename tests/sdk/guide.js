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

const noon = new Date("2024-06-01T12:00:00Z");
const model = {
  model: "gpt-4",
  provider: "openai",
  endpoint: "chat",
  max_tokens: 5,
  temperature: 0.5,
  top_p: 0.9,
  stop: ["END"],
  presence_penalty: 0.1,
  frequency_penalty: -0.1,
  other: { logit_bias: { 1: 2 } },
  chat_template: [{ role: "system", content: "Serve {{a}}" }],
  tools: [{ name: "search", description: "d", parameters: { type: "object" } }],
  description: "d",
};

// Every field that the SDK can send with a log and a call, and the methods that the guide has no use for.
async function fields() {
  const session = (await humanloop.sessions.create()).data.id;
  const common = {
    inputs: { nested: { list: [1, null, { é: "😀" }] }, none: null, zero: 0, empty: "", moment: noon },
    source: "",
    metadata: { k: { n: [1] } },
    session_id: session,
  };
  const log = (
    await humanloop.log({
      project: "fields",
      reference_id: "r",
      messages: [{ role: "user", content: "u", name: "n" }],
      output: "",
      error: "",
      config: model,
      created_at: noon,
      duration: 0,
      feedback: [{ type: "rating", value: "good", user: "u", created_at: noon }],
      save: true,
      source_datapoint_id: "evtc_1",
      judgment: ["a"],
      environment: "staging",
      stdout: "",
      output_message: { role: "assistant", content: "x", name: "n" },
      prompt_tokens: 0,
      output_tokens: 4,
      prompt_cost: 0,
      output_cost: 0.1,
      provider_request: { a: [1] },
      provider_response: { b: {} },
      ...common,
    })
  ).data;
  const called = {
    project_id: log.project_id,
    source: "s",
    metadata: { m: 1 },
    num_samples: 2,
    user: "u",
    session_id: session,
    parent_id: log.id,
    inputs: { a: "Ann" },
    save: false,
    source_datapoint_id: "evtc_1",
    seed: 3,
    return_inputs: false,
  };
  const messages = [{ role: "user", content: "Hi" }];
  const chatted = await humanloop.chat({ messages, model_config: model, tool_call: "auto", ...called });
  const completed = await humanloop.complete({
    model_config: { model: "gpt-3.5-turbo-instruct", prompt_template: "{{a}}" },
    suffix: "!",
    logprobs: 1,
    ...called,
  });
  for (const feedback of [
    { type: "rating", value: "bad" },
    { type: "rating", unset: true },
    { type: "issue", value: "slow", user: "", created_at: noon },
    { type: "of my own", value: "é", unset: false },
  ])
    await humanloop.feedback({ data_id: log.id, ...feedback });
  const config = (await humanloop.projects.getActiveConfig({ id: log.project_id })).data.config.id;
  const environments = [{ id: "env_x", name: "staging" }];
  const deployed = await humanloop.projects.deployConfig({ projectId: log.project_id, config_id: config, environments });
  await humanloop.projects.listDeployedConfigs({ id: log.project_id });
  await humanloop.chatDeployed({ project_id: log.project_id, messages: [], environment: "staging" });
  const environmentId = deployed.data[1].environment_id;
  await humanloop.projects.deleteDeployedConfig({ projectId: log.project_id, environmentId });
  await humanloop.projects.deactivateConfig({ id: log.project_id });
  await humanloop.projects.update({ id: log.project_id, active_config_id: config, name: "renamed" });
  return { log: log.id, session, chat: chatted.data.data[1].id, calls: completed.data.data.length };
}

// The SDK asks OpenAI itself with what is deployed, and logs the call while its caller goes on.
async function noProxy() {
  const prompt = { model: "gpt-4", endpoint: "complete", prompt_template: "Which is {{it}}?" };
  const registered = (await humanloop.modelConfigs.register({ project: "no proxy", ...prompt })).data;
  const project = registered.project_id;
  const answer = await humanloop.completeDeployedNoProxy({ project_id: project, inputs: { it: "yours" } });
  const logged = async () => (await humanloop.logs.list({ projectId: project })).data.records;
  for (let tries = 0; tries < 1000 && (await logged()).length === 0; tries++);
  return { output: answer.data[0].output, config: registered.config.id, logs: await logged() };
}

const scenarios = {
  fields,
  noProxy,
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
  (result) => {
    console.log(JSON.stringify(result));
    process.exit(0); // what is deployed would be looked after for ever
  },
  (error) => {
    console.error(error);
    process.exit(1);
  }
);
