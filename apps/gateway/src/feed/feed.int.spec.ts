import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { FeedEvent, runStream } from '@delta-ci/contracts';
import { testGateway, type TestGateway } from '../gateway.fixture.ts';
import { finished } from '../../../../test/support/made-up/one-job-run.ts';
import { leasedTo, PROPOSED, RUN_ID, untilQueued } from '../run-story.fixture.ts';
import { readEvents } from '../server-sent-events.fixture.ts';

const OTHER_RUN = `run_${'2'.repeat(32)}`;

describe('the feed of events', () => {
  let gateway: TestGateway;

  beforeAll(async () => {
    gateway = await testGateway({ DELTA_STREAMS_MAX: '3' });
    await gateway.append(runStream(RUN_ID), untilQueued(RUN_ID), [PROPOSED]);
    await gateway.append(runStream(OTHER_RUN), untilQueued(OTHER_RUN), [PROPOSED]);
  });
  afterAll(async () => gateway.end());

  const open = async (path: string, headers: Record<string, string> = {}) =>
    gateway.call(`/api/v1${path}`, { token: gateway.adminToken, headers });
  const positionsIn = (events: readonly { id: string }[]) => events.map(({ id }) => Number(id));

  it('given a run, when followed, then its events come from the first on, in order and without those of others', async () => {
    const response = await open(`/runs/${RUN_ID}/events`);
    expect(response.headers.get('content-type')).toContain('text/event-stream');
    const events = await readEvents(response, (seen) => seen.length >= 5);
    expect(events.map(({ data }) => FeedEvent.parse(data).type)).toEqual(untilQueued(RUN_ID).map(({ type }) => type));
    expect(positionsIn(events)).toEqual([1, 2, 3, 4, 5]);
  });

  it('given a client that lost its stream, when it comes back, then it goes on after what it had', async () => {
    const events = await readEvents(
      await open(`/runs/${RUN_ID}/events`, { 'last-event-id': '3' }),
      (seen) => seen.length >= 2,
    );
    expect(positionsIn(events)).toEqual([4, 5]);
  });

  it('given a position, when everything is followed, then runs come mixed as they are in the log', async () => {
    const events = await readEvents(await open('/events?from=4'), (seen) => seen.length >= 6);
    expect(positionsIn(events)).toEqual([5, 6, 7, 8, 9, 10]);
  });

  it('given a follower, when the log grows, then it hears of it', async () => {
    const response = await open(`/runs/${RUN_ID}/events?from=10`);
    await gateway.append(runStream(OTHER_RUN), leasedTo('d'.repeat(64), `rnr_${'2'.repeat(32)}`));
    await gateway.append(runStream(RUN_ID), leasedTo('e'.repeat(64), `rnr_${'1'.repeat(32)}`));
    const events = await readEvents(response, (seen) => seen.length >= 3);
    expect(events.map(({ data }) => FeedEvent.parse(data).type)).toEqual([
      'run.started',
      'lease.granted',
      'lease.activated',
    ]);
    expect(JSON.stringify(events)).not.toContain('e'.repeat(64));
  });

  it('given no position, when everything is followed, then only what is new comes', async () => {
    const response = await open('/events');
    await gateway.append(runStream(RUN_ID), finished());
    const [first] = await readEvents(response, (seen) => seen.length >= 1);
    expect(FeedEvent.parse(first?.data).type).toBe('attempt.finished');
  });

  it.each([
    ['a run that is not there', `/runs/run_${'9'.repeat(32)}/events`, {}, 404],
    ['a position that is none', '/events?from=x', {}, 400],
    ['an event id that is none', '/events', { 'last-event-id': 'x' }, 400],
  ])('given %s, when followed, then it is refused before the stream begins', async (_name, path, headers, status) => {
    expect((await open(path, headers)).status).toBe(status);
  });

  it('given as many streams as may be open, when one more is wanted, then it is told to come again', async () => {
    const over = new AbortController();
    const init = { token: gateway.adminToken, signal: over.signal };
    const opened = [];
    // Streams of earlier tests may still be closing, so newcomers are let in until the bound is reached.
    for (let at = 0; at < 4; at += 1) opened.push(await gateway.call('/api/v1/events', init));
    expect(opened.at(-1)?.status).toBe(503);
    expect(opened.at(-1)?.headers.get('retry-after')).toBe('1');
    over.abort();
  });
});

describe('a gateway that stops', () => {
  it('given an open stream, when the service stops, then the stream ends and nothing is left behind', async () => {
    const gateway = await testGateway();
    try {
      const response = await gateway.call('/api/v1/events', { token: gateway.adminToken });
      const read = readEvents(response, () => false);
      expect(await gateway.stop()).toEqual([]);
      expect(await read).toEqual([]);
    } finally {
      await gateway.end();
    }
  });
});
