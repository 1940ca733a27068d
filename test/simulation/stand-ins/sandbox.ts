import { attemptName, type InfrastructureError } from '@delta-ci/contracts';
import { Readable } from 'node:stream';
import type { CollectedFile, JobOrder, JobResult, JobSinks } from '@delta-ci/sandbox';
import { actingHost } from '../engine/engine.ts';
import { Random } from '../engine/random.ts';
import { engine, world } from '../engine/present.ts';
import { caller } from './pg.ts';
import { setTimeout as sleep } from './timers-promises.ts';

/** Stands in for the sandbox: what a job does and how it ends is drawn from the seed and the attempt's name. */

export class ProcessExecutor {
  probe() {
    return Promise.resolve({ usable: true, layers: [] });
  }
}

export class BubblewrapExecutor extends ProcessExecutor {}

export class ContainerExecutor extends ProcessExecutor {}
export class GvisorExecutor extends ProcessExecutor {}

/** Runners of the simulated world are offered no images. */
export const readImagesFile = (): Promise<never> => Promise.reject(new Error('there are no images'));

export const reapLeftovers = () => Promise.resolve({ reaped: [], leftovers: [] });

/** Jobs of the simulated world have no caches. */
export class JobCaches {
  readonly results: readonly never[] = [];

  begin(): void {}

  restore(): Promise<void> {
    return Promise.resolve();
  }

  save(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

export class CacheFailed extends Error {}

export const standBy = (): Promise<void> => Promise.resolve();

/** Its gateway would be a server of the real host. */
export const rehearse = (): Promise<void> => Promise.resolve();

/** Stands in for the runner's fetch: sources arrive after a while, or do not. */
export async function fetchSource(_git: unknown, _access: unknown, ...rest: unknown[]) {
  const signal = rest.find((one) => one instanceof AbortSignal);
  const random = actingHost()?.random ?? engine().random('fetch');
  await sleep(random.between(100, 4_000), undefined, signal === undefined ? {} : { signal }).catch(() => undefined);
  if (random.chance(world().sourceFailures)) {
    return { ok: false, error: { code: 'source_unavailable', message: 'the remote hung up' } };
  }
  return { ok: true };
}

/** What one attempt will do. */
interface Script {
  readonly outcome: JobResult['outcome'];
  readonly durationMs: number;
  readonly lines: number;
  readonly files: number;
  /** How long it goes on after it was told to stop. */
  readonly stubbornMs: number;
}

function scriptOf(random: Random): Script {
  return {
    outcome: random.chance(0.75) ? 'succeeded' : random.pick(['failed', 'failed', 'timed_out']),
    durationMs: random.chance(0.1) ? random.between(100_000, 400_000) : random.between(500, 60_000),
    lines: random.between(0, 4),
    files: random.between(0, 2),
    stubbornMs: random.chance(0.3) ? random.between(5_000, 60_000) : random.between(10, 500),
  };
}

const byHost = (signal: AbortSignal, ms: number): Promise<unknown> =>
  sleep(ms, undefined, { signal }).catch(() => undefined);

export async function runJob(_executor: unknown, order: JobOrder, sinks: JobSinks): Promise<JobResult> {
  const { DELTA_RUN_ID: runId = '', DELTA_JOB: jobKey = '', DELTA_ATTEMPT: attempt = '1' } = order.env;
  const name = attemptName({ runId, jobKey, attempt: Number(attempt) });
  const random = new Random(engine().seed, `job ${name}`);
  const script = scriptOf(random);
  const { sandboxes, removals } = world();
  sandboxes.set(name, caller());
  try {
    const problem = (await order.sourceReady) ?? null;
    if (problem !== null) return order.signal.aborted ? await stopped(script) : notJudged(problem);
    for (let line = 0; line < script.lines; line += 1) {
      await byHost(order.signal, script.durationMs / (script.lines + 1));
      if (order.signal.aborted) break;
      sinks.step(`step ${line}`);
      await sinks.output(Buffer.from(`line ${line} of ${jobKey}\n`));
    }
    await byHost(order.signal, script.durationMs / (script.lines + 1));
    if (order.signal.aborted) return await stopped(script);
    await bringFiles(order, sinks, script.files, random);
    return ended(script, random);
  } finally {
    sandboxes.delete(name);
    const host = caller();
    const removal = new Random(engine().seed, `removal ${name}`);
    const removalMs = removal.chance(0.2) ? removal.between(10_000, 300_000) : removal.between(5, 2_000);
    const neverEnds = removal.chance(0.05);
    removals.set(name, host);
    sinks.leaving?.(async () => {
      await (neverEnds ? new Promise(() => undefined) : sleep(removalMs));
      removals.delete(name);
      return [];
    });
  }
}

async function stopped({ stubbornMs }: Script): Promise<JobResult> {
  await sleep(stubbornMs);
  return { outcome: 'canceled', exitCode: null, signal: 'SIGTERM', steps: [], infrastructureError: null, remarks: [] };
}

async function bringFiles(order: JobOrder, sinks: JobSinks, files: number, random: Random): Promise<void> {
  const [request] = order.job.artifacts;
  if (request === undefined) return;
  for (let index = 0; index < files; index += 1) {
    const bytes = Buffer.from(`file ${index} ${random.bits()}`);
    const content = Readable.from([bytes]);
    const file: CollectedFile = { path: `out/${index}.txt`, sizeBytes: bytes.byteLength, executable: false, content };
    await sinks.artifact(request, file);
  }
}

function notJudged(infrastructureError: InfrastructureError): JobResult {
  return { outcome: 'failed', exitCode: null, signal: null, steps: [], infrastructureError, remarks: [] };
}

function ended({ outcome }: Script, random: Random): JobResult {
  const infrastructure = outcome === 'failed' && random.chance(0.5);
  const infrastructureError = infrastructure
    ? { code: 'workspace_failed' as const, message: 'the disk is full' }
    : null;
  const exitCode = outcome === 'succeeded' ? 0 : 1;
  return { outcome, exitCode, signal: null, steps: [], infrastructureError, remarks: [] };
}
