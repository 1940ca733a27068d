import { DEFAULT_RUN_POLICY, type Plan } from '@delta-ci/contracts';
import { aChange } from '../../../test/support/made-up/change.ts';
import { aRepository } from '../../../test/support/made-up/repository.ts';
import { DEFAULT_PLANNING_RULES } from './default-rules.ts';
import { condensed, wantedPaths } from './discover.ts';
import type { ChangedFile, PlanningInputs, RepositorySnapshot, SnapshotEntry } from './model.ts';
import { planChange } from './plan-change.ts';

/** Repositories as maps from paths to texts, and the plans of what happens to them. */

export type Files = Readonly<Record<string, string>>;

export const HEAD = 'a'.repeat(40);
export const BASE = 'b'.repeat(40);
export const TREE = 'c'.repeat(40);

/** What the I/O around planning does: list, ask which contents are wanted, load them. */
export function snapshotOf(files: Files): RepositorySnapshot {
  const entries = Object.entries(files).map(([path, text]): SnapshotEntry => ({
    path,
    mode: text.startsWith(LINK) ? '120000' : '100644',
    type: text.startsWith(LINK) ? 'symlink' : 'file',
    blobId: blobIdOf(text),
  }));
  const wanted = new Set(wantedPaths(entries));
  const contents = entries
    .filter(({ path }) => wanted.has(path))
    .map((entry) => [entry.path, condensed(entry, (files[entry.path] ?? '').replace(LINK, ''))] as const);
  return { entries, contents: new Map(contents) };
}

const LINK = 'symlink:';

/** A text that stands for a symbolic link. */
export function linkTo(target: string): string {
  return LINK + target;
}

function blobIdOf(text: string): string {
  let hash = 7;
  for (const character of text) hash = (hash * 31 + (character.codePointAt(0) ?? 0)) % 2 ** 31;
  return hash.toString(16).padStart(40, '0');
}

/** What git would say changed, without looking for renames. */
export function differenceOf(before: Files, after: Files): ChangedFile[] {
  const paths = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
  return paths
    .filter((path) => before[path] !== after[path])
    .map((path) => ({ path, status: before[path] === undefined ? 'A' : after[path] === undefined ? 'D' : 'M' }));
}

/** Inputs for the change from `before` to `after`; null for a repository without anything to compare with. */
export function inputsFor(before: Files | null, after: Files, given: Partial<PlanningInputs> = {}): PlanningInputs {
  return {
    repository: aRepository(),
    change: aChange({ base: before === null ? null : BASE, head: HEAD }),
    commit: HEAD,
    tree: TREE,
    head: snapshotOf(after),
    comparison:
      before === null
        ? { kind: 'everything', reason: 'the branch is new' }
        : { kind: 'changes', commit: BASE, snapshot: snapshotOf(before), changes: differenceOf(before, after) },
    policy: DEFAULT_RUN_POLICY,
    rules: DEFAULT_PLANNING_RULES,
    recipe: null,
    durations: null,
    shadow: null,
    rerun: null,
    ...given,
  };
}

/** The plan; a failure is a failure of the test. */
export function planned(before: Files | null, after: Files, given: Partial<PlanningInputs> = {}): Plan {
  const result = planChange(inputsFor(before, after, given));
  if (!result.ok) throw new Error(`${result.code}: ${result.message}`);
  return result.plan;
}

export function keysOf(jobs: readonly { readonly key: string }[]): string[] {
  return jobs.map(({ key }) => key).sort();
}
