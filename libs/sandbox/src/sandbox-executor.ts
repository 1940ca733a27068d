import type { Socket } from 'node:net';
import type { IoUsage, IsolationTier, StepEnding, TrustLevel } from '@delta-ci/contracts';
import type { LayerMinimum } from './layer-minimum.ts';
import type { LayerReport } from './layers.ts';
import type { CollectCaps, CollectedFile, CollectReport } from './collect-files.ts';
import type { SandboxLimits } from './limits.ts';
import type { Refusal } from './refusal.ts';
import type { TopEntry } from './images/image-store.ts';

/** `dummy` runs nothing; it exists for tests of whoever drives an executor. */
export type ExecutorTier = IsolationTier | 'dummy';

/** A host directory or file that the job sees, read-only, under `at` (absolute; the host's own path when left out). */
export type ReadOnlyBind = { readonly hostPath: string; readonly at?: string };

/** The one way out of a sandbox that has no network: a proxy for HTTP, whoever it is that answers. */
export type EgressOutlet = {
  /** Takes a connection that something in the sandbox made to its proxy. It is destroyed at the latest when its step ends. */
  readonly accept: (connection: Socket) => void;
};

/**
 * `none`: a loopback of its own and nothing else. `host`: the host's network, for trusted code only. An outlet: as `none`, but for
 * a port on that loopback where the warden answers, and variables that name it as the proxy.
 */
export type SandboxNetwork = 'none' | 'host' | EgressOutlet;

/**
 * A root file system for a job: an image that was pulled and unpacked, a root file system the operator named, or one that the
 * tier finds by itself. It is there until it is released.
 */
export type JobRoot = {
  /** As the plan has it. */
  readonly reference: string;
  /** Of the manifest the reference led to; null where there is none. */
  readonly digest: string | null;
  /** The image's own variables, `PATH` among them. */
  readonly env: Readonly<Record<string, string>>;
  /** Where it lies on this host; null where the tier knows. */
  readonly tree: RootTree | null;
  release(): Promise<void>;
};

/** A tree of files that is never changed, with what lies at its top. */
export type RootTree = { readonly directory: string; readonly top: readonly TopEntry[] };

/** What goes with the question for a root file system. */
export type RootRequest = {
  /** Untrusted code gets nothing that takes the operator's credentials. */
  readonly trust: TrustLevel;
  /** Told how far it is, in a line at a time. */
  readonly say: (text: string) => Promise<void>;
  readonly signal: AbortSignal;
};

export type ObtainedRoot =
  { readonly ok: true; readonly root: JobRoot } | { readonly ok: false; readonly refusal: Refusal };

/** One job's sandbox: everything that stays the same for all of its steps. */
export type SandboxSpec = {
  /**
   * The job's directory on the host, absolute and existing. Steps see it as `/workspace` (tier `process`: as itself).
   * `keep` leaves its contents at close, `empty` deletes them. With `empty` the executor may also put a size-capped
   * file system over it for the life of the sandbox, so its contents must be taken out before `close`; for untrusted code it
   * does so wherever the host can, and the directory must be empty when the sandbox is opened.
   */
  readonly workspace: { readonly hostDir: string; readonly onClose: 'keep' | 'empty' };
  readonly trust: TrustLevel;
  readonly limits: SandboxLimits;
  readonly network: SandboxNetwork;
  /** Added to HOME, USER, LOGNAME, SHELL, PATH, LANG and TMPDIR, which it may override. Nothing is inherited. */
  readonly env: Readonly<Record<string, string>>;
  readonly binds: readonly ReadOnlyBind[];
  /** What steps see in place of the host's system, from this executor's `obtainRoot`; left out, the host's system. */
  readonly root?: JobRoot;
  /** Login name inside; the number behind it is the executor's business. */
  readonly user: string;
  /** Layers this job insists on; left out, the minimum of its trust level (`MINIMUM_LAYERS`). */
  readonly minimum?: LayerMinimum;
};

/** `argv` is executed as it stands; `script` is handed to `/bin/sh -e -c`. */
export type StepCommand =
  { readonly kind: 'argv'; readonly argv: readonly string[] } | { readonly kind: 'script'; readonly script: string };

/** What somebody at a terminal does: types, or has a window of another size. */
export type TerminalInput =
  | { readonly kind: 'keys'; readonly bytes: Uint8Array }
  | { readonly kind: 'size'; readonly columns: number; readonly rows: number };

export type StepSpec = {
  readonly command: StepCommand;
  /**
   * The step runs on a terminal of its own, which is made inside the sandbox: no terminal of the host's is ever within its reach.
   * The first thing that comes is a size. Where it ends, the terminal hangs up; when the step is over, it is canceled. Takes
   * `script` and `stty` in what the step sees. Not in tier `container`.
   */
  readonly terminal?: ReadableStream<TerminalInput>;
  /**
   * `host`: this step sees the host's system although the sandbox has a root of its own. Left out, that root. Tier `container`
   * has nothing to show but the image its operator chose.
   */
  readonly system?: 'host';
  /** Relative to the workspace, `.` for its root. May not climb out. */
  readonly workdir: string;
  /** Added to the sandbox's environment for this step alone. */
  readonly env: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  /** Most that is handed over of its output, in bytes; left out, what the sandbox's limits say. */
  readonly outputBytes?: number;
  /** Longest silence before the step is stopped, keys that are typed counting as sound; null for any. */
  readonly idleTimeoutMs: number | null;
  /** Aborted to cancel: SIGTERM to the step, and after the executor's grace SIGKILL to everything it started. */
  readonly signal?: AbortSignal;
};

/**
 * Takes the step's output, stdout and stderr in the order they were written. The next chunk is read only after the
 * promise settled, so a slow sink slows the job and never fills our memory. It must settle: the executor waits for it
 * even after the step was killed. When it rejects, the step is killed.
 */
export type OutputSink = (chunk: Uint8Array) => Promise<void>;

export type StepResult = {
  /**
   * `signal` is told from the exit code where only that is known: a step that exits with 128 + n says the same. `disk_full` is
   * told of a step that was killed for it, and of one that failed and left its own file system full.
   */
  readonly endedBy: StepEnding;
  /** As a shell would say: 128 + n for a step that died of signal n, ours included. Null when it was never started. */
  readonly exitCode: number | null;
  /** Name of the signal the step died of, told from the exit code where only that is known; null otherwise. */
  readonly signal: string | null;
  /** The kernel killed something of this step for exceeding `limits.memoryBytes`, though it may have gone on. Null where nothing counts it. */
  readonly oomKilled: boolean | null;
  readonly wallMs: number;
  /** User and system time of all processes of the step; null where nothing counts it (no cgroup). */
  readonly cpuMs: number | null;
  /** Most that was in use at one time, caches of files and `/tmp` with it, counted by the kernel and not by looking. */
  readonly memoryPeakBytes: number | null;
  readonly io: IoUsage;
  /** Bytes the step wrote, including those past the most it may, which were dropped. */
  readonly outputBytes: number;
  readonly outputTruncated: boolean;
};

/** `fault`: the step was not judged, and not through its own doing (sandbox would not start, sink rejected). */
export type StepOutcome =
  { readonly kind: 'finished'; readonly result: StepResult } | { readonly kind: 'fault'; readonly refusal: Refusal };

export type TierProbe = {
  readonly tier: ExecutorTier;
  /** Whether a sandbox of this tier can be opened here at all. */
  readonly usable: boolean;
  readonly layers: readonly LayerReport[];
};

export type Opened =
  { readonly ok: true; readonly sandbox: Sandbox } | { readonly ok: false; readonly refusal: Refusal };

/** What was still there when everything should have been gone. Empty on a healthy host. */
export type CloseReport = { readonly leftovers: readonly string[] };

export interface Sandbox {
  readonly tier: ExecutorTier;
  readonly layers: readonly LayerReport[];
  /** Where steps see the workspace and their home. */
  readonly workspaceDir: string;
  readonly homeDir: string;
  /** The path under which steps see a bind, by its `hostPath`; null when it is not one of `spec.binds`. */
  bindSeenAs(hostPath: string): string | null;
  run(step: StepSpec, sink: OutputSink): Promise<StepOutcome>;
  /**
   * Walks the workspace as the hostile place it is: no link is followed, nothing but regular files is opened, `.git`
   * is never entered, and every cap that bites is reported. Between steps only.
   */
  collectFiles(
    globs: readonly string[],
    caps: CollectCaps,
    take: (file: CollectedFile) => Promise<void>,
  ): Promise<CollectReport>;
  /** Ends a step that still runs, and settles when nothing of the job is alive, or with what is. What it left stays until `close`. */
  end(): Promise<CloseReport>;
  close(): Promise<CloseReport>;
}

/**
 * Runs steps nobody vouches for.
 *
 * **Lifecycle.** `probe` finds out, by trying, what this host can enforce; the answer is kept for the executor's life.
 * `open` compares that with what the spec demands and either prepares a sandbox or answers with a refusal that names
 * what is missing; it never opens a weaker one. `run` executes one step. The workspace and the home directory last
 * from `open` to `close`; `/tmp` and all processes last for one step, so a daemon left behind by a step is dead before
 * its result is handed over. `end` ends a step that still runs; `close` does too, removes every process, cgroup, mount and
 * directory the executor made, and says what it could not remove. Both may be called again. A sandbox that was not closed because
 * its warden died is finished off by `reapLeftovers` at the next start.
 *
 * **Isolation.** Depends on the tier and is stated, layer by layer, by `probe` and `Sandbox.layers`. A step never sees
 * the warden's environment, file descriptors, memory or processes in any tier but `process`, which is for code that is
 * trusted as much as the warden itself and refuses everything else by name. What a step leaves in the workspace
 * (links, pipes, unreadable directories) is never trusted by `collectFiles` or `close`.
 *
 * **Roots.** `obtainRoot` turns what a plan says under `image` into files on this host, which takes as long as pulling them does;
 * it may be asked before and beside anything else. What it answers is given to `open` and released by whoever asked, after the
 * sandbox is closed. It is shared and never changed: what a job may write to it, if anything, is the job's alone and goes with it.
 *
 * **Concurrency.** Executors may open any number of sandboxes at a time (tier `sandbox` as root: 32 per warden process,
 * each with a user id of its own). Within one sandbox steps run one after the other: a second `run` while one is under
 * way is a broken invariant and throws. `collectFiles` and `close` may not overlap a step either, except that `close`
 * cancels it first.
 */
export interface SandboxExecutor {
  readonly tier: ExecutorTier;
  probe(): Promise<TierProbe>;
  open(spec: SandboxSpec): Promise<Opened>;
  /**
   * Finds what a plan says under `image`, pulls and unpacks it where need be, and keeps it until it is released. Left out by
   * tiers in which steps see the host as it is: they run no job that asks for an image.
   */
  obtainRoot?(reference: string, request: RootRequest): Promise<ObtainedRoot>;
  /**
   * Makes a sandbox ahead, with the first steps' isolation in force and nothing of any job in it. The next `open` with a spec
   * for trusted code that differs from `guess` in nothing that is built into a sandbox (environment and most limits may differ)
   * is answered with it, and any other does away with it first, and with what lies in its workspace; what a spec demands is
   * judged as always. Only where a tier gains by it, and one at a time. Answers whether there is one now, and throws when there
   * is none because the host refused: what is opened next is made as always.
   */
  standBy?(guess: SandboxSpec): Promise<boolean>;
  /** Does away with a sandbox that was made ahead and has not been opened. Answers what of it could not be removed, each time. */
  standDown?(): Promise<readonly string[]>;
}
