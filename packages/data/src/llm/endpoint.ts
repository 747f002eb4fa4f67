/** A server that speaks the OpenAI protocol (vLLM, llama.cpp, Mistral, OpenAI, …) and how a story is asked of it. */
import { z } from "zod";

/** The form in which Mixtral-8x7B-Instruct was asked: the answer goes on from the opening. */
export const INSTRUCT_TEMPLATE = "[INST] {prompt} [/INST] {opening}";

/** Of a server; nothing secret may stand in it, since it is shown and stored. */
export const Address = z
  .url({ protocol: /^https?$/, abort: true, error: "expected an address that begins with http:// or https://" })
  .refine((address) => {
    const { username, password, search } = new URL(address);
    return username === "" && password === "" && search === "";
  }, "expected an address without user, password or query: the key belongs in the environment");

export const EndpointConfig = z.strictObject({
  url: Address.describe("address of the API, usually ending in /v1"),
  model: z.string().min(1).describe("name of the model, as the server knows it"),
  api: z
    .enum(["completions", "chat"])
    .default("completions")
    .describe("which of the two protocols the server is asked by"),
  template: z
    .string()
    .default(INSTRUCT_TEMPLATE)
    .refine((template) => template.includes("{prompt}"), 'expected "{prompt}" in the template')
    .describe("completions: the text that the model continues, with {prompt} and {opening}"),
  prefill: z
    .enum(["continue", "prefix", "assistant", "ask"])
    .default("continue")
    .describe(
      "chat: how the opening is given: continue (vLLM), prefix (Mistral), assistant (llama.cpp and others), ask (in words, for servers without prefill)",
    ),
  temperature: z.number().min(0).default(1),
  topP: z.number().gt(0).max(1).default(1),
  maxTokensField: z.enum(["max_tokens", "max_completion_tokens"]).default("max_tokens"),
  sendSeed: z.boolean().default(true).describe("false for servers that reject a seed"),
  extra: z.record(z.string(), z.json()).default({}).describe("further fields of each request, such as top_k"),
  acceptModels: z
    .array(z.string())
    .default([])
    .describe("other names under which the answers may come; a longer form of the model's name is always accepted"),
});
export type EndpointConfig = z.output<typeof EndpointConfig>;

/** How hard the server is driven. Nothing here changes what is written. */
export const LimitsConfig = z.strictObject({
  inFlight: z.number().int().min(1).max(4096).default(64).describe("requests under way at most"),
  timeoutSeconds: z.number().positive().default(120).describe("for one whole answer"),
  attempts: z.number().int().min(1).default(8).describe("attempts before a request is put off to the next round"),
  rounds: z.number().int().min(1).default(3).describe("rounds over the requests that were put off"),
  draws: z.number().int().min(1).default(4).describe("seeds tried when answers are empty or refused"),
  backoffSeconds: z.number().positive().default(0.5).describe("first wait after a failure; it doubles"),
  maxBackoffSeconds: z.number().positive().default(60),
  breakAfter: z.number().int().min(1).default(20).describe("failures in a row after which all requests pause"),
  patienceSeconds: z.number().positive().default(600).describe("how long a dead server is waited for"),
});
export type LimitsConfig = z.output<typeof LimitsConfig>;

/** The part of an endpoint that decides what is written; where it stands and how it is reached does not. */
export function identityOf({ url: _, maxTokensField: __, acceptModels: ___, ...identity }: EndpointConfig) {
  return identity;
}

/** The text for a plain completion. Replacements are functions, so that "$&" in a prompt means nothing. */
export function fillTemplate(template: string, prompt: string, opening: string): string {
  return template.replace(/\{(prompt|opening)\}/g, (_, slot) => (slot === "prompt" ? prompt : opening)).trimEnd();
}
