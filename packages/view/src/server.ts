/** A server of its own for the viewer, on loopback. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { ReadableStream as NodeStream } from "node:stream/web";
import { isLoopback, listen, UserError } from "@mm/run";

export type Answer = (request: Request) => Promise<Response>;

export interface RunningViewer {
  readonly url: string;
  stop(): Promise<void>;
}

const LOOPBACK_NAME = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:\d+)?$/i;

/**
 * Listens until it is stopped.
 *
 * @param settings.port 0 takes any free one
 * @throws UserError when the address is taken, or others could reach it
 */
export async function serveOnLoopback(
  answer: Answer,
  { host, port }: { host: string; port: number },
): Promise<RunningViewer> {
  if (!isLoopback(host))
    throw new UserError(`Expected a loopback address for the viewer, which asks nobody for a key, found ${host}.`, {
      hint: "Keep 127.0.0.1 and reach it through `ssh -L`, or write a page for others with `mm export web`.",
    });
  const server = createServer((incoming, outgoing) => void respond(answer, incoming, outgoing));
  const url = await listen(server, { host, port });
  return {
    url: `${url}/`,
    async stop() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}

async function respond(answer: Answer, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  const gone = new AbortController();
  outgoing.on("close", () => gone.abort());
  try {
    // A web page elsewhere may point a name of its own at this machine; it is not answered.
    if (!LOOPBACK_NAME.test(incoming.headers.host ?? "")) {
      outgoing.writeHead(403).end();
      return;
    }
    const response = await answer(toRequest(incoming, gone.signal));
    outgoing.writeHead(response.status, Object.fromEntries(response.headers));
    if (response.body === null || incoming.method === "HEAD") outgoing.end();
    else await pipeline(Readable.fromWeb(response.body as NodeStream), outgoing);
  } catch (error) {
    if (gone.signal.aborted) return;
    process.stderr.write(`mm view: ${(error as Error).stack}\n`);
    if (!outgoing.headersSent) outgoing.writeHead(500);
    outgoing.end();
  }
}

function toRequest(incoming: IncomingMessage, signal: AbortSignal): Request {
  const { method = "GET", url = "/", headers } = incoming;
  const given = Object.entries(headers).flatMap(([name, value]): [string, string][] =>
    typeof value === "string" ? [[name, value]] : [],
  );
  const hasBody = method !== "GET" && method !== "HEAD";
  return new Request(new URL(url, `http://${headers.host}`), {
    method,
    headers: given,
    signal,
    ...(hasBody ? { body: Readable.toWeb(incoming) as ReadableStream, duplex: "half" } : {}),
  } as RequestInit);
}
