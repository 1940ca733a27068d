import { describe, expect, it } from '@jest/globals';
import type { Command, CommandData } from '@delta-ci/contracts';
import { DecidedRuns, typesIn } from './made-up-commands.fixture.ts';
import { parkedChoice, parkedSubmission } from './parked-submission.ts';

const ORIGIN = {
  stream: 'REPORTS',
  consumer: 'orchestrator',
  subject: 'delta.reports.planner.plan-proposed.x',
  reason: 'not a CloudEvent',
  parkedAt: '2026-01-02T03:04:05.678Z',
};

function settle(over: Partial<CommandData<'settle-parked'>> = {}): Command<'settle-parked'> {
  const data = { sequence: 7, action: 'retry' as const, reason: 'the planner is mended', ...over };
  return { id: 'settle-1', name: 'settle-parked', actor: { kind: 'operator', name: 'ada' }, traceparent: null, data };
}

describe('settling a parked message', () => {
  it('given two who want something of one message, then they meet under one name, and only the same wish is a repeat', () => {
    const [retry, drop] = [parkedChoice(settle(), ORIGIN), parkedChoice(settle({ action: 'drop' }), ORIGIN)];
    expect(drop.id).toBe(retry.id);
    expect(drop.fingerprint).not.toBe(retry.fingerprint);
    expect(parkedChoice({ ...settle(), id: 'settle-2' }, ORIGIN).fingerprint).toBe(retry.fingerprint);
  });

  it('given a sequence that was handed out again, then another message has another name', () => {
    const later = { ...ORIGIN, parkedAt: '2026-01-02T03:04:06.000Z' };
    expect(parkedChoice(settle(), later).id).not.toBe(parkedChoice(settle(), ORIGIN).id);
  });

  it('given a message that is there, then who did what to it, and why, is recorded', () => {
    const result = new DecidedRuns().take(parkedSubmission(settle(), ORIGIN));
    expect(typesIn(result)).toEqual(['operator.acted']);
    expect(result.appends[0]).toMatchObject({
      stream: 'operator-parked',
      events: [{ data: { action: 'parked.retry', subject: 'parked message 7' } }],
    });
    expect(result.appends[0]?.events[0]?.data).toHaveProperty(
      'detail',
      'REPORTS for orchestrator, delta.reports.planner.plan-proposed.x; parked with: not a CloudEvent; because: the planner is mended',
    );
    expect(result.answer).toEqual({ ok: true, result: { sequence: 7, action: 'retry' } });
  });

  it('given a message that is gone, then that is refused by name and not remembered', () => {
    const result = new DecidedRuns().take(parkedSubmission(settle({ action: 'drop' }), null));
    expect(typesIn(result)).toEqual([]);
    expect(result).toMatchObject({ answer: { ok: false, refusal: { code: 'not_found' } }, remember: false });
  });

  it('given the same id for something else, then the marks differ', () => {
    const marks = [settle(), settle({ action: 'drop' }), settle({ sequence: 8 })].map(
      (command) => parkedSubmission(command, ORIGIN).fingerprint,
    );
    expect(new Set(marks).size).toBe(3);
  });

  it('given a reason as long as reasons get, then the event still fits', () => {
    const long = { ...ORIGIN, reason: 'r'.repeat(1_000), subject: 's'.repeat(1_000) };
    const result = new DecidedRuns().take(parkedSubmission(settle({ reason: 'b'.repeat(500) }), long));
    const [event] = result.appends[0]?.events ?? [];
    expect(event?.type === 'operator.acted' && event.data.detail.length).toBe(2_000);
  });
});
