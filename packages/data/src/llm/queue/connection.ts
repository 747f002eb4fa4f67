/** Redis and BullMQ, loaded only when a queue is asked for: both are optional. */
import { UserError } from "@mm/run";

/** The queue of a kind of jobs. */
export const queueName = (kind: string) => `mm-${kind}`;

/** Options for a connection. */
export interface RedisPlace {
  readonly host: string;
  readonly port: number;
  readonly db: number;
  readonly username?: string;
  readonly password?: string;
  readonly tls?: object;
}

/** @throws UserError for anything but redis://[user:password@]host[:port][/number], or rediss:// for TLS */
export function parseRedisUrl(url: string): RedisPlace {
  let parsed: URL | undefined;
  try {
    parsed = new URL(url);
  } catch {}
  const db = Number(parsed?.pathname.slice(1) || "0");
  if (parsed === undefined || !/^rediss?:$/.test(parsed.protocol) || parsed.hostname === "" || !Number.isInteger(db)) {
    // The text is not repeated: it may hold a password.
    throw new UserError("Expected the address of a Redis server like redis://localhost:6379/0 but found another text.");
  }
  return {
    host: parsed.hostname,
    port: Number(parsed.port || "6379"),
    db,
    ...(parsed.username !== "" && { username: decodeURIComponent(parsed.username) }),
    ...(parsed.password !== "" && { password: decodeURIComponent(parsed.password) }),
    ...(parsed.protocol === "rediss:" && { tls: {} }),
  };
}

export const describePlace = ({ host, port }: RedisPlace) => `Redis at ${host}:${port}`;

/** Checks once that the server is there, so that a wrong address is not tried for ever. */
export async function checkRedis(place: RedisPlace): Promise<void> {
  const { Redis } = await load(() => import("ioredis"));
  const redis = new Redis({ ...place, lazyConnect: true, retryStrategy: () => null, maxRetriesPerRequest: 0 });
  let fault: Error | undefined;
  redis.on("error", (error) => {
    fault = error;
  });
  try {
    await redis.connect();
    await redis.ping();
  } catch (error) {
    const reason = (fault ?? (error as Error)).message;
    throw new UserError(`Expected ${describePlace(place)} but could not use it: ${reason}.`, {
      hint: "Start one with `redis-server`, or leave --queue out to work in this process.",
    });
  } finally {
    redis.disconnect();
  }
}

export function loadBullmq(): Promise<typeof import("bullmq")> {
  return load(() => import("bullmq"));
}

async function load<Module>(importIt: () => Promise<Module>): Promise<Module> {
  try {
    return await importIt();
  } catch (error) {
    throw new UserError("Expected the packages bullmq and ioredis for --queue but they are not installed.", {
      hint: "Install them with: pnpm install --prod=false, or leave --queue out.",
      cause: error,
    });
  }
}
