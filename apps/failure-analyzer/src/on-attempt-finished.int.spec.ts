import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { LOG_BYTES_MAX, type AttemptRef } from '@delta-ci/contracts';
import { RunningAnalyzer, reportOf } from './running-analyzer.fixture.ts';

const DEMO_LOG = `
> @shop/cart@1.0.0 test
> node --test

✖ failing tests:

test at test/cart.test.js:5:1
✖ an empty cart costs nothing (1.03ms)
  AssertionError [ERR_ASSERTION]: Expected values to be strictly equal:

  '0' !== '0.00'

      at TestContext.<anonymous> (file:///workspace/packages/cart/test/cart.test.js:5:50)
npm error path /workspace/packages/cart
npm error command sh -c node --test
`;

let runs = 0;
function anAttempt(attempt = 1): AttemptRef {
  runs += 1;
  return { runId: `run_${runs.toString(16).padStart(32, '0')}`, jobKey: 'cart-test', attempt };
}

describe('the failure analyzer', () => {
  let analyzer: RunningAnalyzer;
  beforeAll(async () => {
    analyzer = await RunningAnalyzer.start();
  });
  afterAll(async () => analyzer.end());

  it('given a failed attempt with a log, when it finishes, then its explanation is reported', async () => {
    const attempt = anAttempt();
    await analyzer.writeLog(attempt, DEMO_LOG);
    await analyzer.finish(attempt, { report: reportOf() });
    const { id, causation, data } = await analyzer.explained(attempt);
    expect([id, causation.length > 0]).toEqual([`explained-${attempt.runId}-cart-test-1`, true]);
    expect(data.explanation).toMatchObject({
      class: 'user',
      category: 'test',
      headline: '1 test failed: an empty cart costs nothing',
      location: { path: 'packages/cart/test/cart.test.js', line: 5 },
      incomplete: [],
    });
  });

  it('given the same attempt twice, then it is reported once; successes and cancellations are not', async () => {
    const [twice, fine, canceled, last] = [anAttempt(), anAttempt(), anAttempt(), anAttempt()];
    await analyzer.finish(fine, { outcome: 'succeeded', failureClass: null });
    await analyzer.finish(canceled, { outcome: 'canceled', failureClass: null });
    await analyzer.finish(twice, { outcome: 'lost' });
    await analyzer.explained(twice);
    await analyzer.finish(twice, { outcome: 'lost' });
    // Events of one run keep their order, so a later attempt of the same run comes after the repeat.
    await analyzer.finish({ ...twice, attempt: 2 }, { outcome: 'timed_out' });
    await analyzer.explained({ ...twice, attempt: 2 });
    await analyzer.finish(last, { report: reportOf() });
    await analyzer.explained(last);
    const told = analyzer.reports.filter(({ data }) =>
      [twice, fine, canceled].some(({ runId }) => runId === data.runId),
    );
    expect(told.map(({ data }) => [data.attempt, data.explanation.category])).toEqual([
      [1, 'runner-lost'],
      [2, 'timeout'],
    ]);
  });

  it('given test reports, one of them hostile, then the good one counts and the other is named', async () => {
    const attempt = anAttempt();
    const good = await analyzer.junit(
      'junit.xml',
      '<testsuite name="cart"><testcase name="is empty"><failure message="no"/></testcase></testsuite>',
    );
    const hostile = await analyzer.junit('laughs.xml', '<!DOCTYPE x [<!ENTITY a "ha">]><testsuite>&a;</testsuite>');
    const missing = { ...good, name: 'gone.xml', digest: `sha256:${'0'.repeat(64)}` };
    await analyzer.finish(attempt, { report: reportOf({ artifacts: [good, hostile, missing] }) });
    const { explanation } = (await analyzer.explained(attempt)).data;
    expect(explanation.failedTests.map(({ name }) => name)).toEqual(['is empty']);
    expect(explanation.incomplete.filter((text) => /laughs\.xml|gone\.xml/.test(text)).length).toBe(2);
  });

  it('given a hostile log, then it is explained all the same', async () => {
    const attempt = anAttempt();
    const lines = [
      `${'a'.repeat(1_000_000)}!`,
      '\u001b]0;',
      '\u202e\u0000',
      '✖ failing tests:',
      'npm error path /workspace/../..',
    ];
    await analyzer.writeLog(attempt, lines.join('\n').repeat(5));
    await analyzer.finish(attempt, { report: reportOf({ exitCode: 139 }) });
    const { explanation } = (await analyzer.explained(attempt)).data;
    expect(JSON.stringify(explanation)).not.toContain('\u202e');
  });

  it('given a long log with the cause in its middle, then it is found with its line in the whole log', async () => {
    const attempt = anAttempt();
    const noise = 'nothing to see here, move along please\n'.repeat(100_000);
    const cause = "src/cart.ts(12,5): error TS2322: Type 'string' is not assignable to type 'number'.\n";
    await analyzer.writeLog(attempt, noise + cause + noise);
    await analyzer.finish(attempt, { report: reportOf() });
    const { explanation } = (await analyzer.explained(attempt)).data;
    expect(explanation.location).toEqual({ path: 'src/cart.ts', line: 12 });
    expect(explanation.sentences[0]?.evidence[0]?.lines).toEqual({ from: 100_001, to: 100_001 });
    expect(explanation.incomplete[0]).toContain('Of 200001 lines');
  });

  it('given the bytes of the failed step, then what an earlier step said is not the cause', async () => {
    const attempt = anAttempt();
    const install = 'npm error code ENOTFOUND\nretried, fine\n';
    const test = 'TypeError: total is not a function\n';
    await analyzer.writeLog(attempt, install + test);
    const [step] = reportOf().steps;
    if (step === undefined) throw new Error('the report has no step');
    const steps = [
      { ...step, name: 'install', exitCode: 0, logRange: { from: 0, to: install.length } },
      { ...step, logRange: { from: install.length, to: install.length + test.length } },
    ];
    await analyzer.finish(attempt, { report: reportOf({ steps }) });
    const { explanation } = (await analyzer.explained(attempt)).data;
    expect([explanation.category, explanation.rules.includes('log:npm-network')]).toEqual(['crash', false]);
  });

  it('given a log at its limit, then the explanation is incomplete', async () => {
    const attempt = anAttempt();
    const chunk = Buffer.alloc(LOG_BYTES_MAX / 16, 'x'.repeat(99) + '\n');
    for (let at = 0; at < 16; at += 1) await analyzer.store.logs.append(attempt, at * chunk.length, chunk);
    await analyzer.finish(attempt, { report: reportOf() });
    const { explanation } = (await analyzer.explained(attempt)).data;
    expect(explanation.incomplete[0]).toContain('cut');
  });
});
