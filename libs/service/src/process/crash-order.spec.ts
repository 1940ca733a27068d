import { spawnSync } from 'node:child_process';
import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { loadConfig } from '../config/load-config.ts';
import { crashOrder, crashWhenOrdered } from './crash-order.ts';

const POINTS = ['before-decide', 'after-commit'] as const;
const settings = z.object({ crashAt: crashOrder(POINTS).optional() });

function read(value: string | undefined): ReturnType<typeof loadConfig<typeof settings>> {
  return loadConfig(settings, { DELTA_CRASH_AT: value });
}

describe('an order to crash', () => {
  it.each([
    [undefined, undefined],
    ['after-commit', { point: 'after-commit', time: 1 }],
    ['before-decide:12', { point: 'before-decide', time: 12 }],
  ])('given %s, then it is read', (given, crashAt) => {
    expect(read(given)).toMatchObject({ ok: true, config: crashAt === undefined ? {} : { crashAt } });
  });

  it.each(['before-lunch', 'after-commit:0', 'after-commit:x', 'after-commit:1:2', ':1'])(
    'given %s, then it is refused with the names there are',
    (given) => {
      const loaded = read(given);
      const problems = loaded.ok ? [] : loaded.problems;
      expect(problems).toMatchObject([{ variable: 'DELTA_CRASH_AT', given: JSON.stringify(given) }]);
      expect(problems[0]?.expected).toContain('before-decide, after-commit');
    },
  );

  it('given no order, when any point is reached, then nothing happens', () => {
    const reached = crashWhenOrdered<(typeof POINTS)[number]>(undefined);
    reached('before-decide');
    reached('after-commit');
  });

  it('given an order for the second time, when the point is reached twice, then the process is gone without a word', () => {
    const script = `
      import { crashWhenOrdered } from ${JSON.stringify(new URL('crash-order.ts', import.meta.url).href)};
      const reached = crashWhenOrdered({ point: 'after-commit', time: 2 });
      process.on('exit', () => process.stdout.write('said goodbye'));
      reached('after-commit'); reached('before-decide'); process.stdout.write('once ');
      reached('after-commit'); process.stdout.write('twice');`;
    const ended = spawnSync(process.execPath, ['--input-type=module', '--eval', script], { encoding: 'utf8' });
    expect(ended).toMatchObject({ signal: 'SIGKILL', stdout: 'once ' });
  });
});
