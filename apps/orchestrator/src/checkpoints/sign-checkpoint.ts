import { CHECKPOINT_STREAM, type Checkpoint } from '@delta-ci/contracts';
import { whatIsThereToSign, type LogConnection, type SigningKey, type Submission } from '@delta-ci/event-log';
import type { Ledger } from '../ledger.ts';

export interface SigningTools {
  readonly log: LogConnection;
  readonly ledger: Pick<Ledger, 'submit'>;
  readonly store: { readonly checkpoints: { put(checkpoint: Checkpoint): Promise<void> } };
  readonly key: SigningKey;
}

/**
 * Signs the log as it stands, unless nothing is new. The store is told first: from then on nobody can take the record of
 * the checkpoint out of the log and have it look as if it had never been there.
 * @returns the position up to which the log is covered then
 */
export async function signCheckpoint({ log, ledger, store, key }: SigningTools): Promise<number> {
  const { claim, covered } = await whatIsThereToSign(log);
  if (claim === null) return covered;
  const checkpoint = key.sign(claim);
  await store.checkpoints.put(checkpoint);
  const answer = await ledger.submit(checkpointSubmission(checkpoint));
  if (!answer.ok) throw new Error(`the checkpoint at ${claim.position} was not recorded: ${answer.refusal.message}`);
  return claim.position;
}

/** One checkpoint for a position, whoever signs it: a second signer of the same position gets the first answer. */
export function checkpointSubmission(checkpoint: Checkpoint): Submission {
  const id = `sign-checkpoint-${checkpoint.position}`;
  const appends = [{ stream: CHECKPOINT_STREAM, events: [{ type: 'checkpoint.signed' as const, data: checkpoint }] }];
  return {
    id,
    actor: { kind: 'timer', name: 'sign-checkpoint' },
    causation: id,
    traceparent: null,
    runs: [],
    decide: () => ({ appends, answer: { ok: true, result: {} } }),
  };
}
