import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { chainHash } from '../append/hash-chain.ts';
import { openLog, type LogConnection } from '../connection.ts';
import { freshLog, type FreshLog } from '../testing/fresh-log.fixture.ts';
import { simpleRun } from '../testing/run-story.fixture.ts';
import { verifyChain } from './verify-chain.ts';

describe('verifying the chain', () => {
  let log: FreshLog;
  /** A superuser's one session with triggers off: the auditor sees what it did, and each test undoes it. */
  let inside: LogConnection;
  beforeAll(async () => {
    log = await freshLog();
    const writer = log.writer();
    for (const name of ['one', 'two']) {
      for (const submission of simpleRun(name).submissions) await writer.submit(submission);
    }
    inside = await openLog({ databaseUrl: log.adminUrl, applicationName: 'auditor', hotConnectionsMax: 1 });
  });
  afterAll(async () => {
    await inside.close();
    await log.drop();
  });
  beforeEach(async () => {
    await inside.pool.query(`BEGIN; SET LOCAL session_replication_role = 'replica'`);
  });
  afterEach(async () => {
    await inside.pool.query('ROLLBACK');
  });

  const tampered = async (...statements: string[]) => {
    for (const statement of statements) await inside.pool.query(statement);
    return verifyChain(inside);
  };

  const recordAt = async (position: number) => {
    const text = 'SELECT canonical, prev_hash, hash FROM event WHERE position = $1';
    const { rows } = await inside.pool.query<{ canonical: string; prev_hash: string; hash: string }>(text, [position]);
    const [record] = rows;
    if (record === undefined) throw new Error(`no record at ${position}`);
    return record;
  };

  it('finds nothing in an untouched log, from anywhere to anywhere', async () => {
    expect(await verifyChain(inside)).toMatchObject({ ok: true, checked: 22, position: 22 });
    expect(await verifyChain(inside, { from: 5, to: 9 })).toMatchObject({ ok: true, checked: 5, position: 9 });
  });

  it.each([
    ['a changed text', `UPDATE event SET canonical = replace(canonical, 'ada', 'eve') WHERE position = 7`, 7],
    ['a changed hash', `UPDATE event SET hash = repeat('a', 64) WHERE position = 8`, 8],
    ['a changed link', `UPDATE event SET prev_hash = repeat('a', 64) WHERE position = 9`, 9],
    ['a removed record', `DELETE FROM event WHERE position = 4`, 4],
    ['a removed first record', `DELETE FROM event WHERE position = 1`, 1],
    ['a removed last record', `DELETE FROM event WHERE position = 22`, 22],
    ['a changed type', `UPDATE event SET type = 'run.reported' WHERE position = 3`, 3],
    ['a changed time', `UPDATE event SET time = time + interval '1 second' WHERE position = 3`, 3],
    ['a changed correlation', `UPDATE event SET correlation = NULL WHERE position = 12`, 12],
    ['a changed stream', `UPDATE event SET stream = stream || '0' WHERE position = 22`, 22],
    ['a moved head', `UPDATE log_head SET position = 40`, 23],
    ['a head with another hash', `UPDATE log_head SET hash = repeat('0', 64)`, 23],
  ])('names the position of %s', async (_what, statement, firstBadPosition) => {
    expect(await tampered(statement)).toMatchObject({ ok: false, firstBadPosition, checked: firstBadPosition - 1 });
  });

  it('finds a record rewritten together with its hash by the record after it', async () => {
    const { canonical: before, prev_hash } = await recordAt(10);
    const canonical = before.replace('ada', 'eve');
    await inside.pool.query('UPDATE event SET canonical = $1, hash = $2 WHERE position = 10', [
      canonical,
      chainHash(prev_hash, canonical),
    ]);

    expect(await verifyChain(inside)).toMatchObject({ ok: false, firstBadPosition: 11 });
  });

  it('finds a log that was cut off with its head only by a hash from outside', async () => {
    const { hash: trustedPrevHash } = await recordAt(20);
    const cut = await tampered(
      'DELETE FROM event WHERE position > 15',
      `UPDATE log_head SET position = 15, hash = (SELECT hash FROM event WHERE position = 15)`,
    );

    expect(cut).toMatchObject({ ok: true, position: 15 });
    expect(await verifyChain(inside, { from: 21, trustedPrevHash })).toMatchObject({ ok: false });
  });

  it('does not take a chain whose beginning is another than the trusted one', async () => {
    const checked = await verifyChain(inside, { from: 5, trustedPrevHash: 'b'.repeat(64) });
    expect(checked).toMatchObject({ ok: false, firstBadPosition: 5 });
  });
});
