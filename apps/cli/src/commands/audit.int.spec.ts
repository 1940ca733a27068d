import { generateKeyPairSync, hash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { runStream, type Checkpoint, type DomainEvent } from '@delta-ci/contracts';
import { openLog, readSigningKey } from '@delta-ci/event-log';
import { created, oneJobPlan, planned } from '../../../../test/support/made-up/one-job-run.ts';
import { newPem, ownLog, type OwnLog } from '../own-log.fixture.ts';
import { delta } from '../program.ts';
import { recorded } from '../recorded-surroundings.fixture.ts';

const RUN = `run_${'1'.repeat(32)}`;
const LATE = `run_${'2'.repeat(32)}`;

const PROPOSED = oneJobPlan({});
const FAILED_PLANNING: readonly DomainEvent[] = [
  { type: 'run.planning-failed', data: { code: 'made_up', message: 'made up', inputsDigest: null } },
  { type: 'run.finished', data: { outcome: 'failed', reason: 'planning failed: made_up' } },
];

/** A log in its own database: a run that is over, a checkpoint that covers it, a run after it. */
describe('delta audit on a database', () => {
  const key = readSigningKey(newPem());
  let log: OwnLog;
  let directory: string;
  let checkpoint: Checkpoint;
  /** The position of the last record that the checkpoint covers, and of the last of all. */
  let covered = 0;
  let last = 0;

  const tellRun = async (runId: string, then: readonly DomainEvent[]): Promise<number> => {
    const { repository, change } = PROPOSED.plan;
    return log.append(runStream(runId), [...created(runId, repository, change), ...then]);
  };

  beforeAll(async () => {
    log = await ownLog();
    covered = await tellRun(RUN, FAILED_PLANNING);
    checkpoint = await log.sign(key);
    last = await tellRun(LATE, planned(PROPOSED));
  });
  afterAll(() => log.drop());
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'delta-audit-'));
    await mkdir(join(directory, '.delta', 'checkpoint-keys'), { recursive: true });
    await writeFile(join(directory, '.delta', 'checkpoint-keys', 'key.pem'), key.publicKey);
    await mkdir(join(directory, 'kept'));
    await writeFile(join(directory, 'kept', 'one.json'), JSON.stringify(checkpoint));
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  const audit = async (args: readonly string[], environment: Record<string, string> = {}) => {
    const env = { DELTA_DATABASE_URL: log.readerUrl, ...environment };
    const { surroundings, out, err } = recorded(directory, env);
    return { code: await delta(['audit', ...args], surroundings), out: out(), err: err() };
  };

  it('verifies the whole log as a role that can only read, and says what it could not see', async () => {
    const { code, out } = await audit(['verify']);
    expect(out).toBe(
      `as recorded ${last} records recomputed, read through the database; the log ends at ${last}\n` +
        `1 checkpoint fit; signed up to ${covered}, ${last - covered} records after it not yet\n` +
        'no checkpoint from outside the log was given (--checkpoints): an end cut off is not noticed\n',
    );
    expect(code).toBe(0);
    expect((await audit(['verify', '--checkpoints', 'kept'])).out).not.toContain('not noticed');
  });

  it('goes on from a checkpoint, by its position or by a file of it', async () => {
    for (const from of [String(covered), 'kept/one.json']) {
      const { code, out } = await audit(['verify', '--from', from, '--json']);
      expect(JSON.parse(out)).toMatchObject({ finding: null, checked: last - covered, checkpointsOutside: 'none' });
      expect(code).toBe(0);
    }
    expect(await audit(['verify', '--from', '1'])).toMatchObject({
      code: 2,
      err: 'delta: there is no checkpoint at 1\nnext: see which there are: delta audit checkpoints\n',
    });
    await writeFile(join(directory, 'forged.json'), JSON.stringify({ ...checkpoint, hash: 'f'.repeat(64) }));
    expect(await audit(['verify', '--from', 'forged.json'])).toMatchObject({ code: 1 });
  });

  it('exports what proves a run, which proves it to somebody without the log', async () => {
    expect((await audit(['export', '--run', RUN, '--out', 'run.bundle'])).out).toBe(
      `run.bundle: ${covered} records of ${RUN} under 1 checkpoint; check it: delta audit check run.bundle\n`,
    );
    expect(await audit(['export', '--run', RUN, '--out', 'run.bundle'])).toMatchObject({ code: 2 });
    expect((await audit(['export', '--run', RUN])).out).toBe(await readFile(join(directory, 'run.bundle'), 'utf8'));
    await rm(join(directory, '.delta'), { recursive: true });

    const alone = { DELTA_DATABASE_URL: '' };
    expect(await audit(['check', 'run.bundle', '--key-id', key.keyId], alone)).toMatchObject({ code: 0 });
    const strange = await audit(['check', 'run.bundle', '--key-id', 'f'.repeat(32)], alone);
    expect(strange).toMatchObject({ code: 1, out: expect.stringContaining('a key that is not trusted') });
    const unsure = await audit(['check', 'run.bundle'], alone);
    expect(unsure).toMatchObject({ code: 3, err: expect.stringContaining(`compare ${key.keyId} with`) });
  });

  it('says of a bundle without the end of its run that it is not judged, also where the end was hidden', async () => {
    const { out: whole } = await audit(['export', '--run', RUN]);
    const hidden = whole.replace(/^\{.*"type":"run\.finished".*$/m, (line) => hash('sha256', line));
    expect(hidden).not.toBe(whole);
    await writeFile(join(directory, 'hidden.bundle'), hidden);
    const { code, out } = await audit(['check', 'hidden.bundle']);
    expect([code, out]).toEqual([3, expect.stringContaining('the end of the run is not among them')]);
    expect(JSON.parse((await audit(['check', 'hidden.bundle', '--json'])).out)).toMatchObject({ ended: false });
  });

  it('proves one run without a file, and says when it is too early', async () => {
    const { code, out } = await audit(['verify', '--run', RUN]);
    expect(out).toMatch(new RegExp(`^as recorded ${RUN}, ${covered} records\nsigned at ${covered} on 20`));
    expect(code).toBe(0);
    expect(await audit(['verify', '--run', LATE])).toMatchObject({
      code: 3,
      err: expect.stringContaining('no checkpoint of a trusted key covers the record at'),
    });
    expect(await audit(['verify', '--run', `run_${'0'.repeat(32)}`])).toMatchObject({ code: 2 });
    expect(await audit(['verify', '--run', 'none'])).toMatchObject({ code: 2 });
  });

  it('names the first position at which a superuser changed the log', async () => {
    const admin = await openLog({ databaseUrl: log.adminUrl, applicationName: 'tamperer', hotConnectionsMax: 1 });
    const change = async (from: string, to: string) =>
      admin.pool.query(
        `BEGIN; SET LOCAL session_replication_role = 'replica';
         UPDATE event SET canonical = replace(canonical, '${from}', '${to}') WHERE position = 2; COMMIT`,
      );
    try {
      await change('planning-started', 'planning-stopped');
      const { code, out } = await audit(['verify']);
      expect([code, out.split('\n')[0]]).toEqual([1, 'not as recorded at 2: the hash is not that of the text']);
      expect(await audit(['export', '--run', RUN])).toMatchObject({ code: 1, out: '' });
    } finally {
      await change('planning-stopped', 'planning-started');
      await admin.close();
    }
  });

  it('judges nothing without keys, and nothing that only keys of others signed', async () => {
    await rm(join(directory, '.delta'), { recursive: true });
    expect(await audit(['verify'])).toMatchObject({
      code: 3,
      err: expect.stringContaining('nothing says who may sign checkpoints'),
    });
    const other = generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'pem' }).toString();
    await mkdir(join(directory, 'others'));
    await writeFile(join(directory, 'others', 'other.pem'), other);
    const { code, out } = await audit(['verify', '--keys', 'others']);
    expect([code, out]).toEqual([1, expect.stringContaining(`signed with the key ${key.keyId}, which is not trusted`)]);
  });

  it('says that a database is not there, and never with whose password', async () => {
    const databaseUrl = 'postgres://somebody:not-a-secret-either@127.0.0.1:1/nowhere';
    const { code, err, out } = await audit(['verify', '--database-url', databaseUrl]);
    expect(code).toBe(3);
    expect(err).toContain('the database 127.0.0.1:1/nowhere cannot be opened: nothing listens there');
    expect(err + out).not.toContain('not-a-secret-either');
  });
});

describe('delta audit on a log that holds nothing', () => {
  it('does not say that anything was verified', async () => {
    const log = await ownLog();
    const directory = await mkdtemp(join(tmpdir(), 'delta-audit-empty-'));
    try {
      const { publicKey } = generateKeyPairSync('ed25519');
      await writeFile(join(directory, 'key.pem'), publicKey.export({ type: 'spki', format: 'pem' }));
      const { surroundings, out } = recorded(directory, { DELTA_DATABASE_URL: log.readerUrl });
      expect(await delta(['audit', 'verify', '--keys', '.'], surroundings)).toBe(3);
      expect(out()).toMatch(/^not judged 0 records recomputed/);
      expect(out()).toContain('no checkpoint vouches for any of it');
    } finally {
      await log.drop();
      await rm(directory, { recursive: true, force: true });
    }
  });
});
