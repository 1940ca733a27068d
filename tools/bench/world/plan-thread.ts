import { parentPort, workerData } from 'node:worker_threads';
import { DEFAULT_RUN_POLICY } from '@delta-ci/contracts';
import {
  DEFAULT_PLANNING_RULES,
  DiscoveryMemory,
  condensed,
  planChange,
  wantedPaths,
  type PlanningInputs,
  type RepositorySnapshot,
  type SnapshotEntry,
} from '@delta-ci/planning';
import { changeOf, madeWorkspace, type Files } from './made-history.ts';

/**
 * Plans a made workspace in a thread of its own, so that nothing is compiled or remembered when it begins: first a commit
 * whose repository was never seen, then commits that follow it. Tells how long each plan took, in milliseconds; reading
 * is no part of it.
 */
export interface PlanOrder {
  readonly packages: number;
  /** As many files as the repository has at least; what is missing are sources of its packages. */
  readonly files: number;
  readonly commits: number;
}

export interface PlanTimes {
  readonly files: number;
  readonly cold: number;
  readonly warm: readonly number[];
}

// Whoever starts this thread gives it an order.
parentPort?.postMessage(timesOf(workerData as PlanOrder), []);

function timesOf({ packages, files: wanted, commits }: PlanOrder): PlanTimes {
  let files: Files = withSources(madeWorkspace(packages), packages, wanted);
  let before = snapshotOf(files, null);
  const memory = new DiscoveryMemory();
  const times = Array.from({ length: commits + 1 }, (_, at) => {
    const change = changeOf(files, at + 1, packages);
    const known = files;
    files = { ...files, ...change };
    const after = snapshotOf(files, before);
    const changes = Object.keys(change).map(
      (path) => ({ path, status: Object.hasOwn(known, path) ? 'M' : 'A' }) as const,
    );
    const startedAt = performance.now();
    const planned = planChange(inputsOf(after, before, changes), memory);
    if (!planned.ok) throw new Error(planned.message);
    before = after;
    return performance.now() - startedAt;
  });
  const [cold = 0, ...warm] = times;
  return { files: Object.keys(files).length, cold, warm };
}

function withSources(workspace: Files, packages: number, wanted: number): Files {
  const missing = Math.max(0, wanted - Object.keys(workspace).length);
  const more = Array.from({ length: missing }, (_, at): [path: string, text: string] => [
    `packages/p${at % packages}/src/more/m${at}.ts`,
    'export {};\n',
  ]);
  return { ...workspace, ...Object.fromEntries(more) };
}

/** Ordered by path, and with the entries of the snapshot before where nothing changed: as commits are read. */
function snapshotOf(files: Files, before: RepositorySnapshot | null): RepositorySnapshot {
  const known = new Map(before?.entries.map((entry) => [entry.path, entry]));
  const entries = Object.keys(files)
    .sort()
    .map((path): SnapshotEntry => {
      const blobId = (files[path] ?? '').length.toString(16).padStart(40, '0');
      const earlier = known.get(path);
      return earlier?.blobId === blobId ? earlier : { path, mode: '100644', type: 'file', blobId };
    });
  const contents = wantedPaths(entries).map(
    (path) => [path, condensed({ path, type: 'file' }, files[path] ?? '')] as const,
  );
  return { entries, contents: new Map(contents) };
}

type Changes = Extract<PlanningInputs['comparison'], { kind: 'changes' }>['changes'];

function inputsOf(head: RepositorySnapshot, snapshot: RepositorySnapshot, changes: Changes): PlanningInputs {
  const [commit, base] = ['a'.repeat(40), 'b'.repeat(40)];
  return {
    repository: {
      id: 'local/bench/workspace',
      forge: 'local',
      fullName: 'bench/workspace',
      cloneUrl: 'file:///bench/workspace',
      defaultBranch: 'main',
    },
    change: {
      kind: 'push',
      ref: 'refs/heads/main',
      base,
      head: commit,
      targetRef: null,
      pullRequest: null,
      title: 'change',
      author: 'Bench',
      trust: 'trusted',
    },
    commit,
    tree: 'c'.repeat(40),
    head,
    comparison: { kind: 'changes', commit: base, snapshot, changes },
    policy: DEFAULT_RUN_POLICY,
    rules: DEFAULT_PLANNING_RULES,
    recipe: null,
    durations: null,
    shadow: null,
    rerun: null,
  };
}
