import { CompleteAnswer, HeartbeatAnswer } from '@delta-ci/contracts';
import { BEAT, REPORT, type Bench, type Held } from '../bench.ts';
import type { Check } from '../check.ts';
import type { GatewayRequirement } from '../requirements.ts';

const unacknowledged: Check = {
  name: 'a lease that nobody acknowledges',
  judges: ['nothing-before', 'expires-unacknowledged'],
  play: async (bench) => {
    const held = await bench.lease();
    const early = await bench.say(held, 'complete', { ...REPORT, outcome: 'failed', exitCode: 2 });
    bench.judgeNo('nothing-before', 'a report before the acknowledgement', early, 409, 'invalid_transition');
    const { acceptanceMs } = held.offer;
    if (acceptanceMs > bench.address.patienceMs)
      return bench.skip('expires-unacknowledged', `acceptanceMs is ${acceptanceMs}: more than --patience`);
    await bench.pause(acceptanceMs);
    await judgeLost(bench, held, 'expires-unacknowledged', 'ack', {});
  },
};

const silent: Check = {
  name: 'a lease without heartbeats',
  judges: ['expires-silent'],
  play: async (bench) => {
    const held = await bench.lease();
    const { ttlMs } = held.offer;
    if (ttlMs > bench.address.patienceMs) {
      bench.skip('expires-silent', `ttlMs is ${ttlMs}: more than --patience`);
      await bench.finish(held);
      return;
    }
    await bench.say(held, 'ack');
    await bench.pause(ttlMs);
    await judgeLost(bench, held, 'expires-silent', 'complete', REPORT);
  },
};

/** The job of a lease that is over comes again under a greater fence, and what is said late under the old one is refused. */
async function judgeLost(bench: Bench, held: Held, id: GatewayRequirement, what: string, body: object): Promise<void> {
  const next = await sameJobAgain(bench, held);
  const expected = `the job ${held.offer.jobKey} again, with a fence over ${held.offer.fence}`;
  if (next === null) {
    bench.judge(id, false, expected, 'it did not come', bench.gateway.replies.slice(-3));
    return;
  }
  bench.judge(id, next.offer.fence > held.offer.fence, expected, `fence ${next.offer.fence}`, []);
  // Only now: a heartbeat would have kept the lease.
  for (const [late, said] of [
    [what, body],
    ['heartbeat', BEAT],
  ] as const)
    bench.judgeNo(id, `a late ${late} under the old lease`, await bench.say(held, late, said), 409, 'stale_lease');
  await bench.finish(next);
}

/** Other jobs of the pool are reported as they come. */
async function sameJobAgain(bench: Bench, { offer }: Held): Promise<Held | null> {
  return bench.eventually(async () => {
    const next = await bench.nextLease();
    if (next.offer.runId === offer.runId && next.offer.jobKey === offer.jobKey) return next;
    await bench.finish(next);
    return null;
  });
}

const canceled: Check = {
  name: 'a run that is canceled',
  judges: ['asks-to-cancel'],
  play: async (bench) => {
    const { cancelRun } = bench.address;
    if (cancelRun === null) return bench.skip('asks-to-cancel', 'nobody can cancel a run here: tell --cancel-run how');
    const held = await bench.lease();
    await bench.say(held, 'ack');
    await bench.say(held, 'heartbeat', BEAT);
    await cancelRun(held.offer.runId);
    const told = await bench.eventually(async () => {
      const reply = await bench.say(held, 'heartbeat', BEAT);
      const answer = HeartbeatAnswer.safeParse(reply.json).data;
      return answer?.cancelRequested === true ? { reply, answer } : null;
    });
    const last = bench.gateway.replies.slice(-2);
    if (told === null) return bench.judge('asks-to-cancel', false, 'a heartbeat with cancelRequested', 'none', last);
    const deadline = told.answer.cancelDeadlineAtMs !== null;
    bench.judge('asks-to-cancel', deadline, 'a deadline beside it', 'none', [told.reply]);
    const report = { ...REPORT, outcome: 'canceled', exitCode: null };
    const first = await bench.say(held, 'cancel-ack', report);
    bench.judgeYes('asks-to-cancel', 'the acknowledgement', first, 200, CompleteAnswer.safeParse(first.json).success);
    const again = await bench.say(held, 'cancel-ack', report);
    const alike = JSON.stringify(again.json) === JSON.stringify(first.json);
    bench.judgeYes('asks-to-cancel', 'the same answer again', again, 200, alike);
    bench.judgeNo(
      'asks-to-cancel',
      'a heartbeat after it',
      await bench.say(held, 'heartbeat', BEAT),
      409,
      'stale_lease',
    );
  },
};

export const lostLeases: readonly Check[] = [unacknowledged, silent, canceled];
