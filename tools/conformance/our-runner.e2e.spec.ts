import { dirname, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { bubblewrapPath } from '../../test/support/infra/index.ts';
import { toolchainDirs } from '../mesh/toolchain-dirs.ts';
import { checkRunner, RUNNER_IDS } from './runner/check-runner.ts';
import { verdictsText } from './verdicts-text.ts';

const RUNNER = join(dirname(dirname(import.meta.dirname)), 'apps', 'runner', 'dist', 'main.js');
const LIMIT_MS = 300_000;

describe('our own runner', () => {
  it(
    'given every scene of the kit, in a sandbox, then every requirement is seen to hold',
    async () => {
      const path = process.env['PATH'] ?? '';
      const verdicts = await checkRunner({
        command: [process.execPath, RUNNER],
        cwd: dirname(RUNNER),
        env: {
          PATH: path,
          DELTA_ISOLATION: 'sandbox',
          DELTA_BWRAP: await bubblewrapPath(),
          DELTA_CLONE_PROTOCOLS: 'http',
          DELTA_TOOLCHAIN_DIRS: toolchainDirs(path).join(','),
        },
        patienceMs: 120_000,
        atOnce: 3,
        only: [],
        signal: new AbortController().signal,
        onScene: () => undefined,
      });
      const unseen = verdicts.filter(({ outcome }) => outcome !== 'passed');
      expect(unseen.length === 0 ? '' : verdictsText(unseen)).toBe('');
      expect(verdicts).toHaveLength(RUNNER_IDS.length);
    },
    LIMIT_MS,
  );
});
