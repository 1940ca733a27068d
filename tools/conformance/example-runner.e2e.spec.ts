import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { BROKEN_RUNNERS, type BrokenRunner } from './broken-runners.ts';
import { EXAMPLE, EXAMPLE_TEXT, HAS_PYTHON } from './example-runner.fixture.ts';
import type { Verdict } from './requirement.ts';
import { checkRunner } from './runner/check-runner.ts';
import type { RunnerRequirement } from './runner/requirements.ts';
import { verdictsText } from './verdicts-text.ts';

const LIMIT_MS = 400_000;

const MAIN = join(import.meta.dirname, 'main.ts');

/** Runs a program to its end. */
async function run(
  program: string,
  words: readonly string[],
): Promise<{ code: number; stdout: string; stderr: string }> {
  const { promise, resolve } = Promise.withResolvers<{ code: number; stdout: string; stderr: string }>();
  const child = execFile(program, words, (_error, stdout, stderr) =>
    resolve({ code: child.exitCode ?? -1, stdout, stderr }),
  );
  return promise;
}

const check = async (file: string, only: readonly RunnerRequirement[], patienceMs: number) =>
  checkRunner({
    command: ['python3', file],
    cwd: tmpdir(),
    env: { PATH: process.env['PATH'] ?? '' },
    patienceMs,
    atOnce: 4,
    only,
    signal: new AbortController().signal,
    onScene: () => undefined,
  });

describe('the example runner', () => {
  if (!HAS_PYTHON) {
    it(`was not checked, nor ${BROKEN_RUNNERS.length} broken ones: this machine has no python3 (3.10 or newer)`, () => {
      expect(HAS_PYTHON).toBe(false);
    });
    return;
  }

  it(
    'given every scene of the kit, then all that it does is as the guide says',
    async () => {
      const verdicts = await check(EXAMPLE, [], 120_000);
      const unseen = verdicts.filter(({ outcome }) => outcome !== 'passed');
      expect(unseen.length === 0 ? '' : verdictsText(unseen)).toBe('');
    },
    LIMIT_MS,
  );

  it.each([
    ['passes', 'an exit code of 0, and verdicts as JSON', 0, EXAMPLE],
    ['is not there', 'an exit code of 1, and the reason', 1, `${EXAMPLE}.gone`],
  ] as const)(
    'given the command line and a runner that %s, then %s',
    async (_name, _what, code, file) => {
      const words = [
        'runner',
        '--only',
        'takes-no',
        '--only',
        'registers',
        '--json',
        '--patience',
        '15',
        '--',
        'python3',
        file,
      ];
      const ended = await run(process.execPath, [MAIN, ...words]);
      const verdicts = JSON.parse(ended.stdout) as Verdict[];
      expect([ended.code, verdicts.map(({ id }) => id)]).toEqual([code, ['registers', 'takes-no']]);
      expect(verdicts[0]?.seen ?? '').toContain(code === 0 ? '' : 'No such file');
      expect(ended.stderr).toContain('a job that succeeds');
    },
    LIMIT_MS,
  );

  describe('with a mistake in it', () => {
    const found = new Map<BrokenRunner, Verdict | undefined>();
    let directory: string;

    beforeAll(async () => {
      directory = await mkdtemp(join(tmpdir(), 'delta-broken-runners-'));
      const rest = BROKEN_RUNNERS.entries();
      const some = async (): Promise<void> => {
        for (const [at, broken] of rest) {
          const file = join(directory, `${at}.py`);
          await writeFile(
            file,
            EXAMPLE_TEXT.replace(broken.piece, () => broken.instead),
          );
          found.set(broken, (await check(file, [broken.caught], 15_000))[0]);
        }
      };
      await Promise.all(Array.from({ length: 4 }, some));
    }, LIMIT_MS);
    afterAll(async () => rm(directory, { recursive: true, force: true }));

    it.each(BROKEN_RUNNERS)('given $mistake, then $caught fails, and says what was seen', (broken) => {
      const verdict = found.get(broken);
      expect([verdict?.outcome, verdict?.seen]).toEqual(['failed', expect.stringMatching(/./)]);
    });
  });
});
