/** For tests: a small corpus from a story server, in this process or in a child that can be killed. */
import { CompletionRunner } from "../../../llm/completion-runner.js";
import { localExecutor } from "../../../llm/generate.js";
import { OpenAiClient } from "../../../llm/open-ai-client.js";
import { BabiStoriesConfig } from "../config.js";
import { type Generated, generateBabiStories } from "../generate.js";
import { WorkFolder } from "../work-folder.js";

export function smallConfig(url: string, count: number, more: Record<string, unknown> = {}): BabiStoriesConfig {
  return BabiStoriesConfig.parse({
    count,
    endpoint: { url, model: "story-teller" },
    limits: { inFlight: 8, timeoutSeconds: 60, backoffSeconds: 0.01, maxBackoffSeconds: 0.05 },
    openings: { requests: 3, answers: 2 },
    names: { requests: 2, answers: 2 },
    split: { valid: 0.1 },
    ...more,
  });
}

/** All stages but the tokens, in this process. */
export async function generateHere(config: BabiStoriesConfig, path: string): Promise<Generated> {
  const folder = new WorkFolder(path);
  const client = new OpenAiClient(config.endpoint, undefined, config.limits.timeoutSeconds);
  const runner = new CompletionRunner(client, config.endpoint, config.limits);
  try {
    const executor = async () => localExecutor(runner, config.limits.inFlight);
    return await generateBabiStories(config, { folder, executor });
  } finally {
    client.close();
    folder.close();
  }
}
