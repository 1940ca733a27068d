import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { delimiter, isAbsolute, join } from 'node:path';
import {
  BubblewrapExecutor,
  DEFAULT_SANDBOX_LIMITS,
  reapLeftovers,
  type Sandbox,
  type SandboxExecutor,
  type StepOutcome,
} from '@delta-ci/sandbox';
import { ensureBubblewrap, removeOnDeath } from '../bootstrap/index.mjs';
import { CLONE_DIR } from './oracles/oracle.ts';
import type { Tool } from './toolbox.ts';

/** What one tool says of one commit takes seconds; a repository that keeps it for minutes gets no answer. */
const ANSWER_LIMIT_MS = 120_000;
/** Writing out the first commit of a large repository over a slow disk. */
const CLONE_LIMIT_MS = 300_000;
/** A graph of thousands of packages as JSON has some ten MiB. */
const ANSWER_BYTES_MAX = 128 * 1_024 ** 2;
const MEMORY_BYTES = 4 * 1_024 ** 3;
/** Of what a tool that failed said. */
const REASON_LENGTH_MAX = 200;
/** Between SIGTERM and SIGKILL: nothing that is asked has anything to put in order. */
const KILL_GRACE_MS = 1_000;

const SHOWN_SOURCE = '/opt/source';

export type Answered = { readonly ok: true; readonly output: string } | { readonly ok: false; readonly reason: string };

export type Opened =
  { readonly ok: true; readonly clone: SandboxedClone } | { readonly ok: false; readonly reason: string };

/** Where sandboxes are made on this machine, and with what. */
export interface SandboxPlace {
  readonly executor: SandboxExecutor;
  /** A directory of our own, on a disk, gone at the end. */
  readonly directory: string;
}

/** Gives a place to make sandboxes in, and takes away afterwards what is left of it, as of earlier ones that were killed. */
export async function withSandboxPlace<T>(cacheDir: string, act: (place: SandboxPlace) => Promise<T>): Promise<T> {
  const home = join(cacheDir, 'oracle');
  const stateDir = join(home, 'sandboxes');
  await mkdir(stateDir, { recursive: true, mode: 0o700 });
  await reapLeftovers(stateDir);
  const { path } = await ensureBubblewrap({ cacheDir, say: () => {} });
  const programDirs = (process.env['PATH'] ?? '').split(delimiter).filter((each) => isAbsolute(each));
  const bwrap = path ?? 'bwrap';
  const executor = new BubblewrapExecutor({ stateDir, killGraceMs: KILL_GRACE_MS, bwrap, programDirs });
  const directory = await mkdtemp(join(home, 'clones-'));
  const leash = removeOnDeath(directory);
  try {
    return await act({ executor, directory });
  } finally {
    await rm(directory, { recursive: true, force: true });
    leash.release();
  }
}

/**
 * A clone of a repository in a sandbox for strangers' code: no network, the tool and the repository read-only, the clone gone
 * at the end. Tools may run what the repository says, so nothing of it is ever checked out anywhere else.
 */
export class SandboxedClone {
  readonly #sandbox: Sandbox;
  readonly #signal: AbortSignal;

  private constructor(sandbox: Sandbox, signal: AbortSignal) {
    this.#sandbox = sandbox;
    this.#signal = signal;
  }

  /**
   * @param gitDir of the repository, absolute
   * @param signal ends what is being asked
   */
  static async open(
    { executor, directory }: SandboxPlace,
    gitDir: string,
    tool: Tool,
    signal: AbortSignal,
  ): Promise<Opened> {
    const hostDir = await mkdtemp(join(directory, 'workspace-'));
    const opened = await executor.open({
      workspace: { hostDir, onClose: 'empty' },
      trust: 'untrusted',
      limits: { ...DEFAULT_SANDBOX_LIMITS, memoryBytes: MEMORY_BYTES, outputBytes: ANSWER_BYTES_MAX },
      network: 'none',
      env: tool.env,
      binds: [...tool.binds, { hostPath: gitDir, at: SHOWN_SOURCE }],
      user: 'oracle',
    });
    if (!opened.ok) return { ok: false, reason: `no sandbox: ${opened.refusal.message}` };
    const clone = new SandboxedClone(opened.sandbox, signal);
    const made = await clone.#run(`git clone --quiet --shared --no-checkout ${SHOWN_SOURCE} repo`, {}, CLONE_LIMIT_MS);
    if (made.ok) return { ok: true, clone };
    await clone.close();
    return made;
  }

  /** Checks a commit out and runs a script there. What fails or takes too long is an answer. */
  async ask(commit: string, base: string, script: string): Promise<Answered> {
    const env = { COMMIT: commit, BASE: base, CHECKOUT, QUESTION: script };
    return this.#run(ASK, env, ANSWER_LIMIT_MS);
  }

  async close(): Promise<void> {
    await this.#sandbox.close();
  }

  async #run(script: string, env: Readonly<Record<string, string>>, timeoutMs: number): Promise<Answered> {
    const chunks: Uint8Array[] = [];
    const outcome = await this.#sandbox.run(
      { command: { kind: 'script', script }, workdir: '.', env, timeoutMs, idleTimeoutMs: null, signal: this.#signal },
      async (chunk) => void chunks.push(Uint8Array.from(chunk)),
    );
    const output = Buffer.concat(chunks).toString('utf8');
    const failure = failureOf(outcome, output, timeoutMs);
    return failure === null ? { ok: true, output } : { ok: false, reason: failure };
  }
}

function failureOf(outcome: StepOutcome, output: string, timeoutMs: number): string | null {
  if (outcome.kind === 'fault') return `no sandbox: ${outcome.refusal.message}`;
  const { endedBy, exitCode, outputTruncated } = outcome.result;
  if (endedBy !== 'exit' && endedBy !== 'signal') return `${endedBy} after ${timeoutMs / 1_000} s`;
  if (outputTruncated) return `it said more than ${ANSWER_BYTES_MAX} bytes`;
  return exitCode === 0 ? null : reasonIn(output);
}

/** The last line with something in it that is no decoration. */
export function reasonIn(output: string): string {
  const lines = output.split('\n').filter((line) => /\w{3}/u.test(line));
  const telling = lines.find((line) => /error|fail|not |cannot|invalid/iu.test(line)) ?? lines.at(-1) ?? 'no output';
  return telling.trim().slice(0, REASON_LENGTH_MAX);
}

/** Blobs that the source lacks (of partial or filtered clones) are left out, and no tool may take that for a change. */
const CHECKOUT = `git update-ref --no-deref HEAD "$COMMIT"
rm -f .git/index
git read-tree "$COMMIT"
git checkout-index --all --force --index --quiet || true
git clean -ffdxq
git ls-files --deleted -z | git update-index --skip-worktree -z --stdin
`;

const ASK = `cd ${CLONE_DIR}
sh -ec "$CHECKOUT" > ../said.txt 2>&1 || { tail -c 2000 ../said.txt; exit 90; }
sh -ec "$QUESTION" > ../answer.txt 2> ../said.txt || { tail -c 2000 ../said.txt; tail -c 2000 ../answer.txt; exit 91; }
cat ../answer.txt
`;
