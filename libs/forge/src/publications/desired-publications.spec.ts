import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import type { JobOutcome, JobView, RunOutcome, RunView } from '@delta-ci/contracts';
import fc from 'fast-check';
import { attemptOf, explanation, failedJob, failedView, jobOf, unplannedView, viewOf } from '../run-view.fixture.ts';
import { desiredPublications, JOB_CHECKS_MAX } from './desired-publications.ts';
import { TEXT_BYTES_MAX, type Publication } from './publication.ts';

const LINKS = { gatewayUrl: 'https://delta.example/' };

const desired = (view: RunView): Publication[] => desiredPublications(view, LINKS);
const checkOf = (view: RunView, target: string): Publication => {
  const found = desired(view).find((publication) => publication.target === target);
  if (found === undefined) throw new Error(`nothing is published for ${target}`);
  return found;
};
const gateOf = (view: RunView): Publication => checkOf(view, 'check:delta-ci');

/** A check as a person reads it. */
function pageOf({ target, content }: Publication): string {
  const { name, status, conclusion, title, summary, text, annotations, actions } = content;
  const remarks = annotations.map(({ path, line, message }) => `${path}:${line}: ${message}`);
  return [
    `<!-- ${target} as ${name}: ${status} ${conclusion ?? ''} -->`,
    `# ${title}`,
    summary,
    ...(text === '' ? [] : ['<!-- text -->', text]),
    `<!-- annotations: ${remarks.join('; ') || 'none'} -->`,
    `<!-- actions: ${actions.map(({ label }) => label).join(', ') || 'none'} -->\n`,
  ].join('\n\n');
}

const golden = (name: string): string => readFileSync(new URL(`../golden/${name}.md`, import.meta.url), 'utf8');

describe('what a forge should show of a run', () => {
  it.each<[string, RunView, string]>([
    ['gate-succeeded', viewOf(), 'check:delta-ci'],
    ['gate-failed', failedView(), 'check:delta-ci'],
    ['gate-unplanned', unplannedView(), 'check:delta-ci'],
    ['job-failed', failedView(), 'check:unit'],
    ['job-skipped', failedView(), 'check:docs'],
  ])('given the view of %s, then the page is the one that was read and approved', (name, view, target) => {
    expect(pageOf(checkOf(view, target))).toBe(golden(name));
  });

  it.each<[RunOutcome, string]>([
    ['succeeded', 'success'],
    ['failed', 'failure'],
    ['canceled', 'cancelled'],
    ['timed_out', 'timed_out'],
  ])('given a run that is %s, then its gate is %s and final', (outcome, conclusion) => {
    expect(gateOf(viewOf({ outcome }))).toMatchObject({ final: outcome, content: { status: 'completed', conclusion } });
  });

  it.each<[JobOutcome, boolean, string]>([
    ['succeeded', true, 'success'],
    ['failed', true, 'failure'],
    ['failed', false, 'neutral'],
    ['timed_out', true, 'timed_out'],
    ['timed_out', false, 'neutral'],
    ['canceled', true, 'cancelled'],
    ['skipped', true, 'skipped'],
  ])('given a job that is %s (required: %s), then its check is %s', (outcome, required, conclusion) => {
    const view = viewOf({ jobs: [jobOf('unit', { outcome, required })] });
    expect(checkOf(view, 'check:unit').content).toMatchObject({ status: 'completed', conclusion });
  });

  it.each<[RunView['state'], string]>([
    ['created', 'queued'],
    ['planning', 'queued'],
    ['queued', 'queued'],
    ['running', 'in_progress'],
    ['canceling', 'in_progress'],
  ])('given a run that is %s, then the gate comes first, is %s and not final', (state, status) => {
    const [gate] = desired(viewOf({ state, outcome: null, finishedAtMs: null }));
    expect(gate).toMatchObject({ target: 'check:delta-ci', final: null, content: { status, conclusion: null } });
  });

  it('given a job whose attempt is leased, running or retried, then its check is queued, in progress and in progress', () => {
    const running = { state: 'running', outcome: null, finishedAtMs: null } as const;
    const statusWith = (...attempts: ReturnType<typeof attemptOf>[]) =>
      checkOf(viewOf({ ...running, jobs: [jobOf('unit', { state: 'active', outcome: null, attempts })] }), 'check:unit')
        .content.status;
    expect(statusWith(attemptOf({ state: 'leased', outcome: null }))).toBe('queued');
    expect(statusWith(attemptOf({ state: 'running', outcome: null }))).toBe('in_progress');
    expect(statusWith(attemptOf(), attemptOf({ attempt: 2, state: 'queued', outcome: null }))).toBe('in_progress');
  });

  it.each<[string, Partial<RunView>]>([
    ['everything was skipped', { jobs: [] }],
    ['nothing is planned at all', { jobs: [], skipped: [] }],
  ])('given a plan in which %s, then the gate is there all the same, and its success is final', (_, none) => {
    const [gate] = desired(viewOf(none)).slice(-1);
    const shown = { name: 'delta-ci', status: 'completed', conclusion: 'success', title: 'Nothing had to run' };
    expect(gate).toMatchObject({ target: 'check:delta-ci', final: 'succeeded', content: shown });
  });

  it('law: whatever becomes of a run, there is one gate, and it is open exactly until the run has an outcome', () => {
    const states: RunView['state'][] = ['created', 'planning', 'queued', 'running', 'canceling', 'finished'];
    const outcomes: RunOutcome[] = ['succeeded', 'failed', 'canceled', 'timed_out'];
    const anyView = fc.record({
      state: fc.constantFrom(...states),
      outcome: fc.constantFrom(...outcomes),
      jobs: fc.uniqueArray(fc.constantFrom('unit', 'lint', 'delta-ci')),
      skipped: fc.boolean(),
      planned: fc.boolean(),
    });
    fc.assert(
      fc.property(anyView, ({ state, outcome, jobs, skipped, planned }) => {
        const ended = state === 'finished';
        const view = viewOf({
          state,
          outcome: ended ? outcome : null,
          jobs: jobs.map((key) => jobOf(key)),
          ...(skipped ? {} : { skipped: [] }),
          planning: planned ? null : { code: 'nothing_to_run', message: 'nothing was found' },
        });
        const gates = desired(view).filter(({ content }) => content.externalId === view.runId);
        expect(gates.map(({ target, content }) => [target, content.status === 'completed'])).toEqual([
          ['check:delta-ci', ended],
        ]);
        expect(gates[0]?.final).toBe(view.outcome);
      }),
    );
  });

  describe('of a run with shadows', () => {
    const shadowOf = (over: Partial<JobView> = {}): JobView =>
      jobOf('shadow-docs', { shadow: true, required: false, state: 'active', outcome: null, attempts: [], ...over });
    const open: Partial<RunView> = { state: 'running', outcome: null, finishedAtMs: null, skipped: [] };

    it.each<[JobOutcome, string]>([
      ['succeeded', 'success'],
      ['failed', 'failure'],
    ])(
      'given only they are left and what was selected %s, then the gate is %s, and not final',
      (outcome, conclusion) => {
        const view = viewOf({ ...open, jobs: [jobOf('unit', { outcome }), shadowOf()] });
        expect(gateOf(view)).toMatchObject({ final: null, content: { status: 'completed', conclusion } });
        expect(gateOf(view).content.completedAtMs).toBe(jobOf('unit').attempts[0]?.finishedAtMs);
      },
    );

    it('given nothing was selected, then the gate succeeds at once; given something is left, then it is open', () => {
      expect(gateOf(viewOf({ ...open, state: 'queued', jobs: [shadowOf()] })).content).toMatchObject({
        conclusion: 'success',
        title: 'Nothing had to run',
      });
      const waiting = jobOf('unit', { state: 'ready', outcome: null, attempts: [] });
      expect(gateOf(viewOf({ ...open, jobs: [waiting, shadowOf()] })).content).toMatchObject({
        status: 'in_progress',
        title: 'Running: 0 of 1 job done',
      });
    });

    it('given one that failed, then it has no check, fails nothing, and stands apart in the summary', () => {
      const failed = { ...failedJob('shadow-docs'), shadow: true, required: false };
      const view = viewOf({ jobs: [jobOf('unit'), failed], skipped: [] });
      expect(desired(view).map(({ target }) => target)).toEqual(['check:unit', 'check:delta-ci']);
      const { content } = gateOf(view);
      expect(content).toMatchObject({ conclusion: 'success', title: '1 job succeeded, 0 skipped' });
      expect(content.summary).not.toContain('### What failed');
      expect(content.summary.split('### What runs as a shadow, and decides nothing')[1]).toContain('shadow-docs');
    });
  });

  it('given a finished run, then the gate comes last: who sees it final sees everything final', () => {
    expect(desired(viewOf()).map(({ target }) => target)).toEqual([
      'check:lint',
      'check:unit',
      'check:docs',
      'check:delta-ci',
    ]);
  });

  it('given a job that is called like the gate, then both have a place of their own', () => {
    const targets = desired(viewOf({ jobs: [jobOf('delta-ci')], skipped: [] })).map(({ target }) => target);
    expect(targets).toEqual(['check:job.delta-ci', 'check:delta-ci']);
  });

  it('given the same run at a later position, then digests are the same; given another outcome, then not', () => {
    const digests = (view: RunView): string[] => desired(view).map(({ digest }) => digest);
    expect(digests(viewOf({ position: 99, reported: true }))).toEqual(digests(viewOf()));
    expect(gateOf(failedView()).digest).not.toBe(gateOf(viewOf()).digest);
  });

  it('given more failures than anybody reads, then texts keep the limit, end whole and say where the rest is', () => {
    const jobs = Array.from({ length: 400 }, (_, index) =>
      failedJob(`job-${index}`, {
        sentences: Array.from({ length: 20 }, () => ({
          text: 'ü'.repeat(1_000),
          evidence: [{ kind: 'log' as const, lines: null, text: 'x\n'.repeat(1_000) }],
        })),
      }),
    );
    const published = desired(viewOf({ outcome: 'failed', jobs }));
    expect(published).toHaveLength(JOB_CHECKS_MAX + 1);
    for (const { content } of published) {
      expect(Buffer.byteLength(content.summary)).toBeLessThanOrEqual(TEXT_BYTES_MAX);
      expect((content.summary.match(/^```/gm) ?? []).length % 2).toBe(0);
      expect(content.actions.length).toBeLessThanOrEqual(3);
    }
    expect(gateOf(viewOf({ outcome: 'failed', jobs })).content.summary).toMatch(
      /This is not all of it: the rest is at https:\S+_$/,
    );
  });

  it.each(['/etc/passwd', '../outside.js', 'a/../../b.js', 'C:\\x.js', '', 'a\u202Eb.js'])(
    'given a failure at %p, then no line of the change is annotated',
    (path) => {
      const job = failedJob('unit', { failedTests: [], location: { path, line: 3 } });
      expect(checkOf(viewOf({ outcome: 'failed', jobs: [job] }), 'check:unit').content.annotations).toEqual([]);
    },
  );

  it('given hostile texts everywhere, then nothing of them acts', () => {
    const hostile =
      '\u001B[31m<img src=x onerror=y> @admin #1 [a](javascript:x) `b` **c** | d \u202E \u200B\u0007\n# e ``` https://x.example';
    const { failedTests, sentences } = explanation;
    const job = failedJob('unit', {
      headline: hostile,
      category: 'test',
      nextStep: hostile,
      incomplete: [hostile],
      sentences: sentences.map(({ evidence }) => ({
        text: hostile,
        evidence: evidence.map((cited) => ({ ...cited, text: hostile })),
      })),
      failedTests: failedTests.map((test) => ({ ...test, name: hostile, suite: hostile, message: hostile })),
    });
    const view = viewOf({
      outcome: 'failed',
      reason: hostile,
      summary: hostile,
      jobs: [{ ...job, title: hostile, sentence: hostile, reason: hostile }],
      skipped: [{ key: 'docs', title: hostile, unit: null, sentence: hostile }],
      planning: { code: hostile, message: hostile },
    });
    view.change.title = hostile;
    view.change.author = hostile;
    for (const { content } of desired(view)) {
      const all = [
        content.title,
        content.summary,
        content.text,
        ...content.annotations.map(({ title, message }) => title + message),
      ].join('\n');
      expect(all).not.toMatch(/(?!\n)[\p{Cc}\p{Cf}]/u);
      const acting = [content.summary, content.text]
        .join('\n')
        .replaceAll(/^(`{3,})text\n[\s\S]*?\n\1$/gm, '')
        .replaceAll(/\\[\\`*_[\]|~!]/g, '')
        .replaceAll(/`[^`\n]*`/g, '');
      expect(acting).not.toMatch(/<img|@admin|#1|\]\(javascript|https:\/\/x\.example|^# e/m);
    }
  });
});
