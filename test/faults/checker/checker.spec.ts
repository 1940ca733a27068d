import { describe, expect, it } from '@jest/globals';
import { DEFAULT_RUN_POLICY, type DomainEvent, type RecordedEvent } from '@delta-ci/contracts';
import { ATTEMPT } from '../../support/made-up/one-job-run.ts';
import type { Finding, InvariantId } from './invariants.ts';
import { judgeEffects, parseEffects } from './judge-effects.ts';
import { judgeLeases } from './judge-leases.ts';
import { judgeOrder } from './judge-order.ts';
import { judgeSecrets } from './judge-traces.ts';
import { LogIndex } from './log-index.ts';
import {
  BEGIN_MS,
  expired,
  recorded,
  RUN,
  RUNNER,
  secondAttempt,
  soundEvents,
  STEP_MS,
} from './recorded-log.fixture.ts';
import { verdictOn } from './verdict.ts';

const SOUND = soundEvents();
const BEFORE_END = SOUND.slice(
  0,
  SOUND.findIndex(({ type }) => type === 'attempt.finished'),
);
const END = SOUND.slice(BEFORE_END.length);
const GRANT = BEFORE_END.filter(({ type }) => type === 'lease.granted');
const CANCEL: DomainEvent = { type: 'run.cancel-requested', data: { reason: 'unwanted', deadlineAtMs: BEGIN_MS } };
const TTL_MS = DEFAULT_RUN_POLICY.leaseTtlMs;
const SLACK_MS = 5_000;
const SOUND_EFFECTS = `start ${RUN} unit 1\nend ${RUN} unit 1\n`;
/** When the event after `BEFORE_END` happens. */
const END_AT_MS = BEGIN_MS + BEFORE_END.length * STEP_MS;

function judged(events: readonly RecordedEvent[], effects = SOUND_EFFECTS, head = events.length): Finding[] {
  const log = new LogIndex(events);
  return [
    ...judgeOrder(log, head),
    ...judgeLeases(log, { slackMs: SLACK_MS }),
    ...judgeEffects(log, parseEffects(effects)),
  ];
}

const broken = (findings: readonly Finding[]): InvariantId[] =>
  findings.filter(({ violations }) => violations.length > 0).map(({ id }) => id);

/** A log in which one thing is wrong, and which invariant has to say so. */
const BROKEN_LOGS: readonly [what: string, events: readonly DomainEvent[], ids: readonly InvariantId[]][] = [
  ['an attempt that ends twice', [...SOUND.slice(0, -1), ...END.slice(0, 1)], ['ends-once', 'nothing-after-end']],
  ['a run that starts again after its end', [...SOUND, { type: 'run.started', data: {} }], ['nothing-after-end']],
  [
    'a lease granted twice',
    [...BEFORE_END, ...GRANT, ...END],
    ['fences-grow', 'one-live-lease', 'current-lease-counts'],
  ],
  [
    'a second lease beside a live one',
    [...BEFORE_END, ...secondAttempt(), ...END],
    ['one-live-lease', 'current-lease-counts'],
  ],
  [
    'a runner with two leases',
    [...BEFORE_END, ...secondAttempt({ leaseHash: 'b'.repeat(64), runnerId: RUNNER }), ...END],
    ['one-live-lease', 'current-lease-counts'],
  ],
  [
    'a report that counts after its lease expired',
    [...BEFORE_END, ...expired(END_AT_MS - TTL_MS).slice(0, 1), ...END],
    ['current-lease-counts'],
  ],
  ['a runner declared lost too early', [...BEFORE_END, ...expired(END_AT_MS - TTL_MS + 1)], ['loss-noticed-in-time']],
  [
    'a runner whose death nobody noticed',
    [...BEFORE_END, ...expired(END_AT_MS - TTL_MS - SLACK_MS - 1)],
    ['loss-noticed-in-time'],
  ],
  [
    'a job taken up after a cancel request',
    [...BEFORE_END.slice(0, -2), CANCEL, ...GRANT, ...END],
    ['no-dispatch-after-cancel'],
  ],
  ['a cancel request that nothing follows', [...BEFORE_END, CANCEL], ['cancel-ends-in-time']],
  [
    'a job queued again without a reason',
    [...BEFORE_END, ...BEFORE_END.filter(({ type }) => type === 'attempt.queued'), ...END],
    ['budgets-kept'],
  ],
  [
    'a refused report of a lease that never was',
    [
      ...SOUND,
      {
        type: 'lease.stale-report-refused',
        data: { ...ATTEMPT, attempt: 7, reason: 'superseded', report: 'complete-attempt', runnerId: RUNNER },
      },
    ],
    ['stale-report-refused'],
  ],
];

describe('the checker', () => {
  it('given a sound log, then it finds nothing wrong and has looked at everything that is in it', () => {
    const findings = judged(recorded(SOUND));
    expect(broken(findings)).toEqual([]);
    const unchecked = findings.filter(({ checked }) => checked === 0).map(({ id }) => id);
    expect(unchecked).toEqual([
      'loss-noticed-in-time',
      'stale-report-refused',
      'no-dispatch-after-cancel',
      'cancel-ends-in-time',
    ]);
  });

  it.each(BROKEN_LOGS)('given a log with %s, then it says so', (_what, events, ids) => {
    expect(broken(judged(recorded(events)))).toEqual(ids);
  });

  it('given a gap, a repeated version or a lost tail, then it says so', () => {
    const log = recorded(SOUND);
    const moved = (change: Partial<RecordedEvent>): RecordedEvent[] =>
      log.map((event, index) => (index === 3 ? ({ ...event, ...change } as RecordedEvent) : event));
    expect(broken(judged(moved({ position: 99 })))).toContain('positions-whole');
    expect(broken(judged(moved({ version: 3 })))).toContain('versions-whole');
    expect(broken(judged(log, SOUND_EFFECTS, log.length + 1))).toContain('positions-whole');
  });

  it.each<[what: string, effects: string, ids: readonly InvariantId[]]>([
    ['a job executed without a lease', `${SOUND_EFFECTS}start ${RUN} other 1\n`, ['nothing-runs-unleased']],
    ['an attempt executed twice', `start ${RUN} unit 1\n${SOUND_EFFECTS}`, ['attempt-executed-once']],
    ['a success that nobody executed to its end', `start ${RUN} unit 1\n`, ['success-was-executed']],
    [
      'a second execution without a reason',
      `${SOUND_EFFECTS}start ${RUN} unit 2\n`,
      ['nothing-runs-unleased', 'rerun-has-reason'],
    ],
  ])('given a ledger with %s, then it says so', (_what, effects, ids) => {
    expect(broken(judged(recorded(SOUND), effects))).toEqual(ids);
  });

  it('given a second execution after a recorded loss, then nothing is wrong', () => {
    const events = [...BEFORE_END, ...expired(END_AT_MS - TTL_MS), ...secondAttempt()];
    expect(broken(judged(recorded(events), `start ${RUN} unit 1\nstart ${RUN} unit 2\n`))).toEqual([]);
  });

  it('given a line that is none, then the ledger is no evidence', () => {
    expect(() => parseEffects('start somewhere else entirely now')).toThrow(/not a line/u);
  });

  it('given a lease or a secret in a text, then it names the text and does not repeat what stands there', () => {
    const leaseId = 'c'.repeat(64);
    // SHA-256 of that text.
    const leaseHash = '52b6419d27bd7f547cee3b92f8c17a908b8a49601ecbec161e5030de1dfe9e0a';
    const events = SOUND.map((event) =>
      event.type === 'lease.granted' ? { ...event, data: { ...event.data, leaseHash } } : event,
    );
    const texts = new Map([
      ['a log', `took ${leaseId}`],
      ['another', 'token=hush-hush'],
      ['a third', `only the hash: ${leaseHash}`],
    ]);
    const { checked, violations } = judgeSecrets(new LogIndex(recorded(events)), ['hush-hush'], texts);
    expect(checked).toBe(3);
    expect(violations).toEqual(['a lease stands in a log', 'a secret stands in another']);
  });

  it('given an invariant that has to be put to the test and was not, then the verdict does not hold', () => {
    const findings = judged(recorded(SOUND));
    const asked = { scenario: 'x', events: SOUND.length, findings };
    expect(verdictOn({ ...asked, required: ['ends-once'] }).holds).toBe(true);
    expect(verdictOn({ ...asked, required: ['ends-once', 'cancel-ends-in-time'] }).holds).toBe(false);
    expect(verdictOn({ ...asked, required: ['stream-copies-log'] }).holds).toBe(false);
  });
});
