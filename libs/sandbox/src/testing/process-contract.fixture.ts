import { describe, expect, it } from '@jest/globals';
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DEFAULT_SANDBOX_LIMITS } from '../limits.ts';
import {
  collectOutput,
  finished,
  script,
  specFor,
  step,
  withDirectories,
  withSandbox,
} from './open-sandbox.fixture.ts';
import type { Sandbox } from '../sandbox-executor.ts';
import type { ContractSubject, Programs } from './sandbox-contract.fixture.ts';

/** How the tiers that start processes speak. */
export const SHELL_PROGRAMS: Programs = {
  says: (text) => ({ command: { kind: 'argv', argv: ['printf', '%s', text] } }),
  exits: (code) => script(`exit ${code}`),
  writes: (path, content) => script(`mkdir -p "$(dirname '${path}')"; printf %s '${content}' > '${path}'`),
  floods: (bytes) => script(`head -c ${bytes} /dev/zero`),
  hangs: () => script('echo ready; sleep 1000'),
};

function describeEnvironment(makeExecutor: ContractSubject['makeExecutor']): void {
  it('given an environment, the step has it, the standard names, and nothing of the warden', async () => {
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
      // Binds show with the owner and mode they have: what the job's user may read is the caller's business.
      await chmod(tools, 0o755);
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

  it('given a program whose name looks like a variable’s, it runs, whatever variables it is given', async () => {
    await withSandbox(makeExecutor, {}, async ({ sandbox }) => {
      const output = collectOutput();
      await sandbox.run(step(script(`printf '#!/bin/sh\\necho ran' > a=b; chmod +x a=b`)), output.sink);
      const argv = [`${sandbox.workspaceDir}/a=b`];
      const outcome = await sandbox.run(step({ command: { kind: 'argv', argv }, env: { UID: 'nine' } }), output.sink);
      expect({ text: output.text(), code: finished(outcome).exitCode }).toEqual({ text: 'ran\n', code: 0 });
    });
  });

  it('given a step, it holds no descriptor but its three', async () => {
    await withSandbox(makeExecutor, {}, async ({ sandbox }) => {
      const output = collectOutput();
      await sandbox.run(step(script('ls -l /proc/$$/fd')), output.sink);
      const open = [...output.text().matchAll(/ (\d+) -> (.*)$/gm)].filter(([, , to]) => to !== '/dev/null');
      expect(open.map(([, fd]) => fd)).toEqual(['1', '2']);
    });
  });
}

function describeProcessEndings(makeExecutor: ContractSubject['makeExecutor']): void {
  it('given a step that dies of a signal, the signal is named', async () => {
    await withSandbox(makeExecutor, {}, async ({ sandbox }) => {
      const result = finished(await sandbox.run(step(script('kill -SEGV $$')), collectOutput().sink));
      expect(result).toMatchObject({ endedBy: 'signal', exitCode: 139, signal: 'SIGSEGV' });
    });
  });

  it('given a step that kills itself as it would be killed, it is not taken for one that was stopped', async () => {
    await withSandbox(makeExecutor, {}, async ({ sandbox }) => {
      const result = finished(await sandbox.run(step(script("exec sh -c 'kill -KILL $$'")), collectOutput().sink));
      expect(result).toMatchObject({ endedBy: 'signal', exitCode: 137, signal: 'SIGKILL' });
      expect(result.oomKilled).not.toBe(true);
    });
  });

  it('given a step that takes more disk than allowed in a workspace that is kept, it is stopped', async () => {
    const limits = { ...DEFAULT_SANDBOX_LIMITS, diskBytes: 4 * 1024 * 1024 };
    await withSandbox(makeExecutor, { limits }, async ({ sandbox }) => {
      const greedy = script('head -c 16M /dev/zero > big; sleep 1000');
      expect(finished(await sandbox.run(step(greedy), collectOutput().sink)).endedBy).toBe('disk_full');
    });
  });

  it('given a step that ignores SIGTERM, it is killed after the grace', async () => {
    await withSandbox(makeExecutor, {}, async ({ sandbox }) => {
      const deaf = script('trap "" TERM; while :; do sleep 1; done');
      const result = finished(await sandbox.run(step(deaf, { timeoutMs: 1_500 }), collectOutput().sink));
      expect(result).toMatchObject({ endedBy: 'timeout', signal: 'SIGKILL' });
    });
  });

  it('given a step that cleans up on SIGTERM, it has the time to', async () => {
    await withSandbox(makeExecutor, {}, async ({ sandbox }) => {
      const output = collectOutput();
      const tidy = script('trap "echo tidied; exit 7" TERM; while :; do sleep 0.05; done');
      const result = finished(await sandbox.run(step(tidy, { timeoutMs: 1_500 }), output.sink));
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

const MiB = 1024 * 1024;
const GREEDY = 'head -c 400M /dev/zero | tail';

/** Where nothing counts memory, nothing is told of it: what a test expects then. */
async function countsMemory(sandbox: Sandbox): Promise<boolean> {
  return finished(await sandbox.run(step(script(':')), collectOutput().sink)).oomKilled !== null;
}

function describeUsage({ makeExecutor, readsPastCaches = true }: ProcessSubject): void {
  const limits = { ...DEFAULT_SANDBOX_LIMITS, memoryBytes: 64 * MiB };

  it('given a step that takes more memory than allowed, it ends by that, whatever became of its exit code', async () => {
    await withSandbox(makeExecutor, { limits }, async ({ sandbox }) => {
      if (!(await countsMemory(sandbox))) return;
      const result = finished(await sandbox.run(step(script(GREEDY)), collectOutput().sink));
      expect(result).toMatchObject({ endedBy: 'out_of_memory', oomKilled: true });
      expect(result.exitCode).not.toBe(0);
    });
  });

  it('given a child that is killed for its memory and a parent that goes on, it is told as well', async () => {
    await withSandbox(makeExecutor, { limits }, async ({ sandbox }) => {
      if (!(await countsMemory(sandbox))) return;
      const survivor = script(`(${GREEDY}) || :; exit 0`);
      const result = finished(await sandbox.run(step(survivor), collectOutput().sink));
      expect(result).toMatchObject({ endedBy: 'out_of_memory', oomKilled: true });
    });
  });

  it('given a step of a moment, its peak of memory is told all the same', async () => {
    await withSandbox(makeExecutor, {}, async ({ sandbox }) => {
      const result = finished(
        await sandbox.run(step(script('head -c 48M /dev/zero | tail | wc -c')), collectOutput().sink),
      );
      expect(result.memoryPeakBytes ?? 48 * MiB).toBeGreaterThanOrEqual(48 * MiB);
    });
  });

  it('given a step that reads from the disk, what it read is told, or that nothing counts it', async () => {
    await withSandbox(makeExecutor, {}, async ({ sandbox }) => {
      const read = 'head -c 1M /dev/urandom > data; sync data; dd if=data of=/dev/null bs=64k iflag=direct';
      const result = finished(await sandbox.run(step(script(read)), collectOutput().sink));
      const { readBytes, reads } = result.io;
      expect(readBytes === null).toBe(reads === null);
      // A workspace in memory cannot be read past the cache.
      expect(!readsPastCaches || result.exitCode !== 0 || readBytes === null || readBytes >= MiB).toBe(true);
    });
  });
}

export type ProcessSubject = Pick<ContractSubject, 'makeExecutor'> & {
  /** False where a step that reads past all caches, by `O_DIRECT`, is given what the host has in one. */
  readonly readsPastCaches?: boolean;
};

/** What the tiers that start processes promise on top. */
export function describeProcessContract(tier: string, subject: ProcessSubject): void {
  const { makeExecutor } = subject;
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
    describe('what processes use', () => {
      describeUsage(subject);
    });
  });
}
