import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { EgressReason, FailureExplanation, type EgressDecision } from '@delta-ci/contracts';
import fc from 'fast-check';
import { completionReport, evidenceOf, stepResult } from '../evidence.fixture.ts';
import type { FailureEvidence } from '../evidence.ts';
import { explainFailure } from './explain-failure.ts';
import { told } from './told.fixture.ts';

const FIXTURES = join(import.meta.dirname, 'fixtures');
const logOf = (name: string): string => readFileSync(join(FIXTURES, `${name}.log`), 'utf8');

const decided = (given: Partial<EgressDecision>): EgressDecision => ({
  host: 'registry.example.org',
  port: 443,
  decision: 'refused',
  reason: 'not-listed',
  count: 1,
  sentBytes: 0,
  receivedBytes: 0,
  ...given,
});
const TELEMETRY = decided({ host: 'telemetry.example.org' });
const TELEMETRY_LINE = "[delta] egress refused: telemetry.example.org:443, not on the job's allow-list\n";

/** An attempt whose runner reports these decisions. */
function explain(
  log: string,
  egress: EgressDecision[] | undefined,
  given: Partial<FailureEvidence> = {},
): FailureExplanation {
  const report = completionReport(egress === undefined ? {} : { egress });
  return explainFailure(evidenceOf(log, { report, ...given }));
}

describe('a connection that came to nothing, as people read of it', () => {
  it.each<[string, EgressDecision[]]>([
    ['egress-npm', [decided({ reason: 'private-address', address: '10.20.0.8', count: 5 })]],
    ['egress-go', [decided({ host: 'proxy.example.org', decision: 'failed', reason: 'no-address' })]],
    ['egress-cargo', [decided({ host: 'index.example.org', reason: 'beyond-policy', count: 4 })]],
    ['egress-pip', [TELEMETRY, decided({ host: 'packages.example.org', port: 8_443, count: 5 })]],
    ['egress-silent', [decided({ host: 'releases.example.org' })]],
  ])('%s', (name, egress) => {
    expect(told(explain(logOf(name), egress))).toBe(readFileSync(join(FIXTURES, `${name}.md`), 'utf8'));
  });
});

describe('whose word counts', () => {
  it('given a job that prints the line of a runner which decided nothing, then nothing is believed', () => {
    for (const egress of [undefined, [], [decided({ decision: 'allowed', reason: null })]]) {
      const { category, rules } = explain(logOf('egress-npm'), egress);
      expect([category, rules]).toEqual(['exit-code', ['report:exit-code']]);
    }
  });

  it('given a decision that only an earlier step met, then the step that failed is not explained by it', () => {
    const base = evidenceOf(`${TELEMETRY_LINE}working\ngiving up\n`, {
      report: completionReport({ egress: [TELEMETRY] }),
    });
    const { category } = explainFailure({ ...base, log: { ...base.log, failedStep: { from: 2, to: 3 } } });
    expect(category).toBe('exit-code');
  });

  it('given a host refused in an earlier step, when the failed step names it in trouble, then that is the cause', () => {
    const log = `${TELEMETRY_LINE}working\nError: cannot reach telemetry.example.org\n`;
    const base = evidenceOf(log, { report: completionReport({ egress: [TELEMETRY] }) });
    const { category, confidence } = explainFailure({ ...base, log: { ...base.log, failedStep: { from: 2, to: 3 } } });
    expect([category, confidence]).toEqual(['egress', 'high']);
  });
});

describe('beside other causes', () => {
  it.each([
    ['a failed test', logOf('shop-cart'), 'test'],
    ['a compiler', logOf('typescript'), 'compile'],
    ['a full disk', 'tar: a: Cannot write: No space left on device\n', 'disk'],
    ['a crash', "TypeError: Cannot read properties of undefined (reading 'cents')\n", 'crash'],
  ])('given %s that does not speak of it, then it is only remarked', (_, log, category) => {
    const explanation = explain(TELEMETRY_LINE + log, [TELEMETRY]);
    expect(explanation.category).toBe(category);
    expect(explanation.sentences.at(-1)).toEqual({
      text: "In the same step, Delta did not let the job reach telemetry.example.org:443: not on the job's allow-list. It may have to do with this.",
      evidence: [{ kind: 'log', lines: { from: 1, to: 1 }, text: TELEMETRY_LINE.trimEnd() }],
    });
  });

  const LINE = "[delta] egress refused: registry.example.org:443, not on the job's allow-list\n";
  const FORBIDDEN = 'npm error 403 403 Forbidden - GET https://registry.example.org/jest\n';
  it.each([
    ['a missing command', 'sh: 1: jest: not found\n'],
    ['a module that is missing', "Error: Cannot find module 'jest'\n"],
    ['a compiler', "src/cart.ts(12,5): error TS2307: Cannot find module 'jest' or its types.\n"],
    ['an error of npm', 'npm error code ECONNRESET\n'],
  ])('given %s that follows from what could not be fetched, then the connection is the cause', (_, log) => {
    expect(explain(LINE + FORBIDDEN + log, [decided({})]).category).toBe('egress');
  });

  it('given a failed test that could not reach a host, then the connection is the cause, and the test is named', () => {
    const log = `${LINE}✖ failing tests:\n\ntest at test/a.test.js:5:1\n✖ asks the registry (1.2ms)\n  Error: request to https://registry.example.org/ failed, reason: 403\n`;
    const explanation = explain(log, [decided({})]);
    expect([explanation.category, explanation.failedTests.map(({ name }) => name)]).toEqual([
      'egress',
      ['asks the registry'],
    ]);
  });

  it('given a step that fell silent, then what it could not reach is remarked', () => {
    const report = completionReport({
      egress: [decided({})],
      steps: [stepResult({ timedOut: true, endedBy: 'idle_timeout' })],
    });
    const { category, sentences } = explain(LINE, [], { report });
    expect([category, sentences.at(-1)?.text]).toEqual([
      'silence',
      expect.stringContaining('registry.example.org:443'),
    ]);
  });

  it('given an exit code that fixes the class, then it stays', () => {
    const report = completionReport({
      egress: [decided({ decision: 'failed', reason: 'unreachable' })],
      steps: [stepResult({ exitCode: 127 })],
    });
    const log = `[delta] egress failed: registry.example.org:443, nothing answered there\n${FORBIDDEN}sh: 1: jest: not found\n`;
    expect(explain(log, [], { report })).toMatchObject({ class: 'tooling', category: 'network' });
  });
});

describe('laws', () => {
  const decision = fc.record({
    host: fc.option(fc.constantFrom('registry.example.org', '2001:db8::7', '10.0.0.1')),
    port: fc.option(fc.constantFrom(80, 443, 8_443)),
    decision: fc.constantFrom('refused' as const, 'failed' as const),
    reason: fc.constantFrom(...EgressReason.options),
    count: fc.integer({ min: 1, max: 1_000_000 }),
    sentBytes: fc.nat(),
    receivedBytes: fc.nat(),
  });

  it('whatever was decided, there is an explanation that fits the contract and says what to do', () => {
    fc.assert(
      fc.property(fc.array(decision, { maxLength: 100 }), (egress) => {
        const explanation = explain('CONNECT tunnel failed: https://registry.example.org/ 403\n', egress);
        expect(FailureExplanation.safeParse(explanation).error).toBeUndefined();
        expect(explanation.nextStep).not.toBe('');
      }),
    );
  });
});
