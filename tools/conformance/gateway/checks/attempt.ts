import { AcknowledgeLeaseAnswer, CompleteAnswer, HeartbeatAnswer, LogAppendAnswer } from '@delta-ci/contracts';
import { BEAT, BYTES, REPORT, type Bench, type Held } from '../bench.ts';
import type { Check } from '../check.ts';
import { judgeArtifacts } from './artifacts.ts';
import { wordsUnder } from './coming-in.ts';

const MIB = 1024 ** 2;
const KIB = 1024;

/** One attempt from its lease to behind its report. */
export const wholeAttempt: Check = {
  name: 'a whole attempt',
  judges: [
    'refuses-shape',
    'refuses-size',
    'offers',
    'one-lease-each',
    'acknowledged-twice',
    'nothing-before',
    'lease-of-another',
    'keeps-the-lease',
    'cancel-not-asked',
    'appends-in-order',
    'appends-once',
    'refuses-gaps',
    'refuses-chunks',
    'takes-artifacts',
    'refuses-other-bytes',
    'refuses-names',
    'artifacts-stay',
    'grants-uploads',
    'takes-the-report',
    'one-report',
    'refuses-reports',
    'nothing-after',
  ],
  play: async (bench) => {
    const held = await bench.lease();
    judgeOffer(bench, held);
    await judgeBefore(bench, held);
    const first = await bench.say(held, 'ack');
    const again = await bench.say(held, 'ack');
    const shape = AcknowledgeLeaseAnswer.safeParse(first.json).success;
    if (!bench.judgeYes('acknowledged-twice', 'an acknowledgement', first, 200, shape)) return;
    const alike = JSON.stringify(first.json) === JSON.stringify(again.json);
    bench.judgeYes('acknowledged-twice', 'the same answer again', again, 200, alike);
    const letGo = bench.keep(held);
    try {
      await judgeThief(bench, held);
      await judgeOneEach(bench, held);
      await judgeHeartbeats(bench, held);
      await judgeLog(bench, held);
      await judgeArtifacts(bench, held);
    } finally {
      await letGo();
    }
    await judgeReport(bench, held);
    // The job that its runner was not given.
    if (bench.address.makeJob !== null) await bench.finish(await bench.nextLease());
  },
};

function judgeOffer(bench: Bench, { offer }: Held): void {
  const { ttlMs, heartbeatMs, trust, secrets } = offer;
  const times = ttlMs > 3 * heartbeatMs;
  bench.judge(
    'offers',
    times,
    'a life of more than three heartbeats',
    `ttlMs ${ttlMs}, heartbeatMs ${heartbeatMs}`,
    [],
  );
  const none = trust === 'trusted' || Object.keys(secrets).length === 0;
  bench.judge('offers', none, 'no secrets for a change that is not trusted', Object.keys(secrets).join(', '), []);
}

async function judgeBefore(bench: Bench, { runner, offer }: Held): Promise<void> {
  const words = wordsUnder(offer.leaseId, runner.token);
  // Output may be on its way, and a grant changes nothing. A no to a report would be the answer to its repeat as well: it is
  // asked for where a lease is left to expire.
  for (const word of words.filter(({ path }) => /heartbeat|artifacts/.test(path)))
    bench.judgeNo('nothing-before', 'before the acknowledgement', await bench.send(word), 409, 'invalid_transition');
}

async function judgeThief(bench: Bench, { offer }: Held): Promise<void> {
  const { token } = await bench.runner();
  for (const word of [{ path: `/leases/${offer.leaseId}/ack`, token }, ...wordsUnder(offer.leaseId, token)])
    bench.judgeNo('lease-of-another', 'another runner with this lease', await bench.send(word), 409, 'stale_lease');
}

async function judgeOneEach(bench: Bench, { runner }: Held): Promise<void> {
  await bench.address.makeJob?.();
  const reply = await bench.send({ path: '/leases', token: runner.token, body: JSON.stringify({ waitSeconds: 2 }) });
  bench.judge('one-lease-each', reply.status !== 200, 'no other lease: 204, or a no', '200', [reply]);
}

async function judgeHeartbeats(bench: Bench, held: Held): Promise<void> {
  const beat = await bench.say(held, 'heartbeat', BEAT);
  const answer = HeartbeatAnswer.safeParse(beat.json).data;
  const sound = answer?.extend === true && !answer.cancelRequested && answer.cancelDeadlineAtMs === null;
  bench.judgeYes('keeps-the-lease', 'extend, and no cancel', beat, 200, sound);
  for (const [what, over] of [
    ['an unknown phase', { phase: 'resting' }],
    ['an unknown field', { colour: 'red' }],
    ['half a byte', { logCursor: 0.5 }],
  ] as const)
    bench.judgeNo(
      'refuses-shape',
      what,
      await bench.say(held, 'heartbeat', { ...BEAT, ...over }),
      400,
      'invalid_request',
    );
  const large = await bench.say(held, 'heartbeat', { ...BEAT, message: 'x'.repeat(100 * KIB) });
  bench.judgeNo('refuses-size', 'a heartbeat of 100 KiB', large, 413, 'payload_too_large');
  const cancel = await bench.say(held, 'cancel-ack', { ...REPORT, outcome: 'canceled' });
  bench.judgeNo('cancel-not-asked', 'a cancel that nobody asked for', cancel, 409, 'cancel_not_requested');
}

async function judgeLog(bench: Bench, held: Held): Promise<void> {
  const steps = [
    ['appends-in-order', 0, 'hello ', 6],
    ['appends-in-order', 6, 'world', 11],
    ['appends-once', 6, 'world', 11],
    ['appends-once', 0, 'hello ', undefined],
    ['appends-once', 9, 'ld, and more', 21],
  ] as const;
  for (const [id, offset, text, next] of steps) {
    const reply = await bench.log(held, offset, text);
    const answer = LogAppendAnswer.safeParse(reply.json).data;
    const goesOn = next === undefined ? answer !== undefined : answer?.nextOffset === next;
    bench.judgeYes(id, `${text.length} bytes at ${offset}, nextOffset ${next ?? 'of any kind'}`, reply, 200, goesOn);
  }
  const gap = await bench.log(held, 30, 'x');
  const named = gap.details['nextOffset'] === 21;
  bench.judgeNo('refuses-gaps', 'a chunk at 30 of a log of 21', gap, 409, 'offset_mismatch');
  bench.judge('refuses-gaps', named, 'details.nextOffset 21', JSON.stringify(gap.details), [gap]);
  for (const offset of [-1, 'x', 1.5, ''])
    bench.judgeNo('refuses-chunks', `offset '${offset}'`, await bench.log(held, offset, 'x'), 400, 'invalid_request');
  const large = await bench.log(held, 21, Buffer.alloc(MIB + 1, 'x'));
  bench.judgeNo('refuses-chunks', 'a chunk of a MiB and a byte', large, 413, 'payload_too_large');
  const { runner, offer } = held;
  const path = `/leases/${offer.leaseId}/log?offset=21`;
  const text = await bench.send({ path, token: runner.token, type: 'text/plain', body: 'x' });
  bench.judgeNo('refuses-chunks', 'a chunk as text/plain', text, 415, 'unsupported_media_type');
  const after = await bench.send({ path, token: runner.token, type: BYTES, body: '!' });
  const well = LogAppendAnswer.safeParse(after.json).data?.nextOffset === 22;
  bench.judgeYes('refuses-chunks', 'and the log goes on at 21', after, 200, well);
}

async function judgeReport(bench: Bench, held: Held): Promise<void> {
  const { outcome: _, ...without } = REPORT;
  for (const [what, report] of [
    ['no outcome', without],
    ['an unknown outcome', { ...REPORT, outcome: 'splendid' }],
    ['an unknown field', { ...REPORT, colour: 'red' }],
  ] as const)
    bench.judgeNo('refuses-reports', what, await bench.say(held, 'complete', report), 400, 'invalid_request');
  bench.judgeYes(
    'refuses-reports',
    'a heartbeat after reports that were refused',
    await bench.say(held, 'heartbeat', BEAT),
    200,
  );
  const first = await bench.say(held, 'complete', REPORT);
  if (!bench.judgeYes('takes-the-report', 'a report', first, 200, CompleteAnswer.safeParse(first.json).success)) return;
  const again = await bench.say(held, 'complete', REPORT);
  const alike = JSON.stringify(again.json) === JSON.stringify(first.json);
  bench.judgeYes('takes-the-report', 'the same answer again', again, 200, alike);
  const other = await bench.say(held, 'complete', { ...REPORT, outcome: 'failed', exitCode: 1 });
  bench.judgeNo('one-report', 'a report with other content', other, 409, 'conflicting_repeat');
  const words = wordsUnder(held.offer.leaseId, held.runner.token);
  for (const word of words.filter(({ path }) => /heartbeat|log|artifacts|uploads/.test(path)))
    bench.judgeNo('nothing-after', 'after the report', await bench.send(word), 409, 'stale_lease');
}
