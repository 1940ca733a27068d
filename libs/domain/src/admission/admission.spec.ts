import { describe, expect, it } from '@jest/globals';
import {
  ISOLATION_TIERS_FROM_WEAKEST,
  IsolationTier,
  versionSatisfies,
  type JobRequirements,
  type RunnerCapabilities,
} from '@delta-ci/contracts';
import fc from 'fast-check';
import { assignWaiting, type WaitingAttempt, type WaitingRunner } from './assign-waiting.ts';
import { matchRequirements } from './match-requirements.ts';

const REQUIREMENTS: JobRequirements = {
  pool: 'default',
  os: 'linux',
  isolation: 'sandbox',
  toolchains: [{ name: 'node', version: '24' }],
  labels: ['fast'],
};
const CAPABILITIES: RunnerCapabilities = {
  os: 'linux',
  arch: 'x64',
  isolation: ['process', 'sandbox'],
  toolchains: [{ name: 'node', version: '24.21.0' }],
  labels: ['fast', 'ssd'],
};

describe('a runner and a job', () => {
  it('match when everything that is required is offered', () => {
    expect(matchRequirements(REQUIREMENTS, CAPABILITIES)).toEqual({ ok: true });
  });

  it.each<[string, Partial<RunnerCapabilities>, string]>([
    ['another system', { os: 'darwin' }, 'the job needs linux, the runner has darwin'],
    ['weaker isolation', { isolation: ['process'] }, 'the job needs at least sandbox, the runner has process'],
    ['no such toolchain', { toolchains: [] }, 'the job needs node 24, the runner has none'],
    [
      'other versions',
      { toolchains: [{ name: 'node', version: '22.1.0' }] },
      'the job needs node 24, the runner has 22.1.0',
    ],
    ['a label missing', { labels: ['ssd'] }, 'the runner does not have the label fast'],
  ])('do not match with %s, and it is said why', (_, part, message) => {
    expect(matchRequirements(REQUIREMENTS, { ...CAPABILITIES, ...part })).toMatchObject({
      ok: false,
      mismatches: [{ message }],
    });
  });

  it('may differ in more than one way', () => {
    const match = matchRequirements(REQUIREMENTS, {
      ...CAPABILITIES,
      os: 'darwin',
      isolation: ['process'],
      labels: [],
    });
    expect(match).toMatchObject({
      mismatches: [{ requirement: 'os' }, { requirement: 'isolation' }, { requirement: 'label' }],
    });
  });

  it('match in isolation when the runner has the tier asked for or a stronger one', () => {
    expect([...ISOLATION_TIERS_FROM_WEAKEST].sort()).toEqual([...IsolationTier.options].sort());
    ISOLATION_TIERS_FROM_WEAKEST.forEach((asked, atLeast) =>
      ISOLATION_TIERS_FROM_WEAKEST.forEach((offered, at) => {
        const match = matchRequirements(
          { ...REQUIREMENTS, isolation: asked },
          { ...CAPABILITIES, isolation: [offered] },
        );
        expect([asked, offered, match.ok]).toEqual([asked, offered, at >= atLeast]);
      }),
    );
  });

  it.each([
    ['24.21.0', '24', true],
    ['24.21.0', '24.21', true],
    ['24.21.0', '24.21.0', true],
    ['24.21.0', '*', true],
    ['24.21.0', '2', false],
    ['240.1', '24', false],
    ['24', '24.21', false],
    ['22.1.0', '24', false],
  ])('version %s for %s: %s', (offered, asked, fits) => expect(versionSatisfies(offered, asked)).toBe(fits));
});

describe('who gets what', () => {
  const attempt = (name: string, part: Partial<WaitingAttempt> = {}) => ({
    name,
    priority: 0,
    queuedAtMs: 0,
    requirements: REQUIREMENTS,
    ...part,
  });
  const runner = (name: string, capabilities = CAPABILITIES) => ({ name, capabilities });
  const pairs = (attempts: ReturnType<typeof attempt>[], runners: ReturnType<typeof runner>[]): string[] =>
    assignWaiting(attempts, runners).assigned.map((pair) => `${pair.attempt.name}>${pair.runner.name}`);

  it('goes by priority, then by age, to the runner that waits longest', () => {
    const attempts = [
      attempt('old', { queuedAtMs: 1 }),
      attempt('older'),
      attempt('urgent', { priority: 1, queuedAtMs: 9 }),
    ];
    expect(pairs(attempts, [runner('early'), runner('late')])).toEqual(['urgent>early', 'older>late']);
  });

  it('passes over runners that cannot take it', () => {
    const weak = { ...CAPABILITIES, labels: [] };
    expect(pairs([attempt('a')], [runner('weak', weak), runner('right')])).toEqual(['a>right']);
  });

  it('names the attempts that nobody waiting can take now', () => {
    const weak = { ...CAPABILITIES, labels: [] };
    expect(assignWaiting([attempt('a')], [runner('weak', weak)]).unassigned).toMatchObject([{ name: 'a' }]);
    expect(assignWaiting([attempt('a'), attempt('b')], [runner('one')]).unassigned).toMatchObject([{ name: 'b' }]);
  });

  it('uses everyone at most once, places only what matches, and leaves no pair that could still be made', () => {
    const requirements = fc
      .constantFrom<string[]>([], ['fast'], ['gpu'])
      .map((labels): JobRequirements => ({ ...REQUIREMENTS, labels }));
    const attempts = fc.array(fc.record({ priority: fc.nat(2), queuedAtMs: fc.nat(9), requirements }), {
      maxLength: 12,
    });
    const capabilities = fc
      .constantFrom<string[]>([], ['fast'], ['gpu', 'fast'])
      .map((labels): RunnerCapabilities => ({ ...CAPABILITIES, labels }));
    const runners = fc.array(fc.record({ capabilities }), { maxLength: 12 });
    fc.assert(
      fc.property(attempts, runners, (waiting: WaitingAttempt[], free: WaitingRunner[]) => {
        const { assigned, unassigned } = assignWaiting(waiting, free);
        const used = new Set(assigned.map((pair) => pair.runner));
        const idle = free.filter((candidate) => !used.has(candidate));
        const fits = (one: WaitingAttempt, other: WaitingRunner): boolean =>
          matchRequirements(one.requirements, other.capabilities).ok;
        expect(used.size).toBe(assigned.length);
        expect(assigned.length + unassigned.length).toBe(waiting.length);
        expect(assigned.every((pair) => fits(pair.attempt, pair.runner))).toBe(true);
        expect(unassigned.some((left) => idle.some((other) => fits(left, other)))).toBe(false);
      }),
    );
  });
});
