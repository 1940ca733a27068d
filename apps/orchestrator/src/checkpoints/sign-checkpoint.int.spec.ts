import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { FileArtifactStore } from '@delta-ci/artifact-store';
import { CHECKPOINT_STREAM, runnerStream, type Checkpoint } from '@delta-ci/contracts';
import {
  LogReader,
  LogWriter,
  TrustedKeys,
  digestUnfinishedWork,
  migrate,
  openLog,
  provisionRoles,
  readSigningKey,
  type LogConnection,
} from '@delta-ci/event-log';
import { eventually, freshDatabase } from '../../../../test/support/infra/index.ts';
import { checkpointSubmission, signCheckpoint, type SigningTools } from './sign-checkpoint.ts';

const PASSWORDS = { orchestrator: 'not-a-secret-orchestrator', reader: 'not-a-secret-reader' };

describe('signing a checkpoint', () => {
  const keys = generateKeyPairSync('ed25519', {
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  let database: Awaited<ReturnType<typeof freshDatabase>>;
  let directory: string;
  let log: LogConnection;
  let writer: LogWriter;
  let store: FileArtifactStore;
  let tools: SigningTools;
  beforeEach(async () => {
    database = await freshDatabase();
    await migrate({ adminUrl: database.adminUrl });
    const { orchestratorUrl } = await provisionRoles({ adminUrl: database.adminUrl, passwords: PASSWORDS });
    log = await openLog({ databaseUrl: orchestratorUrl, applicationName: 'spec' });
    writer = new LogWriter({ pool: log.pool });
    directory = await mkdtemp(join(tmpdir(), 'delta-signer-'));
    store = new FileArtifactStore(directory);
    tools = { log, ledger: writer, store, key: readSigningKey(keys.privateKey) };
  });
  afterEach(async () => {
    await writer.close();
    await log.close();
    await database.drop();
    await rm(directory, { recursive: true, force: true });
  });

  let appended = 0;
  const append = async () => {
    appended += 1;
    const id = `retire-${appended}`;
    const data = { runnerId: `rnr_${String(appended).padStart(32, '0')}`, reason: 'a test', exitCode: 0 };
    const appends = [{ stream: runnerStream(data.runnerId), events: [{ type: 'runner.retired' as const, data }] }];
    const actor = { kind: 'service', name: 'test' } as const;
    const decide = () => ({ appends, answer: { ok: true as const, result: {} } });
    return writer.submit({ id, actor, causation: id, traceparent: null, runs: [], decide });
  };
  const inLog = async (): Promise<Checkpoint[]> => {
    const records = await new LogReader(log).readStream(CHECKPOINT_STREAM, 0, 100);
    return records.flatMap((record) => (record.type === 'checkpoint.signed' ? [record.data] : []));
  };

  it('says what the log is: its head, its unfinished work, under a valid signature, in the log and in the store', async () => {
    await append();
    const head = await new LogReader(log).head();
    const { digest } = await digestUnfinishedWork(log.pool);

    expect(await signCheckpoint(tools)).toBe(1);
    const [checkpoint] = await inLog();
    expect(checkpoint).toMatchObject({ ...head, unfinished: digest, keyId: tools.key.keyId });
    expect(new TrustedKeys([keys.publicKey]).judge(checkpoint as Checkpoint)).toBe('valid');
    expect(await store.checkpoints.list(0, 10)).toEqual([checkpoint]);
  });

  it('happens only when something is new, and its own record is nothing new', async () => {
    expect(await signCheckpoint(tools)).toBe(0);
    await append();
    expect(await signCheckpoint(tools)).toBe(1);
    expect(await signCheckpoint(tools)).toBe(1);
    await append();
    expect(await signCheckpoint(tools)).toBe(3);
    expect((await inLog()).map(({ position }) => position)).toEqual([1, 3]);
  });

  it('twice at one position is recorded once', async () => {
    await append();
    const both = await Promise.all([signCheckpoint(tools), signCheckpoint(tools)]);
    expect(both).toEqual([1, 1]);
    expect(await inLog()).toHaveLength(1);
  });

  it('that cannot be kept in the store is not recorded either, and is made up for', async () => {
    await append();
    const broken = { checkpoints: { put: () => Promise.reject(new Error('no space left')) } };
    await expect(signCheckpoint({ ...tools, store: broken })).rejects.toThrow('no space left');
    expect(await inLog()).toEqual([]);
    expect(await signCheckpoint(tools)).toBe(1);
  });

  it('goes on after another orchestrator has signed meanwhile', async () => {
    await append();
    await signCheckpoint(tools);
    const other = new LogWriter({ pool: log.pool });
    await append();
    await signCheckpoint({ ...tools, ledger: other });
    await append();
    expect(await signCheckpoint(tools)).toBe(5);
    await other.close();
    await eventually('all three are recorded', async () => (await inLog()).length === 3);
  });

  it('is a timer decision with an id of its position', () => {
    const claim = {
      position: 4,
      hash: 'a'.repeat(64),
      unfinished: `sha256:${'b'.repeat(64)}`,
      time: '2026-11-20T10:00:00.000Z',
    };
    expect(checkpointSubmission(tools.key.sign(claim))).toMatchObject({
      id: 'sign-checkpoint-4',
      actor: { kind: 'timer', name: 'sign-checkpoint' },
      runs: [],
    });
  });
});
