import { DEFAULT_RUN_POLICY, type Command, type CommandData, type DomainEvent } from '@delta-ci/contracts';
import { evolveRun, initialRun, type RunAggregate } from '@delta-ci/domain';
import type { Submission, SubmissionResult } from '@delta-ci/event-log';
import { aChange } from '../../../../test/support/made-up/change.ts';
import { aJobState } from '../../../../test/support/made-up/planned-job.ts';
import { aRepository } from '../../../../test/support/made-up/repository.ts';
import { grantSubmission, type Grantee, type GrantedWork } from './grant-submission.ts';
import { submissionToRun } from './run-submission.ts';
import { submissionForCommand, type CommandFacts, type DecidedCommand } from './submission-for-command.ts';

/** Well-formed commands about made-up runs, and a place where submissions are decided on the real domain. */

export const RUN = `run_${'1'.repeat(32)}`;
export const NEW_RUN = `run_${'2'.repeat(32)}`;
export const RUNNER = `rnr_${'3'.repeat(32)}`;
export const LEASE = '4'.repeat(64);
export const DIGEST = `sha256:${'5'.repeat(64)}`;

export const REPOSITORY = aRepository({ id: 'github/octo/widgets', fullName: 'octo/widgets' });
export const CHANGE = aChange();
export const JOB = aJobState('unit');

export const FACTS = { newRunId: RUN, policy: DEFAULT_RUN_POLICY, leaseRunId: RUN } satisfies CommandFacts;

export function command<N extends DecidedCommand['name']>(name: N, data: CommandData<N>): Command<N> {
  const envelope = { id: `${name}-1`, actor: { kind: 'operator' as const, name: 'ada' }, traceparent: null };
  // The union over all names does not follow from one name and its data, which are each checked above.
  return { ...envelope, name, data } as Command<N>;
}

/** Runs as their own events made them. */
export class DecidedRuns {
  readonly nowMs = 1_000_000;
  readonly #runs = new Map<string, RunAggregate>();

  /** Decides and keeps what was decided, as the log would. */
  take(submission: Submission): SubmissionResult {
    const result = submission.decide({ nowMs: this.nowMs, run: (id) => this.#runs.get(id) ?? initialRun });
    for (const { stream, events } of result.appends) {
      if (!stream.startsWith('run-')) continue;
      const runId = stream.slice('run-'.length);
      this.#runs.set(runId, events.reduce<RunAggregate>(evolveRun, this.#runs.get(runId) ?? initialRun));
    }
    return result;
  }

  /** Decides a command. @throws Error when it was refused before it reached a run */
  decide(wanted: DecidedCommand, facts: CommandFacts = FACTS): SubmissionResult {
    const prepared = submissionForCommand(wanted, facts);
    if (!prepared.ok) throw new Error(prepared.refusal.message);
    return this.take(prepared.submission);
  }
}

export const typesIn = ({ appends }: SubmissionResult): DomainEvent['type'][] =>
  appends.flatMap(({ events }) => events.map(({ type }) => type));

export const GRANTEE: Grantee = {
  commandId: 'c-1',
  actor: { kind: 'runner', name: RUNNER },
  leaseHash: LEASE,
  runnerId: RUNNER,
};
export const WORK: GrantedWork = { runId: RUN, jobKey: 'unit', attempt: 1, traceparent: null };

/** `RUN` with one job that `RUNNER` holds under `LEASE`. */
export function leasedRun(): DecidedRuns {
  const runs = new DecidedRuns();
  runs.decide(command('request-run', { runId: RUN, repository: REPOSITORY, change: CHANGE }));
  const planner = { kind: 'service' as const, name: 'planner' };
  const plan = {
    type: 'record-plan' as const,
    planDigest: DIGEST,
    policy: FACTS.policy,
    jobs: [JOB],
    summary: 'one job',
    inputsDigest: null,
  };
  runs.take(submissionToRun({ id: 'p-1', actor: planner, causation: 'p-1', traceparent: null }, RUN, plan, {}));
  runs.take(grantSubmission(GRANTEE, WORK));
  return runs;
}
