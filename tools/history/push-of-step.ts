import { DEFAULT_RUN_POLICY } from '@delta-ci/contracts';
import type { HistoryStep, Snapshot, SnapshotReading } from '@delta-ci/git';
import { DEFAULT_PLANNING_RULES, condensed, wantedPaths, type PlanningInputs } from '@delta-ci/planning';

/** What planning wants of a commit. */
export const READING: SnapshotReading = { wanted: wantedPaths, kept: condensed };

/** A commit of a history as if it had been pushed on top of the one before it. */
export function pushOfStep({ commit, parent, changes }: HistoryStep, head: Snapshot, base: Snapshot): PlanningInputs {
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
      base: parent?.id ?? null,
      head: commit.id,
      targetRef: null,
      pullRequest: null,
      title: commit.subject.slice(0, 500).toWellFormed(),
      author: commit.author.name.slice(0, 200).toWellFormed(),
      trust: 'trusted',
    },
    commit: commit.id,
    tree: commit.treeId,
    head,
    comparison: { kind: 'changes', commit: parent?.id ?? '', snapshot: base, changes },
    policy: DEFAULT_RUN_POLICY,
    rules: DEFAULT_PLANNING_RULES,
    recipe: null,
    durations: null,
    shadow: null,
    rerun: null,
  };
}
