import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DEFAULT_SANDBOX_LIMITS } from '../limits.ts';
import type {
  OutputSink,
  Sandbox,
  SandboxExecutor,
  SandboxSpec,
  StepOutcome,
  StepResult,
  StepSpec,
  TierProbe,
} from '../sandbox-executor.ts';

export const collectOutput = (): { readonly sink: OutputSink; readonly text: () => string } => {
  const chunks: Uint8Array[] = [];
  return { sink: async (chunk) => void chunks.push(chunk), text: () => Buffer.concat(chunks).toString('utf8') };
};

/** A collected file's content. */
export async function textOf(content: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of content) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

/** Settles once the output holds `wanted`; what a test waits for before it disturbs a step. */
export const awaitOutput = (wanted: string): { readonly sink: OutputSink; readonly seen: Promise<void> } => {
  const seen = Promise.withResolvers<void>();
  let text = '';
  const sink: OutputSink = async (chunk) => {
    text += Buffer.from(chunk).toString('utf8');
    if (text.includes(wanted)) seen.resolve();
  };
  return { sink, seen: seen.promise };
};

export const finished = (outcome: StepOutcome): StepResult => {
  if (outcome.kind === 'fault') throw new Error(`fault ${outcome.refusal.code}: ${outcome.refusal.message}`);
  return outcome.result;
};

export const codeOf = (outcome: StepOutcome): string =>
  outcome.kind === 'fault' ? outcome.refusal.code : outcome.result.endedBy;

/** More than any step of a test takes, also in a slow guest on a busy machine. */
const AMPLE_MS = 120_000;

const NOTHING: StepSpec = {
  command: { kind: 'script', script: ':' },
  workdir: '.',
  env: {},
  timeoutMs: AMPLE_MS,
  idleTimeoutMs: null,
};

export const step = (...parts: readonly Partial<StepSpec>[]): StepSpec =>
  parts.reduce<StepSpec>((whole, part) => ({ ...whole, ...part }), NOTHING);

export const script = (text: string): Partial<StepSpec> => ({ command: { kind: 'script', script: text } });

export type Bench = {
  readonly stateDir: string;
  readonly hostDir: string;
  readonly sandbox: Sandbox;
  readonly executor: SandboxExecutor;
};

export const specFor = (hostDir: string, spec: Partial<SandboxSpec> = {}): SandboxSpec => ({
  workspace: { hostDir, onClose: 'keep' },
  trust: 'trusted',
  limits: DEFAULT_SANDBOX_LIMITS,
  network: 'none',
  env: {},
  binds: [],
  user: 'job',
  ...spec,
});

/** Directories of a test's own, gone afterwards. */
export async function withDirectories<T>(use: (stateDir: string, hostDir: string) => Promise<T>): Promise<T> {
  const root = await mkdtemp(join(tmpdir(), 'delta-sandbox-'));
  try {
    const [stateDir, hostDir] = [join(root, 'state'), join(root, 'workspace')];
    await Promise.all([mkdir(stateDir), mkdir(hostDir)]);
    return await use(stateDir, hostDir);
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

/** An open sandbox with a workspace, both gone afterwards whatever the test did. */
export async function withSandbox<T>(
  makeExecutor: (stateDir: string) => SandboxExecutor,
  spec: Partial<SandboxSpec>,
  use: (bench: Bench) => Promise<T>,
): Promise<T> {
  return withDirectories(async (stateDir, hostDir) => {
    const executor = makeExecutor(stateDir);
    const opened = await executor.open(specFor(hostDir, spec));
    if (!opened.ok) throw new Error(`${opened.refusal.code}: ${opened.refusal.message}`);
    try {
      return await use({ stateDir, hostDir, sandbox: opened.sandbox, executor });
    } finally {
      await opened.sandbox.close();
    }
  });
}

/** What a tier says of this host, asked of an executor of its own. */
export const probeOnce = (makeExecutor: (stateDir: string) => SandboxExecutor): Promise<TierProbe> =>
  withDirectories((stateDir) => makeExecutor(stateDir).probe());
