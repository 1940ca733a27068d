import { execFileSync, spawn } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { bubblewrapPath, eventually } from '../support/infra/index.ts';
import { configWith } from '../support/mesh/index.ts';

const DELTA = join(dirname(dirname(import.meta.dirname)), 'apps', 'cli', 'bin', 'delta.mjs');
const LIMIT_MS = 120_000;

/** Somebody at a real terminal, which `script` makes: what they see, and what they type. */
interface AtTerminal {
  readonly screen: () => string;
  readonly type: (keys: string) => void;
  readonly sees: (wanted: string) => Promise<unknown>;
  readonly code: Promise<number | null>;
}

describe('a shell in the sandbox of a job that failed', () => {
  let directory = '';
  const repository = (): string => join(directory, 'shop');
  const environment = async (): Promise<NodeJS.ProcessEnv> => ({
    PATH: process.env['PATH'],
    HOME: directory,
    TERM: 'xterm',
    DELTA_CACHE_HOME: join(directory, 'cache'),
    DELTA_BWRAP: await bubblewrapPath(),
  });

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'delta-shell-'));
    await mkdir(repository());
  });
  afterEach(async () => rm(directory, { recursive: true, force: true }));

  async function jobs(given: Parameters<typeof configWith>[0]): Promise<void> {
    await writeFile(join(repository(), 'delta.yaml'), configWith(given));
    const who = ['-c', 'user.name=Test', '-c', 'user.email=test@example.test'];
    for (const args of [
      ['init', '--quiet'],
      ['add', '--all'],
      [...who, 'commit', '--quiet', '--message', 'Jobs'],
    ]) {
      execFileSync('git', args, { cwd: repository() });
    }
  }

  async function atTerminal(command: string): Promise<AtTerminal> {
    const child = spawn('script', ['--quiet', '--flush', '--return', '--command', command, '/dev/null'], {
      cwd: repository(),
      env: await environment(),
    });
    let screen = '';
    child.stdout.on('data', (chunk: Buffer) => void (screen += chunk.toString('utf8')));
    return {
      screen: () => screen,
      type: (keys) => void child.stdin.write(keys),
      sees: async (wanted) => eventually(`${wanted} is shown`, () => screen.includes(wanted)),
      code: new Promise((resolve) => void child.once('close', resolve)),
    };
  }

  const delta = (...words: readonly string[]): string =>
    [process.execPath, DELTA, 'run', '--all', '--shell-on-failure', ...words].join(' ');
  const left = async (): Promise<string[]> => readdir(join(directory, 'cache', 'local', 'runs'));

  it.each([
    ['its sandbox', []],
    ['its workspace, where it runs as the person', ['--unsandboxed']],
  ])(
    'is in %s, with what the step left; the exit code stays that of the job, and nothing else does',
    async (_, words) => {
      await jobs({ broken: { steps: ['echo kept > left.txt; exit 3'], env: { COLOUR: 'green' } } });
      const { type, sees, screen, code } = await atTerminal(`stty rows 33 columns 111; ${delta(...words)}`);
      await sees('(broken) ');
      type('echo "$(cat left.txt), $COLOUR, $(stty size)"\n');
      await sees('kept, green, 33 111');
      type('rm left.txt; sh -e -c "$DELTA_STEP"; echo "again: $?, $(cat left.txt)"\n');
      await sees('again: 3, kept');
      type('(trap "" HUP TERM; exec sleep 1234567) &\nexit\n');
      expect(await code).toBe(1);
      expect(screen()).toContain('its sandbox is taken down');
      expect(await left()).toEqual([]);
      expect(execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' })).not.toContain('sleep 1234567');
    },
    LIMIT_MS,
  );

  it(
    'opens for one failed job after the other, none while another job is under way',
    async () => {
      await jobs({ one: { steps: ['exit 1'] }, two: { steps: ['sleep 1; exit 2'] }, three: { steps: ['echo fine'] } });
      const { type, sees, screen, code } = await atTerminal(delta('--keep-going', '--jobs', '3'));
      await sees('A shell for one');
      expect(screen()).toContain('exit 2');
      await sees('(one) ');
      expect(screen()).not.toContain('A shell for two');
      type('exit 0\n');
      await sees('(two) ');
      type('kill -KILL $$\n');
      expect(await code).toBe(1);
      expect(screen()).toContain('1 of 3 jobs succeeded');
    },
    LIMIT_MS,
  );

  it(
    'is left by the person alone: what a job types into its terminal is not typed into theirs',
    async () => {
      const types = `perl -e 'ioctl(STDIN, 0x5412, $_) for split(//, "touch injected\\n")'`;
      await jobs({ hostile: { steps: [`${types} < /dev/tty || :; exit 1`] } });
      const { type, sees, code } = await atTerminal(`${delta('--unsandboxed')}; read -r next; echo "next: <$next>"`);
      await sees('(hostile) ');
      type(`${types} &\n`);
      type('\u001d\u001d\u001d');
      await sees('its sandbox is taken down');
      type('mine\n');
      await sees('next: <mine>');
      await code;
      expect(await readdir(repository())).toEqual(['.git', 'delta.yaml']);
    },
    LIMIT_MS,
  );

  it(
    'is refused before anything runs where there is no terminal',
    async () => {
      await jobs({ broken: { steps: ['exit 1'] } });
      const child = spawn('/bin/sh', ['-c', delta()], { cwd: repository(), env: await environment() });
      let said = '';
      child.stdout.on('data', (chunk: Buffer) => void (said += chunk.toString('utf8')));
      child.stderr.on('data', (chunk: Buffer) => void (said += chunk.toString('utf8')));
      expect(await new Promise((resolve) => void child.once('close', resolve))).toBe(2);
      expect(said).toContain('--shell-on-failure takes a terminal');
      expect(said).not.toContain('starts');
    },
    LIMIT_MS,
  );
});
