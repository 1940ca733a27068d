import { describe, expect, it } from '@jest/globals';
import { EVENT_TYPES, REPORT_KINDS, eventSubject, reportSubject } from '@delta-ci/contracts';
import { subjectMatches } from './memory/memory-stream.ts';
import { DISPATCH_ACK_WAIT_MS, EVENT_SERVICES, RETRY_POLICY, retryConsumer, topology } from './topology.ts';

const { streams, consumers } = topology({ pools: ['default', 'big'] });
const takers = (subject: string): string[] =>
  streams.filter(({ subjects }) => subjects.some((filter) => subjectMatches(filter, subject))).map(({ name }) => name);

describe('streams and consumers', () => {
  it('given any subject, when it is published, then exactly one stream takes it', () => {
    for (const type of EVENT_TYPES) expect(takers(eventSubject(type, 'run-1'))).toEqual(['EVENTS']);
    for (const kind of REPORT_KINDS) expect(takers(reportSubject(kind, 'run-1'))).toEqual(['REPORTS']);
    expect(takers('delta.dispatch.default')).toEqual(['DISPATCH']);
    expect(takers('delta.parked.EVENTS.planner')).toEqual(['PARKED']);
    expect(takers('delta.commands.rerun')).toEqual([]);
  });

  it('every consumer has a filter inside its stream, and a name of its own in it', () => {
    for (const { stream, filter } of consumers) expect(takers(filter.replace('>', 'x'))).toEqual([stream]);
    const names = consumers.map(({ stream, name }) => `${stream} ${name}`);
    expect(new Set(names).size).toBe(names.length);
  });

  it('every service that follows the log also gets what is sent back to it', () => {
    for (const service of EVENT_SERVICES) {
      expect(consumers).toContainEqual(expect.objectContaining({ stream: 'PARKED', name: retryConsumer(service) }));
    }
  });

  it('the filters of a work queue do not overlap, or the server would refuse the second', () => {
    const filters = consumers.filter(({ stream }) => stream === 'DISPATCH').map(({ filter }) => filter);
    expect(filters).toEqual(['delta.dispatch.default', 'delta.dispatch.big']);
  });

  it('the log can be neither deleted from nor purged, and its first sequence is the position asked for', () => {
    expect(streams[0]).toMatchObject({ name: 'EVENTS', denyDelete: true, denyPurge: true, firstSequence: 1 });
    expect(topology({ pools: [], eventsFromPosition: 500 }).streams[0]).toMatchObject({ firstSequence: 500 });
  });

  it('dispatch stays with its taker longer than a lease and a heartbeat last', () => {
    expect(DISPATCH_ACK_WAIT_MS).toBeGreaterThan(120_000 + 20_000);
  });

  it('a message is tried eight times with growing pauses', () => {
    expect(RETRY_POLICY.maxDeliver).toBe(8);
    expect(RETRY_POLICY.backoffMs).toHaveLength(7);
    expect(RETRY_POLICY.backoffMs).toEqual(RETRY_POLICY.backoffMs.toSorted((a, b) => a - b));
  });
});
