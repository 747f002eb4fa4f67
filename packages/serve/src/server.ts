/** A server that listens, and stops without cutting anybody off. */
import { createAdaptorServer } from "@hono/node-server";
import type { Overflow } from "@mm/models";
import { isLoopback, listen, UserError } from "@mm/run";
import { createApp, type Mounts } from "./app.js";
import { Engine, type EngineSettings } from "./engine.js";
import type { Limits } from "./limits.js";
import type { ServedModel } from "./served-model.js";

export interface ServerSettings {
  host: string;
  /** 0 takes any free port. */
  port: number;
  overflow: Overflow;
  apiKey?: string | undefined;
  limits: Partial<Limits>;
  engine?: Partial<EngineSettings>;
  mounts?: Mounts;
}

export interface RunningServer {
  readonly url: string;
  readonly limits: Limits;
  /** Takes no more requests, lets those under way end within `graceSeconds`, then closes. */
  stop(graceSeconds: number): Promise<void>;
}

/** Milliseconds within which a request must have arrived whole. */
const REQUEST_TIMEOUT = 30_000;

export function defaultLimits({ decoder }: ServedModel): Limits {
  return {
    bodyBytes: 1 << 20,
    promptTokens: decoder.contextLength,
    completionTokens: 4096,
    choices: 128,
    concurrent: 256,
    requestsPerMinute: 0,
  };
}

/** @throws UserError when the address is taken or not allowed, or when others could reach the server without a key */
export async function startServer(model: ServedModel, settings: ServerSettings): Promise<RunningServer> {
  const { host, port, overflow, apiKey, mounts } = settings;
  const onLoopback = isLoopback(host);
  if (!onLoopback && apiKey === undefined)
    throw new UserError(`Expected an API key for a server that others can reach (${host}).`, {
      hint: "Set MM_API_KEY or --api-key-file, or bind to 127.0.0.1.",
    });
  const given = Object.fromEntries(Object.entries(settings.limits).filter(([, value]) => value !== undefined));
  const limits = { ...defaultLimits(model), ...given };
  // More than that would be told to come back later, for ever.
  limits.choices = Math.min(limits.choices, limits.concurrent);
  const service = createApp(new Engine(model, settings.engine), { limits, overflow, apiKey, onLoopback, mounts });
  const server = createAdaptorServer({
    fetch: service.app.fetch,
    serverOptions: { requestTimeout: REQUEST_TIMEOUT, headersTimeout: REQUEST_TIMEOUT },
  }) as import("node:http").Server;
  const url = await listen(server, { host, port });
  return {
    url,
    limits,
    async stop(graceSeconds) {
      service.drain();
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      const deadline = performance.now() + 1000 * graceSeconds;
      while (service.active > 0 && performance.now() < deadline)
        await new Promise((resolve) => setTimeout(resolve, 20));
      server.closeIdleConnections();
      if (service.active > 0) server.closeAllConnections();
      else setTimeout(() => server.closeAllConnections(), 200).unref();
      await closed;
    },
  };
}
