import { randomBytes, createHash } from 'node:crypto';
import { DEFAULT_RUN_POLICY, runStream, type RunId } from '@delta-ci/contracts';
import { decideRun, type RunCommand } from '@delta-ci/domain';
import type { LogWriter, Submission } from '@delta-ci/event-log';
import { aChange } from '../../../test/support/made-up/change.ts';
import { aReport } from '../../../test/support/made-up/completion-report.ts';
import { aJobState } from '../../../test/support/made-up/planned-job.ts';
import { aRepository } from '../../../test/support/made-up/repository.ts';

/** Runs that never saw a service: made by the deciders and recorded by the writer, as fast as the log takes them. */

const REPOSITORY = aRepository({ id: 'local/bench/widgets', forge: 'local', fullName: 'bench/widgets' });
const CHANGE = aChange();
const REPORT = aReport();

export interface Story {
  readonly runId: RunId;
  readonly leases: readonly LeaseOfStory[];
  readonly commands: readonly Submission[];
}

/** A run from its creation to its end: `jobs` jobs, each leased, acknowledged and completed. Five events a job, and seven. */
export function wholeRun(jobs = 1): Story {
  return story(jobs, (lease, jobKey) => [
    { type: 'grant-lease', jobKey, attempt: 1, ...lease },
    { type: 'acknowledge-lease', ...lease },
    { type: 'complete-attempt', ...lease, report: REPORT },
  ]);
}

/** A run whose jobs are all under way: leased and acknowledged, each by a runner of its own. */
export function runUnderWay(jobs: number): Story {
  return story(jobs, (lease, jobKey) => [
    { type: 'grant-lease', jobKey, attempt: 1, ...lease },
    { type: 'acknowledge-lease', ...lease },
  ]);
}

export interface LeaseOfStory {
  readonly leaseHash: string;
  readonly runnerId: string;
}

function story(jobs: number, live: (lease: LeaseOfStory, jobKey: string) => RunCommand[]): Story {
  const name = randomBytes(8).toString('hex');
  const mark = createHash('sha256').update(name).digest('hex');
  const runId: RunId = `run_${mark.slice(0, 32)}`;
  const keys = Array.from({ length: jobs }, (_, at) => `job-${at}`);
  const leases = keys.map((key) => leaseOf(`${name} ${key}`));
  const policy = { ...DEFAULT_RUN_POLICY, maxConcurrency: 1_000 };
  const facts = { runId, repository: REPOSITORY, change: CHANGE, policy, rerun: null };
  const states = keys.map((key) => aJobState(key));
  const plan = { planDigest: `sha256:${mark}`, policy, jobs: states, summary: 'a plan', inputsDigest: null };
  const commands: RunCommand[] = [
    { type: 'create-run', data: facts },
    { type: 'record-plan', ...plan },
    ...keys.flatMap((key, at) => live(leases[at] ?? leaseOf(key), key)),
  ];
  return {
    runId,
    leases,
    commands: commands.map((command, at) => submissionOf(`${name}.${at}`, runId, command)),
  };
}

function leaseOf(name: string): LeaseOfStory {
  const mark = createHash('sha256').update(name).digest('hex');
  return { leaseHash: mark, runnerId: `rnr_${mark.slice(0, 32)}` };
}

function submissionOf(id: string, runId: RunId, command: RunCommand): Submission {
  return {
    id,
    actor: { kind: 'service', name: 'bench' },
    traceparent: null,
    causation: id,
    runs: [runId],
    decide(view) {
      const { events, ...rest } = decideRun(command, view.run(runId), { nowMs: view.nowMs });
      const appends = [{ stream: runStream(runId), events }];
      if ('refusal' in rest) return { appends, answer: { ok: false, refusal: rest.refusal } };
      return { appends, answer: { ok: true, result: {} } };
    },
  };
}

/** Tells one story after another, `atOnce` at a time, for as long as `next` gives some. */
export async function tell(
  writer: LogWriter,
  atOnce: number,
  next: () => Story | null,
  onAnswer: (tookMs: number) => void = () => undefined,
): Promise<void> {
  const teller = async (): Promise<void> => {
    for (let told = next(); told !== null; told = next()) {
      for (const submission of told.commands) {
        const sentAt = performance.now();
        const answer = await writer.submit(submission);
        onAnswer(performance.now() - sentAt);
        if (!answer.ok) throw new Error(`${submission.id}: ${answer.refusal.message}`);
      }
    }
  };
  await Promise.all(Array.from({ length: atOnce }, teller));
}

/** As many stories as are wanted. */
export function countdown(stories: number, make: () => Story): () => Story | null {
  let left = stories;
  return () => (left-- > 0 ? make() : null);
}
