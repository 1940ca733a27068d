import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { deliveryStream, refuse, runStream } from '@delta-ci/contracts';
import { eventCanonicalText } from '@delta-ci/domain';
import { aJobState } from '../../../../test/support/made-up/planned-job.ts';
import { freshLog, type FreshLog } from '../testing/fresh-log.fixture.ts';
import {
  OPERATOR,
  createRun,
  digestOf,
  leaseHashOf,
  recordPlan,
  runIdOf,
  runSubmission,
  runnerIdOf,
  simpleRun,
} from '../testing/run-story.fixture.ts';
import { LogReader } from '../read/log-reader.ts';
import { verifyChain } from '../read/verify-chain.ts';
import type { DecisionView, Submission } from './submission.ts';

/** Whatever its id, it records the delivery that the others do. */
const sameDelivery = (id: string, onDecide: () => unknown = () => undefined): Submission => ({
  id,
  actor: OPERATOR,
  traceparent: null,
  causation: id,
  runs: [],
  decide: () => {
    onDecide();
    return {
      appends: [
        {
          stream: deliveryStream('github', id),
          events: [
            {
              type: 'delivery.ignored',
              data: {
                forge: 'github',
                deliveryId: 'one-and-the-same',
                event: 'star',
                payloadDigest: digestOf(id),
                reason: 'we do not act on stars',
              },
            },
          ],
        },
      ],
      answer: { ok: true, result: {} },
    };
  },
});

describe('the writer', () => {
  let log: FreshLog;
  beforeAll(async () => {
    log = await freshLog();
  });
  afterAll(() => log.drop());

  const eventsOf = (name: string) => new LogReader(log.reader).readStream(runStream(runIdOf(name)), 0, 100);

  async function tell({ submissions }: { submissions: readonly Submission[] }, writer = log.writer()): Promise<void> {
    for (const submission of submissions) expect(await writer.submit(submission)).toMatchObject({ ok: true });
  }

  it('takes a run from its creation to its end', async () => {
    await tell(simpleRun('whole-life'));

    const events = await eventsOf('whole-life');
    expect(events.map((event) => event.type)).toEqual([
      'run.created',
      'run.planning-started',
      'run.planned',
      'job.readied',
      'attempt.queued',
      'run.started',
      'lease.granted',
      'lease.activated',
      'attempt.finished',
      'job.finished',
      'run.finished',
    ]);
    expect(events.map((event) => event.version)).toEqual(events.map((_, index) => index + 1));
  });

  it('writes the canonical text that the domain prescribes', async () => {
    await tell(simpleRun('canonical'));

    const { rows } = await log.admin.query<{ canonical: string }>('SELECT canonical FROM event WHERE stream = $1', [
      runStream(runIdOf('canonical')),
    ]);
    const events = await eventsOf('canonical');
    expect(rows.map((row) => row.canonical)).toEqual(events.map(eventCanonicalText));
  });

  it('gives many at once a place each, without gaps', async () => {
    const writer = log.writer();
    const names = Array.from({ length: 100 }, (_, index) => `many-${index}`);

    await Promise.all(names.map((name) => tell(simpleRun(name), writer)));

    const { rows } = await log.admin.query<{ events: number; last: number; head: number }>(
      'SELECT count(*)::int AS events, max(position)::int AS last, (SELECT position::int FROM log_head) AS head FROM event',
    );
    const last = rows[0]?.last;
    expect(rows).toEqual([{ events: last, last, head: last }]);
    expect(await verifyChain(log.reader)).toMatchObject({ ok: true, position: last });
  });

  it('decides everything once as long as nobody else writes', async () => {
    const writer = log.writer({ batchMax: 20 });
    await tell(simpleRun('before-the-crowd'), writer);
    let decided = 0;
    const counted = ({ submissions }: { submissions: readonly Submission[] }) =>
      submissions.map((submission) => ({
        ...submission,
        decide: (view: DecisionView) => (++decided, submission.decide(view)),
      }));

    const stories = Array.from({ length: 80 }, (_, index) => counted(simpleRun(`crowd-${index}`)));
    await Promise.all(stories.map((submissions) => tell({ submissions }, writer)));

    expect(decided).toBe(80 * 5);
  });

  it('answers a repeat with the first answer and appends nothing', async () => {
    const writer = log.writer();
    const submission = runSubmission('repeat-me', runIdOf('repeat'), createRun(runIdOf('repeat')));
    const first = await writer.submit(submission);

    const again = await writer.submit(submission);
    const bySomebodyElse = await log.writer().submit(submission);
    const both = await Promise.all([writer.submit(submission), writer.submit(submission)]);

    expect([again, bySomebodyElse, ...both]).toEqual([first, first, first, first]);
    expect(await eventsOf('repeat')).toHaveLength(2);
  });

  it('refuses an id that was used for something else', async () => {
    const writer = log.writer();
    const submission = runSubmission('marked', runIdOf('marked'), createRun(runIdOf('marked')));
    const first = await writer.submit({ ...submission, fingerprint: 'a' });

    const conflicting = { ok: false, refusal: { code: 'conflicting_repeat', details: { id: 'marked' } } };
    expect(await writer.submit({ ...submission, fingerprint: 'b' })).toMatchObject(conflicting);
    expect(await writer.submit({ ...submission, fingerprint: 'a' })).toEqual(first);
    const other = runSubmission('marked-2', runIdOf('marked-2'), createRun(runIdOf('marked-2')));
    const together = ['a', 'b'].map((fingerprint) => writer.submit({ ...other, fingerprint }));
    expect(await Promise.all(together)).toMatchObject([
      { ok: true },
      { ok: false, refusal: { code: 'conflicting_repeat' } },
    ]);
  });

  it('refuses only the submission whose decision throws', async () => {
    const faults: string[] = [];
    const writer = log.writer({ onFault: ({ submissionId }) => faults.push(submissionId) });
    const good = runSubmission('good', runIdOf('good'), createRun(runIdOf('good')));
    const bad: Submission = {
      ...good,
      id: 'bad',
      decide: () => {
        throw new Error('a broken invariant');
      },
    };
    const curious: Submission = { ...good, id: 'curious', runs: [], decide: good.decide };

    const answers = await Promise.all([bad, curious, good].map((submission) => writer.submit(submission)));

    expect(answers.map((answer) => (answer.ok ? 'ok' : answer.refusal.code))).toEqual(['internal', 'internal', 'ok']);
    expect(faults).toEqual(['bad', 'curious']);
  });

  it('refuses only the submission that the tables cannot take', async () => {
    const writer = log.writer();
    expect(await writer.submit(sameDelivery('first'))).toMatchObject({ ok: true });
    const good = runSubmission('good-neighbour', runIdOf('neighbour'), createRun(runIdOf('neighbour')));

    const answers = await Promise.all([writer.submit(sameDelivery('second')), writer.submit(good)]);

    expect(answers.map((answer) => (answer.ok ? 'ok' : answer.refusal.code))).toEqual(['internal', 'ok']);
  });

  it('given that its patience is over, then it looks again all the same at what clashes: it may be the very same', async () => {
    const writer = log.writer({ patienceMs: -1 });
    let looks = 0;
    expect(await writer.submit(sameDelivery('first'))).toMatchObject({ ok: true });
    const second = sameDelivery('second', () => (looks += 1));
    expect(await writer.submit(second)).toMatchObject({ ok: false, refusal: { code: 'internal' } });
    expect(looks).toBeGreaterThan(1);
  });

  it('refuses by name what clashes with another run, when the submission says what that means', async () => {
    const faults: string[] = [];
    const writer = log.writer({ onFault: ({ submissionId }) => faults.push(submissionId) });
    const runner = { leaseHash: leaseHashOf('twice'), runnerId: runnerIdOf('twice') };
    const grantIn = async (name: string, lease: typeof runner) => {
      for (const submission of simpleRun(name).submissions.slice(0, 2)) await writer.submit(submission);
      const grant = runSubmission(`${name}.grant`, runIdOf(name), {
        type: 'grant-lease',
        jobKey: 'unit',
        attempt: 1,
        ...lease,
      });
      return writer.submit({ ...grant, refuseClash: (index) => refuse('invalid_transition', index) });
    };
    expect(await grantIn('twice-first', runner)).toMatchObject({ ok: true });

    const busy = await grantIn('twice-second', { ...runner, leaseHash: leaseHashOf('another') });
    const spoken = await grantIn('twice-third', { ...runner, runnerId: runnerIdOf('another') });

    expect(busy).toMatchObject({ ok: false, refusal: { message: 'lease_one_live_per_runner' } });
    expect(spoken).toMatchObject({ ok: false, refusal: { message: 'lease_hash_unique' } });
    expect(faults).toEqual([]);
  });

  it('refuses text that has no canonical form, and takes a NUL', async () => {
    const writer = log.writer();
    const created = (name: string, title: string) => {
      const command = createRun(runIdOf(name));
      if (command.type !== 'create-run') throw new Error('not the command that was asked for');
      const change = { ...command.data.change, title };
      return runSubmission(name, runIdOf(name), { ...command, data: { ...command.data, change } });
    };

    const half = await writer.submit(created('half-a-pair', 'half \ud800 a pair'));
    const withNul = await writer.submit(created('with-nul', 'a \0 b'));

    expect(half).toMatchObject({ ok: false, refusal: { code: 'invalid_request' } });
    expect(withNul).toMatchObject({ ok: true });
    expect((await eventsOf('with-nul'))[0]).toMatchObject({ data: { change: { title: 'a \0 b' } } });
    const { rows } = await log.admin.query(
      `SELECT change ->> 'title' AS shown, data -> 'change' ->> 'title' AS json
       FROM run JOIN event_json ON stream = 'run-' || run_id AND version = 1 WHERE run_id = $1`,
      [runIdOf('with-nul')],
    );
    expect(rows).toEqual([{ shown: 'a \uFFFD b', json: 'a \uFFFD b' }]);
  });

  it('does not keep an answer that may be another one next time', async () => {
    const writer = log.writer();
    let asked = 0;
    const noWork: Submission = {
      ...runSubmission('no-work', runIdOf('no-work'), createRun(runIdOf('no-work'))),
      decide: () => ({ appends: [], answer: { ok: true, result: { asked: ++asked } }, remember: false }),
    };

    expect(await writer.submit(noWork)).toMatchObject({ ok: true, result: { asked: 1 } });
    expect(await writer.submit(noWork)).toMatchObject({ ok: true, result: { asked: 2 } });
  });

  it('stores a plan once and refuses one that does not have its digest', async () => {
    const writer = log.writer();
    const runId = runIdOf('plan-digest');
    await writer.submit(runSubmission('plan-digest', runId, createRun(runId)));
    const wrong = runSubmission('wrong-digest', runId, recordPlan([aJobState('unit')]));

    const answer = await writer.submit({
      ...wrong,
      decide: (view) => ({ ...wrong.decide(view), plans: [{ digest: digestOf('other'), plan: {} as never }] }),
    });

    expect(answer).toMatchObject({ ok: false, refusal: { code: 'internal' } });
    expect(await eventsOf('plan-digest')).toHaveLength(2);
  });

  it('refuses more than it lets wait, and everything once closed', async () => {
    const writer = log.writer({ waitingMax: 2 });
    const submissions = ['w1', 'w2', 'w3'].map((name) => runSubmission(name, runIdOf(name), createRun(runIdOf(name))));

    const answers = await Promise.all(submissions.map((submission) => writer.submit(submission)));
    await writer.close();

    const unavailable = { ok: false, refusal: { code: 'unavailable', details: { retryAfterMs: 1_000 } } };
    expect(answers).toMatchObject([{ ok: true }, { ok: true }, unavailable]);
    expect(await writer.submit({ ...submissions[0]!, id: 'w4' })).toMatchObject(unavailable);
  });
});
