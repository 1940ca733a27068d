import { inspect } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { z } from 'zod';
import { busSettings, commonSettings, databaseSettings } from './common-settings.ts';
import { describeProblems, loadConfig, secretsIn, variableOf } from './load-config.ts';
import { Secret } from './secret.ts';
import {
  decimal,
  durationMs,
  flag,
  list,
  oneOf,
  port,
  secretText,
  secretUrl,
  text,
  url,
  wholeNumber,
} from './settings.ts';

const schema = z.object({
  leaseTtlMs: durationMs({ min: 100 }).default(120_000),
  heartbeatMs: durationMs({ min: 10 }).default(20_000),
  pool: text(10),
  adminToken: secretText(12).optional(),
});

const valueOf = (setting: z.ZodType, given: string): unknown => {
  const loaded = loadConfig(z.object({ it: setting }), { DELTA_IT: given });
  return loaded.ok ? loaded.config.it : loaded.problems[0]?.expected;
};

describe('loading a configuration', () => {
  it('reads each field from the variable of the same name and fills in defaults', () => {
    const loaded = loadConfig(schema, { DELTA_LEASE_TTL_MS: '500', DELTA_POOL: ' linux ', UNRELATED: 'x' });
    expect(loaded).toEqual({ ok: true, config: { leaseTtlMs: 500, heartbeatMs: 20_000, pool: 'linux' }, unknown: [] });
  });

  it('lists all problems at once, with what was given and what is expected', () => {
    const loaded = loadConfig(schema, { DELTA_LEASE_TTL_MS: '2m', DELTA_HEARTBEAT_MS: '5' });
    expect(loaded).toEqual({
      ok: false,
      unknown: [],
      problems: [
        {
          variable: 'DELTA_LEASE_TTL_MS',
          given: '"2m"',
          expected: 'a whole number of milliseconds from 100 to 2147483647',
        },
        {
          variable: 'DELTA_HEARTBEAT_MS',
          given: '"5"',
          expected: 'a whole number of milliseconds from 10 to 2147483647',
        },
        { variable: 'DELTA_POOL', given: '(not set)', expected: 'text of at most 10 characters' },
      ],
    });
  });

  it('treats an empty variable as not set', () => {
    const loaded = loadConfig(schema, { DELTA_POOL: '  ', DELTA_LEASE_TTL_MS: '' });
    expect(loaded).toMatchObject({ ok: false, problems: [{ variable: 'DELTA_POOL', given: '(not set)' }] });
  });

  it('never shows a secret, given or accepted', () => {
    const refused = loadConfig(schema, { DELTA_POOL: 'p', DELTA_ADMIN_TOKEN: 'fake-short' });
    expect(refused).toMatchObject({ problems: [{ variable: 'DELTA_ADMIN_TOKEN', given: '(secret)' }] });
    const accepted = loadConfig(schema, { DELTA_POOL: 'p', DELTA_ADMIN_TOKEN: 'fake-long-enough' });
    if (!accepted.ok) throw new Error('expected the configuration to be accepted');
    const printed = [JSON.stringify(accepted), inspect(accepted, { depth: 9 }), String(accepted.config.adminToken)];
    expect(printed.join()).not.toContain('fake-long-enough');
    expect(accepted.config.adminToken?.reveal()).toBe('fake-long-enough');
    expect(secretsIn(accepted.config)).toHaveLength(1);
  });

  it('shortens what is too long to show', () => {
    const loaded = loadConfig(schema, { DELTA_POOL: 'x'.repeat(10_000) });
    expect(loaded.ok ? '' : loaded.problems[0]?.given.length).toBeLessThan(100);
  });

  it('judges rules between fields, and names the field they are about', () => {
    const related = schema.refine(({ leaseTtlMs, heartbeatMs }) => leaseTtlMs > 3 * heartbeatMs, {
      path: ['leaseTtlMs'],
      message: 'more than three times DELTA_HEARTBEAT_MS',
    });
    const env = { DELTA_POOL: 'p', DELTA_LEASE_TTL_MS: '60000' };
    expect(loadConfig(related, env)).toMatchObject({
      problems: [
        { variable: 'DELTA_LEASE_TTL_MS', given: '"60000"', expected: 'more than three times DELTA_HEARTBEAT_MS' },
      ],
    });
    expect(loadConfig(related, { ...env, DELTA_LEASE_TTL_MS: '60001' }).ok).toBe(true);
  });

  it('reports variables nobody reads, with the name that was probably meant', () => {
    const loaded = loadConfig(schema, { DELTA_POOL: 'p', DELTA_LEASE_TTL: '1', DELTA_GATEWAY_ORIGIN: 'x', OTHER: '1' });
    expect(loaded.unknown).toEqual([
      { variable: 'DELTA_GATEWAY_ORIGIN' },
      { variable: 'DELTA_LEASE_TTL', nearest: 'DELTA_LEASE_TTL_MS' },
    ]);
  });

  it('reports for people one line per problem', () => {
    const loaded = loadConfig(schema, { DELTA_HEARTBEAT_MS: 'soon' });
    expect(describeProblems('planner', loaded.ok ? [] : loaded.problems)).toBe(
      [
        'planner cannot start, its configuration has 2 problem(s):',
        '  DELTA_HEARTBEAT_MS is "soon", expected a whole number of milliseconds from 10 to 2147483647',
        '  DELTA_POOL is (not set), expected text of at most 10 characters',
      ].join('\n'),
    );
  });

  it('spells a field and its variable alike', () => {
    expect(variableOf('leaseTtlMs')).toBe('DELTA_LEASE_TTL_MS');
    expect(variableOf('pool')).toBe('DELTA_POOL');
  });

  it('answers without throwing, whatever the variables hold', () => {
    const all = z.object({ ...commonSettings, ...databaseSettings, ...busSettings });
    const env = fc.record(Object.fromEntries(Object.keys(all.shape).map((field) => [variableOf(field), fc.string()])), {
      requiredKeys: [],
    });
    fc.assert(fc.property(env, (given) => typeof loadConfig(all, given).ok === 'boolean'));
  });
});

describe('common settings', () => {
  it('listens on loopback on any free port, and needs nothing to be set', () => {
    expect(loadConfig(z.object(commonSettings), {})).toMatchObject({
      ok: true,
      config: { httpHost: '127.0.0.1', httpPort: 0, logLevel: 'info', logFormat: 'json', traceExporter: 'none' },
    });
  });
});

describe('settings', () => {
  it.each([
    ['a duration', durationMs(), '1500', 1500],
    ['a port', port(), '0', 0],
    ['a flag', flag(), 'YES', true],
    ['a flag', flag(), 'off', false],
    ['a word', oneOf(['json', 'pretty']), 'json', 'json'],
    ['a decimal', decimal({ min: 0, max: 1 }), '0.25', 0.25],
    ['a URL', url(['http', 'https']), 'http://127.0.0.1:4318/v1', 'http://127.0.0.1:4318/v1'],
    ['a list', list(), ' a, b ,,c ', ['a', 'b', 'c']],
  ])('reads %s', (_, setting, given, expected) => {
    expect(valueOf(setting, given)).toEqual(expected);
  });

  it.each([
    ['a duration with a unit', durationMs(), '1s', /whole number of milliseconds/],
    ['a duration no timer holds', durationMs(), '2147483648', /to 2147483647/],
    ['hexadecimal', wholeNumber({ min: 0, max: 99 }), '0x10', /from 0 to 99/],
    ['a fraction', wholeNumber({ min: 0, max: 99 }), '1.5', /whole number/],
    ['not a number', decimal({ min: 0, max: 1 }), 'NaN', /from 0 to 1/],
    ['a port out of range', port(), '65536', /to 65535/],
    ['an unclear flag', flag(), 'maybe', /true or false/],
    ['another word', oneOf(['json', 'pretty']), 'xml', /one of json, pretty/],
    ['another scheme', url(['https']), 'http://127.0.0.1', /starts with https:\/\//],
    ['no host', url(['http']), 'http:', /starts with http:\/\//],
    ['an empty list', list(), ', ,', /1 to 100 items/],
  ])('refuses %s', (_, setting, given, expected) => {
    expect(valueOf(setting, given)).toMatch(expected);
  });

  it('keeps a URL with credentials secret and shows where it leads', () => {
    const value = valueOf(secretUrl(['postgres']), 'postgres://delta:fakefakefake%21@db.internal:5432/delta?x=1');
    if (!(value instanceof Secret)) throw new Error('expected a secret');
    expect(String(value)).toBe('postgres://***@db.internal:5432/delta');
    expect(value.searchable()).toEqual(expect.arrayContaining(['fakefakefake%21', 'fakefakefake!']));
  });

  it("does not hide ordinary words everywhere because they are somebody's password", () => {
    expect(new Secret('postgres://postgres:postgres@db/x').searchable()).toEqual(['postgres://postgres:postgres@db/x']);
  });
});
