import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import { platform } from 'node:os';
import {
  DEFAULT_RUN_POLICY,
  canonicalJson,
  type Json,
  type Change,
  type IsolationTier,
  type Plan,
  type Repository,
} from '@delta-ci/contracts';
import { SnapshotReader, type SnapshotReading } from '@delta-ci/git';
import { condensed, planChange, wantedPaths, type Comparison } from '@delta-ci/planning';
import { EXIT, Problem } from '../problem.ts';
import { valueOf } from '../git-answers.ts';
import type { LocalChange } from './source/local-change.ts';

/** What planning wants of a commit. */
export const READING: SnapshotReading = { wanted: wantedPaths, kept: condensed };

export interface LocalPlan {
  readonly plan: Plan;
  readonly digest: string;
}

/** Plans with the planner that a mesh uses; only where repository and commits come from differs. */
export async function planLocally(
  change: LocalChange,
  isolation: IsolationTier,
  signal: AbortSignal,
): Promise<LocalPlan> {
  const snapshots = new SnapshotReader(change.snapshot.reader, READING);
  const result = planChange({
    repository: repositoryOf(change),
    change: changeOf(change),
    commit: change.commit,
    tree: change.tree,
    head: valueOf(await snapshots.read(change.tree, { signal })),
    comparison: await comparisonOf(change, snapshots, signal),
    policy: DEFAULT_RUN_POLICY,
    rules: {
      pool: 'local',
      os: platform() === 'darwin' ? 'darwin' : 'linux',
      trustedIsolation: isolation,
      untrustedEgress: [],
      requireToolchains: false,
      runsHere: true,
    },
    recipe: null,
    // Nobody measured on this machine what steps take, and nobody waits for runners.
    durations: null,
    shadow: null,
    rerun: null,
  });
  if (result.ok) return { plan: result.plan, digest: digestOf(result.plan) };
  throw new Problem(result.code, result.message, {
    exitCode: result.code === 'plan_rejected' ? EXIT.notJudged : EXIT.usage,
    next: NEXT_STEPS[result.code] ?? null,
  });
}

const NEXT_STEPS: Readonly<Record<string, string>> = {
  invalid_config: 'see the places with `delta lint`, correct them, and run this again',
  nothing_to_run: 'describe the jobs in a delta.yaml, for instance: version: 1, jobs: { test: { steps: [make test] } }',
};

function digestOf(plan: Plan): string {
  const json = canonicalJson(JSON.parse(JSON.stringify(plan)) as Json);
  return `sha256:${createHash('sha256').update(json).digest('hex')}`;
}

function repositoryOf({ repository: { root }, ref }: LocalChange): Repository {
  const name = basename(root)
    .replaceAll(/[^A-Za-z0-9._-]+/gu, '-')
    .slice(0, 200);
  const safe = /^\.*$/u.test(name) ? 'repository' : name;
  return {
    id: `local/checkout/${safe}`,
    forge: 'local',
    fullName: safe,
    cloneUrl: root.slice(0, 2_000),
    defaultBranch: ref.replace(/^refs\/heads\//u, '').slice(0, 255),
  };
}

function changeOf({ ref, base, commit, uncommitted }: LocalChange): Change {
  return {
    kind: 'manual',
    ref,
    base: base?.commit ?? null,
    head: commit,
    targetRef: null,
    pullRequest: null,
    title: uncommitted ? 'the working tree' : 'the checked-out commit',
    author: 'local',
    trust: 'trusted',
  };
}

async function comparisonOf(change: LocalChange, snapshots: SnapshotReader, signal: AbortSignal): Promise<Comparison> {
  const { base, commit, snapshot, everything } = change;
  if (base === null) return { kind: 'everything', reason: everything ?? 'there is nothing to compare with' };
  const changes = valueOf(await snapshot.reader.diff(base.commit, commit, { signal }));
  return {
    kind: 'changes',
    commit: base.commit,
    snapshot: valueOf(await snapshots.read(base.commit, { signal })),
    changes,
  };
}
