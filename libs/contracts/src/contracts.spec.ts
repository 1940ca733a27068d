import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { CommandSchema, COMMAND_NAMES, COMMAND_RESULT } from './commands.ts';
import { EVENT_TYPES, parseRecordedEvent } from './events.ts';
import { RepositoryId } from './ids.ts';
import { REFUSALS, REFUSAL_CODES } from './refusals.ts';
import { ReportSchema } from './reports.ts';
import { SUBJECT_FILTERS, eventSubject, reportSubject, subjectToken } from './subjects.ts';

const runId = `run_${'0'.repeat(32)}`;
const recorded = {
  id: '01890000-0000-7000-8000-000000000000',
  position: 1,
  stream: `run-${runId}`,
  version: 1,
  schemaVersion: 1,
  time: '2026-01-01T00:00:00.000Z',
  actor: { kind: 'service', name: 'planner' },
  correlation: runId,
  causation: 'cmd-1',
  traceparent: null,
  prevHash: '',
  hash: 'x',
  type: 'run.started',
  data: {},
};

describe('events', () => {
  it('given a recorded event, when parsed, then it is told apart by its type', () => {
    expect(parseRecordedEvent(recorded)).toMatchObject({ success: true, data: { type: 'run.started' } });
  });

  it.each([
    ['an unknown type', { ...recorded, type: 'run.exploded' }],
    ['an unknown field', { ...recorded, colour: 'red' }],
    ['an unknown field in its data', { ...recorded, data: { colour: 'red' } }],
    ['a position that is no position', { ...recorded, position: 0 }],
    ['a local time', { ...recorded, time: '2026-01-01 00:00' }],
  ])('given %s, when parsed, then it is refused', (_name, event) => {
    expect(parseRecordedEvent(event).success).toBe(false);
  });

  it('every type is an aggregate and a fact, so that it can be a subject', () => {
    for (const type of EVENT_TYPES) expect(type).toMatch(/^[a-z]+\.[a-z-]+$/);
  });
});

describe('commands and reports', () => {
  const command = {
    id: 'c1',
    name: 'cancel-run',
    actor: { kind: 'operator', name: 'ada' },
    traceparent: null,
    data: { runId, reason: '' },
  };

  it('given a command, when parsed, then its data is checked by its name', () => {
    expect(CommandSchema.safeParse(command).success).toBe(true);
    expect(CommandSchema.safeParse({ ...command, name: 'rerun' }).success).toBe(false);
    expect(CommandSchema.safeParse({ ...command, name: 'drop-tables' }).success).toBe(false);
  });

  it('every command says what it answers', () => {
    expect(Object.keys(COMMAND_RESULT).sort()).toEqual([...COMMAND_NAMES].sort());
  });

  it('given a report with a field nobody knows, when parsed, then it is refused', () => {
    const report = {
      id: 'r1',
      kind: 'planner.planning-failed',
      causation: 'e1',
      traceparent: null,
      data: { runId, code: 'x', message: 'y' },
    };
    expect(ReportSchema.safeParse(report).success).toBe(true);
    expect(ReportSchema.safeParse({ ...report, data: { ...report.data, extra: 1 } }).success).toBe(false);
  });
});

describe('names', () => {
  it('law: a subject token never holds a separator or a wildcard', () => {
    fc.assert(fc.property(fc.string(), (text) => expect(subjectToken(text)).toMatch(/^[A-Za-z0-9_-]{1,200}$/)));
  });

  it('subjects lie under the filter of their stream', () => {
    expect(eventSubject('run.created', `run-${runId}`)).toBe(`delta.events.run.created.run-${runId}`);
    expect(reportSubject('planner.plan-proposed', runId)).toBe(`delta.reports.planner.plan-proposed.${runId}`);
    expect(SUBJECT_FILTERS.events).toBe('delta.events.>');
  });

  it.each(['github/../etc', 'github/a/..', 'a', 'github/a', 'GITHUB/a/b', 'github/a/b c', 'github//b'])(
    'given %p, when used as a repository id, then it is refused',
    (id) => expect(RepositoryId.safeParse(id).success).toBe(false),
  );

  it('every refusal has an HTTP status of an error', () => {
    for (const code of REFUSAL_CODES) expect(REFUSALS[code].status).toBeGreaterThanOrEqual(400);
  });
});
