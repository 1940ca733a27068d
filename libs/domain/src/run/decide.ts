import { refuse } from '@delta-ci/contracts';
import { unreachable } from '../broken-invariant.ts';
import type { RunAggregate } from './aggregate.ts';
import { recordArtifact, recordCache, recordExplanation, recordPublication } from './annotations.ts';
import { acknowledgeCancel, cancelRun, supersedeRun } from './cancel-and-supersede.ts';
import { completeAttempt, endUnbegunAttempt, expireLease, loseRunner } from './completion-and-retry.ts';
import { createRun, recordPlan, recordPlanningFailure } from './creation-and-planning.ts';
import { openDebug } from './debug.ts';
import { enforceDeadlines } from './deadlines.ts';
import { Unfolding, type Decision, type DecisionContext, type Refused } from './decision.ts';
import { acknowledgeLease, grantLease, handOutSecrets, reportProgress } from './dispatch-and-lease.ts';
import type { RunCommand } from './run-command.ts';

/** What follows from `command` in `state` at `context.nowMs`. Pure: the same three give the same decision. */
export function decideRun(command: RunCommand, state: RunAggregate, context: DecisionContext): Decision {
  return stepRun(command, state, context).decision;
}

/** The decision together with the run after it: for callers that fold what they decide, who need not fold again. */
export function stepRun(
  command: RunCommand,
  state: RunAggregate,
  context: DecisionContext,
): { decision: Decision; state: RunAggregate } {
  const unfolding = new Unfolding(state, context);
  const refusal = state.state === 'absent' ? decideAbsent(unfolding, command) : decide(unfolding, command);
  const { events } = unfolding;
  const decision: Decision = refusal === null ? { kind: 'accepted', events } : { kind: 'refused', refusal, events };
  return { decision, state: unfolding.run };
}

/** A run that is not there can only be created; a lease of it is one that nobody knows. */
function decideAbsent(unfolding: Unfolding, command: RunCommand): Refused {
  if (command.type === 'create-run') return createRun(unfolding, command);
  if ('leaseHash' in command && command.type !== 'grant-lease') return decide(unfolding, command);
  return refuse('not_found', 'there is no such run');
}

function decide(unfolding: Unfolding, command: RunCommand): Refused {
  switch (command.type) {
    case 'create-run':
      return createRun(unfolding, command);
    case 'record-plan':
      return recordPlan(unfolding, command);
    case 'record-planning-failure':
      return recordPlanningFailure(unfolding, command);
    case 'grant-lease':
      return grantLease(unfolding, command);
    case 'hand-out-secrets':
      return handOutSecrets(unfolding, command);
    case 'end-unbegun-attempt':
      return endUnbegunAttempt(unfolding, command);
    case 'acknowledge-lease':
      return acknowledgeLease(unfolding, command);
    case 'report-progress':
      return reportProgress(unfolding, command);
    case 'open-debug':
      return openDebug(unfolding, command);
    case 'complete-attempt':
      return completeAttempt(unfolding, command);
    case 'acknowledge-cancel':
      return acknowledgeCancel(unfolding, command);
    case 'record-artifact':
      return recordArtifact(unfolding, command);
    case 'record-cache':
      return recordCache(unfolding, command);
    case 'record-explanation':
      return recordExplanation(unfolding, command);
    case 'record-publication':
      return recordPublication(unfolding, command);
    case 'cancel-run':
      return cancelRun(unfolding, command);
    case 'supersede-run':
      return supersedeRun(unfolding, command);
    case 'expire-lease':
      return expireLease(unfolding, command);
    case 'lose-runner':
      return loseRunner(unfolding, command);
    case 'enforce-deadlines':
      return enforceDeadlines(unfolding);
    default:
      return unreachable(command);
  }
}
