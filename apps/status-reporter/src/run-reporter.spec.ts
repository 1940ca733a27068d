import { beforeEach, describe, expect, it } from '@jest/globals';
import type { RunView } from '@delta-ci/contracts';
import { aRepository } from '../../../test/support/made-up/repository.ts';
import { ForgeDesk } from './forge-desk.ts';
import { MadeUpForge } from './made-up-forge.fixture.ts';
import type { PublicationRecord } from './published-states.ts';
import { PROPOSED, runIdOf } from './run-story.fixture.ts';
import { RunReporter } from './run-reporter.ts';

const RUN = runIdOf('looked at');
const LATE_MS = 60_000;
const CREATED_MS = 1_763_640_000_000;
const BACKOFF = { initialMs: 1_000, capMs: 1_000 };
const SILENT = { info: () => undefined, warn: () => undefined };
const CAUSE = { causation: 'test', traceparent: null };

/** A run without jobs: its gate is all that is shown. */
const begun = (position: number): RunView => ({
  runId: RUN,
  repository: aRepository({ id: 'github/demo/shop' }),
  change: PROPOSED.plan.change,
  actor: { kind: 'service', name: 'test' },
  state: 'created',
  outcome: null,
  reason: '',
  createdAtMs: CREATED_MS,
  startedAtMs: null,
  finishedAtMs: null,
  reported: false,
  supersededBy: null,
  rerun: null,
  planDigest: null,
  summary: '',
  jobCounts: {},
  position,
  jobs: [],
  skipped: [],
  planning: null,
  publications: [],
  checkpoint: null,
});
const ended = (position: number): RunView => ({
  ...begun(position),
  state: 'finished',
  outcome: 'succeeded',
  finishedAtMs: CREATED_MS + 1_000,
});

let forge: MadeUpForge;
let records: PublicationRecord[];
let nowMs: number;
let view: RunView;

const aReporter = (inheritedUntilMs: number): RunReporter => {
  const desk = new ForgeDesk('github', forge, BACKOFF);
  const reporter = new RunReporter({
    view: async () => view,
    deskOf: () => desk,
    record: async (_view, record) => {
      records.push(record);
    },
    links: { gatewayUrl: 'https://delta.example' },
    backoff: BACKOFF,
    lateMs: LATE_MS,
    nowMs: () => nowMs,
    logger: SILENT,
  });
  reporter.unanswered.beginTerm();
  reporter.unanswered.inherit(inheritedUntilMs);
  return reporter;
};
const finals = () => records.flatMap(({ final }) => (final === null ? [] : [final]));

beforeEach(() => {
  forge = new MadeUpForge();
  records = [];
  nowMs = 0;
});

describe('a look at a run', () => {
  it('given calls that are answered, then the end is final at once and nothing is looked at again', async () => {
    const reporter = aReporter(0);
    view = begun(1);
    expect(await reporter.look(RUN, CAUSE)).toBeNull();
    view = ended(2);
    expect(await reporter.look(RUN, CAUSE)).toBeNull();
    expect(forge.shows()).toEqual(['completed success']);
    expect(finals()).toEqual(['succeeded']);
  });

  it('given a check whose creation was given up, when it is carried out after another was created, then both show the end', async () => {
    const reporter = aReporter(0);
    view = begun(1);
    forge.unansweredNext = 1;
    expect(await reporter.look(RUN, CAUSE)).toBeGreaterThan(0);
    await reporter.look(RUN, CAUSE);
    view = ended(2);
    expect(await reporter.look(RUN, CAUSE)).toBe(LATE_MS);
    forge.carryOut();
    expect(forge.shows()).toEqual(['completed success', 'queued null']);
    expect(finals()).toEqual([]);

    nowMs += LATE_MS;
    expect(await reporter.look(RUN, CAUSE)).toBeNull();
    expect(forge.shows()).toEqual(['completed success', 'completed success']);
    expect(finals()).toEqual(['succeeded']);
  });

  it('given a check that stands there twice, when the run ends later, then both show the end', async () => {
    const reporter = aReporter(0);
    view = begun(1);
    forge.unansweredNext = 1;
    await reporter.look(RUN, CAUSE);
    await reporter.look(RUN, CAUSE);
    forge.carryOut();
    nowMs += LATE_MS;
    await reporter.look(RUN, CAUSE);
    view = ended(2);
    expect(await reporter.look(RUN, CAUSE)).toBeNull();
    expect(forge.shows()).toEqual(['completed success', 'completed success']);
    expect(finals()).toEqual(['succeeded']);
  });

  it('given an update that was given up, when it is carried out over the end, then the end is sent again', async () => {
    const reporter = aReporter(0);
    view = begun(1);
    await reporter.look(RUN, CAUSE);
    view = { ...begun(2), state: 'running' };
    forge.unansweredNext = 1;
    await reporter.look(RUN, CAUSE);
    view = ended(3);
    await reporter.look(RUN, CAUSE);
    forge.carryOut();
    expect(forge.shows()).not.toEqual(['completed success']);

    nowMs += LATE_MS;
    expect(await reporter.look(RUN, CAUSE)).toBeNull();
    expect(forge.shows()).toEqual(['completed success']);
    expect(finals()).toEqual(['succeeded']);
  });

  it('given a run from before the term, when a call of the reporter before lands late, then the end is not final before it is put right', async () => {
    const before = aReporter(0);
    view = begun(1);
    forge.unansweredNext = 1;
    await before.look(RUN, CAUSE);

    const reporter = aReporter(CREATED_MS);
    view = ended(2);
    expect(await reporter.look(RUN, CAUSE)).toBe(LATE_MS);
    forge.carryOut();
    nowMs += LATE_MS;
    expect(await reporter.look(RUN, CAUSE)).toBeNull();
    expect(forge.shows()).toEqual(['completed success', 'completed success']);
    expect(finals()).toEqual(['succeeded']);
  });

  it('given a final report that was lost on its way to the log, when looked at a minute later, then it is sent again, and the forge is not asked', async () => {
    const reporter = aReporter(0);
    view = ended(1);
    await reporter.look(RUN, CAUSE);
    const [lost] = records;
    records = [];
    await reporter.look(RUN, CAUSE);
    expect(records).toEqual([]);

    nowMs += 60_000;
    // Whatever it asked of the forge would go unanswered, and be tried again.
    forge.unansweredNext = 1;
    expect(await reporter.look(RUN, CAUSE)).toBeNull();
    expect(records).toEqual([lost]);
    expect(lost?.final).toBe('succeeded');
  });
});
