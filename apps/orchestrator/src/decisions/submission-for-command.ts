import { digestOf } from '@delta-ci/artifact-store';
import {
  CACHE_STREAM,
  canonicalJson,
  deliveryStream,
  operatorStream,
  refuse,
  repositoryStream,
  runnerStream,
  type Command,
  type CommandData,
  type CommandName,
  type Refusal,
  type RunId,
  type RunPolicy,
} from '@delta-ci/contracts';
import { decideDebug, decideRerun, type RunCommand } from '@delta-ci/domain';
import type { DecisionView, Submission, SubmissionResult } from '@delta-ci/event-log';
import { decideOn, submissionToRun, type Envelope } from './run-submission.ts';

/** What is looked up or made before a command can be decided: ids and stored facts enter as data. */
export interface CommandFacts {
  /** Id for a run the command may create. */
  newRunId: RunId;
  /** Policy a run of this command starts with; null when it creates none. */
  policy: RunPolicy | null;
  /** Run of the lease the command speaks for; null when nobody knows that lease. */
  leaseRunId: RunId | null;
}

/** Commands decided by one submission. The others wait (`grant-lease`), never reach the log (`heartbeat`) or ask the bus first. */
export type DecidedCommand = Command<Exclude<CommandName, 'grant-lease' | 'heartbeat' | 'settle-parked'>>;

export type Prepared = { ok: true; submission: Submission } | { ok: false; refusal: Refusal };

/** Translates a command into the submission that decides it. */
export function submissionForCommand(command: DecidedCommand, facts: CommandFacts): Prepared {
  const envelope: Envelope = {
    id: command.id,
    actor: command.actor,
    causation: command.id,
    traceparent: command.traceparent,
    ...fingerprintOf(command),
  };
  switch (command.name) {
    case 'accept-delivery':
      return prepared(acceptDelivery(envelope, command.data, facts));
    case 'request-run':
      return prepared(requestRun(envelope, command.data, facts));
    case 'cancel-run':
      return toRun(envelope, command.data.runId, { type: 'cancel-run', reason: command.data.reason }, command.data);
    case 'rerun':
      return prepared(rerun(envelope, command.data));
    case 'debug':
      return prepared(debug(envelope, command.data));
    case 'register-runner':
      return prepared(registerRunner(envelope, command.data));
    case 'set-policy':
      return prepared(setPolicy(envelope, command.data));
    case 'hand-out-secrets':
      return toLease(envelope, facts, { type: 'hand-out-secrets', ...command.data }, {});
    case 'end-unbegun-attempt':
      return toLease(envelope, facts, { type: 'end-unbegun-attempt', ...command.data }, {});
    case 'acknowledge-lease':
      return toLease(envelope, facts, { type: 'acknowledge-lease', ...command.data }, { state: 'active' });
    case 'open-debug':
      return toLease(envelope, facts, { type: 'open-debug', ...command.data }, {});
    case 'complete-attempt':
      return toLease(envelope, facts, { type: 'complete-attempt', ...command.data }, outcomeOf(command.data));
    case 'acknowledge-cancel':
      return toLease(envelope, facts, { type: 'acknowledge-cancel', ...command.data }, { outcome: 'canceled' });
    case 'record-artifact':
      return toLease(envelope, facts, { type: 'record-artifact', ...command.data }, {});
    case 'record-cache':
      return firstSaved(toLease(envelope, facts, { type: 'record-cache', ...command.data }, {}));
    case 'remove-caches':
      return prepared(removeCaches(envelope, command.data));
  }
}

/**
 * Ids of commands from the public edge follow from what a forge or a client calls its request, so the content is marked:
 * the same name for something else is a `conflicting_repeat`. A delivery is marked by the bytes that came in, because
 * what we read out of them may differ from one of our releases to the next. A lease has one report, so that its id follows from
 * the lease: a second report that says something else is none of it. Ids of other commands about a lease name their content.
 */
function fingerprintOf(command: DecidedCommand): Pick<Envelope, 'fingerprint'> {
  switch (command.name) {
    case 'accept-delivery':
      return { fingerprint: command.data.payloadDigest };
    case 'request-run':
    case 'cancel-run':
    case 'rerun':
    case 'debug':
    case 'register-runner':
    case 'set-policy':
    case 'remove-caches':
    case 'end-unbegun-attempt':
    case 'complete-attempt':
    case 'acknowledge-cancel':
      return { fingerprint: digestOf(canonicalJson(command.data)) };
    case 'hand-out-secrets':
    case 'acknowledge-lease':
    case 'open-debug':
    case 'record-artifact':
    case 'record-cache':
      return {};
  }
}

function prepared(submission: Submission): Prepared {
  return { ok: true, submission };
}

function toRun(envelope: Envelope, runId: RunId, command: RunCommand, data: { runId: RunId }): Prepared {
  return prepared(submissionToRun(envelope, runId, command, { runId: data.runId }));
}

function toLease(envelope: Envelope, facts: CommandFacts, command: RunCommand, result: unknown): Prepared {
  if (facts.leaseRunId !== null) return prepared(submissionToRun(envelope, facts.leaseRunId, command, result));
  return { ok: false, refusal: refuse('stale_lease', 'nobody knows this lease', { reason: 'unknown' }) };
}

/** The tables know of each other's caches, runs do not: of two that save under the same key at once, the first is kept. */
function firstSaved(found: Prepared): Prepared {
  if (!found.ok) return found;
  const refuseClash = (index: string): Refusal | null =>
    index === 'cache_one_kept' || index === 'cache_pkey'
      ? refuse('conflicting_repeat', 'a cache is kept under this key already, and is not replaced')
      : null;
  return prepared({ ...found.submission, refuseClash });
}

const outcomeOf = (data: CommandData<'complete-attempt'>): object => ({ outcome: data.report.outcome });

function acceptDelivery(envelope: Envelope, data: CommandData<'accept-delivery'>, facts: CommandFacts): Submission {
  const { forge, deliveryId, event, payloadDigest, request } = data;
  const stream = deliveryStream(forge, deliveryId);
  const delivery = { forge, deliveryId, event, payloadDigest };
  if (request.kind === 'ignore') {
    const ignored = { type: 'delivery.ignored' as const, data: { ...delivery, reason: request.reason } };
    const answer = { ok: true as const, result: { runId: null, ignored: request.reason } };
    return { ...envelope, runs: [], decide: () => ({ appends: [{ stream, events: [ignored] }], answer }) };
  }
  const runId = facts.newRunId;
  const accepted = { type: 'delivery.accepted' as const, data: { ...delivery, runId } };
  const create = createRun(runId, request, facts);
  return {
    ...envelope,
    runs: [runId],
    decide: (view) =>
      withAppend(decideOn(view, runId, create, { runId, ignored: null }), { stream, events: [accepted] }),
  };
}

function requestRun(envelope: Envelope, data: CommandData<'request-run'>, facts: CommandFacts): Submission {
  return submissionToRun(envelope, data.runId, createRun(data.runId, data, facts), { runId: data.runId });
}

function createRun(
  runId: RunId,
  { repository, change }: Pick<CommandData<'request-run'>, 'repository' | 'change'>,
  facts: CommandFacts,
): RunCommand {
  if (facts.policy === null) throw new Error('a run cannot be created without its starting policy');
  return { type: 'create-run', data: { runId, repository, change, policy: facts.policy, rerun: null } };
}

function rerun(envelope: Envelope, data: CommandData<'rerun'>): Submission {
  const { runId, newRunId, only } = data;
  return { ...envelope, runs: [runId, newRunId], decide };

  function decide(view: DecisionView): SubmissionResult {
    const chosen = decideRerun(view.run(runId), { newRunId, only });
    if (!chosen.ok) return { appends: [], answer: { ok: false, refusal: chosen.refusal } };
    return decideOn(view, newRunId, { type: 'create-run', data: chosen.data }, { runId: newRunId });
  }
}

/** Asked for or refused, it is on record: who, what and why. */
function debug(envelope: Envelope, data: CommandData<'debug'>): Submission {
  const { runId, newRunId, jobKey, attempt, reason, minutes } = data;
  return { ...envelope, runs: [runId, newRunId], decide };
  function decide(view: DecisionView): SubmissionResult {
    const wish = { newRunId, jobKey, attempt, reason, by: envelope.actor.name, heldMs: minutes * 60_000 };
    const chosen = decideDebug(view.run(runId), wish);
    const number = chosen.ok ? chosen.data.rerun?.debug?.attempt : attempt;
    const subject = `${runId}/${jobKey}/${number ?? 'latest'}`;
    const acted = (action: string, detail: string): SubmissionResult['appends'][number] => ({
      stream: operatorStream('debug'),
      events: [{ type: 'operator.acted', data: { action, subject, detail } }],
    });
    if (!chosen.ok) {
      const appends = [acted('debug-refused', `${chosen.refusal.message}; asked because: ${reason}`)];
      return { appends, answer: { ok: false, refusal: chosen.refusal } };
    }
    const created = decideOn(view, newRunId, { type: 'create-run', data: chosen.data }, { runId: newRunId });
    return withAppend(created, acted('debug', reason));
  }
}

function registerRunner(envelope: Envelope, data: CommandData<'register-runner'>): Submission {
  const registered = { type: 'runner.registered' as const, data };
  const answer = { ok: true as const, result: { runnerId: data.runnerId } };
  const appends = [{ stream: runnerStream(data.runnerId), events: [registered] }];
  return { ...envelope, runs: [], decide: () => ({ appends, answer }) };
}

function setPolicy(envelope: Envelope, data: CommandData<'set-policy'>): Submission {
  const changed = { type: 'policy.changed' as const, data };
  const appends = [{ stream: repositoryStream(data.repository), events: [changed] }];
  return { ...envelope, runs: [], decide: () => ({ appends, answer: { ok: true, result: {} } }) };
}

function removeCaches(envelope: Envelope, data: CommandData<'remove-caches'>): Submission {
  const appends = [{ stream: CACHE_STREAM, events: [{ type: 'cache.removed' as const, data }] }];
  return { ...envelope, runs: [], decide: () => ({ appends, answer: { ok: true, result: {} } }) };
}

function withAppend(result: SubmissionResult, append: SubmissionResult['appends'][number]): SubmissionResult {
  return result.answer.ok ? { ...result, appends: [append, ...result.appends] } : result;
}

/** Whether a command creates a run and so needs a starting policy. */
export function changeToRun(command: DecidedCommand): Pick<CommandData<'request-run'>, 'repository' | 'change'> | null {
  if (command.name === 'request-run') return command.data;
  if (command.name === 'accept-delivery' && command.data.request.kind === 'run') return command.data.request;
  return null;
}
