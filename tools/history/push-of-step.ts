import { DEFAULT_RUN_POLICY } from '@delta-ci/contracts';
import type { HistoryStep, Snapshot, SnapshotReading } from '@delta-ci/git';
import {
  DEFAULT_PLANNING_RULES,
  condensed,
  wantedPaths,
  type Comparison,
  type PlanningInputs,
} from '@delta-ci/planning';

/** What planning wants of a commit. */
export const READING: SnapshotReading = { wanted: wantedPaths, kept: condensed };

/** A commit of a history as if it had been pushed on top of the one before it. */
export function pushOfStep({ commit, parent, changes }: HistoryStep, head: Snapshot, base: Snapshot): PlanningInputs {
  const { id, treeId, subject, author } = commit;
  const comparison = { kind: 'changes', commit: parent?.id ?? '', snapshot: base, changes } as const;
  return pushOf({ id, treeId, subject, author: author.name }, head, comparison);
}

/** A commit as if it had been pushed to the main branch, on top of whatever it is compared with. */
export function pushOf(
  commit: { readonly id: string; readonly treeId: string; readonly subject: string; readonly author: string },
  head: Snapshot,
  comparison: Comparison,
): PlanningInputs {
  return {
    repository: {
      id: 'local/tools/history',
      forge: 'local',
      fullName: 'tools/history',
      cloneUrl: 'file:///tools/history',
      defaultBranch: 'main',
    },
    change: {
      kind: 'push',
      ref: 'refs/heads/main',
      base: comparison.kind === 'changes' && comparison.commit !== '' ? comparison.commit : null,
      head: commit.id,
      targetRef: null,
      pullRequest: null,
      title: commit.subject.slice(0, 500).toWellFormed(),
      author: commit.author.slice(0, 200).toWellFormed(),
      trust: 'trusted',
    },
    commit: commit.id,
    tree: commit.treeId,
    head,
    comparison,
    policy: DEFAULT_RUN_POLICY,
    rules: DEFAULT_PLANNING_RULES,
    recipe: null,
    durations: null,
    shadow: null,
    rerun: null,
  };
}
