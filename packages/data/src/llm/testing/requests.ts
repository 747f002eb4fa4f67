/** For tests: an endpoint and limits that fit a story server nearby. */
import type { CompletionRequest } from "../completion.js";
import { EndpointConfig, LimitsConfig } from "../endpoint.js";

export const endpointAt = (url: string, more: Partial<EndpointConfig> = {}): EndpointConfig =>
  EndpointConfig.parse({ url, model: "story-teller", ...more });

/** Quick to give up and to try again. */
export const quickLimits = (more: Partial<LimitsConfig> = {}): LimitsConfig =>
  LimitsConfig.parse({ backoffSeconds: 0.01, maxBackoffSeconds: 0.1, timeoutSeconds: 60, inFlight: 16, ...more });

export const request = (id: number, more: Partial<CompletionRequest> = {}): CompletionRequest => ({
  id,
  prompt: `Write story number ${id}.`,
  opening: "Once upon a time",
  answers: 1,
  maxTokens: 512,
  seed: 1000 + id,
  ...more,
});
