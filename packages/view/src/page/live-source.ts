/** The viewer's answers over HTTP. */
import type {
  HeadPlace,
  Inspector,
  ModelCard,
  PositionView,
  StoredView,
  TextView,
  UseView,
  WritingSettings,
} from "../inspector.js";
import type { NewPoints, RunCard } from "../run-list.js";
import type { ModelEntry } from "../viewer.js";
import type { Source } from "./source.js";

export function liveSource(): Source {
  return {
    place: "in mm view",
    runs: {
      list: async () => (await fetchJson("api/runs")) as RunCard[],
      points: async (name, cursor) =>
        (await fetchJson(`api/runs/${encodeURIComponent(name)}/points?cursor=${cursor}`)) as NewPoints,
    },
    models: async () => (await fetchJson("api/models")) as ModelEntry[],
    async open(id, onProgress) {
      onProgress(0, "reading the weights");
      return new RemoteInspector((await ask(id, "card", {})) as ModelCard);
    },
  };
}

class RemoteInspector implements Inspector {
  constructor(readonly card: ModelCard) {}

  read(text: string) {
    return this.#ask<TextView>("read", { text });
  }

  at(text: string, position: number) {
    return this.#ask<PositionView>("at", { text, position });
  }

  stored(text: string, position: number, place: HeadPlace) {
    return this.#ask<StoredView[]>("stored", { text, position, ...place });
  }

  uses(place: HeadPlace, slot: { bank: number; index: number }) {
    return this.#ask<UseView[]>("uses", { ...place, ...slot });
  }

  async *write(prompt: string, settings: WritingSettings, signal: AbortSignal): AsyncGenerator<string> {
    const response = await post(this.card.id, "write", { prompt, ...settings }, signal);
    let line = "";
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      const lines = (line + value).split("\n");
      line = lines.pop()!;
      for (const piece of lines.map((each) => JSON.parse(each) as string | { error: string })) {
        if (typeof piece !== "string") throw new Error(piece.error);
        yield piece;
      }
    }
  }

  async #ask<Answer>(question: string, body: object): Promise<Answer> {
    return (await ask(this.card.id, question, body)) as Answer;
  }
}

async function ask(id: string, question: string, body: object): Promise<unknown> {
  return (await post(id, question, body)).json();
}

async function post(id: string, question: string, body: object, signal?: AbortSignal): Promise<Response> {
  return checked(
    await fetch(`api/models/${encodeURIComponent(id)}/${question}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
      ...(signal === undefined ? {} : { signal }),
    }),
  );
}

export async function fetchJson(path: string): Promise<unknown> {
  return (await checked(await fetch(path))).json();
}

/** @throws Error with the sentence that the viewer answered instead */
async function checked(response: Response): Promise<Response> {
  if (response.ok) return response;
  const { error, hint } = (await response.json().catch(() => ({}))) as { error?: string; hint?: string };
  throw new Error([error ?? `The viewer answered ${response.status}.`, hint].filter(Boolean).join(" "));
}
