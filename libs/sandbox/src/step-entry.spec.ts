import { describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { holdBack, insideCommand } from './step-entry.ts';

const NO_LIMITS = { processes: null, dataBytes: null };
const ASK = 'exec env -0';

/** What a step finds in its environment that was given these variables. */
function found(variables: Readonly<Record<string, string>>, first: boolean): readonly string[] {
  const { env, names } = holdBack(variables);
  const [file, ...args] = insideCommand({ kind: 'script', script: ASK }, '/', NO_LIMITS, first, names);
  const { stdout, stderr } = spawnSync(file, args, { env, encoding: 'utf8' });
  expect(stderr).toBe('@started\n');
  return stdout.split('\0').slice(0, -1);
}

describe('variables of a step', () => {
  const name = fc.oneof(
    fc.stringMatching(/^X[A-Z_0-9]{0,8}$/),
    fc.constantFrom('PATH', 'HOME', 'n', 'DELTA_HELD_n', 'DELTA_HELD_DELTA_HELD_n', 'UID', 'PS4'),
  );
  const value = fc.string({ unit: 'binary' }).map((text) => text.replaceAll('\0', '').toWellFormed());

  it('are there as they were given once it begins, whatever they hold and are called, and no other names with them', () => {
    fc.assert(
      fc.property(fc.dictionary(name, value, { maxKeys: 6 }), fc.boolean(), (given, first) => {
        const variables = { PATH: '/usr/bin:/bin', ...given, ...(given['PATH'] === undefined ? {} : { PATH: '/bin' }) };
        const said = found(variables, first);
        expect(said).toEqual(expect.arrayContaining(Object.entries(variables).map(([key, text]) => `${key}=${text}`)));
        const own = new Set([...Object.keys(variables), 'PWD', 'OLDPWD', 'SHLVL', '_']);
        expect(said.map((each) => each.slice(0, each.indexOf('='))).filter((each) => !own.has(each))).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });

  it('are called otherwise before, all that a program on the way could mean by them', () => {
    const variables = {
      LD_PRELOAD: 'a',
      LD_LIBRARY_PATH: 'b',
      GLIBC_TUNABLES: 'c',
      LOCPATH: 'd',
      PATH: 'e',
      HOME: 'f',
    };
    expect(Object.keys(holdBack(variables).env)).toEqual(Object.keys(variables).map((each) => `DELTA_HELD_${each}`));
  });
});
