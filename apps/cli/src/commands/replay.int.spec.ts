import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { runStream } from '@delta-ci/contracts';
import { LogWriter, migrate, openLog, provisionRoles } from '@delta-ci/event-log';
import { aChange } from '../../../../test/support/made-up/change.ts';
import { created, oneJobPlan, planned } from '../../../../test/support/made-up/one-job-run.ts';
import { aRepository } from '../../../../test/support/made-up/repository.ts';
import { freshDatabase } from '../../../../test/support/infra/index.ts';
import { delta } from '../program.ts';
import { recorded } from '../recorded-surroundings.fixture.ts';
import { progressText } from './replay-verify.ts';

const RUN = `run_${'7'.repeat(32)}`;
const FAKE_PASSWORDS = { orchestrator: 'not-a-secret-orchestrator', reader: 'not-a-secret-reader' };

describe('delta replay', () => {
  let database: Awaited<ReturnType<typeof freshDatabase>>;
  let checkout: string;

  beforeAll(async () => {
    database = await freshDatabase();
    await migrate({ adminUrl: database.adminUrl });
    const urls = await provisionRoles({ adminUrl: database.adminUrl, passwords: FAKE_PASSWORDS });
    checkout = await mkdtemp(join(tmpdir(), 'delta-cli-'));
    await mkdir(join(checkout, '.delta'));
    await writeFile(join(checkout, '.delta', 'reader-url'), urls.readerUrl);
    await tellARun(urls.orchestratorUrl);
  });
  afterAll(async () => {
    await database.drop();
    await rm(checkout, { recursive: true });
  });

  const called = async (...args: string[]) => {
    const { surroundings, out, err } = recorded(checkout);
    return { exitCode: await delta(['replay', ...args], surroundings), out: out(), err: err() };
  };

  it('given a run that was not decided by the deciders, then the first field is named, and it ends with 1', async () => {
    const { exitCode, out } = await called(RUN);
    expect(exitCode).toBe(1);
    expect(out).toMatch(
      /position 2, run\.planning-started \(decided by create-run\): data\.deadlineAtMs was recorded as \d+/u,
    );
    expect(out).toContain('not what was recorded');
  });

  it('given the log of the mesh of this checkout, when it is folded, then every table is named with its rows', async () => {
    const { exitCode, out } = await called('--verify');
    expect(out).toMatch(/^run +1 +1 +equal$/mu);
    expect(out).toContain('the tables are what the log leads to');
    expect(exitCode).toBe(0);
  });

  it.each([
    [[], 'name a run to decide again, or say --verify'],
    [[RUN, '--verify'], 'name a run to decide again, or say --verify'],
    [[`run_${'0'.repeat(32)}`], 'the log has no run'],
  ])('given %j, then it is a problem with a next step, and it ends with 2', async (args, message) => {
    const { exitCode, err } = await called(...args);
    expect(err).toContain(message);
    expect(exitCode).toBe(2);
  });

  it('given what no run has measured, when durations are asked for, then that is said; of no repository it is a problem', async () => {
    const asked = async (repository: string) => {
      const { surroundings, out, err } = recorded(checkout);
      return [await delta(['durations', repository], surroundings), out(), err()];
    };
    expect(await asked(aRepository().id)).toEqual([0, expect.stringContaining('nothing was learned'), '']);
    expect(await asked('github/demo/nowhere')).toEqual([2, '', expect.stringContaining('nothing is known')]);
  });

  it('given no database anywhere, then it says how to name one', async () => {
    const { surroundings, err } = recorded(tmpdir());
    expect(await delta(['replay', '--verify'], surroundings)).toBe(2);
    expect(err()).toContain('--database-url');
  });

  it('says on a terminal how far it is, how fast, and for how much longer', () => {
    expect(progressText({ phase: 'folding', position: 100_000, head: 400_000 }, 2_000)).toBe(
      'folded 100000 of 400000 events (25 %), 50000/s, 6.0s left',
    );
    expect(progressText({ phase: 'comparing', position: 400_000, head: 400_000 }, 9_000)).toBe(
      'folded all of 400000 events; comparing with the tables',
    );
  });
});

/** A run whose events were made up: well-formed, and with deadlines that no policy gives. */
async function tellARun(databaseUrl: string): Promise<void> {
  const log = await openLog({ databaseUrl, applicationName: 'spec' });
  const writer = new LogWriter({ pool: log.pool });
  const proposed = oneJobPlan({ repository: aRepository(), change: aChange() });
  const events = [...created(RUN, proposed.plan.repository, proposed.plan.change), ...planned(proposed)];
  await writer.submit({
    id: 'told',
    actor: { kind: 'service', name: 'spec' },
    traceparent: null,
    causation: 'told',
    runs: [RUN],
    decide: () => ({ appends: [{ stream: runStream(RUN), events }], answer: { ok: true, result: {} } }),
  });
  await writer.close();
  await log.close();
}
