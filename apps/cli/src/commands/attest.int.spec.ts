import { generateKeyPairSync } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { CHECKPOINT_STREAM, runStream, type DomainEvent, type ProposedPlan, type StreamId } from '@delta-ci/contracts';
import {
  LogWriter,
  migrate,
  openLog,
  provisionRoles,
  readSigningKey,
  whatIsThereToSign,
  type LogConnection,
  type RoleUrls,
} from '@delta-ci/event-log';
import { freshDatabase } from '../../../../test/support/infra/index.ts';
import { created, finished, leased, oneJobPlan, planned } from '../../../../test/support/made-up/one-job-run.ts';
import { delta } from '../program.ts';
import { recorded } from '../recorded-surroundings.fixture.ts';

const PASSWORDS = { orchestrator: 'not-a-secret-orchestrator', reader: 'not-a-secret-reader' };
const OVER = `run_${'1'.repeat(32)}`;
const UNDER_WAY = `run_${'2'.repeat(32)}`;
const LOST_PLAN = `run_${'3'.repeat(32)}`;
const LATE = `run_${'4'.repeat(32)}`;

const PLAN = oneJobPlan();
const NOT_KEPT = oneJobPlan({ summary: 'a plan that is gone' });

const newPem = (): string =>
  generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();

/** A log in its own database, signed up to a run that came too late. */
describe('delta attest on a database', () => {
  const pem = newPem();
  const key = readSigningKey(pem);
  let database: Awaited<ReturnType<typeof freshDatabase>>;
  let urls: RoleUrls;
  let log: LogConnection;
  let writer: LogWriter;
  let directory: string;

  const append = async (
    stream: StreamId,
    events: readonly DomainEvent[],
    plans: ProposedPlan[] = [],
  ): Promise<void> => {
    const runs = stream.startsWith('run-') ? [stream.slice('run-'.length)] : [];
    const decide = () => ({ appends: [{ stream, events }], plans, answer: { ok: true as const, result: {} } });
    const actor = { kind: 'service', name: 'test' } as const;
    const answer = await writer.submit({ id: stream, actor, causation: 'test', traceparent: null, runs, decide });
    if (!answer.ok) throw new Error(answer.refusal.message);
  };
  const ran = async (runId: string, plan: ProposedPlan, kept: ProposedPlan[], ends: boolean): Promise<void> => {
    const { repository, change } = plan.plan;
    const digit = runId.slice(-1);
    const lease = { leaseHash: digit.repeat(64), runnerId: `rnr_${digit.repeat(32)}` };
    const end = ends ? finished('succeeded') : [];
    const events = [...created(runId, repository, change), ...planned(plan), ...leased(lease), ...end];
    await append(runStream(runId), events, kept);
  };

  beforeAll(async () => {
    database = await freshDatabase();
    await migrate({ adminUrl: database.adminUrl });
    urls = await provisionRoles({ adminUrl: database.adminUrl, passwords: PASSWORDS });
    log = await openLog({ databaseUrl: urls.orchestratorUrl, applicationName: 'spec' });
    writer = new LogWriter({ pool: log.pool });
    await ran(OVER, PLAN, [PLAN], true);
    await ran(UNDER_WAY, PLAN, [], false);
    await ran(LOST_PLAN, NOT_KEPT, [], true);
    const { claim } = await whatIsThereToSign(log);
    if (claim === null) throw new Error('there is nothing to sign');
    await append(CHECKPOINT_STREAM, [{ type: 'checkpoint.signed', data: key.sign(claim) }]);
    await ran(LATE, PLAN, [], true);
  });
  afterAll(async () => {
    await writer.close();
    await log.close();
    await database.drop();
  });
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'delta-attest-'));
    await mkdir(join(directory, 'keys'));
    await writeFile(join(directory, 'keys', 'key.pem'), key.publicKey);
    await writeFile(join(directory, 'private.pem'), pem);
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  const attest = async (args: readonly string[], environment: Record<string, string> = {}) => {
    const given = { DELTA_CHECKPOINT_KEYS_DIR: 'keys', DELTA_ATTESTATION_KEY_FILE: 'private.pem' };
    const env = { DELTA_DATABASE_URL: urls.readerUrl, ...given, ...environment };
    const { surroundings, out, err } = recorded(directory, env);
    return { code: await delta(['attest', ...args], surroundings), out: out(), err: err() };
  };

  it('states what ran and what did not, and judges that from the file and a public key alone', async () => {
    expect((await attest([OVER, '--output', 'a.json'])).out).toMatch(
      /^a\.json: 1 job that ran and 1 job that did not, bound to the log at \d+; check it: delta attest verify a\.json\n$/,
    );
    expect((await attest([OVER])).out).toBe(await readFile(join(directory, 'a.json'), 'utf8'));
    const { code, out } = await attest(['verify', 'a.json'], { DELTA_DATABASE_URL: '' });
    expect([code, out]).toEqual([0, expect.stringContaining(`as signed by ${key.keyId}: github/demo/shop at `)]);
    expect(out).toContain(`plan ${PLAN.digest}`);
    expect(out).toMatch(/^docs +not run/m);
    expect(out).toMatch(/^unit +succeeded +1/m);
  });

  it('is signed by whatever key somebody names, and judged by whom trusts it', async () => {
    const other = newPem();
    await writeFile(join(directory, 'other.pem'), other);
    expect(await attest([OVER, '--output', 'b.json', '--key', 'other.pem'])).toMatchObject({ code: 0 });
    const strange = await attest(['verify', 'b.json', '--json']);
    expect(strange).toMatchObject({ code: 3, out: expect.stringContaining('"code": "untrusted_key"') });
    await writeFile(join(directory, 'keys', 'other.pem'), readSigningKey(other).publicKey);
    expect(await attest(['verify', 'b.json', '--keys', 'keys'])).toMatchObject({ code: 0 });
  });

  it.each<[string, readonly string[], number, string]>([
    ['a run that goes on', [UNDER_WAY], 3, 'nothing_to_attest'],
    ['a run whose plan is gone', [LOST_PLAN], 3, 'not_found'],
    ['a run that no checkpoint covers yet', [LATE], 3, 'not_signed_yet'],
    ['a run that never was', [`run_${'0'.repeat(32)}`], 2, 'not_found'],
    ['no key', [OVER, '--key', 'keys/key.pem'], 2, 'no_signing_key'],
    ['no such file', ['verify', 'nowhere.json'], 2, 'file_unreadable'],
    ['a file of something else', ['verify', 'keys/key.pem'], 1, 'not_an_attestation'],
    ['no keys to trust', ['verify', 'private.pem', '--keys', 'nowhere'], 3, 'no_keys'],
  ])('given %s, then that is said by its name', async (_, args, code, name) => {
    const told = await attest([...args, '--json']);
    expect([told.code, JSON.parse(told.out)]).toMatchObject([code, { error: { code: name } }]);
  });
});
