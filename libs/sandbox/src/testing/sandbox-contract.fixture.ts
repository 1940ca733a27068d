import { describe, expect, it } from '@jest/globals';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DEFAULT_COLLECT_CAPS } from '../collect-files.ts';
import { DEFAULT_SANDBOX_LIMITS } from '../limits.ts';
import type { OutputSink, SandboxExecutor, StepSpec } from '../sandbox-executor.ts';
import {
  awaitOutput,
  codeOf,
  collectOutput,
  finished,
  specFor,
  step,
  textOf,
  withDirectories,
  withSandbox,
} from './open-sandbox.fixture.ts';

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
      expect(finished(outcome).endedBy).toBe('idle_timeout');
    });
  });

  it('given a cancel while a step runs, it is stopped and says so', async () => {
    await withSandbox(makeExecutor, {}, async ({ sandbox }) => {
      const cancel = new AbortController();
      const { sink, seen } = awaitOutput('ready');
      const running = sandbox.run(step(programs.hangs(), { signal: cancel.signal }), sink);
      await seen;
      cancel.abort();
      expect(finished(await running).endedBy).toBe('canceled');
    });
  });

  it('given a step that was canceled before it began, it ends as canceled', async () => {
    await withSandbox(makeExecutor, {}, async ({ sandbox }) => {
      const outcome = await sandbox.run(step(programs.hangs(), { signal: AbortSignal.abort() }), collectOutput().sink);
      expect(finished(outcome).endedBy).toBe('canceled');
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
      expect(output.text().slice(1_000)).toBe('\n[delta] the output ends here: it has more than 1000 bytes\n');
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
    ['a script too long for the kernel', { command: { kind: 'script', script: ':'.repeat(128 * 1024) } }],
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
      expect(finished(await running).endedBy).toBe('canceled');
      expect(codeOf(await sandbox.run(step(programs.exits(0)), sink))).toBe('sandbox_closed');
      expect(await readdir(stateDir)).toEqual([]);
    });
  });

  it('given end while a step runs, the step is canceled and nothing else runs, and what it left stays until close', async () => {
    await withDirectories(async (stateDir, hostDir) => {
      const opened = await makeExecutor(stateDir).open(specFor(hostDir, { workspace: { hostDir, onClose: 'empty' } }));
      if (!opened.ok) throw new Error(opened.refusal.message);
      const { sandbox } = opened;
      await sandbox.run(step(programs.writes('left', 'x')), collectOutput().sink);
      const { sink, seen } = awaitOutput('ready');
      const running = sandbox.run(step(programs.hangs()), sink);
      await seen;
      const [first, second] = await Promise.all([sandbox.end(), sandbox.end()]);
      expect([first, second]).toEqual([{ leftovers: [] }, { leftovers: [] }]);
      expect(finished(await running).endedBy).toBe('canceled');
      expect(codeOf(await sandbox.run(step(programs.exits(0)), sink))).toBe('sandbox_closed');
      expect(await readdir(hostDir)).toEqual(['left']);
      expect(await sandbox.close()).toEqual({ leftovers: [] });
      expect([...(await readdir(hostDir)), ...(await readdir(stateDir))]).toEqual([]);
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
