import { tmpdir } from 'node:os';
import { describe, expect, it } from '@jest/globals';
import { delta } from '../program.ts';
import { recorded } from '../recorded-surroundings.fixture.ts';
import { durationsText } from './durations.ts';

describe('delta durations', () => {
  it('shows the longest first, with how many runs it was measured in', () => {
    const { surroundings } = recorded(tmpdir());
    const text = durationsText(surroundings, {
      startUp: { ms: 4_000, runs: 9 },
      steps: {
        'install 1a2b3c4d': { ms: 20_000, runs: 9 },
        'test packages/\u001b[31mcart 2a2b3c4d': { ms: 800_000, runs: 7 },
      },
    });
    expect(text.replaceAll(/ +$/gmu, '')).toBe(
      [
        'TAKES    RUNS  STEP',
        '4.0s     9     (start: sandbox, checkout, uploads)',
        '13m 20s  7     test packages/␛[31mcart',
        '20.0s    9     install',
        '',
      ].join('\n'),
    );
  });

  it('says that nothing was learned where nothing was', () => {
    const { surroundings } = recorded(tmpdir());
    expect(durationsText(surroundings, { startUp: null, steps: {} })).toContain('nothing was learned');
  });

  it.each([
    [['shop'], 'write it as forge/owner/name'],
    [['github/demo/shop'], '--database-url'],
  ])('given %j and no database, then it is a problem with a next step, and it ends with 2', async (args, message) => {
    const { surroundings, err } = recorded(tmpdir());
    expect(await delta(['durations', ...args], surroundings)).toBe(2);
    expect(err()).toContain(message);
  });
});
