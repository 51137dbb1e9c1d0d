// What the JS SDK sees through the proxy; bench/sdk/run starts everything and calls this.
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import OpenAI from "openai";

const { PROXY, DOWN, ENGINES } = process.env;
const client = new OpenAI({ baseURL: PROXY + "/v1", maxRetries: 0 });
const messages = [{ role: "user", content: "Say something about water." }];
const tools = [{ type: "function", function: { name: "weather", parameters: { type: "object", properties: {} } } }];
const chat = (more) => client.chat.completions.create({ model: "sim", messages, max_tokens: 8, ...more });
const running = async () => {
  let sum = 0;
  for (const engine of ENGINES.split(" ")) sum += (await (await fetch(engine + "/sim/requests")).json()).running;
  return sum;
};

const checks = {
  "chat": async () => assert.equal((await chat()).usage.completion_tokens, 8),
  "chat, stream": async () => {
    let text = "", last;
    for await (last of await chat({ stream: true })) text += last.choices[0]?.delta?.content ?? "";
    assert.ok(text);
    assert.equal(last.choices[0].finish_reason, "length");
  },
  "chat, stream with usage": async () => {
    let last;
    for await (last of await chat({ stream: true, stream_options: { include_usage: true } }));
    assert.equal(last.usage.completion_tokens, 8);
  },
  "completions": async () =>
    assert.ok((await client.completions.create({ model: "sim", prompt: "Water is", max_tokens: 4 })).choices[0].text),
  "embeddings": async () =>
    assert.equal((await client.embeddings.create({ model: "sim", input: ["a", "b"] })).data.length, 2),
  "models": async () => assert.deepEqual((await client.models.list()).data.map((m) => m.id), ["sim"]),
  "tools pass through": async () => {
    const answer = await chat({ tools, tool_choice: { type: "function", function: { name: "weather" } } });
    assert.equal(answer.choices[0].message.tool_calls[0].function.name, "weather");
  },
  "unknown model: NotFoundError": () =>
    assert.rejects(chat({ model: "none" }), (e) => e instanceof OpenAI.NotFoundError && e.code === "model_not_found"),
  "bad request: BadRequestError": () => assert.rejects(chat({ max_tokens: -1 }), OpenAI.BadRequestError),
  "nothing serves: InternalServerError with status 503": () => {
    const other = new OpenAI({ baseURL: DOWN + "/v1", maxRetries: 0 });
    return assert.rejects(other.chat.completions.create({ model: "sim", messages }),
      (e) => e instanceof OpenAI.InternalServerError && e.status === 503);
  },
  "cancel in the middle reaches the engine": async () => {
    const stream = await chat({ stream: true, max_tokens: 2000 });
    for await (const _ of stream) break;
    stream.controller.abort();
    await sleep(200);
    assert.equal(await running(), 0);
  },
};

let failed = 0;
for (const [what, check] of Object.entries(checks)) {
  try {
    await check();
    console.log(`pass  js      ${what}`);
  } catch (e) {
    failed++;
    console.log(`FAIL  js      ${what}: ${e.name}: ${String(e.message).slice(0, 300)}`);
  }
}
process.exit(failed ? 1 : 0);
