import type { JobKind, PlannedFile } from '@delta-ci/contracts';
import type { EdgePath } from './edge-path.ts';

/** Rules by which a change reaches units. The names appear in explanations. */
export type RuleName =
  | 'no-base'
  | 'ci-configuration'
  | 'checkout-configuration'
  | 'not-read-by-jobs'
  | 'documentation'
  | 'documentation-read'
  | 'manifest'
  | 'manifest-cosmetic'
  | 'manifest-unreadable'
  | 'workspace-manifest'
  | 'unit-added'
  | 'unit-removed'
  | 'lockfile-closure'
  | 'lockfile-unreadable'
  | 'lint-configuration'
  | 'test-configuration'
  | 'typescript-configuration'
  | 'toolchain-file'
  | 'declared-input'
  | 'ownership'
  | 'workspace-file'
  | 'shared-file'
  | 'description-changed';

/** A unit that a file reaches directly, and which kinds of its jobs. */
export interface Reach {
  readonly unit: string;
  readonly kinds: 'all' | readonly JobKind[];
}

/** Where one place of a changed file leads, by one rule. */
export interface Verdict {
  readonly rule: RuleName;
  readonly reaches: readonly Reach[];
  /** Continues the sentence that begins with what happened to the file: `..., which packages/cart owns`. */
  readonly because: string;
}

export interface FileImpact extends Verdict {
  readonly path: string;
  readonly status: PlannedFile['status'];
  readonly owner: string | null;
  /** The whole sentence. */
  readonly sentence: string;
}

/** Why a unit, or some kinds of its jobs, are reached. */
export interface Cause {
  readonly rule: RuleName;
  /** Null when the reason lies in no single file. */
  readonly file: FileImpact | null;
  readonly because: string;
  /** From the unit that was reached directly to this one. */
  readonly path: EdgePath;
  /** The unit that was reached directly. */
  readonly origin: string;
  /** Further changed files that reach the same unit directly. */
  readonly furtherFiles: number;
}

export interface UnitImpact {
  /** Why all its jobs are reached; null when only some kinds are, or none. */
  readonly whole: Cause | null;
  readonly kinds: ReadonlyMap<JobKind, Cause>;
}

export interface Impact {
  readonly files: readonly FileImpact[];
  readonly units: ReadonlyMap<string, UnitImpact>;
}
