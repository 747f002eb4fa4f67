/** What clients may ask for: OpenAI's request bodies, as far as a small model can answer them. */
import { z } from "zod";

const probability = z.number().min(0).max(1);
const ids = z.array(z.int().min(0));
const stop = z.union([z.string(), z.array(z.string()).max(16)]).nullish();

const shared = {
  model: z.string().optional(),
  temperature: z.number().min(0).max(100).nullish(),
  top_p: probability.nullish(),
  top_k: z.int().min(1).nullish(),
  min_p: probability.nullish(),
  repetition_penalty: z.number().positive().max(100).nullish(),
  seed: z.int().min(0).nullish(),
  n: z.int().min(1).max(64).nullish(),
  stop,
  stream: z.boolean().nullish(),
  stream_options: z.object({ include_usage: z.boolean().optional() }).nullish(),
};

/** Fields that we do not know are ignored, as clients send many; those that would change the answer are refused. */
const unsupported = z.literal(0).nullish();

export const CompletionBody = z.object({
  ...shared,
  prompt: z.union([z.string(), ids.min(1), z.array(z.string()).min(1).max(256), z.array(ids).min(1).max(256)]),
  max_tokens: z.int().min(0).nullish(),
  logprobs: z.int().min(0).max(20).nullish(),
  echo: z.boolean().nullish(),
  presence_penalty: unsupported,
  frequency_penalty: unsupported,
  suffix: z.literal("").nullish(),
});
export type CompletionBody = z.output<typeof CompletionBody>;

const content = z.union([z.string(), z.array(z.object({ type: z.literal("text"), text: z.string() }))]);

export const ChatBody = z.object({
  ...shared,
  messages: z
    .array(
      z.object({
        role: z.enum(["system", "developer", "user", "assistant"]),
        content: content.transform((value) =>
          typeof value === "string" ? value : value.map(({ text }) => text).join(""),
        ),
      }),
    )
    .min(1)
    .max(1000),
  max_tokens: z.int().min(1).nullish(),
  max_completion_tokens: z.int().min(1).nullish(),
  logprobs: z.boolean().nullish(),
  top_logprobs: z.int().min(0).max(20).nullish(),
  presence_penalty: unsupported,
  frequency_penalty: unsupported,
});
export type ChatBody = z.output<typeof ChatBody>;
export type Message = ChatBody["messages"][number];
