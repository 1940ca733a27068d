import { randomUUID } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { SigningKeys } from './signing-keys.ts';

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
const MONTH_MS = 30 * DAY_MS;

const fileOf = (fromMs: number, untilMs: number): string => `id-token-${fromMs}-${untilMs}.pem`;
const monthOf = (period: number): string => fileOf(period * MONTH_MS, (period + 1) * MONTH_MS);

describe('keys of identity tokens', () => {
  let directory: string;
  let nowMs: number;
  let keys: SigningKeys;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'delta-keys-'));
    // In the middle of a period.
    nowMs = 700.5 * MONTH_MS;
    keys = keysOf(MONTH_MS);
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  /** As a gateway has them that is started with this setting. */
  const keysOf = (periodMs: number) => new SigningKeys(directory, periodMs, () => nowMs);
  const ids = async (of = keys): Promise<(string | undefined)[]> => (await of.published()).map(({ kid }) => kid);

  it('given a new installation, then the current key and the next are made, private to it and public as keys alone', async () => {
    const current = await keys.current();
    expect((await ids())[0]).toBe(current.id);
    expect(readdirSync(directory).sort()).toEqual([monthOf(700), monthOf(701)]);
    for (const name of readdirSync(directory)) expect(statSync(join(directory, name)).mode & 0o777).toBe(0o600);
    for (const key of await keys.published())
      expect(Object.keys(key).sort()).toEqual(['alg', 'e', 'kid', 'kty', 'n', 'use']);
  });

  it('given another gateway with the same files, also one that starts at the same moment, then they agree', async () => {
    const [mine, theirs] = await Promise.all([ids(), ids(keysOf(MONTH_MS))]);
    expect(theirs).toEqual(mine);
  });

  it('given a period that ends, then the key that was published before signs, and the old one stays until its tokens are over', async () => {
    const old = await keys.current();
    const [, next] = await ids();
    nowMs = 701 * MONTH_MS + DAY_MS;
    expect((await keys.current()).id).toBe(next);
    expect((await ids()).slice(0, 2)).toEqual([old.id, next]);
    nowMs = 701 * MONTH_MS + DAY_MS + HOUR_MS;
    expect(await ids()).not.toContain(old.id);
    await keys.removePast();
    expect(readdirSync(directory).sort()).toEqual([monthOf(701), monthOf(702)]);
  });

  it('given another gateway whose clock is behind, then nothing is removed that it publishes yet', async () => {
    const old = await keys.current();
    nowMs = 701 * MONTH_MS + DAY_MS + 5 * MINUTE_MS;
    expect(await ids()).not.toContain(old.id);
    await keys.removePast();
    const behind = new SigningKeys(directory, MONTH_MS, () => nowMs - 4 * MINUTE_MS);
    expect((await ids(behind))[0]).toBe(old.id);
  });

  it('given a gateway that ended while it made a key, then what it left goes with the key, and no sooner', async () => {
    await keys.published();
    const left = `${monthOf(700)}.${randomUUID()}`;
    writeFileSync(join(directory, left), 'not-a-secret-key');
    expect(await keys.removePast()).toBe(0);
    expect(readdirSync(directory)).toContain(left);
    nowMs = 702 * MONTH_MS;
    expect(await keys.removePast()).toBe(2);
    expect(readdirSync(directory)).toEqual([monthOf(701)]);
  });

  it.each([
    ['a shorter', MONTH_MS, DAY_MS],
    ['a longer', DAY_MS, MONTH_MS],
    ['an odd', DAY_MS, DAY_MS + HOUR_MS],
  ])(
    'given gateways that are started with %s period, then no key signs that was not published before',
    async (_, before, after) => {
      const first = keysOf(before);
      nowMs = 700.5 * MONTH_MS + HOUR_MS;
      const signed = new Map<string, number>();
      let published = await ids(first);
      const look = async (of: SigningKeys) => {
        const { id } = await of.current();
        expect(published).toContain(id);
        signed.set(id, nowMs);
        published = await ids(of);
        const mayHold = [...signed].filter(([, lastMs]) => nowMs - lastMs <= DAY_MS).map(([key]) => key);
        expect(published).toEqual(expect.arrayContaining(mayHold));
      };
      await look(first);
      const second = keysOf(after);
      await second.removePast();
      for (let hours = 0; hours < 72; hours += 6) {
        // Those that were not started anew go on beside it, and agree.
        await look(second);
        expect((await first.current()).id).toBe((await second.current()).id);
        nowMs += 6 * HOUR_MS;
      }
      expect(signed.size).toBeGreaterThan(1);
    },
  );

  it('given a shorter period, then it is not the end of the old one that is waited for', async () => {
    const old = await keys.current();
    const daily = keysOf(DAY_MS);
    await daily.published();
    nowMs += DAY_MS;
    expect((await daily.current()).id).not.toBe(old.id);
  });

  it('given a file that is no key, then it is told by its place, without its text', async () => {
    writeFileSync(join(directory, monthOf(700)), 'not-a-secret-key');
    await expect(keys.current()).rejects.toThrow(`${monthOf(700)}: expected the PEM of an RSA private key`);
    await expect(keys.current()).rejects.not.toThrow('not-a-secret-key');
  });
});
