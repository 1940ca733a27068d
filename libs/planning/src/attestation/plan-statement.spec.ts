import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import {
  PlanStatement,
  canonicalJson,
  type Checkpoint,
  type DomainEvent,
  type Json,
  type Plan,
  type RecordedEvent,
} from '@delta-ci/contracts';
import { planned, type Files } from '../planned-repository.fixture.ts';
import { SHOP } from '../shop.fixture.ts';
import { planDigestIn, planStatementOf } from './plan-statement.ts';

const RUN = `run_${'1'.repeat(32)}`;
const DIGEST = `sha256:${'d'.repeat(64)}`;
const AFTER: Files = { ...SHOP, 'packages/money/src/index.js': 'export const add = (a, b) => a + b;\n' };
const ALWAYS = { rules: { rate: 1, escapeRateMax: 0.05, samplesMin: 100 }, entries: [], busy: false };
const CHECKPOINT: Checkpoint = {
  position: 120,
  hash: 'e'.repeat(64),
  unfinished: `sha256:${'f'.repeat(64)}`,
  time: '2026-01-31T12:01:00.000Z',
  keyId: 'a'.repeat(32),
  signature: `${'A'.repeat(86)}==`,
};

/** As the log holds them: one a second, from position 101 on. */
function recorded(events: readonly DomainEvent[]): RecordedEvent[] {
  return events.map((event, at) => ({
    ...event,
    id: `0199f2aa-0000-7000-8000-${String(at).padStart(12, '0')}`,
    position: 101 + at,
    stream: `run-${RUN}`,
    version: at + 1,
    schemaVersion: 1,
    time: `2026-01-31T12:00:${String(at).padStart(2, '0')}.000Z`,
    actor: { kind: 'service', name: 'orchestrator' },
    correlation: RUN,
    causation: 'made up',
    traceparent: null,
    prevHash: '',
    hash: '',
  }));
}

/** Money passes, cart fails, and what is left out fails twice. */
function eventsOf(plan: Plan): DomainEvent[] {
  const attempt = (jobKey: string, number: number, outcome: 'succeeded' | 'failed'): DomainEvent => {
    const failureClass = outcome === 'failed' ? ('user' as const) : null;
    return {
      type: 'attempt.finished',
      data: { jobKey, attempt: number, outcome, failureClass, reason: 'made up', report: null },
    };
  };
  const ended = (jobKey: string, outcome: 'succeeded' | 'failed'): DomainEvent => ({
    type: 'job.finished',
    data: { jobKey, outcome, reason: 'made up' },
  });
  const { repository, change, policy } = plan;
  return [
    { type: 'run.created', data: { runId: RUN, repository, change, policy, rerun: null } },
    {
      type: 'run.planned',
      data: {
        planDigest: DIGEST,
        policy,
        jobs: [],
        summary: plan.summary,
        deadlineAtMs: 0,
        inputsDigest: `sha256:${'1'.repeat(64)}`,
      },
    },
    attempt('test-packages-money', 1, 'succeeded'),
    ended('test-packages-money', 'succeeded'),
    attempt('shadow-test-packages-greeting', 1, 'failed'),
    attempt('shadow-test-packages-greeting', 2, 'failed'),
    ended('shadow-test-packages-greeting', 'failed'),
    attempt('test-packages-cart', 1, 'failed'),
    ended('test-packages-cart', 'failed'),
    { type: 'run.finished', data: { outcome: 'failed', reason: '1 required job did not succeed: test-packages-cart' } },
  ];
}

describe('the statement about a plan', () => {
  const made = planned(SHOP, AFTER, { shadow: ALWAYS });
  // Rules get new numbers often.
  const plan: Plan = { ...made, inputs: { ...made.inputs, rules: '13' } };
  const records = recorded(eventsOf(plan));
  const statement = planStatementOf({ records, plan, checkpoint: CHECKPOINT });

  it('is of the shape that is signed, and says what it was approved to say', () => {
    expect(PlanStatement.parse(statement)).toEqual(statement);
    const text = `${JSON.stringify(statement, null, 2)}\n`;
    const golden = new URL('./statement.golden.txt', import.meta.url);
    if (process.env['DELTA_UPDATE_GOLDEN'] === '1') writeFileSync(golden, text);
    expect(text).toBe(readFileSync(golden, 'utf8'));
  });

  it('names for everything that did not run the rules by which', () => {
    expect(statement?.predicate.notRun).toMatchObject([
      { key: 'test-packages-greeting', why: { rules: ['unreached', 'one test job per affected unit'] } },
    ]);
    expect(statement?.predicate.ran.map(({ key, decides, shadow }) => [key, decides, shadow])).toEqual([
      ['test-packages-cart', true, false],
      ['test-packages-money', true, false],
      ['shadow-test-packages-greeting', false, true],
    ]);
  });

  it('is the same, byte for byte, whoever makes it', () => {
    const again = planStatementOf({
      records: JSON.parse(JSON.stringify(records)) as RecordedEvent[],
      plan: JSON.parse(JSON.stringify(plan)) as Plan,
      checkpoint: CHECKPOINT,
    });
    expect(canonicalJson(again as Json)).toBe(canonicalJson(statement as Json));
  });

  it('is none of a run that has not ended, or that has no plan', () => {
    expect(planStatementOf({ records: records.slice(0, -1), plan, checkpoint: CHECKPOINT })).toBeNull();
    const unplanned = records.filter(({ type }) => type !== 'run.planned');
    expect(planDigestIn(unplanned)).toBeNull();
    expect(planStatementOf({ records: unplanned, plan, checkpoint: CHECKPOINT })).toBeNull();
    const debug = { attempt: 1, by: 'olga', reason: 'it fails', heldMs: 60_000 };
    const debugged = records.map((record) =>
      record.type === 'run.created'
        ? {
            ...record,
            data: { ...record.data, rerun: { of: RUN, only: 'all' as const, planDigest: DIGEST, jobs: null, debug } },
          }
        : record,
    );
    expect(planStatementOf({ records: debugged, plan, checkpoint: CHECKPOINT })).toBeNull();
  });
});
