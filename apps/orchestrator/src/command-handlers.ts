import {
  refuse,
  type Command,
  type CommandAnswer,
  type ParkedAction,
  type Refusal,
  type RunPolicy,
  type RunnerId,
} from '@delta-ci/contracts';
import type { AnsweringHandlers, ParkedOutcome } from '@delta-ci/bus';
import { runPolicyFor } from '@delta-ci/domain';
import type { HeldLease, Heartbeat, Renewal, StandingRunner } from '@delta-ci/event-log';
import { grantSubmission } from './decisions/grant-submission.ts';
import { parkedChoice, parkedSubmission, type ParkedOrigin } from './decisions/parked-submission.ts';
import { changeToRun, submissionForCommand, type DecidedCommand } from './decisions/submission-for-command.ts';
import { submissionToRun } from './decisions/run-submission.ts';
import type { LeaseDirectory } from './leases/lease-directory.ts';
import type { PoolDesk } from './leases/pool-desk.ts';
import type { SharedTrips } from './leases/shared-trips.ts';
import type { Ledger } from './ledger.ts';
import { newRunId } from './new-run-id.ts';

export interface ParkedDesk {
  find: (sequence: number) => Promise<ParkedOrigin | 'unknown' | 'unavailable'>;
  /** `unknown`: it is done already. */
  settle: (sequence: number, action: ParkedAction) => Promise<ParkedOutcome>;
}

export interface CommandDesk {
  ledger: Ledger;
  leases: LeaseDirectory;
  heartbeats: SharedTrips<Heartbeat, Renewal | null>;
  desks: ReadonlyMap<string, PoolDesk>;
  defaults: RunPolicy;
  storedPolicy: (repositoryId: string) => Promise<Partial<RunPolicy>>;
  runners: SharedTrips<RunnerId, StandingRunner | null>;
  /** Messages that could not be handled, and what can be done with them. */
  parked: ParkedDesk;
  /** Something was decided that sweeps should look at now rather than at the end of their interval. */
  sweepSoon: () => void;
}

/** A handler for every command: load the facts, let the decision be made and recorded, answer. */
export function commandHandlers(desk: CommandDesk): Required<AnsweringHandlers> {
  const decide = async (command: DecidedCommand): Promise<CommandAnswer> => onDecidedCommand(desk, command);
  return {
    'accept-delivery': decide,
    'request-run': decide,
    'cancel-run': decide,
    rerun: decide,
    debug: decide,
    'register-runner': decide,
    'set-policy': decide,
    'hand-out-secrets': decide,
    'end-unbegun-attempt': decide,
    'acknowledge-lease': decide,
    'open-debug': decide,
    'complete-attempt': decide,
    'acknowledge-cancel': decide,
    'record-artifact': decide,
    'record-cache': decide,
    'remove-caches': decide,
    'grant-lease': async (command) => onGrantLease(desk, command),
    heartbeat: async (command) => onHeartbeat(desk, command),
    'settle-parked': async (command) => onSettleParked(desk, command),
  };
}

async function onDecidedCommand(desk: CommandDesk, command: DecidedCommand): Promise<CommandAnswer> {
  const wanted = changeToRun(command);
  const facts = {
    newRunId: newRunId(),
    policy:
      wanted === null
        ? null
        : runPolicyFor(wanted.change, await desk.storedPolicy(wanted.repository.id), desk.defaults),
    leaseRunId: 'leaseHash' in command.data ? await desk.leases.runOf(command.data.leaseHash) : null,
  };
  const prepared = submissionForCommand(command, facts);
  if (!prepared.ok) return prepared;
  const answer = await desk.ledger.submit(prepared.submission);
  if (wanted?.change.kind === 'pull_request' && answer.ok) desk.sweepSoon();
  return answer;
}

async function onGrantLease(desk: CommandDesk, command: Command<'grant-lease'>): Promise<CommandAnswer> {
  const { runnerId, leaseHash, pool, waitMs } = command.data;
  const runner = await desk.runners.ask(runnerId);
  if (runner === null || runner.retired) return refused('forbidden', 'this runner is not registered, or was retired');
  if (runner.pool !== pool) return refused('forbidden', `this runner is registered for the pool ${runner.pool}`);
  if (runner.held !== null) return onGrantToHolder(desk, command, runner.held);
  const seat = desk.desks.get(pool);
  if (seat === undefined)
    return refused('not_found', `nobody serves the pool ${pool}`, { known: [...desk.desks.keys()] });
  const end = await seat.wait({
    commandId: command.id,
    actor: command.actor,
    runnerId,
    leaseHash,
    capabilities: runner.capabilities,
    waitMs,
  });
  if (end.kind === 'refused') return onGrantRefused(desk, command, end.refusal);
  return { ok: true, result: { lease: end.kind === 'granted' ? end.lease : null }, position: 0 };
}

/** Another request of this runner was quicker. If it was this one, repeated, its lease is the answer to both. */
async function onGrantRefused(
  desk: CommandDesk,
  command: Command<'grant-lease'>,
  refusal: Refusal,
): Promise<CommandAnswer> {
  const held = (await desk.runners.ask(command.data.runnerId))?.held ?? null;
  return held === null ? { ok: false, refusal } : onGrantToHolder(desk, command, held);
}

/** One job at a time. A request whose answer got lost finds the lease that was granted to it. */
async function onGrantToHolder(
  { ledger, leases }: CommandDesk,
  { id, actor, traceparent, data: { runnerId, leaseHash } }: Command<'grant-lease'>,
  held: HeldLease,
): Promise<CommandAnswer> {
  if (held.leaseHash !== leaseHash) return refused('invalid_transition', 'this runner holds a lease already');
  leases.remember(leaseHash, held.runId);
  return ledger.submit(grantSubmission({ commandId: id, actor, runnerId, leaseHash }, { ...held, traceparent }));
}

/** Recorded first and done then; when it cannot be done, the repeat with the same id does it. */
async function onSettleParked(
  { ledger, parked }: CommandDesk,
  command: Command<'settle-parked'>,
): Promise<CommandAnswer> {
  const { sequence, action } = command.data;
  const found = await parked.find(sequence);
  if (found === 'unavailable') return refused('unavailable', 'parked messages cannot be read now');
  if (found !== 'unknown') {
    const choice = await ledger.submit(parkedChoice(command, found));
    if (!choice.ok && choice.refusal.code === 'conflicting_repeat')
      return refused('conflicting_repeat', `somebody else wants something other than ${action} of this message`);
    if (!choice.ok) return choice;
  }
  const answer = await ledger.submit(parkedSubmission(command, found === 'unknown' ? null : found));
  if (!answer.ok || found === 'unknown') return answer;
  const outcome = await parked.settle(sequence, action);
  if (outcome !== 'unavailable') return answer;
  return refused('unavailable', `recorded, and could not be done yet: repeat the ${action} with the same id`);
}

/** Heartbeats renew a light row and reach the log only when they say something new, or speak for a lease that is over. */
async function onHeartbeat(desk: CommandDesk, command: Command<'heartbeat'>): Promise<CommandAnswer> {
  const { leaseHash, runnerId, phase } = command.data;
  const renewal = await desk.heartbeats.ask({ leaseHash, runnerId });
  if (renewal?.renewed === true && !isNews(renewal.attemptState, phase)) return extended(renewal);
  const runId = renewal?.runId ?? (await desk.leases.runOf(leaseHash));
  if (runId === null) return refused('stale_lease', 'nobody knows this lease', { reason: 'unknown' });
  const envelope = { id: command.id, actor: command.actor, causation: command.id, traceparent: command.traceparent };
  const progress = { type: 'report-progress' as const, leaseHash, runnerId, phase };
  const answer = await desk.ledger.submit(submissionToRun(envelope, runId, progress, {}));
  if (!answer.ok) return answer;
  if (renewal?.renewed === true) return extended(renewal);
  return refused('stale_lease', 'the lease has run out, or was never acknowledged', { reason: 'expired' });
}

const PHASES = ['starting', 'running', 'uploading'];

/** Whether the log does not know yet that the attempt has come this far. */
function isNews(known: Renewal['attemptState'], phase: string): boolean {
  return known !== 'canceling' && PHASES.indexOf(phase) > PHASES.indexOf(known);
}

function extended({ ttlMs, cancelRequested, cancelDeadlineAtMs }: Renewal): CommandAnswer {
  return { ok: true, result: { extend: true, ttlMs, cancelRequested, cancelDeadlineAtMs }, position: 0 };
}

function refused(...refusal: Parameters<typeof refuse>): CommandAnswer {
  return { ok: false, refusal: refuse(...refusal) };
}
