/** Who may speak to the server. */
import { createHash, timingSafeEqual } from "node:crypto";
import { getConnInfo } from "@hono/node-server/conninfo";
import type { MiddlewareHandler } from "hono";
import { ApiError } from "./api-error.js";
import type { RateLimiter } from "./limits.js";

const digest = (text: string) => createHash("sha256").update(text).digest();

/** Asks for `Authorization: Bearer KEY`, where there is a key. */
export function requireKey(key: string | undefined): MiddlewareHandler {
  const expected = key === undefined ? undefined : digest(key);
  return async (context, next) => {
    const given = /^Bearer (.+)$/.exec(context.req.header("authorization") ?? "")?.[1];
    if (expected !== undefined && (given === undefined || !timingSafeEqual(digest(given), expected)))
      throw new ApiError(401, "Expected a valid API key in the Authorization header.", { code: "invalid_api_key" });
    await next();
  };
}

const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:\d+)?$/i;

/** A server on loopback answers only to loopback names, so that no web page reaches it through a name of its own. */
export function requireLoopbackName(onLoopback: boolean): MiddlewareHandler {
  return async (context, next) => {
    const host = context.req.header("host") ?? "";
    if (onLoopback && !LOOPBACK.test(host)) throw new ApiError(403, `Expected a loopback name, found ${host}.`);
    await next();
  };
}

export function limitRate(limiter: RateLimiter): MiddlewareHandler {
  return async (context, next) => {
    const wait = limiter.take(getConnInfo(context).remote.address ?? "unknown");
    if (wait > 0)
      throw new ApiError(429, `Too many requests; try again in ${wait} s.`, {
        code: "rate_limit_exceeded",
        retryAfter: wait,
      });
    await next();
  };
}

/** Web pages may send other types without asking; JSON they may not. */
export const requireJson: MiddlewareHandler = async (context, next) => {
  if (!/^application\/json\b/i.test(context.req.header("content-type") ?? ""))
    throw new ApiError(415, "Expected a body of type application/json.");
  await next();
};
