/** Requests to a language model as jobs of a queue. */
import { z } from "zod";
import { readApiKey } from "../api-key.js";
import { CompletionRequest } from "../completion.js";
import { CompletionRunner } from "../completion-runner.js";
import { EndpointConfig, LimitsConfig } from "../endpoint.js";
import { OpenAiClient } from "../open-ai-client.js";
import type { JobKind } from "./job-kind.js";

export const CompletionJob = z.strictObject({
  request: CompletionRequest,
  endpoint: EndpointConfig,
  limits: LimitsConfig,
});
export type CompletionJob = z.output<typeof CompletionJob>;

export const completionJobs: JobKind = {
  name: "completions",
  title: "requests to a language model (mm build-dataset babistories --queue)",
  async open({ concurrency, key }) {
    const apiKey = readApiKey(key);
    /** One runner for each endpoint with its settings: jobs of several corpora may be in the queue. */
    const runners = new Map<string, { runner: CompletionRunner; client: OpenAiClient }>();
    const runnerFor = ({ endpoint, limits }: CompletionJob) => {
      const name = JSON.stringify([endpoint, limits]);
      let found = runners.get(name);
      if (found === undefined) {
        const client = new OpenAiClient(endpoint, apiKey, limits.timeoutSeconds);
        const here = { ...limits, inFlight: Math.min(limits.inFlight, concurrency) };
        found = { client, runner: new CompletionRunner(client, endpoint, here) };
        runners.set(name, found);
      }
      return found.runner;
    };
    return {
      run(data, signal) {
        const job = CompletionJob.parse(data);
        return runnerFor(job).run(job.request, signal);
      },
      async close() {
        for (const { client } of runners.values()) client.close();
      },
    };
  },
};
