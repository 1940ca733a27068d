import { describe, expect, it } from '@jest/globals';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DEFAULT_COLLECT_CAPS } from '../collect-files.ts';
import { DEFAULT_SANDBOX_LIMITS } from '../limits.ts';
import type {
  OutputSink,
  Sandbox,
  SandboxExecutor,
  SandboxSpec,
  StepOutcome,
  StepResult,
  StepSpec,
} from '../sandbox-executor.ts';

/** What a tier must be able to do for the contract to be asked of it, in the tier's own language. */
export type Programs = {
  readonly says: (text: string) => Partial<StepSpec>;
  readonly exits: (code: number) => Partial<StepSpec>;
  readonly writes: (path: string, content: string) => Partial<StepSpec>;
  /** Writes this many bytes and ends. */
  readonly floods: (bytes: number) => Partial<StepSpec>;
  /** Says `ready`, then never ends by itself. */
  readonly hangs: () => Partial<StepSpec>;
};

export type ContractSubject = {
  readonly makeExecutor: (stateDir: string) => SandboxExecutor;
  readonly programs: Programs;
};

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

const AMPLE_MS = 30_000;

export const step = (...parts: readonly Partial<StepSpec>[]): StepSpec =>
  Object.assign(
    { command: { kind: 'script', script: ':' }, workdir: '.', env: {}, timeoutMs: AMPLE_MS, idleTimeoutMs: null },
    ...parts,
  );

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
    await Promise.all([mkdtemp(`${stateDir}-`), mkdtemp(`${hostDir}-`)]);
    const names = await readdir(root);
    const named = (prefix: string): string => join(root, names.find((name) => name.startsWith(prefix)) ?? prefix);
    return await use(named('state'), named('workspace'));
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

function describeEndings({ makeExecutor, programs }: ContractSubject): void {
  it('given a step that succeeds, its output and exit code 0 are handed over', async () => {
    await withSandbox(makeExecutor, {}, async ({ sandbox }) => {
      const output = collectOutput();
      const result = finished(await sandbox.run(step(programs.says('hello')), output.sink));
      expect(output.text()).toBe('hello');
      expect(result).toMatchObject({
        endedBy: 'exit',
        exitCode: 0,
        signal: null,
        outputBytes: 5,
        outputTruncated: false,
      });
    });
  });

  it('given a step that fails, its exit code is told', async () => {
    await withSandbox(makeExecutor, {}, async ({ sandbox }) => {
      const result = finished(await sandbox.run(step(programs.exits(3)), collectOutput().sink));
      expect(result).toMatchObject({ endedBy: 'exit', exitCode: 3 });
    });
  });

  it('given a step past its timeout, it is stopped and says so', async () => {
    await withSandbox(makeExecutor, {}, async ({ sandbox }) => {
      const outcome = await sandbox.run(step(programs.hangs(), { timeoutMs: 300 }), collectOutput().sink);
      expect(finished(outcome)).toMatchObject({ endedBy: 'timeout', exitCode: 143, signal: 'SIGTERM' });
    });
  });

  it('given a step that falls silent, it is stopped at its idle timeout', async () => {
    await withSandbox(makeExecutor, {}, async ({ sandbox }) => {
      const outcome = await sandbox.run(step(programs.hangs(), { idleTimeoutMs: 300 }), collectOutput().sink);
      expect(finished(outcome).endedBy).toBe('idle-timeout');
    });
  });

  it('given a cancel while a step runs, it is stopped and says so', async () => {
    await withSandbox(makeExecutor, {}, async ({ sandbox }) => {
      const cancel = new AbortController();
      const { sink, seen } = awaitOutput('ready');
      const running = sandbox.run(step(programs.hangs(), { signal: cancel.signal }), sink);
      await seen;
      cancel.abort();
      expect(finished(await running).endedBy).toBe('cancel');
    });
  });

  it('given a step that was canceled before it began, it ends as canceled', async () => {
    await withSandbox(makeExecutor, {}, async ({ sandbox }) => {
      const outcome = await sandbox.run(step(programs.hangs(), { signal: AbortSignal.abort() }), collectOutput().sink);
      expect(finished(outcome).endedBy).toBe('cancel');
    });
  });
}

const MiB = 1024 * 1024;

function describeOutput({ makeExecutor, programs }: ContractSubject): void {
  it('given much output and a slow sink, chunks come one at a time and none is lost', async () => {
    await withSandbox(makeExecutor, {}, async ({ sandbox }) => {
      let [bytes, pending, mostPending] = [0, 0, 0];
      const sink: OutputSink = async (chunk) => {
        pending += 1;
        mostPending = Math.max(mostPending, pending);
        await new Promise<void>((resolve) => setImmediate(resolve));
        bytes += chunk.length;
        pending -= 1;
      };
      const result = finished(await sandbox.run(step(programs.floods(4 * MiB)), sink));
      expect({ bytes, mostPending, told: result.outputBytes }).toEqual({
        bytes: 4 * MiB,
        mostPending: 1,
        told: 4 * MiB,
      });
    });
  });

  it('given more output than allowed, the rest is counted and dropped, with a line that says so', async () => {
    const limits = { ...DEFAULT_SANDBOX_LIMITS, outputBytes: 1_000 };
    await withSandbox(makeExecutor, { limits }, async ({ sandbox }) => {
      const output = collectOutput();
      const result = finished(await sandbox.run(step(programs.floods(MiB)), output.sink));
      expect(result).toMatchObject({ exitCode: 0, outputBytes: MiB, outputTruncated: true });
      expect(output.text().slice(1_000)).toBe('\n[output cut: more than 1000 bytes]\n');
    });
  });

  it('given a sink that rejects, the step is a fault and the sandbox still works', async () => {
    await withSandbox(makeExecutor, {}, async ({ sandbox }) => {
      const broken: OutputSink = () => Promise.reject(new Error('disk full'));
      expect(await sandbox.run(step(programs.says('hello')), broken)).toMatchObject({
        kind: 'fault',
        refusal: { code: 'sink_failed', message: 'disk full' },
      });
      expect(finished(await sandbox.run(step(programs.exits(0)), collectOutput().sink)).exitCode).toBe(0);
    });
  });
}

function describeRefusals({ makeExecutor, programs }: ContractSubject): void {
  it.each([
    ['a workdir above the workspace', { workdir: '../elsewhere' }],
    ['an absolute workdir', { workdir: '/etc' }],
    ['a NUL byte in a command', { command: { kind: 'argv', argv: ['true', 'a\0--bind'] } }],
    ['no command', { command: { kind: 'argv', argv: [] } }],
    ['a variable name that is none', { env: { 'A=B': 'c' } }],
    ['a NUL byte in a variable', { env: { A: 'b\0c' } }],
    ['a timeout no timer can keep', { timeoutMs: 2 ** 40 }],
  ] as const)('given a step with %s, it is refused by name', async (_, wrong) => {
    await withSandbox(makeExecutor, {}, async ({ sandbox }) => {
      expect(codeOf(await sandbox.run(step(wrong), collectOutput().sink))).toBe('spec_invalid');
    });
  });

  it.each([
    ['a user that is no login name', { user: 'a:b' }, 'spec_invalid'],
    ['a bind over /proc', { binds: [{ hostPath: '/usr', at: '/proc/sys' }] }, 'spec_invalid'],
    ['a bind of nothing', { binds: [{ hostPath: '/nowhere/at/all' }] }, 'spec_invalid'],
    ['a limit of zero', { limits: { ...DEFAULT_SANDBOX_LIMITS, pids: 0 } }, 'spec_invalid'],
    ['no workspace', { workspace: { hostDir: '/nowhere/at/all', onClose: 'keep' } }, 'workspace_unusable'],
  ] as const)('given a spec with %s, nothing is opened', async (_, wrong, code) => {
    await withDirectories(async (stateDir, hostDir) => {
      const opened = await makeExecutor(stateDir).open(specFor(hostDir, wrong));
      expect(opened).toMatchObject({ ok: false, refusal: { code } });
      expect(await readdir(stateDir)).toEqual([]);
    });
  });

  it('given a step while another runs, the broken invariant is thrown', async () => {
    await withSandbox(makeExecutor, {}, async ({ sandbox }) => {
      const cancel = new AbortController();
      const { sink, seen } = awaitOutput('ready');
      const running = sandbox.run(step(programs.hangs(), { signal: cancel.signal }), sink);
      await seen;
      await expect(sandbox.run(step(programs.exits(0)), sink)).rejects.toThrow('still under way');
      cancel.abort();
      await running;
    });
  });
}

function describeLife({ makeExecutor, programs }: ContractSubject): void {
  it('given two steps, the second finds what the first left in the workspace', async () => {
    await withSandbox(makeExecutor, {}, async ({ sandbox, hostDir }) => {
      await sandbox.run(step(programs.writes('reports/a.xml', '<a/>')), collectOutput().sink);
      await sandbox.run(step(programs.writes('reports/b.xml', '<b/>')), collectOutput().sink);
      expect((await readdir(join(hostDir, 'reports'))).sort()).toEqual(['a.xml', 'b.xml']);
    });
  });

  it('given files that match, collectFiles hands over their content, and nothing of .git', async () => {
    await withSandbox(makeExecutor, {}, async ({ sandbox }) => {
      await sandbox.run(step(programs.writes('reports/a.xml', '<a/>')), collectOutput().sink);
      await sandbox.run(step(programs.writes('.git/config.xml', 'token')), collectOutput().sink);
      const taken: Record<string, string> = {};
      const report = await sandbox.collectFiles(['**/*.xml'], DEFAULT_COLLECT_CAPS, async (file) => {
        taken[file.path] = await textOf(file.content);
      });
      expect(taken).toEqual({ 'reports/a.xml': '<a/>' });
      expect(report).toEqual({ files: 1, totalBytes: 4, notCollected: [] });
    });
  });

  it.each(['keep', 'empty'] as const)('given onClose %s, close deals with the workspace so', async (onClose) => {
    await withDirectories(async (stateDir, hostDir) => {
      await writeFile(join(hostDir, 'before'), '');
      const opened = await makeExecutor(stateDir).open(specFor(hostDir, { workspace: { hostDir, onClose } }));
      if (!opened.ok) throw new Error(opened.refusal.message);
      await opened.sandbox.run(step(programs.writes('after', 'x')), collectOutput().sink);
      expect(await opened.sandbox.close()).toEqual({ leftovers: [] });
      expect((await readdir(hostDir)).sort()).toEqual(onClose === 'keep' ? ['after', 'before'] : []);
    });
  });

  it('given close while a step runs, the step is canceled, close repeats itself, and later steps are refused', async () => {
    await withSandbox(makeExecutor, {}, async ({ sandbox, stateDir }) => {
      const { sink, seen } = awaitOutput('ready');
      const running = sandbox.run(step(programs.hangs()), sink);
      await seen;
      const [first, second] = await Promise.all([sandbox.close(), sandbox.close()]);
      expect([first, second]).toEqual([{ leftovers: [] }, { leftovers: [] }]);
      expect(finished(await running).endedBy).toBe('cancel');
      expect(codeOf(await sandbox.run(step(programs.exits(0)), sink))).toBe('sandbox_closed');
      expect(await readdir(stateDir)).toEqual([]);
    });
  });

  it('probe names every layer once and repeats itself', async () => {
    await withDirectories(async (stateDir) => {
      const executor = makeExecutor(stateDir);
      const probe = await executor.probe();
      expect(await executor.probe()).toEqual(probe);
      expect(new Set(probe.layers.map(({ layer }) => layer)).size).toBe(probe.layers.length);
      expect(probe.layers.filter(({ state, remedy }) => state !== 'enforced' && remedy === null)).toEqual([]);
    });
  });
}

/** What every tier promises. Asked of each by its own spec. */
export function describeSandboxContract(tier: string, subject: ContractSubject): void {
  describe(`the contract of executors: ${tier}`, () => {
    describe('how steps end', () => {
      describeEndings(subject);
    });
    describe('output', () => {
      describeOutput(subject);
    });
    describe('refusals', () => {
      describeRefusals(subject);
    });
    describe('life of a sandbox', () => {
      describeLife(subject);
    });
  });
}

/** How the tiers that start processes speak. */
export const SHELL_PROGRAMS: Programs = {
  says: (text) => ({ command: { kind: 'argv', argv: ['printf', '%s', text] } }),
  exits: (code) => script(`exit ${code}`),
  writes: (path, content) => script(`mkdir -p "$(dirname '${path}')"; printf %s '${content}' > '${path}'`),
  floods: (bytes) => script(`head -c ${bytes} /dev/zero`),
  hangs: () => script('echo ready; sleep 1000'),
};

function describeEnvironment(makeExecutor: ContractSubject['makeExecutor']): void {
  it('given an environment, the step has it, the standard names, and nothing of the agent', async () => {
    await withSandbox(makeExecutor, { env: { A: 'spec', B: 'spec' } }, async ({ sandbox }) => {
      const output = collectOutput();
      await sandbox.run(step(script('env'), { env: { B: 'step with "quotes" and\nlines' } }), output.sink);
      const names = output.text().match(/^[A-Z_]+(?==)/gm) ?? [];
      expect(output.text()).toContain('A=spec\n');
      expect(output.text()).toContain('B=step with "quotes" and\nlines\n');
      const standard = ['HOME', 'USER', 'LOGNAME', 'SHELL', 'PATH', 'LANG', 'TMPDIR', 'DELTA_SANDBOX'];
      expect(names.filter((name) => !['A', 'B', 'PWD', 'OLDPWD', '_', ...standard].includes(name))).toEqual([]);
    });
  });

  it('given a workdir, the step starts there; one that does not exist fails the step, not the sandbox', async () => {
    await withSandbox(makeExecutor, {}, async ({ sandbox }) => {
      const output = collectOutput();
      await sandbox.run(step(script('mkdir -p "a b"')), output.sink);
      await sandbox.run(step(script('pwd'), { workdir: 'a b' }), output.sink);
      expect(output.text()).toBe(`${sandbox.workspaceDir}/a b\n`);
      expect(finished(await sandbox.run(step(script('pwd'), { workdir: 'c' }), output.sink)).exitCode).toBe(126);
    });
  });

  it('given a read-only bind, the step reads it where the sandbox says', async () => {
    await withDirectories(async (stateDir, hostDir) => {
      const tools = await mkdtemp(join(tmpdir(), 'delta-tools-'));
      await writeFile(join(tools, 'version'), '1.2.3');
      const opened = await makeExecutor(stateDir).open(specFor(hostDir, { binds: [{ hostPath: tools }] }));
      if (!opened.ok) throw new Error(opened.refusal.message);
      const output = collectOutput();
      const seenAs = opened.sandbox.bindSeenAs(tools) ?? 'nowhere';
      await opened.sandbox.run(step({ command: { kind: 'argv', argv: ['cat', `${seenAs}/version`] } }), output.sink);
      await opened.sandbox.close();
      await rm(tools, { recursive: true });
      expect(output.text()).toBe('1.2.3');
    });
  });

  it('given two steps, the second finds what the first left at home', async () => {
    await withSandbox(makeExecutor, {}, async ({ sandbox }) => {
      const output = collectOutput();
      await sandbox.run(step(script('echo kept > ~/.cache-of-mine')), output.sink);
      await sandbox.run(step(script('cat ~/.cache-of-mine')), output.sink);
      expect(output.text()).toBe('kept\n');
    });
  });
}

function describeProcesses(makeExecutor: ContractSubject['makeExecutor']): void {
  it('given stdout and stderr, they come in the order they were written', async () => {
    await withSandbox(makeExecutor, {}, async ({ sandbox }) => {
      const output = collectOutput();
      await sandbox.run(step(script('for i in 1 2 3; do echo out$i; echo err$i >&2; done')), output.sink);
      expect(output.text()).toBe('out1\nerr1\nout2\nerr2\nout3\nerr3\n');
    });
  });

  it('given a script that opens /dev/stdout and /dev/stderr, it can', async () => {
    await withSandbox(makeExecutor, {}, async ({ sandbox }) => {
      const output = collectOutput();
      const result = finished(
        await sandbox.run(step(script('echo a > /dev/stdout; echo b > /dev/stderr')), output.sink),
      );
      expect({ text: output.text(), code: result.exitCode }).toEqual({ text: 'a\nb\n', code: 0 });
    });
  });

  it('given a program that does not exist, the step fails with 127 and says why', async () => {
    await withSandbox(makeExecutor, {}, async ({ sandbox }) => {
      const output = collectOutput();
      const outcome = await sandbox.run(step({ command: { kind: 'argv', argv: ['no-such-program'] } }), output.sink);
      expect(finished(outcome).exitCode).toBe(127);
      expect(output.text()).toContain('no-such-program');
    });
  });

  it('given a step, it holds no descriptor but its three', async () => {
    await withSandbox(makeExecutor, {}, async ({ sandbox }) => {
      const output = collectOutput();
      const list = 'ls -l /proc/$$/fd | sed -n "s/.* \\([0-9]*\\) -> /\\1 /p" | grep -v /dev/null | cut -d" " -f1';
      await sandbox.run(step(script(list)), output.sink);
      expect(output.text().split('\n').filter(Boolean)).toEqual(['1', '2']);
    });
  });
}

function describeProcessEndings(makeExecutor: ContractSubject['makeExecutor']): void {
  it('given a step that dies of a signal, the signal is named', async () => {
    await withSandbox(makeExecutor, {}, async ({ sandbox }) => {
      const result = finished(await sandbox.run(step(script('kill -SEGV $$')), collectOutput().sink));
      expect(result).toMatchObject({ endedBy: 'exit', exitCode: 139, signal: 'SIGSEGV' });
    });
  });

  it('given a step that ignores SIGTERM, it is killed after the grace', async () => {
    await withSandbox(makeExecutor, {}, async ({ sandbox }) => {
      const deaf = script('trap "" TERM; while :; do sleep 1; done');
      const result = finished(await sandbox.run(step(deaf, { timeoutMs: 300 }), collectOutput().sink));
      expect(result).toMatchObject({ endedBy: 'timeout', signal: 'SIGKILL' });
    });
  });

  it('given a step that cleans up on SIGTERM, it has the time to', async () => {
    await withSandbox(makeExecutor, {}, async ({ sandbox }) => {
      const output = collectOutput();
      const tidy = script('trap "echo tidied; exit 7" TERM; while :; do sleep 0.05; done');
      const result = finished(await sandbox.run(step(tidy, { timeoutMs: 500 }), output.sink));
      expect({ text: output.text(), ...result }).toMatchObject({
        text: expect.stringContaining('tidied\n'),
        endedBy: 'timeout',
        exitCode: 7,
      });
    });
  });

  it('given a daemon that holds stdout in a session of its own, the step ends without it and it is dead', async () => {
    await withSandbox(makeExecutor, {}, async ({ sandbox, hostDir }) => {
      const daemon = 'setsid sh -c "echo \\$\\$ > daemon.pid; while :; do date +%N > beat; sleep 0.01; done" &';
      const leave = 'until [ -s beat ]; do sleep 0.01; done; echo left';
      const output = collectOutput();
      finished(await sandbox.run(step(script(`${daemon} ${leave}`)), output.sink));
      expect(output.text()).toBe('left\n');
      const beat = await readFile(join(hostDir, 'beat'), 'utf8');
      const { mtimeMs } = await stat(join(hostDir, 'beat'));
      await sandbox.run(step(script('sleep 0.2')), output.sink);
      expect(await readFile(join(hostDir, 'beat'), 'utf8')).toBe(beat);
      expect((await stat(join(hostDir, 'beat'))).mtimeMs).toBe(mtimeMs);
    });
  });
}

/** What the tiers that start processes promise on top. */
export function describeProcessContract(tier: string, { makeExecutor }: Pick<ContractSubject, 'makeExecutor'>): void {
  describe(`the contract of executors that start processes: ${tier}`, () => {
    describe('what a step finds', () => {
      describeEnvironment(makeExecutor);
    });
    describe('processes', () => {
      describeProcesses(makeExecutor);
    });
    describe('how processes end', () => {
      describeProcessEndings(makeExecutor);
    });
  });
}
