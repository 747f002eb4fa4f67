/** What the server has done, in Prometheus' text format. */

/** Upper bounds in seconds. */
const BUCKETS = [0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100];

class Histogram {
  readonly #counts = new Array<number>(BUCKETS.length).fill(0);
  #sum = 0;
  #total = 0;

  observe(seconds: number): void {
    this.#sum += seconds;
    this.#total++;
    for (const [i, bound] of BUCKETS.entries()) if (seconds <= bound) this.#counts[i]!++;
  }

  lines(name: string): string[] {
    return [
      ...BUCKETS.map((bound, i) => `${name}_bucket{le="${bound}"} ${this.#counts[i]}`),
      `${name}_bucket{le="+Inf"} ${this.#total}`,
      `${name}_sum ${this.#sum}`,
      `${name}_count ${this.#total}`,
    ];
  }
}

export class Metrics {
  readonly #requests = new Map<string, number>();
  readonly #started = performance.now();
  readonly firstToken = new Histogram();
  readonly duration = new Histogram();
  promptTokens = 0;
  generatedTokens = 0;

  countRequest(route: string, status: number): void {
    const labels = `{route="${route}",status="${status}"}`;
    this.#requests.set(labels, (this.#requests.get(labels) ?? 0) + 1);
  }

  /** @param load choices that are being written or wait */
  text(load: number): string {
    const metric = (name: string, type: string, help: string, lines: string[]) => [
      `# HELP ${name} ${help}`,
      `# TYPE ${name} ${type}`,
      ...lines,
    ];
    const one = (name: string, type: string, help: string, value: number) =>
      metric(name, type, help, [`${name} ${value}`]);
    const requests = [...this.#requests].map(([labels, count]) => `mm_requests_total${labels} ${count}`);
    return `${[
      ...metric("mm_requests_total", "counter", "Requests answered.", requests),
      ...one("mm_prompt_tokens_total", "counter", "Tokens of prompts.", this.promptTokens),
      ...one("mm_generated_tokens_total", "counter", "Tokens written.", this.generatedTokens),
      ...one("mm_choices_active", "gauge", "Texts being written or waiting.", load),
      ...metric(
        "mm_first_token_seconds",
        "histogram",
        "From the request to its first token.",
        this.firstToken.lines("mm_first_token_seconds"),
      ),
      ...metric(
        "mm_request_seconds",
        "histogram",
        "From the request to the end of its answer.",
        this.duration.lines("mm_request_seconds"),
      ),
      ...one("mm_uptime_seconds", "gauge", "Since the server started.", (performance.now() - this.#started) / 1000),
      ...one("process_resident_memory_bytes", "gauge", "Memory of the process.", process.memoryUsage.rss()),
    ].join("\n")}\n`;
  }
}
