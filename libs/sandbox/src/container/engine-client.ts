import { request, type IncomingMessage } from 'node:http';

/** What a container engine says of itself, as far as it matters to a sandbox. */
export type EngineFacts = {
  readonly version: string;
  readonly memoryLimit: boolean;
  readonly swapLimit: boolean;
  readonly pidsLimit: boolean;
  readonly cpuLimit: boolean;
};

/** How a container ended. */
export type ContainerEnd = { readonly exitCode: number; readonly oomKilled: boolean };

/** Every sandbox's containers carry its id under this label: they are found again by it alone. */
export const SANDBOX_LABEL = 'delta-ci.sandbox';

/** Long enough for an engine under load to make a container; streams and waits have no such limit. */
const ANSWER_WITHIN_MS = 60_000;
/** A running engine says that it is there within milliseconds. */
const PING_WITHIN_MS = 2_000;
/** More than the answer to any question we ask; what a hostile engine says beyond it is not read. */
const ANSWER_BYTES_MAX = 4 * 1024 * 1024;

type Call = {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly path: string;
  readonly body?: { readonly type: string; readonly bytes: Buffer };
  /** Null for calls that last as long as what they wait for. */
  readonly withinMs: number | null;
};

type Answer = { readonly status: number; readonly value: unknown };

const json = (value: unknown): NonNullable<Call['body']> => ({
  type: 'application/json',
  bytes: Buffer.from(JSON.stringify(value)),
});

const withQuery = (path: string, query: Readonly<Record<string, string>>): string =>
  `${path}?${new URLSearchParams(query).toString()}`;

const field = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null && name in value ? (value as Record<string, unknown>)[name] : undefined;

const textField = (value: unknown, name: string): string => {
  const found = field(value, name);
  return typeof found === 'string' ? found : '';
};

async function readAnswer(response: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > ANSWER_BYTES_MAX) throw new Error('the container engine says too much');
    chunks.push(chunk);
  }
  const text = Buffer.concat(chunks).toString('utf8');
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/**
 * The few calls of the Docker Engine API that a sandbox needs, over the engine's unix socket. What the engine refuses
 * is thrown in its own words: whoever opens a sandbox or runs a step makes a refusal of it.
 */
export class EngineClient {
  readonly socketPath: string;

  constructor(socketPath: string) {
    this.socketPath = socketPath;
  }

  /** Whether an engine answers at all. */
  async answers(): Promise<boolean> {
    try {
      const { status } = await this.call({ method: 'GET', path: '/_ping', withinMs: PING_WITHIN_MS });
      return status === 200;
    } catch {
      return false;
    }
  }

  async facts(): Promise<EngineFacts> {
    const value = await this.expect({ method: 'GET', path: '/info', withinMs: ANSWER_WITHIN_MS });
    return {
      version: textField(value, 'ServerVersion'),
      memoryLimit: field(value, 'MemoryLimit') === true,
      swapLimit: field(value, 'SwapLimit') === true,
      pidsLimit: field(value, 'PidsLimit') === true,
      cpuLimit: field(value, 'CpuCfsQuota') === true,
    };
  }

  async hasImage(name: string): Promise<boolean> {
    const path = `/images/${encodeURIComponent(name)}/json`;
    const answer = await this.call({ method: 'GET', path, withinMs: ANSWER_WITHIN_MS });
    if (answer.status !== 200 && answer.status !== 404) throw problemOf(answer);
    return answer.status === 200;
  }

  /** Makes an image of a tar archive, as it stands. */
  async importImage(repository: string, tag: string, archive: Buffer): Promise<void> {
    await this.expect({
      method: 'POST',
      path: withQuery('/images/create', { fromSrc: '-', repo: repository, tag }),
      body: { type: 'application/x-tar', bytes: archive },
      withinMs: ANSWER_WITHIN_MS,
    });
  }

  /** Makes a container and answers its id. */
  async create(name: string, settings: unknown): Promise<string> {
    const path = withQuery('/containers/create', { name });
    const value = await this.expect({ method: 'POST', path, body: json(settings), withinMs: ANSWER_WITHIN_MS });
    const id = textField(value, 'Id');
    if (id === '') throw new Error('the container engine made a container and does not say which');
    return id;
  }

  /** All output of a container from its start to its end. The stream ends with the container. */
  async attach(id: string): Promise<IncomingMessage> {
    const path = `/containers/${id}/attach?stream=1&stdout=1&stderr=1`;
    const response = await this.send({ method: 'POST', path, withinMs: null });
    if (response.statusCode === 200) return response;
    throw problemOf({ status: response.statusCode ?? 0, value: await readAnswer(response) });
  }

  async start(id: string): Promise<void> {
    await this.expect({ method: 'POST', path: `/containers/${id}/start`, withinMs: ANSWER_WITHIN_MS });
  }

  /** Ends a container at once. One that has ended already is nothing to complain about. */
  async kill(id: string): Promise<void> {
    const path = `/containers/${id}/kill?signal=SIGKILL`;
    const answer = await this.call({ method: 'POST', path, withinMs: ANSWER_WITHIN_MS });
    if (answer.status >= 400 && answer.status !== 404 && answer.status !== 409) throw problemOf(answer);
  }

  /** Starts one more program in a running container, as its user, and does not wait for it. */
  async runInside(id: string, command: readonly string[]): Promise<void> {
    const path = `/containers/${id}/exec`;
    const made = await this.expect({
      method: 'POST',
      path,
      body: json({ Cmd: command }),
      withinMs: ANSWER_WITHIN_MS,
    });
    const start = `/exec/${textField(made, 'Id')}/start`;
    await this.expect({ method: 'POST', path: start, body: json({ Detach: true }), withinMs: ANSWER_WITHIN_MS });
  }

  /** Ids of a container's processes on the engine's host; none when it has ended. */
  async processesOf(id: string): Promise<readonly number[]> {
    const { status, value } = await this.call({
      method: 'GET',
      path: `/containers/${id}/top`,
      withinMs: ANSWER_WITHIN_MS,
    });
    const [titles, rows] = [field(value, 'Titles'), field(value, 'Processes')];
    if (status !== 200 || !Array.isArray(titles) || !Array.isArray(rows)) return [];
    const at = titles.indexOf('PID');
    return rows.map((row: unknown) => Number(Array.isArray(row) ? row[at] : Number.NaN)).filter(Number.isInteger);
  }

  /** Settles when the container has ended. */
  async wait(id: string): Promise<ContainerEnd> {
    await this.expect({ method: 'POST', path: `/containers/${id}/wait`, withinMs: null });
    const value = await this.expect({ method: 'GET', path: `/containers/${id}/json`, withinMs: ANSWER_WITHIN_MS });
    const state = field(value, 'State');
    const exitCode = field(state, 'ExitCode');
    if (typeof exitCode !== 'number') throw new Error('the container engine does not say how the container ended');
    return { exitCode, oomKilled: field(state, 'OOMKilled') === true };
  }

  /** Kills and removes a container, whatever state it is in. */
  async remove(id: string): Promise<void> {
    const path = `/containers/${id}?force=1&v=1`;
    const answer = await this.call({ method: 'DELETE', path, withinMs: ANSWER_WITHIN_MS });
    // 409: somebody else is removing it.
    if (answer.status >= 400 && answer.status !== 404 && answer.status !== 409) throw problemOf(answer);
  }

  /** Ids of a sandbox's containers, running or not. */
  async containersOf(sandboxId: string): Promise<readonly string[]> {
    const filters = JSON.stringify({ label: [`${SANDBOX_LABEL}=${sandboxId}`] });
    const path = withQuery('/containers/json', { all: '1', filters });
    const value = await this.expect({ method: 'GET', path, withinMs: ANSWER_WITHIN_MS });
    return Array.isArray(value) ? value.map((each) => textField(each, 'Id')).filter((id) => id !== '') : [];
  }

  private async expect(call: Call): Promise<unknown> {
    const answer = await this.call(call);
    if (answer.status >= 400) throw problemOf(answer);
    return answer.value;
  }

  private async call(call: Call): Promise<Answer> {
    const response = await this.send(call);
    return { status: response.statusCode ?? 0, value: await readAnswer(response) };
  }

  private send({ method, path, body, withinMs }: Call): Promise<IncomingMessage> {
    const headers = {
      Host: 'engine',
      ...(body === undefined ? {} : { 'Content-Type': body.type, 'Content-Length': body.bytes.length }),
    };
    const signal = withinMs === null ? undefined : AbortSignal.timeout(withinMs);
    return new Promise((resolve, reject) => {
      const call = request({ socketPath: this.socketPath, agent: false, method, path, headers, signal }, resolve);
      call.once('error', reject);
      call.end(body?.bytes);
    });
  }
}

function problemOf({ status, value }: Answer): Error {
  const said = textField(value, 'message') || (typeof value === 'string' ? value.trim() : '');
  return new Error(`the container engine says: ${said || `status ${status}`}`);
}

/**
 * Kills and removes every container of a sandbox. Answers the ones that are still there, and the engine itself where
 * it does not answer: then nobody can tell.
 */
export async function clearContainers(socketPath: string, sandboxId: string): Promise<readonly string[]> {
  const engine = new EngineClient(socketPath);
  try {
    for (const id of await engine.containersOf(sandboxId)) await engine.remove(id);
    return (await engine.containersOf(sandboxId)).map((id) => `container ${id.slice(0, 12)}`);
  } catch {
    return [`containers of sandbox ${sandboxId}, of which the engine at ${socketPath} does not answer`];
  }
}
