import type { LearnedDurations, Plan } from '@delta-ci/contracts';
import { PLANNING_RULES_VERSION } from './assemble-plan.ts';
import type { ChangedFile, PlanningInputs, RepositorySnapshot, SnapshotEntry } from './model.ts';

/**
 * Everything one plan was made of, as JSON to keep: from it the same plan can be made again when repository, mirror and
 * settings are long gone. The two sides of a change are nearly equal, so the earlier one is kept as its difference; the
 * plan that a rerun takes up is kept already, under the digest that `rerun` names.
 */
export interface RecordedInputs {
  readonly version: 1;
  /** By which version of the rules it was planned, which also chose what was read; absent in records of the first. */
  readonly rulesVersion?: string;
  readonly repository: PlanningInputs['repository'];
  readonly change: PlanningInputs['change'];
  readonly commit: string;
  readonly tree: string;
  readonly policy: PlanningInputs['policy'];
  readonly rules: PlanningInputs['rules'];
  /** Absent in records that are older than recipes. */
  readonly recipe?: PlanningInputs['recipe'];
  /** Absent when nobody could say. */
  readonly durations?: LearnedDurations;
  /** Absent where no ledger was kept. */
  readonly shadow?: NonNullable<PlanningInputs['shadow']>;
  readonly rerun: NonNullable<PlanningInputs['rerun']>['source'] | null;
  readonly head: RecordedSnapshot;
  readonly comparison: RecordedComparison;
}

export interface RecordedSnapshot {
  readonly entries: readonly RecordedEntry[];
  readonly contents: Readonly<Record<string, string>>;
}

/** Path, mode, type, blob: without names, because there is one for every file of the repository. */
export type RecordedEntry = readonly [path: string, mode: string, type: SnapshotEntry['type'], blobId: string];

export type RecordedComparison =
  | { readonly kind: 'everything'; readonly reason: string }
  | {
      readonly kind: 'changes';
      readonly commit: string;
      readonly changes: readonly ChangedFile[];
      /** What turns the tested side into the one it is compared with. */
      readonly before: RecordedDifference;
    };

export interface RecordedDifference {
  /** Paths the earlier side does not have, and those it has otherwise. */
  readonly without: readonly string[];
  readonly entries: readonly RecordedEntry[];
  readonly contentsWithout: readonly string[];
  readonly contents: Readonly<Record<string, string>>;
}

export function recordInputs(inputs: PlanningInputs): RecordedInputs {
  const { repository, change, commit, tree, policy, rules, recipe, durations, shadow, rerun, head, comparison } =
    inputs;
  return {
    version: 1,
    rulesVersion: PLANNING_RULES_VERSION,
    repository,
    change,
    commit,
    tree,
    policy,
    rules,
    recipe,
    ...(durations === null ? {} : { durations }),
    ...(shadow === null ? {} : { shadow }),
    rerun: rerun?.source ?? null,
    head: { entries: head.entries.map(recordEntry), contents: Object.fromEntries(head.contents) },
    comparison:
      comparison.kind === 'everything'
        ? comparison
        : {
            kind: 'changes',
            commit: comparison.commit,
            changes: comparison.changes,
            before: differenceOf(head, comparison.snapshot),
          },
  };
}

/**
 * The inputs that were recorded. Their lists may be in another order than they were, which changes no plan.
 * @param earlierPlan the plan under `recorded.rerun.planDigest`; null for what is no rerun
 */
export function inputsFromRecord(recorded: RecordedInputs, earlierPlan: Plan | null): PlanningInputs {
  const {
    repository,
    change,
    commit,
    tree,
    policy,
    rules,
    recipe = null,
    durations,
    shadow,
    rerun,
    comparison,
  } = recorded;
  const head = snapshotOf(recorded.head);
  return {
    repository,
    change,
    commit,
    tree,
    policy,
    rules,
    recipe,
    durations: durations ?? null,
    shadow: shadow ?? null,
    head,
    comparison:
      comparison.kind === 'everything'
        ? comparison
        : {
            kind: 'changes',
            commit: comparison.commit,
            changes: comparison.changes,
            snapshot: snapshotBefore(head, comparison.before),
          },
    rerun: rerun === null || earlierPlan === null ? null : { source: rerun, plan: earlierPlan },
  };
}

const recordEntry = ({ path, mode, type, blobId }: SnapshotEntry): RecordedEntry => [path, mode, type, blobId];

const entryOf = ([path, mode, type, blobId]: RecordedEntry): SnapshotEntry => ({ path, mode, type, blobId });

function snapshotOf({ entries, contents }: RecordedSnapshot): RepositorySnapshot {
  return { entries: entries.map(entryOf), contents: new Map(Object.entries(contents)) };
}

function differenceOf(after: RepositorySnapshot, before: RepositorySnapshot): RecordedDifference {
  const later = new Map(after.entries.map((entry) => [entry.path, entry]));
  const earlier = new Map(before.entries.map((entry) => [entry.path, entry]));
  const entries = before.entries.filter((entry) => !sameEntry(entry, later.get(entry.path)));
  const without = after.entries.filter((entry) => !sameEntry(entry, earlier.get(entry.path))).map(({ path }) => path);
  const contents = [...before.contents].filter(([path, text]) => after.contents.get(path) !== text);
  const contentsWithout = [...after.contents.keys()].filter(
    (path) => after.contents.get(path) !== before.contents.get(path),
  );
  return { without, entries: entries.map(recordEntry), contentsWithout, contents: Object.fromEntries(contents) };
}

function sameEntry(one: SnapshotEntry, other: SnapshotEntry | undefined): boolean {
  return other !== undefined && one.blobId === other.blobId && one.mode === other.mode && one.type === other.type;
}

function snapshotBefore(after: RepositorySnapshot, before: RecordedDifference): RepositorySnapshot {
  const gone = new Set(before.without);
  const contents = new Map(after.contents);
  for (const path of before.contentsWithout) contents.delete(path);
  for (const [path, text] of Object.entries(before.contents)) contents.set(path, text);
  return {
    entries: [...after.entries.filter(({ path }) => !gone.has(path)), ...before.entries.map(entryOf)],
    contents,
  };
}

/** Which rules a record was planned by: those of the first version did not say. */
export function rulesVersionOf({ rulesVersion }: Pick<RecordedInputs, 'rulesVersion'>): string {
  return rulesVersion ?? '1';
}
