import { afterEach, describe, expect, it } from '@jest/globals';
import { DEFAULT_RUN_POLICY, canonicalJson, type Plan } from '@delta-ci/contracts';
import { DEFAULT_PLANNING_RULES, wantedPaths } from '@delta-ci/planning';
import { aChange } from '../../../test/support/made-up/change.ts';
import { aRepository } from '../../../test/support/made-up/repository.ts';
import type { PlanningOrder } from './plan-to-text.ts';
import { PlanningThreads, type PlanningBounds } from './planning-threads.ts';

/** Real threads: what a hostile repository costs, it costs its own plan. */

const change = aChange();

const opened: PlanningThreads[] = [];
afterEach(async () => {
  for (const threads of opened.splice(0)) await threads.close();
});

function threadsOf(bounds?: PlanningBounds): PlanningThreads {
  const threads = new PlanningThreads(bounds);
  opened.push(threads);
  return threads;
}

function orderFor(files: Readonly<Record<string, string>>, known: Plan | null = null): PlanningOrder {
  return { inputs: inputsFor(files), rerun: null, known };
}

function inputsFor(files: Readonly<Record<string, string>>): PlanningOrder['inputs'] {
  const entries = Object.keys(files).map((path) => ({
    path,
    mode: '100644',
    type: 'file' as const,
    blobId: '1'.repeat(40),
  }));
  return {
    repository: aRepository(),
    change,
    commit: change.head,
    tree: 'c'.repeat(40),
    head: { entries, contents: new Map(wantedPaths(entries).map((path) => [path, files[path] ?? ''])) },
    comparison: { kind: 'everything', reason: 'the branch is new' },
    policy: DEFAULT_RUN_POLICY,
    rules: DEFAULT_PLANNING_RULES,
    recipe: null,
    durations: null,
    shadow: null,
  };
}

const packageOf = (dependencies: Readonly<Record<string, string>>): string =>
  JSON.stringify({ scripts: { test: 'x' }, dependencies });

/** Every one of `members` reaches the whole of a chain of `depth` external packages. */
function longClosures(members: number, depth: number): Record<string, string> {
  const chain = Array.from({ length: depth }, (_, at): [string, unknown] => [
    `node_modules/x${at}`,
    { version: '1.0.0', dependencies: { [`x${at + 1}`]: '*' } },
  ]);
  const lock = { lockfileVersion: 3, packages: { '': {}, ...Object.fromEntries(chain) } };
  const packages = Array.from({ length: members }, (_, at): [string, string] => [
    `p${at}/package.json`,
    packageOf({ x0: '*' }),
  ]);
  return {
    'package.json': JSON.stringify({ workspaces: ['*'] }),
    'package-lock.json': JSON.stringify(lock),
    ...Object.fromEntries(packages),
  };
}

describe('planning in a thread of its own', () => {
  const unlimited = new AbortController().signal;

  it('given a sound repository, then the plan comes with its canonical text', async () => {
    const planned = await threadsOf().plan(orderFor({ 'package.json': packageOf({}) }), unlimited);
    if (!planned.ok) throw new Error(planned.message);
    expect(planned.plan.jobs.map(({ key }) => key)).toEqual(['test']);
    expect(new TextDecoder().decode(planned.text)).toBe(canonicalJson(planned.plan));
  });

  it('given a repository with nothing to run, then the reason comes back', async () => {
    expect(await threadsOf().plan(orderFor({ 'a.txt': '' }), unlimited)).toMatchObject({
      ok: false,
      code: 'nothing_to_run',
    });
  });

  it('given a repository that takes more memory than it may, then its plan alone fails, by name', async () => {
    const inputs = inputsFor(longClosures(300, 10_000));
    expect(await threadsOf({ heapMbMax: 32 }).plan({ inputs, rerun: null, known: null }, unlimited)).toMatchObject({
      ok: false,
      code: 'planning_too_large',
    });
  });

  it('given a repository that computes without end, when its time is over, then it is stopped, and others are not held up', async () => {
    const limit = new AbortController();
    const hostile = threadsOf().plan(orderFor(longClosures(300, 5_000)), limit.signal);
    const sound = await threadsOf().plan(orderFor({ 'package.json': packageOf({}) }), unlimited);
    limit.abort();
    expect(sound.ok).toBe(true);
    expect(await hostile).toMatchObject({ ok: false, code: 'planning_timed_out' });
  });

  it('given one change after another, also after one that was too large, then each gets its own plan', async () => {
    const threads = threadsOf({ heapMbMax: 32 });
    threads.warm();
    const planned = [];
    for (const files of [{ 'package.json': packageOf({}) }, longClosures(300, 10_000), { 'a.txt': '' }]) {
      planned.push(await threads.plan(orderFor(files), unlimited));
    }
    planned.push(await threads.plan(orderFor({ 'package.json': packageOf({ a: '1.0.0' }) }), unlimited));
    expect(planned.map((one) => (one.ok ? 'planned' : one.code))).toEqual([
      'planned',
      'planning_too_large',
      'nothing_to_run',
      'planned',
    ]);
  });

  it('given more plans than a thread makes, then its heir makes the next ones', async () => {
    const threads = threadsOf();
    const order = orderFor({ 'package.json': packageOf({}) });
    for (let plans = 0; plans < 102; plans += 1) expect((await threads.plan(order, unlimited)).ok).toBe(true);
  });

  it('given a time that is over already, then no thread is started', async () => {
    expect(await threadsOf().plan(orderFor({}), AbortSignal.abort())).toMatchObject({ code: 'planning_timed_out' });
  });
});
