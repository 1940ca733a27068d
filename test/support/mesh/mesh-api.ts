import type { FeedEvent, PlanAnswer, RunAnswer, RunView } from '@delta-ci/contracts';
import { z } from 'zod';

/** An answer that says no, with the code of the refusal. */
export class CommandRefused extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(`HTTP ${status} ${code}: ${message}`);
    this.status = status;
    this.code = code;
  }
}

/** Just long enough for a gateway under load; a request that hangs must not use up a test's whole time. */
const REQUEST_LIMIT_MS = 20_000;

const Refused = z.object({ error: z.object({ code: z.string(), message: z.string() }) });

/** The public API with the administrator's token. */
export class MeshApi {
  readonly #base: string;
  readonly #token: string;

  constructor(gatewayUrl: string, token: string) {
    this.#base = `${gatewayUrl}/api/v1`;
    this.#token = token;
  }

  async run(runId: string): Promise<RunView> {
    return (await (await this.#fetch(`/runs/${runId}`)).json()) as RunView;
  }

  async plan(runId: string): Promise<PlanAnswer> {
    return (await (await this.#fetch(`/runs/${runId}/plan`)).json()) as PlanAnswer;
  }

  async log(runId: string, jobKey: string): Promise<string> {
    return (await this.#fetch(`/runs/${runId}/jobs/${jobKey}/log`)).text();
  }

  async createRun(request: { repository: string; ref: string; head: string }): Promise<string> {
    return this.#command('/runs', request);
  }

  async cancel(runId: string, reason: string): Promise<void> {
    await (await this.#fetch(`/runs/${runId}/cancel`, { method: 'POST', body: JSON.stringify({ reason }) })).text();
  }

  /** @returns the id of the new run */
  async rerun(runId: string, only: 'all' | 'failed'): Promise<string> {
    return this.#command(`/runs/${runId}/rerun`, { only });
  }

  /** The run's events so far and to come, until `enough` holds for one of them. */
  async eventsUntil(runId: string, enough: (event: FeedEvent) => boolean): Promise<FeedEvent[]> {
    const response = await this.#fetch(`/runs/${runId}/events`, { headers: { accept: 'text/event-stream' } });
    const seen: FeedEvent[] = [];
    let text = '';
    for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      text += chunk;
      const blocks = text.split('\n\n');
      text = blocks.pop() ?? '';
      for (const event of blocks.flatMap(eventIn)) {
        seen.push(event);
        if (enough(event)) return seen;
      }
    }
    return seen;
  }

  async #command(path: string, body: object): Promise<string> {
    const response = await this.#fetch(path, { method: 'POST', body: JSON.stringify(body) });
    return ((await response.json()) as RunAnswer).runId;
  }

  async #fetch(path: string, init: RequestInit = {}): Promise<Response> {
    const own = { authorization: `Bearer ${this.#token}`, 'content-type': 'application/json' };
    const response = await fetch(this.#base + path, {
      signal: AbortSignal.timeout(REQUEST_LIMIT_MS),
      ...init,
      headers: { ...own, ...(init.headers as Record<string, string> | undefined) },
    });
    if (response.ok) return response;
    const refused = Refused.safeParse(await response.json().catch(() => null));
    const { code, message } = refused.data?.error ?? { code: 'unknown', message: path };
    throw new CommandRefused(response.status, code, message);
  }
}

function eventIn(block: string): FeedEvent[] {
  const data = block.split('\n').filter((line) => line.startsWith('data:'));
  return data.length === 0 ? [] : [JSON.parse(data.map((line) => line.slice(5)).join('\n')) as FeedEvent];
}
