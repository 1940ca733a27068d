import { expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, chown, copyFile, cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { findPackageJSON } from 'node:module';
import { tmpdir, userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { findProgram } from '../find-program.ts';
import type { TierProbe } from '../sandbox-executor.ts';
import type { Observation } from '../testing/attack.fixture.ts';
import { expectWithstood, reportBattery } from '../testing/hostile-battery.fixture.ts';
import type { Target } from '../testing/hostile/hostile-job.fixture.ts';
import { hostileJobs } from '../testing/hostile-jobs.fixture.ts';
import { whereItRuns } from '../testing/where-it-runs.fixture.ts';
import type { FilterArch } from '../seccomp/system-calls.ts';

/** `nobody`, everywhere. When the tests do not run as root they are an ordinary user's already. */
const NOBODY = 65_534;
const amRoot = process.getuid?.() === 0;
/** As a login makes it: with groups, its own among them, which no user namespace can drop again. */
const LOGIN = ['--reuid', String(NOBODY), '--regid', String(NOBODY), '--groups', `${NOBODY},100`];

type Seen = { readonly observation: Observation; readonly target: Target };

/** A package and what it depends on, beside each other in `modules`. */
async function copyPackage(name: string, importedBy: string, modules: string): Promise<void> {
  const copy = join(modules, name);
  if (existsSync(copy)) return;
  const manifest = findPackageJSON(name, importedBy);
  if (manifest === undefined) throw new Error(`package ${name} is not installed`);
  await cp(dirname(manifest), copy, { recursive: true });
  const { dependencies = {} } = JSON.parse(await readFile(manifest, 'utf8')) as { dependencies?: object };
  for (const dependency of Object.keys(dependencies))
    await copyPackage(dependency, pathToFileURL(manifest).href, modules);
}

/**
 * Our sources, Node and bubblewrap, where anybody may read them: a checkout in somebody's home is closed to others.
 * Imports of the other rooms find their sources beside ours.
 */
async function publish(
  root: string,
): Promise<{ readonly node: string; readonly program: string; readonly bwrap: string }> {
  const source = fileURLToPath(new URL('..', import.meta.url));
  const contracts = fileURLToPath(new URL('../../../contracts/src', import.meta.url));
  const bwrap = findProgram(process.env['DELTA_BWRAP'] ?? 'bwrap', (process.env['PATH'] ?? '').split(':'));
  const modules = join(root, 'node_modules');
  await mkdir(join(modules, '@delta-ci'), { recursive: true });
  await mkdir(join(root, 'bin'));
  for (const name of ['zod', 'tar-stream']) await copyPackage(name, import.meta.url, modules);
  await Promise.all([
    cp(source, join(root, 'sandbox'), { recursive: true }),
    cp(contracts, join(root, 'contracts'), { recursive: true }),
    copyFile(process.execPath, join(root, 'bin', 'node')),
    copyFile(bwrap ?? 'bwrap', join(root, 'bin', 'bwrap')),
    writeFile(
      join(root, 'hooks.mjs'),
      `import { registerHooks } from 'node:module';
       const url = new URL('./contracts/index.ts', import.meta.url).href;
       registerHooks({ resolve: (name, context, next) =>
         name === '@delta-ci/contracts' ? { url, shortCircuit: true } : next(name, context) });`,
    ),
  ]);
  await promisify(execFile)('chmod', ['-R', 'a+rX', root]);
  const program = join(root, 'sandbox', 'testing', 'ordinary-user-battery.fixture.ts');
  return { node: join(root, 'bin', 'node'), program, bwrap: join(root, 'bin', 'bwrap') };
}

type Report = { readonly probe: TierProbe; readonly seen: readonly Seen[] };

async function runBattery(root: string): Promise<Report> {
  const { node, program, bwrap } = await publish(root);
  const scratch = join(root, 'tmp');
  await mkdir(scratch);
  await chmod(root, 0o755);
  if (amRoot) await chown(scratch, NOBODY, NOBODY);
  const args = [node, '--no-warnings', '--import', join(root, 'hooks.mjs'), program, bwrap];
  const [command = '', ...given] = amRoot ? ['setpriv', ...LOGIN, ...args] : args;
  const env = { TMPDIR: scratch, PATH: '/usr/bin:/bin' };
  const { stdout } = await promisify(execFile)(command, given, { cwd: root, env, maxBuffer: 2 ** 28 });
  const [first = '', ...rest] = stdout.split('\n').filter(Boolean);
  const probe = JSON.parse(first) as TierProbe;
  return { probe, seen: rest.map((line) => JSON.parse(line) as Seen) };
}

async function report(): Promise<Report> {
  const root = await mkdtemp(join(tmpdir(), 'delta-ordinary-'));
  try {
    return await runBattery(root);
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

const { probe, seen } = await report();
const jobs = hostileJobs(process.arch as FilterArch);

whereItRuns('the hostile battery as an ordinary user', probe, () => {
  let withstood = 0;

  it(`runs all ${jobs.length} jobs`, () => {
    expect(seen.map(({ observation }) => observation.name)).toEqual(jobs.map(({ name }) => name));
  });

  it.each(jobs.map((job, index) => [index + 1, job.name, job] as const))('%i. a job that %s', (_, name, job) => {
    const found = seen.find(({ observation }) => observation.name === name);
    if (found === undefined) throw new Error('this job was not run');
    expectWithstood(job, found.target, found.observation);
    withstood += 1;
  });

  it('is told of by number', () => {
    reportBattery(withstood, jobs.length, 'sandbox', amRoot ? 'nobody' : userInfo().username);
    expect(withstood).toBe(jobs.length);
  });
});
