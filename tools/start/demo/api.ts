import type { FeedEvent, PlanAnswer, RunView } from '@delta-ci/contracts';

/** The public API as the demonstration uses it: with the admin's token, like any other client. */
export class Api {
  readonly #base: string;
  readonly #token: string;

  constructor(gatewayUrl: string, token: string) {
    this.#base = `${gatewayUrl}/api/v1`;
    this.#token = token;
  }

  async run(runId: string): Promise<RunView> {
    return this.#get(`/runs/${runId}`);
  }

  async plan(runId: string): Promise<PlanAnswer> {
    return this.#get(`/runs/${runId}/plan`);
  }

  async log(runId: string, jobKey: string): Promise<string> {
    const response = await this.#fetch(`/runs/${runId}/jobs/${jobKey}/log`, {});
    return response.text();
  }

  /** The run's events as they happen, from its first; ends when `signal` aborts or the caller has seen enough. */
  async *events(runId: string, signal: AbortSignal): AsyncGenerator<FeedEvent> {
    const enough = new AbortController();
    try {
      const over = AbortSignal.any([signal, enough.signal]);
      const response = await this.#fetch(`/runs/${runId}/events`, { accept: 'text/event-stream' }, over);
      if (response.body === null) return;
      let text = '';
      for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
        text += chunk;
        const blocks = text.split('\n\n');
        text = blocks.pop() ?? '';
        yield* blocks.flatMap(eventIn);
      }
    } finally {
      enough.abort();
    }
  }

  async #get<T>(path: string): Promise<T> {
    return (await (await this.#fetch(path, {})).json()) as T;
  }

  async #fetch(path: string, headers: Record<string, string>, signal?: AbortSignal): Promise<Response> {
    const response = await fetch(this.#base + path, {
      headers: { authorization: `Bearer ${this.#token}`, ...headers },
      ...(signal === undefined ? {} : { signal }),
    });
    if (!response.ok) throw new Error(`GET ${path}: HTTP ${response.status} ${(await response.text()).slice(0, 300)}`);
    return response;
  }
}

/** The event in one block of a stream of server-sent events; none in a comment. */
function eventIn(block: string): FeedEvent[] {
  const data = block.split('\n').filter((line) => line.startsWith('data:'));
  return data.length === 0 ? [] : [JSON.parse(data.map((line) => line.slice(5)).join('\n')) as FeedEvent];
}
