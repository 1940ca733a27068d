import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { bubblewrapPath, eventually } from '../../../test/support/infra/index.ts';

const PROGRAM = join(dirname(import.meta.dirname), 'bin', 'delta.mjs');
const LIMIT_MS = 120_000;
const exec = promisify(execFile);

describe('a local run that is ended from outside', () => {
  let directory = '';
  let child: ChildProcess;
  let printed = '';

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'delta-ended-'));
    const file = { version: 1, jobs: { slow: { steps: ['echo it began', 'sleep 600'] } } };
    await writeFile(join(directory, 'delta.yaml'), JSON.stringify(file));
    const git = async (...args: string[]) => exec('git', args, { cwd: directory });
    await git('init', '--quiet', '--initial-branch=main');
    await git('add', 'delta.yaml');
    await git('-c', 'user.name=Test', '-c', 'user.email=test@example.test', 'commit', '--quiet', '--message', 'A job');
    printed = '';
    child = spawn(process.execPath, [PROGRAM, 'run', '--all'], {
      cwd: directory,
      env: {
        PATH: process.env['PATH'],
        HOME: directory,
        DELTA_CACHE_HOME: join(directory, '.git', 'cache'),
        DELTA_BWRAP: await bubblewrapPath(),
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    child.stdout?.on('data', (chunk: Buffer) => void (printed += chunk.toString('utf8')));
    await eventually('the job begins', () => /\| it began$/mu.test(printed), { deadline_ms: LIMIT_MS });
  }, LIMIT_MS);
  afterEach(async () => {
    child.kill('SIGKILL');
    await rm(directory, { recursive: true, force: true });
  });

  const runsLeft = async (): Promise<string[]> => readdir(join(directory, '.git', 'cache', 'local', 'runs'));

  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
    'given %s to the program alone, then it tidies up and says that it was interrupted',
    async (signal) => {
      child.kill(signal);
      const [code] = (await once(child, 'close')) as [number | null];
      expect(code).toBe(130);
      expect(printed).toContain('canceled');
      expect(await runsLeft()).toEqual([]);
    },
    LIMIT_MS,
  );

  it(
    'given that the program is killed, then what it started tidies up and ends by itself',
    async () => {
      child.kill('SIGKILL');
      // Its output is closed when nobody is left who could print.
      await once(child, 'close');
      expect(await runsLeft()).toEqual([]);
    },
    LIMIT_MS,
  );
});
