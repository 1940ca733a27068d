import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { runStream, type ProposedPlan } from '@delta-ci/contracts';
import { readSigningKey } from '@delta-ci/event-log';
import { created, finished, leased, oneJobPlan, planned } from '../../../../test/support/made-up/one-job-run.ts';
import { newPem, ownLog, type OwnLog } from '../own-log.fixture.ts';
import { delta } from '../program.ts';
import { recorded } from '../recorded-surroundings.fixture.ts';

const OVER = `run_${'1'.repeat(32)}`;
const UNDER_WAY = `run_${'2'.repeat(32)}`;
const LOST_PLAN = `run_${'3'.repeat(32)}`;
const LATE = `run_${'4'.repeat(32)}`;

const PLAN = oneJobPlan();
const NOT_KEPT = oneJobPlan({ summary: 'a plan that is gone' });

/** A log in its own database, signed up to a run that came too late. */
describe('delta attest on a database', () => {
  const pem = newPem();
  const key = readSigningKey(pem);
  let log: OwnLog;
  let directory: string;

  const ran = async (runId: string, plan: ProposedPlan, kept: ProposedPlan[], ends: boolean): Promise<void> => {
    const { repository, change } = plan.plan;
    const digit = runId.slice(-1);
    const lease = { leaseHash: digit.repeat(64), runnerId: `rnr_${digit.repeat(32)}` };
    const end = ends ? finished('succeeded') : [];
    const events = [...created(runId, repository, change), ...planned(plan), ...leased(lease), ...end];
    await log.append(runStream(runId), events, kept);
  };

  beforeAll(async () => {
    log = await ownLog();
    await ran(OVER, PLAN, [PLAN], true);
    await ran(UNDER_WAY, PLAN, [], false);
    await ran(LOST_PLAN, NOT_KEPT, [], true);
    await log.sign(key);
    await ran(LATE, PLAN, [], true);
  });
  afterAll(() => log.drop());
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'delta-attest-'));
    await mkdir(join(directory, 'keys'));
    await writeFile(join(directory, 'keys', 'key.pem'), key.publicKey);
    await writeFile(join(directory, 'private.pem'), pem);
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  const attest = async (args: readonly string[], environment: Record<string, string> = {}) => {
    const given = { DELTA_CHECKPOINT_KEYS_DIR: 'keys', DELTA_ATTESTATION_KEY_FILE: 'private.pem' };
    const env = { DELTA_DATABASE_URL: log.readerUrl, ...given, ...environment };
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
