import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { CHECKPOINT_STREAM, runnerStream, type DomainEvent, type StreamId } from '@delta-ci/contracts';
import fc from 'fast-check';
import { digestUnfinishedWork } from '../checkpoints/digest-unfinished-work.ts';
import { rebuildProjections } from '../rebuild/rebuild-projections.ts';
import { freshLog, type FreshLog } from '../testing/fresh-log.fixture.ts';
import { randomCommands } from '../testing/random-commands.fixture.ts';
import { OPERATOR, runSubmission, simpleRun } from '../testing/run-story.fixture.ts';
import { verifyReplay, type ReplayProgress } from './verify-replay.ts';

describe('replaying a log and comparing', () => {
  let log: FreshLog;
  beforeEach(async () => {
    log = await freshLog();
  });
  afterEach(() => log.drop());

  const tell = async (name: string, steps = 99): Promise<void> => {
    const writer = log.writer();
    for (const submission of simpleRun(name).submissions.slice(0, steps)) await writer.submit(submission);
  };

  const append = async (stream: StreamId, event: DomainEvent): Promise<void> => {
    const id = `append-${stream}-${Math.random()}`;
    const answer = await log.writer().submit({
      id,
      actor: OPERATOR,
      traceparent: null,
      causation: id,
      runs: [],
      decide: () => ({ appends: [{ stream, events: [event] }], answer: { ok: true, result: {} } }),
    });
    expect(answer.ok).toBe(true);
  };

  const verify = (idleRowsMax?: number) =>
    verifyReplay({ databaseUrl: log.readerUrl, ...(idleRowsMax === undefined ? {} : { idleRowsMax }) });

  it('law: of a log that is whole, every table is equal, whatever happened and however little is kept in memory', async () => {
    const [commands = []] = fc.sample(randomCommands(['a', 'b', 'c']), { numRuns: 1, seed: 5 });
    const writer = log.writer({ batchMax: 7 });
    await Promise.all(
      commands.map(({ runId, command }, index) => writer.submit(runSubmission(`c-${index}`, runId, command))),
    );
    await append(runnerStream('rnr_1'), { type: 'runner.registered', data: runner('rnr_1') });
    await append(runnerStream('rnr_1'), {
      type: 'runner.retired',
      data: { runnerId: 'rnr_1', reason: 'over', exitCode: 0 },
    });
    for (const idleRowsMax of [0, 3, undefined]) {
      const replayed = await verify(idleRowsMax);
      expect(replayed.tables.filter(({ equal }) => !equal)).toEqual([]);
      expect(replayed.tables.map(({ table, rows }) => [table, rows.live, rows.folded])).toEqual(
        (await rebuildProjections({ databaseUrl: log.orchestratorUrl })).tables.map(({ table, rows }) => [
          table,
          rows.live,
          rows.rebuilt,
        ]),
      );
    }
  });

  it.each([
    ['a row that was changed', `UPDATE job SET reason = 'because'`, 'job'],
    ['a row that was removed', 'DELETE FROM lease', 'lease'],
    ['a row that nothing led to', `INSERT INTO repository (repository_id) VALUES ('local/no/body')`, 'repository'],
  ])('given %s, when it is compared, then its table is named', async (_, statement, table) => {
    await tell('one');
    await log.admin.query(statement);
    const { equal, tables } = await verify();
    expect(equal).toBe(false);
    expect(tables.filter((one) => !one.equal).map((one) => one.table)).toEqual([table]);
  });

  const claimNow = async () => {
    const { rows } = await log.admin.query<{ position: string; hash: string }>('SELECT position, hash FROM log_head');
    const { digest: unfinished } = await digestUnfinishedWork(log.reader.pool);
    return { position: Number(rows[0]?.position), hash: rows[0]?.hash ?? '', unfinished };
  };

  it('given a checkpoint that was recorded after a later one, by a signer that stood still, then both are as signed', async () => {
    await tell('under-way', 3);
    const early = await claimNow();
    await tell('later', 2);
    await append(CHECKPOINT_STREAM, signed(await claimNow()));
    await append(CHECKPOINT_STREAM, signed(early));
    expect(await verify()).toMatchObject({ equal: true, checkpoints: { checked: 2, differing: [] } });
  });

  it('given signed checkpoints, when it is folded, then the work under way at each is compared with what they name', async () => {
    await tell('over');
    await tell('under-way', 3);
    const { rows } = await log.admin.query<{ position: string; hash: string }>('SELECT position, hash FROM log_head');
    const claim = { position: Number(rows[0]?.position), hash: rows[0]?.hash ?? '' };
    const unfinished = (await digestUnfinishedWork(log.reader.pool)).digest;
    await tell('later', 2);
    await append(CHECKPOINT_STREAM, signed({ ...claim, unfinished }));
    await append(CHECKPOINT_STREAM, signed({ position: claim.position + 1, hash: claim.hash, unfinished }));
    const { checkpoints, tables } = await verify();
    expect(tables.every(({ equal }) => equal)).toBe(true);
    expect(checkpoints.checked).toBe(2);
    expect(checkpoints.differing).toMatchObject([
      { position: claim.position + 1, what: 'hash', signed: claim.hash },
      { position: claim.position + 1, what: 'unfinished', signed: unfinished },
    ]);
  });

  it('says how far it has come, and ends when it is told to', async () => {
    await tell('one');
    const seen: ReplayProgress[] = [];
    const { position } = await verifyReplay({
      databaseUrl: log.readerUrl,
      onProgress: (progress) => seen.push(progress),
    });
    expect(seen.at(-1)).toEqual({ phase: 'comparing', position, head: position });
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(verifyReplay({ databaseUrl: log.readerUrl, signal })).rejects.toThrow('enough');
  });

  it('of an empty log compares empty tables', async () => {
    expect(await verify()).toMatchObject({ position: 0, equal: true, checkpoints: { checked: 0 } });
  });
});

const runner = (runnerId: string) => ({ runnerId, name: 'one', pool: 'default', capabilities: {}, version: '1' });

const signed = (claim: { position: number; hash: string; unfinished: string }): DomainEvent => ({
  type: 'checkpoint.signed',
  data: { ...claim, time: '2026-01-01T00:00:00.000Z', keyId: '0'.repeat(32), signature: `${'A'.repeat(86)}==` },
});
