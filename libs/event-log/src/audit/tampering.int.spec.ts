import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { canonicalJson, CHECKPOINT_STREAM, type Checkpoint, type Json } from '@delta-ci/contracts';
import { chainHash } from '../append/hash-chain.ts';
import { TrustedKeys } from '../checkpoints/checkpoint-keys.ts';
import { openLog, type LogConnection } from '../connection.ts';
import { rebuildProjections } from '../rebuild/rebuild-projections.ts';
import { freshLog, type FreshLog } from '../testing/fresh-log.fixture.ts';
import { simpleRun } from '../testing/run-story.fixture.ts';
import { signLog, testKey } from '../testing/signer.fixture.ts';
import { databaseAuditSource, type AuditSource } from './audit-source.ts';
import { verifyLog } from './verify-log.ts';

/**
 * A superuser with triggers off does what no role of the system can, and the audit is asked what it finds. The log:
 * run one (1-11), its checkpoint (12, covers 11), run two (13-23), its checkpoint (24, covers 23), run three (25-35).
 */
describe('a log a superuser laid hands on', () => {
  const { key, trusted } = testKey();
  let log: FreshLog;
  let inside: LogConnection;
  /** What the artifact store holds: out of this superuser's reach. */
  const kept: Checkpoint[] = [];

  beforeAll(async () => {
    log = await freshLog();
    const writer = log.writer();
    for (const name of ['one', 'two', 'three']) {
      for (const submission of simpleRun(name).submissions) await writer.submit(submission);
      if (name !== 'three') kept.push(await signLog(log.orchestrator, writer, key));
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

  const audit = (checkpoints: readonly Checkpoint[] = [], keys: TrustedKeys | null = trusted) =>
    verifyLog(withKept(databaseAuditSource(inside), checkpoints), { keys });
  const run = async (...statements: string[]) => {
    for (const statement of statements) await inside.pool.query(statement);
  };

  /** Rewrites the records from a position on, as a superuser who knows how the chain is made would. */
  const rehashFrom = async (from: number, rewrite: (record: Record<string, Json>) => Record<string, Json> | null) => {
    const { rows } = await inside.pool.query<{ position: number; canonical: string; prev_hash: string }>(
      'SELECT position, canonical, prev_hash FROM event WHERE position >= $1 ORDER BY position',
      [from],
    );
    let position = from - 1;
    let prev = rows[0]?.prev_hash ?? '';
    for (const row of rows) {
      await inside.pool.query('DELETE FROM event WHERE position = $1', [row.position]);
      const record = rewrite(JSON.parse(row.canonical) as Record<string, Json>);
      if (record === null) continue;
      position += 1;
      const canonical = canonicalJson({ ...record, position });
      const hash = chainHash(prev, canonical);
      await insert(record, position, canonical, prev, hash);
      prev = hash;
    }
    await inside.pool.query('UPDATE log_head SET position = $1, hash = $2', [position, prev]);
  };
  const insert = async (
    record: Record<string, Json>,
    position: number,
    canonical: string,
    prev: string,
    hash: string,
  ) =>
    inside.pool.query(
      `INSERT INTO event (position, id, stream, version, type, schema_version, time, correlation, canonical, prev_hash, hash)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
      [
        position,
        record['id'],
        record['stream'],
        record['version'],
        record['type'],
        record['schemaVersion'],
        record['time'],
        record['correlation'],
        canonical,
        prev,
        hash,
      ],
    );
  const blameEve = (record: Record<string, Json>): Record<string, Json> =>
    JSON.parse(JSON.stringify(record).replaceAll('"ada"', '"eve"')) as Record<string, Json>;

  it('untouched is found to be as it was recorded, and how far it is signed', async () => {
    expect(await audit(kept)).toEqual({
      finding: null,
      checked: 35,
      position: 35,
      hash: expect.stringMatching(/^[0-9a-f]{64}$/),
      signedUpTo: 23,
      checkpoints: 2,
      complete: true,
    });
  });

  it.each([
    ['a text', [`UPDATE event SET canonical = replace(canonical, 'ada', 'eve') WHERE position = 7`], 7, 'text'],
    ['a column', [`UPDATE event SET type = 'run.reported' WHERE position = 14`], 14, 'column'],
    ['a time', [`UPDATE event SET time = time - interval '1 hour' WHERE position = 30`], 30, 'column'],
    ['a hash', [`UPDATE event SET hash = repeat('a', 64) WHERE position = 8`], 8, 'hash'],
    ['a removed record', ['DELETE FROM event WHERE position = 16'], 16, 'missing'],
    [
      'two swapped records',
      [
        'UPDATE event SET position = 1000 WHERE position = 5',
        'UPDATE event SET position = 5 WHERE position = 6',
        'UPDATE event SET position = 6 WHERE position = 1000',
      ],
      5,
      'continue',
    ],
    [
      'an inserted record',
      [
        'UPDATE event SET position = position + 1000 WHERE position >= 20',
        'UPDATE event SET position = position - 999 WHERE position >= 1000',
        `INSERT INTO event SELECT 20, gen_random_uuid(), 'run-none', 1, type, schema_version, time, correlation, canonical,
           prev_hash, hash FROM event WHERE position = 19`,
      ],
      20,
      'continue',
    ],
    ['a moved head', ['UPDATE log_head SET position = 50'], 36, 'missing'],
    ['an end without its head', ['DELETE FROM event WHERE position > 33'], 34, 'missing'],
  ])('changed in %s is found out, and where', async (_what, statements, position, word) => {
    await run(...statements);
    const { finding, checked } = await audit();
    expect(finding).toMatchObject({ position, upTo: position, problem: expect.stringContaining(word) });
    expect(checked).toBe(position - 1);
  });

  it('with its head moved back is found out, and where', async () => {
    await run('UPDATE log_head SET position = 30');
    expect((await audit()).finding).toMatchObject({
      position: 31,
      problem: 'the head says 30, the log goes on to 35',
    });
  });

  it('with its end and its head cut off is found out by a checkpoint that somebody kept', async () => {
    await run(
      'DELETE FROM event WHERE position > 20',
      'UPDATE log_head SET position = 20, hash = (SELECT hash FROM event WHERE position = 20)',
      'DELETE FROM checkpoint WHERE position > 20',
    );
    expect(await audit()).toMatchObject({ finding: null, signedUpTo: 11, position: 20 });
    expect((await audit(kept)).finding).toMatchObject({
      position: 21,
      problem: expect.stringMatching(/^the log ends at 20, and was signed at 23 on .*: the rest is missing$/),
    });
  });

  it('with a chain made anew is found out by the first signature after it, which says between which positions', async () => {
    await rehashFrom(15, blameEve);
    expect((await audit([], null)).finding).toMatchObject({ position: 12, upTo: 23 });
    expect(await audit()).toMatchObject({
      signedUpTo: 11,
      finding: { position: 12, upTo: 23, problem: expect.stringContaining('signed at 23') },
    });
  });

  it('with a chain made anew and no checkpoint left in it is found out by one that was kept', async () => {
    await rehashFrom(15, (record) => (record['stream'] === CHECKPOINT_STREAM ? null : blameEve(record)));
    await run('DELETE FROM checkpoint WHERE position > 11');
    expect(await audit()).toMatchObject({ finding: null, position: 34, signedUpTo: 11 });
    expect((await audit(kept)).finding).toMatchObject({ position: 12, upTo: 23 });
  });

  it('with a chain made anew and signed with another key is found out', async () => {
    const other = testKey();
    let hash = '';
    await rehashFrom(13, (record) => {
      if (record['stream'] !== CHECKPOINT_STREAM) return blameEve(record);
      const { keyId: _keyId, signature: _signature, ...claim } = record['data'] as Checkpoint;
      return { ...record, data: other.key.sign({ ...claim, hash: hash || claim.hash }) };
    });
    hash =
      (await inside.pool.query<{ hash: string }>('SELECT hash FROM event WHERE position = 23')).rows[0]?.hash ?? '';
    await rehashFrom(24, (record) =>
      record['stream'] === CHECKPOINT_STREAM
        ? { ...record, data: other.key.sign({ ...(record['data'] as Checkpoint), hash }) }
        : record,
    );
    await run('DELETE FROM checkpoint WHERE position > 11');

    expect((await audit()).finding).toMatchObject({
      position: 24,
      problem: expect.stringContaining('which is not trusted'),
    });
    // Whoever trusts the forger's key too still has what was kept.
    const both = new TrustedKeys([key.publicKey, other.key.publicKey]);
    expect(await audit([], both)).toMatchObject({ finding: null });
    expect((await audit(kept, both)).finding).toMatchObject({ position: 12, upTo: 23 });
  });

  it('with a signature put under another hash is found out', async () => {
    await rehashFrom(24, (record) => {
      if (record['stream'] !== CHECKPOINT_STREAM) return record;
      return { ...record, data: { ...(record['data'] as Checkpoint), hash: 'b'.repeat(64) } };
    });
    await run('DELETE FROM checkpoint WHERE position > 11');
    expect((await audit()).finding).toMatchObject({
      position: 24,
      problem: expect.stringContaining('not of its key'),
    });
  });

  it('goes on from a checkpoint without the records before it', async () => {
    const [first] = kept;
    if (first === undefined) throw new Error('nothing was signed');
    await run(`UPDATE event SET canonical = 'gone' WHERE position <= 11`);
    const from = await verifyLog(databaseAuditSource(inside), { keys: trusted, start: first });
    expect(from).toMatchObject({ finding: null, checked: 24, signedUpTo: 23 });
    const elsewhere = { ...first, hash: 'c'.repeat(64) };
    expect((await verifyLog(databaseAuditSource(inside), { keys: trusted, start: elsewhere })).finding).toMatchObject({
      position: 12,
    });
  });

  it('with other words in its tables than in its records is found out row by row', async () => {
    await log.admin.query(`UPDATE run SET outcome = 'failed' WHERE run_id = $1`, [simpleRun('two').runId]);
    const rebuilt = await rebuildProjections({ databaseUrl: log.readerUrl });
    await log.admin.query(`UPDATE run SET outcome = 'succeeded' WHERE run_id = $1`, [simpleRun('two').runId]);

    expect(rebuilt.position).toBe(35);
    expect(rebuilt.tables.filter(({ equal }) => !equal)).toMatchObject([
      { table: 'run', differing: [simpleRun('two').runId] },
    ]);
    expect((await rebuildProjections({ databaseUrl: log.readerUrl })).equal).toBe(true);
  });
});

/** What is in the log's own table, and then what was kept elsewhere, in the order of positions. */
function withKept(source: AuditSource, kept: readonly Checkpoint[]): AuditSource {
  return {
    ...source,
    async *checkpoints(after) {
      const found = kept.filter(({ position }) => position > after);
      for await (const checkpoint of source.checkpoints(after)) found.push(checkpoint);
      yield* found.sort((a, b) => a.position - b.position);
    },
  };
}
