import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { FileArtifactStore } from '@delta-ci/artifact-store';
import { announceLogGrew } from '@delta-ci/bus';
import { LogFollowChunk, runStream } from '@delta-ci/contracts';
import { testGateway, type TestGateway } from '../gateway.fixture.ts';
import { finished, JOB } from '../../../../test/support/made-up/one-job-run.ts';
import { aRunAtWork, PROPOSED, RUN_ID, untilQueued } from '../run-story.fixture.ts';
import { readEvents, type ServerSentEvent } from '../server-sent-events.fixture.ts';

const WAITING_RUN = `run_${'3'.repeat(32)}`;
const TEXT = 'compiling …\ntests: 12 passed ✓\n';

describe('logs', () => {
  let gateway: TestGateway;
  let runs = 0;
  const append = async (runId: string, offset: number, bytes: Uint8Array) =>
    new FileArtifactStore(gateway.artifactDir).logs.append({ runId, jobKey: JOB, attempt: 1 }, offset, bytes);

  /** A run of its own with a runner at work, and a log. */
  const aRunWithLog = async (text = TEXT) => {
    runs += 1;
    const runId = `run_${String(runs).padStart(32, '4')}`;
    const id = String(runs).padStart(32, '4');
    await aRunAtWork(gateway, id.padStart(64, '0'), `rnr_${id}`, runId);
    await append(runId, 0, Buffer.from(text));
    return runId;
  };

  beforeAll(async () => {
    gateway = await testGateway();
    await aRunAtWork(gateway, 'e'.repeat(64), `rnr_${'1'.repeat(32)}`);
    await append(RUN_ID, 0, Buffer.from(TEXT));
    await gateway.append(runStream(WAITING_RUN), untilQueued(WAITING_RUN), [PROPOSED]);
  });
  afterAll(async () => gateway.end());

  const open = async (query = '', headers: Record<string, string> = {}, runId = RUN_ID) =>
    gateway.call(`/api/v1/runs/${runId}/jobs/${JOB}/log${query}`, { token: gateway.adminToken, headers });
  const textOf = (events: readonly ServerSentEvent[]) =>
    events
      .filter(({ type }) => type === 'log')
      .map(({ data }) => LogFollowChunk.parse(data).text)
      .join('');

  it('given a log, when read, then it comes as plain text, with its attempt', async () => {
    const response = await open();
    expect(await response.text()).toBe(TEXT);
    expect(response.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    expect(response.headers.get('x-delta-attempt')).toBe('1');
  });

  it('given an offset, when read, then what is before it is left out', async () => {
    expect(await (await open('?offset=14&attempt=1')).text()).toBe('tests: 12 passed ✓\n');
    expect(await (await open('?offset=1000000')).text()).toBe('');
  });

  it('given a range, when read, then that part comes', async () => {
    const response = await open('', { range: 'bytes=0-8' });
    expect([response.status, await response.text()]).toEqual([206, 'compiling']);
    expect(response.headers.get('content-range')).toBe(`bytes 0-8/${Buffer.byteLength(TEXT)}`);
  });

  it.each([
    ['lines=2', 'line 2\n', '2-2/3'],
    ['lines=2-', 'line 2\nline 3, which has no end', '2-3/3'],
    ['lines=1-2', 'line 1\nline 2\n', '1-2/3'],
    ['tail=1', 'line 3, which has no end', '3-3/3'],
    ['tail=0', '', '*/3'],
    ['tail=99', 'line 1\nline 2\nline 3, which has no end', '1-3/3'],
  ])(
    'given %s, while it grows and when it is archived, then these lines come, with how many there are',
    async (query, text, lines) => {
      const runId = await aRunWithLog('line 1\nline 2\nline 3, which has no end');
      const seen = async () => {
        const response = await open(`?${query}`, {}, runId);
        const { headers } = response;
        return [await response.text(), headers.get('x-delta-lines'), headers.get('x-delta-log-final')];
      };
      expect(await seen()).toEqual([text, lines, 'false']);
      await new FileArtifactStore(gateway.artifactDir).logs.archive({ runId, jobKey: JOB, attempt: 1 });
      expect(await seen()).toEqual([text, lines, 'true']);
    },
  );

  it('given one long line, when lines are asked for, then it is cut; as bytes it comes whole', async () => {
    const long = 'y'.repeat(300_000);
    const runId = await aRunWithLog(`${long}\nlast\n`);
    const text = await (await open('?lines=1-2', {}, runId)).text();
    expect(text).toBe(`${long.slice(0, 65_536)} [delta] ${300_000 - 65_536} bytes of this line are left out\nlast\n`);
    expect(await (await open('', {}, runId)).text()).toBe(`${long}\nlast\n`);
  });

  it('given lines that are not there, when read, then it is said how many there are', async () => {
    const response = await open('?lines=3-4');
    expect([response.status, await response.json()]).toMatchObject([
      416,
      { error: { code: 'range_not_satisfiable', details: { lines: 2 } } },
    ]);
  });

  it('given a tail, when followed, then it begins there and tells its line', async () => {
    const runId = await aRunWithLog();
    await gateway.append(runStream(runId), finished());
    const events = await readEvents(await open('?follow=1&tail=1', {}, runId), () => false);
    expect(events.map(({ data }) => data)).toMatchObject([{ line: 2, text: 'tests: 12 passed ✓\n' }, { attempt: 1 }]);
  });

  it('given a range behind the end, when read, then it is said how much there is', async () => {
    const response = await open('', { range: 'bytes=1000-' });
    expect([response.status, await response.json()]).toMatchObject([416, { error: { code: 'range_not_satisfiable' } }]);
  });

  it.each([
    ['another attempt', '?attempt=2', RUN_ID, 404],
    ['a run that is not there', '', `run_${'9'.repeat(32)}`, 404],
    ['an attempt that is none', '?attempt=0', RUN_ID, 400],
    ['line 0', '?lines=0-3', RUN_ID, 400],
    ['lines backwards', '?lines=5-3', RUN_ID, 400],
    ['lines and a tail', '?lines=1&tail=1', RUN_ID, 400],
    ['lines to be followed', '?lines=1&follow=1', RUN_ID, 400],
    ['an unknown parameter', '?colour=red', RUN_ID, 400],
  ])('given %s, when read, then it is refused', async (_name, query, runId, status) => {
    expect((await open(query, {}, runId)).status).toBe(status);
  });

  it('given an attempt that nobody works on yet, when read, then its log is empty', async () => {
    const response = await open('', {}, WAITING_RUN);
    expect([response.status, await response.text()]).toEqual([200, '']);
  });

  it('given a follower, when the log grows and the attempt finishes, then it hears all of it and the end', async () => {
    const runId = await aRunWithLog();
    const response = await open('?follow=1', {}, runId);
    const check = Buffer.from('✓');
    let size = Buffer.byteLength(TEXT);
    await append(runId, size, check.subarray(0, 2));
    announceLogGrew(gateway.bus, runId, JOB);
    size += 2;
    await append(runId, size, check.subarray(2));
    announceLogGrew(gateway.bus, runId, JOB);
    await gateway.append(runStream(runId), finished());
    const events = await readEvents(response, () => false);
    expect(textOf(events)).toBe(`${TEXT}✓`);
    expect(events.at(-1)).toMatchObject({ type: 'end', data: { attempt: 1, outcome: 'succeeded' } });
  });

  it('given a finished attempt, when followed from where a client was, then the rest and the end come at once', async () => {
    const runId = await aRunWithLog();
    await gateway.append(runStream(runId), finished());
    const headers = { accept: 'text/event-stream', 'last-event-id': '14' };
    const events = await readEvents(await open('', headers, runId), () => false);
    expect(textOf(events)).toBe('tests: 12 passed ✓\n');
    expect(events.at(-1)).toMatchObject({ type: 'end' });
  });
});
