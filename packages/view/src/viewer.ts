/**
 * What the viewer answers, as a function from requests to responses, so that any server can carry it:
 *
 *   GET  (the page and its files)   GET  source.json              what kind of place the page is in
 *   GET  api/runs                   GET  api/runs/NAME/points     curves, from a cursor on
 *   GET  api/models                 POST api/models/ID/QUESTION   the questions of `Inspector`, arguments as JSON
 *
 * Paths may have anything in front: `/view/api/runs` is as good as `/api/runs`.
 */
import { isUserError, RunFolder } from "@mm/run";
import type { Inspector } from "./inspector.js";
import { pageFile } from "./page-files.js";
import { questions, writingRequest } from "./questions.js";
import { newPoints, runCards } from "./run-list.js";

export interface ModelEntry {
  readonly id: string;
  readonly name: string;
  readonly kind: string;
}

export interface ViewerSettings {
  /** Folder of the built page. */
  readonly page: string;
  /** Folder of the runs whose curves are shown. */
  readonly runs: string;
  /** What can be looked into; asked anew each time, since runs come and grow. */
  models(): readonly ModelEntry[];
  /** Opens one of them, or gives the one that is open. */
  open(id: string): Promise<Inspector>;
}

export type Viewer = (request: Request) => Promise<Response>;

/** Longest body of a question, in bytes. */
const LONGEST_BODY = 1 << 18;

export function createViewer(settings: ViewerSettings): Viewer {
  return async (request) => {
    try {
      return await answer(request, settings);
    } catch (error) {
      if (error instanceof HttpError) return json({ error: error.message }, error.status);
      if (isUserError(error)) return json({ error: error.message, hint: error.hint }, 400);
      process.stderr.write(`mm view: ${(error as Error).stack}\n`);
      return json({ error: "The viewer failed to answer; its log says why." }, 500);
    }
  };
}

class HttpError extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

async function answer(request: Request, { page, runs, models, open }: ViewerSettings): Promise<Response> {
  const url = new URL(request.url);
  const [, route = "", id = "", question = ""] = /\/api\/(runs|models)(?:\/([^/]+)\/(\w+))?$/.exec(url.pathname) ?? [];
  const name = decoded(id);
  if (request.method === "GET" && route === "runs") {
    const cards = runCards(runs);
    if (id === "") return json(cards);
    if (question !== "points" || !cards.some((card) => card.name === name)) throw new HttpError(404, `no run ${name}`);
    return json(newPoints(RunFolder.open(`${runs}/${name}`), url.searchParams.get("cursor") ?? ""));
  }
  if (request.method === "GET" && route === "models" && id === "") return json(models());
  if (request.method === "POST" && route === "models") {
    if (!models().some((model) => model.id === name)) throw new HttpError(404, `no model ${name}`);
    return ask(question, await readBody(request), await open(name), request.signal);
  }
  if (request.method !== "GET" && request.method !== "HEAD") throw new HttpError(405, "only GET and questions by POST");
  if (url.pathname.endsWith("/source.json")) return json({ kind: "live" });
  const file = pageFile(page, url.pathname);
  if (file === undefined) throw new HttpError(404, `nothing at ${url.pathname}`);
  return file;
}

async function ask(
  question: string,
  body: Readonly<Record<string, unknown>>,
  inspector: Inspector,
  signal: AbortSignal,
): Promise<Response> {
  if (question === "card") return json(inspector.card);
  if (question === "write") {
    const { prompt, settings } = writingRequest(body);
    return streamed(inspector.write(prompt, settings, signal));
  }
  if (!Object.hasOwn(questions, question)) throw new HttpError(404, `no question ${question}`);
  return json(await questions[question]!(inspector, body));
}

/** Web pages of other origins may send other types without asking; JSON they may not. */
async function readBody(request: Request): Promise<Readonly<Record<string, unknown>>> {
  if (!/^application\/json\b/i.test(request.headers.get("content-type") ?? ""))
    throw new HttpError(415, "expected a body of type application/json");
  if (Number(request.headers.get("content-length") ?? 0) > LONGEST_BODY)
    throw new HttpError(413, "the body is too long");
  const text = await request.text();
  if (text.length > LONGEST_BODY) throw new HttpError(413, "the body is too long");
  try {
    const body: unknown = JSON.parse(text);
    if (typeof body === "object" && body !== null && !Array.isArray(body)) return body as Record<string, unknown>;
  } catch {}
  throw new HttpError(400, "expected a JSON object");
}

/** Pieces of text as JSON strings, one a line. An error is an object with its message. */
function streamed(pieces: AsyncIterable<string>): Response {
  const encoder = new TextEncoder();
  const iterator = pieces[Symbol.asyncIterator]();
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done, value } = await iterator.next();
        // Lets other requests have their turn: a model computes without a pause.
        await new Promise((resolve) => setImmediate(resolve));
        if (done) controller.close();
        else controller.enqueue(encoder.encode(`${JSON.stringify(value)}\n`));
      } catch (error) {
        controller.enqueue(encoder.encode(`${JSON.stringify({ error: (error as Error).message })}\n`));
        controller.close();
      }
    },
    async cancel() {
      await iterator.return?.();
    },
  });
  return new Response(body, { headers: { "content-type": "application/x-ndjson", "cache-control": "no-store" } });
}

function json(value: unknown, status = 200): Response {
  return Response.json(value, {
    status,
    headers: { "cache-control": "no-store", "x-content-type-options": "nosniff" },
  });
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw new HttpError(400, "the address is not properly encoded");
  }
}
