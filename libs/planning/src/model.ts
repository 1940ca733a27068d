import type {
  Change,
  IsolationTier,
  JobKind,
  JobLimits,
  JobStep,
  LearnedDurations,
  Plan,
  Repository,
  RerunSource,
  RunPolicy,
  ShadowRules,
} from '@delta-ci/contracts';
import type { RecipeInput } from './recipes/recipe-input.ts';
import type { ShadowInput } from './shadow/shadow-input.ts';

/** What planning reads and what discovery makes of it. Everything here is data; nothing is looked up later. */

export type EntryType = 'file' | 'executable' | 'symlink' | 'submodule';

/** One entry of a recursive listing of a commit's tree. */
export interface SnapshotEntry {
  /** From the repository's root, with `/` between parts. */
  readonly path: string;
  readonly mode: string;
  readonly type: EntryType;
  /** The blob's id; for a submodule the commit it points at. */
  readonly blobId: string;
}

/**
 * A commit as planning sees it: every entry, and the text of those that `wantedPaths` asked for. A wanted file whose
 * text is missing (too large, not UTF-8) is unreadable, and planning says so instead of guessing.
 */
export interface RepositorySnapshot {
  readonly entries: readonly SnapshotEntry[];
  readonly contents: ReadonlyMap<string, string>;
}

/** As git's raw difference has it: added, modified, deleted, renamed, copied, changed in type. */
export interface ChangedFile {
  readonly status: 'A' | 'M' | 'D' | 'R' | 'C' | 'T';
  /** Where the file is now; for a deletion, where it was. */
  readonly path: string;
  /** Where it came from; only for renames and copies. */
  readonly oldPath?: string;
  /** Six octal digits, null where there is no entry; absent where nobody noted them, for plain files. */
  readonly oldMode?: string | null;
  readonly newMode?: string | null;
}

/** What a change is compared with, or why everything counts as changed. */
export type Comparison =
  | {
      readonly kind: 'changes';
      /** Commit (merge base) the difference was taken from. */
      readonly commit: string;
      readonly snapshot: RepositorySnapshot;
      readonly changes: readonly ChangedFile[];
    }
  | { readonly kind: 'everything'; readonly reason: string };

/** What the installation decides about jobs, as opposed to what the repository says. */
export interface PlanningRules {
  readonly pool: string;
  readonly os: 'linux' | 'darwin';
  /** The weakest isolation a job of a trusted change may get. Untrusted changes always get `sandbox` or stronger. */
  readonly trustedIsolation: IsolationTier;
  /** Hosts that jobs of untrusted changes may reach when they need them. */
  readonly untrustedEgress: readonly string[];
  /** Whether discovered toolchain versions become requirements of jobs: only where runners announce what they have. */
  readonly requireToolchains: boolean;
  /** Labels that runners of the pool have; absent where the installation does not say, and in records of earlier rules. */
  readonly labels?: readonly string[] | undefined;
  /** Images that runners of the pool run jobs in; absent where the installation does not say, and in records of earlier rules. */
  readonly images?: readonly string[] | undefined;
  /** The most that a job may be given of a runner, whoever asks for it; what is left out is not bounded. */
  readonly limitsMax?: LimitsMax | undefined;
  /**
   * That jobs run on the machine that plans them. It refuses each that it cannot give what it needs, by itself: the plan warns of
   * such jobs instead of being refused for them.
   */
  readonly runsHere?: true | undefined;
  /** How the shadow ledger is kept unless a configuration file says otherwise; absent: nothing is sampled. */
  readonly shadow?: ShadowRules | undefined;
}

/** Bounds of a job's limits. */
export type LimitsMax = Partial<Omit<JobLimits, 'pids'>>;

export interface PlanningInputs {
  readonly repository: Repository;
  readonly change: Change;
  /** The commit that is tested and its tree. */
  readonly commit: string;
  readonly tree: string;
  readonly head: RepositorySnapshot;
  readonly comparison: Comparison;
  readonly policy: RunPolicy;
  readonly rules: PlanningRules;
  /** Null where recipes play no part: reruns, and plans that are not of a mesh. */
  readonly recipe: RecipeInput | null;
  /** What steps of the repository took so far; null when nobody can say: then every job is one of its own, and whole. */
  readonly durations: LearnedDurations | null;
  /** What the shadow ledger has, and by which rules it is kept; null where none is. */
  readonly shadow: ShadowInput | null;
  /** For a rerun: what is asked, and the plan it is asked of. */
  readonly rerun: { readonly source: RerunSource; readonly plan: Plan } | null;
}

export type PlanningFailureCode =
  'invalid_config' | 'nothing_to_run' | 'manifest_unreadable' | 'invalid_rerun' | 'plan_rejected';

export type PlanningResult =
  | { readonly ok: true; readonly plan: Plan }
  | { readonly ok: false; readonly code: PlanningFailureCode; readonly message: string };

/**
 * How one unit depends on another; kept apart because they reach different things. A change goes on to whoever depends
 * on its unit, except through `development` (all jobs of the unit that is worked on with it notice; beyond that only
 * those that build that unit first) and `test` (its jobs but builds notice; nobody beyond).
 */
export type DependencyKind =
  'production' | 'development' | 'optional' | 'peer' | 'test' | 'build' | 'workspace' | 'symlink';

/** `from` can notice changes of `to`. */
export interface UnitEdge {
  readonly from: string;
  readonly to: string;
  readonly kind: DependencyKind;
  /** Where that is written. */
  readonly evidence: string;
}

/**
 * How commands of several units become one: those of one kind and group run as `prefix argument argument …`, in one job.
 * For tools that take many units at once and would spend more on starting than on working. Members of a group share the
 * folder they run in, and whatever else decides how.
 */
export interface CommandJoin {
  /** Id of the unit under which they run. */
  readonly group: string;
  readonly prefix: string;
  /** As it stands on a command line, quoted where it has to be. */
  readonly argument: string;
  /** What takes the place of all arguments when every member runs; null when nothing does. */
  readonly whole: string | null;
}

/** How a test runner is told to run one shard of all that it would run. */
export interface CommandShards {
  /** For instance `--shard of vitest`. */
  readonly by: string;
  /** What is added to the command line; `{number}` and `{count}` stand for which shard of how many, the first being 1. */
  readonly suffix: string;
  /** As many shards as are worth it: each of them has something to do, or succeeds without. */
  readonly most: number;
  /**
   * For each file of tests the word of a command line that leaves it out. They are dealt out, and each shard leaves out what
   * all others have: what nobody knew of runs in every shard.
   */
  readonly leavesOut?: readonly string[];
  /** What is run shard by shard, where that is not all of the command; and the rest of it, which the first shard runs behind. */
  readonly divided?: { readonly run: string; readonly rest: string };
}

/** One thing a unit can do, and how it is known. */
export interface UnitCommand {
  readonly kind: JobKind;
  readonly step: JobStep;
  /** For instance `scripts.test of packages/cart/package.json`. */
  readonly evidence: string;
  /** Everything the command line is known to run, so that configuration files can be matched with their readers. */
  readonly text: string;
  /** Reports of test results that it leaves, as globs from the repository's root; empty when that is not known. */
  readonly reports: readonly string[];
  /** What else it leaves, as globs from the repository's root; those that begin with `!` take away from the others. */
  readonly outputs: readonly string[];
  /** Null for a command that is a job of its own. */
  readonly joins: CommandJoin | null;
  /**
   * Whether a recipe says so, and whether discovery finds it as well, would run something else of this kind, or nothing; absent
   * in what it finds alone.
   */
  readonly fromRecipe?: 'found' | 'otherwise' | 'not-found';
  /** What runs before it in a step of its own and is the same for all shards: what has to be compiled. Absent for nothing. */
  readonly before?: readonly JobStep[] | undefined;
  /** Absent where nobody knows that its tests can be run shard by shard. */
  readonly shards?: CommandShards;
}

/**
 * Files that commands of a unit read, besides or within its own folder, and which of its commands notice. A changed file
 * that any unit declares reaches those that declare it, each as far as it says; the rest of the unit's own files reach
 * all of it. So a declaration both widens (files elsewhere) and narrows (a linter's settings in the unit's own folder).
 */
export interface DeclaredInput {
  /** Globs from the repository's root; those that begin with `!` take away from the ones before. */
  readonly paths: readonly string[];
  readonly kinds: 'all' | readonly JobKind[];
  /** Whether it only widens: what reads whole folders of others says nothing about who else reads them. */
  readonly also?: true;
  /** Continues `it is declared as an input of <unit>`: where that is written, or what reads it. */
  readonly evidence: string;
  /** What the files say to this unit, as comparable text: while it stays the same, no change of them is noticed. */
  readonly meaning?: string;
}

/** A folder that is worth keeping from one run to the next. */
export interface UnitCache {
  readonly type: 'deps' | 'build';
  /** What it is called in its key: `cargo-registry`. */
  readonly name: string;
  /** Relative to the workspace, or to the home folder with `~/`. */
  readonly paths: readonly string[];
  /** Files whose contents decide what is in it: their blob ids are part of its key. */
  readonly keyFiles: readonly string[];
}

/** External packages of a unit as its lockfile resolves them: location to identity (version, integrity). */
export type ExternalClosure =
  | { readonly kind: 'resolved'; readonly lockfile: string; readonly packages: ReadonlyMap<string, string> }
  | { readonly kind: 'unreadable'; readonly lockfile: string; readonly reason: string }
  | { readonly kind: 'none' };

export interface Unit {
  /** The root folder, or that and the ecosystem where two share a folder. Unique and stable. */
  readonly id: string;
  /** What the ecosystem calls it. */
  readonly name: string;
  /** Folder from the repository's root; `.` for the root itself. */
  readonly root: string;
  readonly ecosystem: string;
  /** Folder of the workspace it is a member of; its own root when it stands alone. */
  readonly workspace: string;
  /** The file that describes it. */
  readonly manifest: string;
  /** What the manifest says to a build, as comparable text: two equal texts build the same. */
  readonly meaning: string;
  /** As `meaning`, without what concerns the unit alone: differs when the members of its workspace are concerned too. */
  readonly workspaceMeaning: string | null;
  /** What of its `meaning` stands in the manifest of its workspace, where members can leave that to it. */
  readonly inherited?: string;
  readonly closure: ExternalClosure;
  readonly commands: readonly UnitCommand[];
  readonly inputs: readonly DeclaredInput[];
  readonly caches: readonly UnitCache[];
  /** Brings the workspace into a state where commands can run; empty when nothing is needed. */
  readonly install: readonly JobStep[];
  /** Hosts the install step has to reach; empty when it works without a network. */
  readonly hosts: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly toolchain: { readonly name: string; readonly version: string; readonly evidence: string } | null;
  readonly typescript: boolean;
  /** Units whose build has to run first, in order, when a command of this unit runs. */
  readonly buildsFirst: readonly string[];
  /** Whether its own build, if it has one, runs before its tests and type checks: these may look at what was built. */
  readonly buildBeforeTest: boolean;
}

/** Something in the repository that discovery could not make sense of. */
export interface DiscoveryProblem {
  readonly code: string;
  readonly message: string;
  /** `info` for what is no fault of the repository; otherwise people are warned. */
  readonly severity?: 'info';
  readonly path: string | null;
  /** Folder within which anything may be affected by what could not be read. */
  readonly scope: string;
}

export interface Discovery {
  readonly units: readonly Unit[];
  readonly edges: readonly UnitEdge[];
  readonly problems: readonly DiscoveryProblem[];
}
