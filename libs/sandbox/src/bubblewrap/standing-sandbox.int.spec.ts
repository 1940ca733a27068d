import { describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readdir, realpath, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { detectCgroups } from '../cgroup/cgroup-host.ts';
import { CGROUP_PREFIX, cgroupParents, killMembers, removeGroup } from '../cgroup/step-cgroup.ts';
import { layOutRepository } from '../job/checkout.ts';
import { SANDBOX_VARIABLE } from '../leftovers.ts';
import { processesWithVariable } from '../process-table.ts';
import type { SandboxSpec } from '../sandbox-executor.ts';
import { gateWords, outsideCommand } from '../step-entry.ts';
import { STARTED_MARK } from '../supervise-step.ts';
import { describeHostileBattery } from '../testing/hostile-battery.fixture.ts';
import {
  collectOutput,
  finished,
  probeOnce,
  script,
  specFor,
  step,
  withDirectories,
} from '../testing/open-sandbox.fixture.ts';
import { describeProcessContract, SHELL_PROGRAMS } from '../testing/process-contract.fixture.ts';
import { describeSandboxContract } from '../testing/sandbox-contract.fixture.ts';
import { guessFor, standingFirst, strangersAfterStandBy } from '../testing/standing-first.fixture.ts';
import { whereItRuns } from '../testing/where-it-runs.fixture.ts';
import { BubblewrapExecutor } from './bubblewrap-executor.ts';
import { OWN_USER_IDS } from './user-ids.ts';

const makeBubblewrap = (stateDir: string): BubblewrapExecutor =>
  new BubblewrapExecutor({
    stateDir,
    killGraceMs: 1_000,
    bwrap: process.env['DELTA_BWRAP'] ?? 'bwrap',
    programDirs: (process.env['PATH'] ?? '').split(':'),
  });
const makeExecutor = (stateDir: string) => standingFirst(makeBubblewrap(stateDir), stateDir);

const cgroups = detectCgroups();

/** Processes and control groups of these sandboxes that are still there. */
async function leftOf(ids: readonly string[]): Promise<readonly string[]> {
  const parents = cgroups.found ? cgroupParents(cgroups.host) : [];
  const groups = (await Promise.all(parents.map(async (parent) => readdir(parent)))).flat();
  const processes = ids.flatMap((id) => processesWithVariable(SANDBOX_VARIABLE, id)).map(String);
  return [...processes, ...groups.filter((name) => ids.some((id) => name.includes(id)))];
}

interface Standing {
  readonly executor: BubblewrapExecutor;
  readonly stateDir: string;
  readonly spec: SandboxSpec;
  readonly stood: readonly string[];
}

/** A sandbox stands for a workspace that is empty, but for what is laid out in it; nothing of it may be there in the end. */
async function withStanding(
  use: (standing: Standing) => Promise<void>,
  layOut: (hostDir: string) => Promise<void> = async () => undefined,
): Promise<void> {
  await withDirectories(async (stateDir, hostDir) => {
    await layOut(hostDir);
    const executor = makeBubblewrap(stateDir);
    const spec = specFor(hostDir, { workspace: { hostDir, onClose: 'empty' } });
    await executor.standBy(guessFor(spec));
    const stood = await readdir(stateDir);
    expect(stood.length).toBe(1);
    expect((await leftOf(stood)).length).toBeGreaterThan(0);
    try {
      await use({ executor, stateDir, spec, stood });
    } finally {
      // What a failed expectation leaves standing would fail others after it.
      await executor.standDown();
    }
    expect(await readdir(stateDir)).toEqual([]);
    expect(await leftOf(stood)).toEqual([]);
  });
}

/** What a step of a sandbox for this spec says; and whether it ran in the one that stood. */
async function says({ executor, stateDir, stood }: Standing, spec: SandboxSpec, text: string, env = {}) {
  const opened = await executor.open(spec);
  if (!opened.ok) throw new Error(opened.refusal.message);
  const ids = await readdir(stateDir);
  const output = collectOutput();
  const result = finished(await opened.sandbox.run(step(script(text), { env }), output.sink));
  expect(await opened.sandbox.close()).toEqual({ leftovers: [] });
  expect(result.exitCode).toBe(0);
  return { text: output.text(), inTheOneThatStood: ids.includes(stood[0] ?? '') };
}

const probe = await probeOnce(makeBubblewrap);
const offered = probe.layers.find(({ layer }) => layer === 'disk-limit')?.state;

whereItRuns('tier sandbox, standing before it is asked for', probe, () => {
  // Without control groups, limits are built into a sandbox, and none stands ahead.
  const asked = cgroups.found ? describe : describe.skip;

  asked('one sandbox', () => {
    it('given a job it suits, then the job’s environment and script arrive in it, to the letter', async () => {
      await withStanding(async (standing) => {
        const words = `it's "ü€🙂" \\ $HOME \`x\` \r\n !$(exit)`;
        const spec = { ...standing.spec, env: { JOB: words } };
        const said = await says(standing, spec, 'printf %s "$JOB|$STEP|$USER"', { STEP: "'" });
        expect(said).toEqual({ text: `${words}|'|job`, inTheOneThatStood: true });
      });
    });

    it('given more steps than stand, then the others are started as ever, and all are one job', async () => {
      await withStanding(async ({ executor, spec }) => {
        const opened = await executor.open(spec);
        if (!opened.ok) throw new Error(opened.refusal.message);
        const output = collectOutput();
        for (const text of ['1', '2', '3']) {
          const run = step(script(`printf ${text} >> all; cat all; ls /tmp; touch /tmp/mine`));
          expect(finished(await opened.sandbox.run(run, output.sink)).exitCode).toBe(0);
        }
        expect(output.text()).toBe('112123');
        expect(await opened.sandbox.close()).toEqual({ leftovers: [] });
      });
    });

    it('given a variable that shells keep for themselves, then it arrives by another way', async () => {
      await withStanding(async (standing) => {
        const said = await says(standing, standing.spec, 'printenv UID', { UID: 'nine' });
        expect(said.text).toBe('nine\n');
      });
    });

    it.each<[string, (spec: SandboxSpec) => SandboxSpec]>([
      ['a network', (spec) => ({ ...spec, network: 'host' })],
      ['binds', (spec) => ({ ...spec, binds: [{ hostPath: '/usr', at: '/opt/more' }] })],
      ['a larger /tmp', (spec) => ({ ...spec, limits: { ...spec.limits, tmpBytes: 2 ** 20 } })],
      ['another name', (spec) => ({ ...spec, user: 'other' })],
    ])('given a job with %s, then it gets a sandbox of its own', async (_, change) => {
      await withStanding(async (standing) => {
        const said = await says(standing, change(standing.spec), 'id -un');
        expect(said.inTheOneThatStood).toBe(false);
        expect(await leftOf(standing.stood)).toEqual([]);
      });
    });

    it('given a workspace with more in it than was given to the job’s user, then it is not used', async () => {
      await withStanding(async (standing) => {
        await writeFile(join(standing.spec.workspace.hostDir, 'file'), 'x');
        const opened = await standing.executor.open({
          ...standing.spec,
          workspace: { ...standing.spec.workspace, onClose: 'keep' },
        });
        expect(await leftOf(standing.stood)).toEqual([]);
        if (opened.ok) await opened.sandbox.close();
      });
    });

    it.each<[string, Partial<SandboxSpec>]>([
      ['of a stranger', { trust: 'untrusted' }],
      ['that insists on a disk of its own', { minimum: { 'disk-limit': 'enforced' } }],
    ])('given a job %s, then it gets nothing that stood, and its disk is judged as ever', async (_, change) => {
      await withStanding(
        async ({ executor, stateDir, spec, stood }) => {
          const opened = await executor.open({ ...spec, ...change });
          expect(opened.ok).toBe(offered === 'enforced' || change.minimum === undefined);
          if (!opened.ok) return;
          expect(opened.sandbox.layers.find(({ layer }) => layer === 'disk-limit')?.state).toBe(offered);
          expect(await readdir(stateDir)).not.toContain(stood[0]);
          expect(await leftOf(stood)).toEqual([]);
          expect(await opened.sandbox.close()).toEqual({ leftovers: [] });
        },
        async (hostDir) => layOutRepository(hostDir, '/source.git'),
      );
    });

    // Root alone can have something in a workspace that nobody can remove.
    const mounting = offered === 'enforced' ? describe : describe.skip;

    mounting('that cannot be removed', () => {
      it('lets nothing be opened in its place, and what is left is told until it goes', async () => {
        await withStanding(async ({ executor, spec }) => {
          const hostDir = await realpath(spec.workspace.hostDir);
          const busy = join(hostDir, 'busy');
          await mkdir(busy);
          expect(spawnSync('mount', ['-t', 'tmpfs', 'tmpfs', busy]).status).toBe(0);
          try {
            const refusal = { code: 'sandbox_setup_failed', message: expect.stringContaining(hostDir) };
            for (const trust of ['untrusted', 'trusted'] as const)
              expect(await executor.open({ ...spec, trust })).toMatchObject({ ok: false, refusal });
            await expect(executor.standBy(guessFor(spec))).rejects.toThrow(hostDir);
            expect(await executor.standDown()).toEqual([hostDir]);
          } finally {
            spawnSync('umount', [busy]);
          }
        });
      });
    });

    it('given a sandbox that read from a disk while it stood, then that is not told of the job', async () => {
      await withStanding(async ({ executor, stateDir, spec, stood }) => {
        const data = join(stateDir, '..', 'data');
        const parents = cgroups.found ? cgroupParents(cgroups.host) : [];
        const file = cgroups.found && cgroups.host.version === 1 ? 'tasks' : 'cgroup.procs';
        const joinFiles = parents.map((parent) => join(parent, `${CGROUP_PREFIX}${stood[0] ?? ''}-ahead-0`, file));
        const read = 'head -c 4M /dev/urandom >"$1"; sync "$1"; dd if="$1" of=/dev/null bs=1M iflag=direct';
        const [program, ...args] = outsideCommand(joinFiles, ['/bin/sh', '-c', read, 'sh', data]);
        // Where the disk of this host cannot be read past the cache, there is nothing that could be told.
        spawnSync(program, args);
        const opened = await executor.open(spec);
        if (!opened.ok) throw new Error(opened.refusal.message);
        const { io } = finished(await opened.sandbox.run(step(script(':')), collectOutput().sink));
        await opened.sandbox.close();
        expect(io.readBytes ?? 0).toBeLessThan(4 * 2 ** 20);
      });
    });

    it('given a waiting sandbox that was killed, then its step is started as ever', async () => {
      await withStanding(async (standing) => {
        const killed = processesWithVariable(SANDBOX_VARIABLE, standing.stood[0] ?? '');
        killed.forEach((pid) => process.kill(pid, 'SIGKILL'));
        expect((await says(standing, standing.spec, 'echo here')).text).toBe('here\n');
      });
    });

    it('given that none could be made, then what is opened later is made as ever, and there is nothing to end', async () => {
      await withDirectories(async (stateDir, hostDir) => {
        const executor = makeBubblewrap(stateDir);
        await executor.probe();
        await rm(stateDir, { recursive: true });
        await expect(executor.standBy(guessFor(specFor(hostDir)))).rejects.toThrow('ENOENT');
        await mkdir(stateDir);
        const opened = await executor.open(specFor(hostDir));
        expect(opened.ok && (await opened.sandbox.close())).toEqual({ leftovers: [] });
        await executor.standDown();
      });
    });

    it('given limits that cannot be put in force for what stands, then another is made', async () => {
      await withStanding(async (standing) => {
        const [id = ''] = standing.stood;
        for (const parent of cgroups.found ? cgroupParents(cgroups.host) : [])
          for (const name of (await readdir(parent)).filter((each) => each.includes(id))) {
            // Whatever is in it by now, and whatever that starts meanwhile.
            await killMembers(join(parent, name));
            expect(await removeGroup(join(parent, name))).toBe(true);
          }
        const limits = { ...standing.spec.limits, pids: 100 };
        const said = await says(standing, { ...standing.spec, limits }, 'echo here');
        expect(said).toEqual({ text: 'here\n', inTheOneThatStood: false });
      });
    });

    // An ordinary user's sandboxes need no user id of their own.
    const numbered = process.getuid?.() === 0 ? describe : describe.skip;

    numbered('for which no user id is left', () => {
      it('is not made, which is said, and nothing is left of it', async () => {
        await withDirectories(async (stateDir, hostDir) => {
          const executor = makeBubblewrap(stateDir);
          await executor.probe();
          const taken: number[] = [];
          for (let uid = OWN_USER_IDS.take(); uid !== null; uid = OWN_USER_IDS.take()) taken.push(uid);
          try {
            await expect(executor.standBy(guessFor(specFor(hostDir)))).rejects.toThrow('all user ids');
          } finally {
            taken.forEach((uid) => OWN_USER_IDS.giveBack(uid));
          }
          expect(await readdir(stateDir)).toEqual([]);
        });
      });
    });

    it('given nobody who opens it, then it goes without a trace', async () => {
      await withStanding(async () => undefined);
    });
  });

  asked('all of them', () => {
    describeSandboxContract('sandbox', { makeExecutor, programs: SHELL_PROGRAMS });
    describeProcessContract('sandbox', { makeExecutor });
    describeHostileBattery(makeExecutor, ({ stoppedBy }) => stoppedBy !== 'disk-limit');
  });

  asked('strangers, where one stood for others', () => {
    describeHostileBattery((stateDir) => strangersAfterStandBy(makeBubblewrap(stateDir), stateDir));
  });
});

describe('what a waiting shell is told', () => {
  const text = fc.string({ unit: 'binary' }).map((value) => value.replaceAll('\0', '').toWellFormed());
  const variable = fc.tuple(fc.stringMatching(/^X[A-Z_0-9]{0,8}$/), text);
  const SAY = `printf '%s\\0' "$@"; exec env -0`;

  const told = (argv: readonly string[], env: Readonly<Record<string, string>>): string =>
    gateWords({ kind: 'argv', argv: ['/bin/sh', '-c', SAY, 'sh', ...argv] }, '/', env, false) ?? '';

  const heard = (argv: readonly string[], env: Readonly<Record<string, string>>, cut = 0): readonly string[] => {
    const words = told(argv, env);
    const input = words.slice(0, words.length - cut);
    return spawnSync('/bin/sh', ['-s'], { input, env: {}, encoding: 'utf8' }).stdout.split('\0');
  };

  it('for any words and variables, it comes through the shell as it was', () => {
    const words = fc.array(text, { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(words, fc.array(variable, { maxLength: 4 }), (argv, variables) => {
        const env = Object.fromEntries(variables);
        const said = heard(argv, env);
        expect(said.slice(0, argv.length)).toEqual(argv);
        const wanted = Object.entries(env).map(([name, value]) => `${name}=${value}`);
        expect(said.slice(argv.length)).toEqual(expect.arrayContaining(wanted));
      }),
      { numRuns: 40 },
    );
  });

  it('for a locale that is not installed, a shell that minds says nothing before the mark of the step', () => {
    for (const shell of ['/bin/sh', '/bin/bash'].filter(existsSync)) {
      const input = told(['x'], { LC_ALL: 'xx_YY.UTF-8' });
      const said = spawnSync(shell, ['-s'], { input, argv0: 'sh', env: {}, encoding: 'utf8' });
      expect([said.stderr, said.stdout.split('\0')]).toEqual([
        STARTED_MARK,
        expect.arrayContaining(['x', 'LC_ALL=xx_YY.UTF-8']),
      ]);
    }
  });

  it('for words that break off anywhere in their last line, nothing runs', () => {
    for (const cut of [2, 3, 10, 30, 60]) expect(heard(['x'], {}, cut)).toEqual(['']);
  });

  it('for a variable that a shell would keep or change, there are no words', () => {
    for (const name of ['IFS', 'OPTIND', 'LINENO', 'PPID', 'UID', 'BASH_ENV', 'SHELLOPTS', 'SHLVL']) {
      expect(gateWords({ kind: 'script', script: 'true' }, '/workspace', { [name]: '1' }, false)).toBeNull();
    }
  });
});
