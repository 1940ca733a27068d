import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { FileArtifactStore } from '@delta-ci/artifact-store';
import {
  AuditCheckpointsPage,
  AuditEventsPage,
  AuditVerification,
  CHECKPOINT_STREAM,
  runStream,
  type Checkpoint,
} from '@delta-ci/contracts';
import { CHECKPOINT_KEY, testGateway, type TestGateway } from '../gateway.fixture.ts';
import { PROPOSED, RUN_ID, untilQueued } from '../run-story.fixture.ts';
import { mergeCheckpoints } from './list-checkpoints.ts';

const UNFINISHED = `sha256:${'b'.repeat(64)}`;

describe('the audit routes', () => {
  let gateway: TestGateway;
  let store: FileArtifactStore;
  const ask = async (path: string) => {
    const response = await gateway.call(`/api/v1/audit/${path}`, { token: gateway.adminToken });
    return { status: response.status, body: (await response.json()) as unknown };
  };
  const events = async (query = '') => AuditEventsPage.parse((await ask(`events?${query}`)).body);
  const checkpoints = async (query = '') =>
    AuditCheckpointsPage.parse((await ask(`checkpoints?${query}`)).body).checkpoints;
  const sign = (position: number, hash: string): Checkpoint =>
    CHECKPOINT_KEY.sign({ position, hash, unfinished: UNFINISHED, time: '2026-11-20T10:00:00.000Z' });

  beforeAll(async () => {
    gateway = await testGateway();
    store = new FileArtifactStore(gateway.artifactDir);
    await gateway.append(runStream(RUN_ID), untilQueued(RUN_ID), [PROPOSED]);
  });
  afterAll(() => gateway.end());

  it('give records as they are stored, page by page, and the head before them', async () => {
    const all = await events();
    expect(all.head.position).toBe(all.records.length);
    expect(all.records.at(-1)?.hash).toBe(all.head.hash);
    const page = await events('after=1&limit=2');
    expect(page.records).toEqual(all.records.slice(1, 3));
    expect((await events('after=1&to=2')).records).toEqual(all.records.slice(1, 2));
    expect((await events(`after=${all.head.position}`)).records).toEqual([]);
  });

  it('give the records of one run alone', async () => {
    await gateway.append('runner-none', [
      { type: 'runner.retired', data: { runnerId: `rnr_${'9'.repeat(32)}`, reason: 'a test', exitCode: 0 } },
    ]);
    const { records } = await events(`run=${RUN_ID}`);
    expect(new Set(records.map(({ columns }) => columns.stream))).toEqual(new Set([runStream(RUN_ID)]));
    expect((await events(`run=run_${'0'.repeat(32)}`)).records).toEqual([]);
  });

  it('show checkpoints of the log and of the store as one list, and verify from one of them', async () => {
    const { records } = await events();
    const [recorded, unrecorded] = [records[1], records[3]].map((record) =>
      sign(record?.position ?? 0, record?.hash ?? ''),
    );
    if (recorded === undefined || unrecorded === undefined) throw new Error('the log is too short');
    await gateway.append(CHECKPOINT_STREAM, [{ type: 'checkpoint.signed', data: recorded }]);
    await store.checkpoints.put(recorded);
    await store.checkpoints.put(unrecorded);

    expect(await checkpoints()).toEqual([
      { ...recorded, inLog: true, inStore: true },
      { ...unrecorded, inLog: false, inStore: true },
    ]);
    expect(await checkpoints(`after=${recorded.position}&limit=1`)).toHaveLength(1);
    const whole = AuditVerification.parse((await ask('verify')).body);
    expect(whole).toMatchObject({ finding: null, complete: true, checkpoints: 2, signedUpTo: unrecorded.position });
    const some = AuditVerification.parse((await ask(`verify?from=${recorded.position}&limit=1`)).body);
    expect(some).toMatchObject({ finding: null, complete: false, checked: 1 });
    expect(await ask('verify?from=1')).toMatchObject({ status: 404, body: { error: { code: 'not_found' } } });
  });

  it('find a store that knows of records which the log has not', async () => {
    await store.checkpoints.put(sign(1_000, 'd'.repeat(64)));
    const { finding } = AuditVerification.parse((await ask('verify')).body);
    expect(finding?.problem).toMatch(/^the log ends at \d+, and was signed at 1000 on .*: the rest is missing$/);
  });

  it.each(['events?limit=1001', 'events?after=-1', 'events?run=none', 'checkpoints?limit=0', 'verify?limit=50001'])(
    'refuse %s',
    async (path) => {
      expect((await ask(path)).status).toBe(400);
    },
  );
});

describe('two lists of checkpoints', () => {
  const at = (position: number, mark = 'A'): Checkpoint => ({
    ...CHECKPOINT_KEY.sign({
      position,
      hash: 'a'.repeat(64),
      unfinished: UNFINISHED,
      time: '2026-11-20T10:00:00.000Z',
    }),
    signature: `${mark.repeat(86)}==`,
  });
  const shown = (inLog: Checkpoint[], inStore: Checkpoint[], limit: number) =>
    mergeCheckpoints(inLog, inStore, limit).map(({ position, ...one }) => [position, one.inLog, one.inStore]);

  it('become one in order, cut where neither has been cut before', () => {
    expect(shown([at(1), at(3)], [at(2), at(3)], 2)).toEqual([
      [1, true, false],
      [2, false, true],
    ]);
    expect(shown([at(1)], [at(1)], 5)).toEqual([[1, true, true]]);
  });

  it('keep both where two of one position differ', () => {
    expect(shown([at(1)], [at(1, 'B')], 1)).toEqual([
      [1, true, false],
      [1, false, true],
    ]);
  });
});
