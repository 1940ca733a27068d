import { zstdCompressSync } from 'node:zlib';
import { digestOf } from '@delta-ci/artifact-store';
import {
  FindCacheAnswer,
  GrantChunkAnswer,
  RegisterRunnerAnswer,
  canonicalJson,
  runStream,
  type Change,
  type Command,
} from '@delta-ci/contracts';
import { leaseHashOf } from '@delta-ci/service';
import { ATTEMPT, JOB, created, leased, oneJobPlan, planned } from '../../../../test/support/made-up/one-job-run.ts';
import { aPlannedJob } from '../../../../test/support/made-up/planned-job.ts';
import { REGISTRATION_TOKEN, json, testGateway, type TestGateway } from '../gateway.fixture.ts';

export const KEY = 'npm-packages-1';
export const PROPOSED = oneJobPlan({
  jobs: [aPlannedJob(JOB, { caches: [{ type: 'deps', key: KEY, paths: ['~/.npm'] }] })],
});
export const WITHOUT = oneJobPlan({ jobs: [aPlannedJob(JOB)] });
export const { repository } = PROPOSED.plan;
const REGISTRATION = {
  name: 'runner-1',
  pool: 'default',
  capabilities: { os: 'linux', arch: 'x64', isolation: ['process'], toolchains: [], labels: [] },
  version: '1.0.0',
};

export const PULL_REQUEST: Partial<Change> = { kind: 'pull_request', ref: 'refs/pull/7/head', pullRequest: 7 };
export const STRANGER: Partial<Change> = {
  ...PULL_REQUEST,
  ref: 'refs/pull/8/head',
  pullRequest: 8,
  trust: 'untrusted',
};

/** A chunk whose content is a text many times over, and its bytes as they are sent. */
export function chunkOf(text: string) {
  const content = Buffer.from(text.repeat(100));
  const bytes = zstdCompressSync(content);
  return { bytes, chunk: { digest: digestOf(bytes), sizeBytes: bytes.byteLength, contentBytes: content.byteLength } };
}

/** A gateway on which runs of several changes are worked on, the test deciding in the orchestrator's place. */
export class Caches {
  readonly gateway: TestGateway;
  readonly recorded: Command<'record-cache'>[] = [];
  readonly removed: Command<'remove-caches'>[] = [];
  /** What becomes of a cache that is recorded: nothing, unless a test says so. */
  whenRecorded: (command: Command<'record-cache'>) => Promise<void> = () => Promise.resolve();
  readonly #plans = new Set<typeof PROPOSED>();
  #runs = 0;

  private constructor(gateway: TestGateway) {
    this.gateway = gateway;
  }

  static async open(settings: Readonly<Record<string, string>> = {}): Promise<Caches> {
    const caches = new Caches(await testGateway(settings));
    const accepted = { ok: true, result: {}, position: 1 } as const;
    await caches.gateway.answer({
      'register-runner': ({ data: { runnerId } }) => Promise.resolve({ ok: true, result: { runnerId }, position: 1 }),
      'record-cache': async (command) => {
        caches.recorded.push(command);
        await caches.whenRecorded(command);
        return accepted;
      },
      'remove-caches': (command) => {
        caches.removed.push(command);
        return Promise.resolve(accepted);
      },
    });
    return caches;
  }

  /** A run of this change, with a runner at work that says what it wants under its lease. */
  async working(change: Partial<Change> = {}, proposed = PROPOSED, of = repository) {
    this.#runs += 1;
    const [runId, leaseId] = [`run_${String(this.#runs).repeat(32)}`, String(this.#runs).repeat(64)];
    const answer = await this.gateway.call('/runner/v1/runners', { ...json(REGISTRATION), token: REGISTRATION_TOKEN });
    const { runnerId, token } = RegisterRunnerAnswer.parse(await answer.json());
    const begun = await this.gateway.append(
      runStream(runId),
      [
        ...created(runId, of, { ...PROPOSED.plan.change, ...change }),
        ...planned(proposed),
        ...leased({ leaseHash: leaseHashOf(leaseId), runnerId }),
      ],
      this.#plans.has(proposed) ? [] : [proposed],
    );
    if (!begun.ok) throw new Error(begun.refusal.message);
    this.#plans.add(proposed);
    const call = async (path: string, init: RequestInit = {}) =>
      this.gateway.call(`/runner/v1/leases/${leaseId}/caches${path}`, { ...init, token });
    const said = async (response: Response) => {
      const body = (await response.json()) as Record<string, unknown>;
      return { status: response.status, code: (body['error'] as { code?: string } | undefined)?.code, body };
    };
    const ask = async (path: string, body: unknown) => said(await call(path, json(body)));
    return {
      runId,
      ask,
      find: async (key = KEY) => FindCacheAnswer.parse((await ask('/find', { key })).body),
      get: async (digest: string, key = KEY) => call(`/chunks/${digest}?key=${encodeURIComponent(key)}`),
      put: async (digest: string, bytes: Uint8Array) => {
        const headers = { 'content-type': 'application/octet-stream' };
        return said(await call(`/chunks?digest=${digest}`, { method: 'PUT', headers, body: Uint8Array.from(bytes) }));
      },
    };
  }

  /** As the orchestrator records it: in the log, and so for everybody to find. */
  async keep(runId: string, { data: { cache } }: Command<'record-cache'>, domain: string): Promise<void> {
    const data = { ...ATTEMPT, repository: repository.id, domain, cache };
    const answer = await this.gateway.append(runStream(runId), [{ type: 'cache.saved', data }]);
    if (!answer.ok) throw new Error(answer.refusal.message);
  }
}

export type Working = Awaited<ReturnType<Caches['working']>>;

/** Brings a chunk to the store by the way it is granted. */
export async function send(runner: Working, { bytes, chunk }: ReturnType<typeof chunkOf>): Promise<string> {
  const { digest, sizeBytes } = chunk;
  const answer = GrantChunkAnswer.parse((await runner.ask('/chunks', { digest, sizeBytes })).body);
  if (answer.stands) return 'stands';
  if (answer.grant === null) return String((await runner.put(digest, bytes)).status);
  const [request] = answer.grant.requests;
  const { method = 'PUT', url = '', headers = {} } = request ?? {};
  return `straight ${(await fetch(url, { method, headers, body: Uint8Array.from(bytes) })).status}`;
}

/** What the name of each chunk ends with that somebody of the domain has brought. */
export const ownerOf = (domain: string): string => `.${digestOf(canonicalJson([repository.id, domain])).slice(7)}`;
