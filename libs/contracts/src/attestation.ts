import { z } from 'zod';
import { ChangeKind, TrustLevel } from './change.ts';
import { ChainHash, Checkpoint, KeyId } from './checkpoint.ts';
import { AttemptNumber, CommitId, Digest, JobKey, RepositoryId, RunId } from './ids.ts';
import { AttemptOutcome, FailureClass, JobOutcome, RunOutcome } from './outcome.ts';

/**
 * Plan attestations: what was run for a commit, what was not, and why, as an in-toto statement
 * (https://github.com/in-toto/attestation, `spec/v1/statement.md`) in an envelope
 * (https://github.com/secure-systems-lab/dsse, `envelope.md` and `protocol.md`).
 */

export const STATEMENT_TYPE = 'https://in-toto.io/Statement/v1';
export const ATTESTATION_PAYLOAD_TYPE = 'application/vnd.in-toto+json';

/** A name and no address: the shape is documented in `docs/attestation.md`. */
export const PLAN_PREDICATE_TYPE = 'urn:delta-ci:plan-attestation:v1';

/** SHA-256 in hexadecimal, as digest sets of in-toto have it. */
const Sha256 = z.string().regex(/^[0-9a-f]{64}$/);

const AttestedAttempt = z.strictObject({
  attempt: AttemptNumber,
  outcome: AttemptOutcome,
  failureClass: FailureClass.nullable(),
});

const AttestedJob = z.strictObject({
  key: JobKey,
  title: z.string(),
  /** Whether the run fails when it does not succeed. */
  decides: z.boolean(),
  /** Whether it is a sample of what the plan leaves out. */
  shadow: z.boolean(),
  outcome: JobOutcome,
  attempts: z.array(AttestedAttempt),
  why: z.strictObject({ rules: z.array(z.string()), sentence: z.string() }),
});
export type AttestedJob = z.infer<typeof AttestedJob>;

const AttestedSkip = z.strictObject({
  key: JobKey,
  title: z.string(),
  /** Names of the rules by which it was left out, and the sentence that says how. */
  why: z.strictObject({ rules: z.array(z.string()), sentence: z.string() }),
});
export type AttestedSkip = z.infer<typeof AttestedSkip>;

export const PlanPredicate = z.strictObject({
  run: z.strictObject({
    id: RunId,
    repository: RepositoryId,
    cloneUrl: z.string(),
    ref: z.string(),
    change: ChangeKind,
    trust: TrustLevel,
    createdAt: z.iso.datetime({ precision: 3 }),
    finishedAt: z.iso.datetime({ precision: 3 }),
    outcome: RunOutcome,
    reason: z.string(),
    /** The run whose jobs ran again; null for any other. */
    rerunOf: RunId.nullable(),
  }),
  plan: z.strictObject({ digest: Digest, rulesVersion: z.string() }),
  /** By what the plan was decided. */
  inputs: z.strictObject({
    commit: CommitId,
    tree: CommitId,
    comparedWith: CommitId.nullable(),
    /** Digest of everything planning looked at, as it was kept; null when it was not kept. */
    recorded: Digest.nullable(),
    earlierPlan: Digest.nullable(),
    recipe: Digest.nullable(),
  }),
  ran: z.array(AttestedJob).max(10_000),
  notRun: z.array(AttestedSkip).max(50_000),
  /** Where it is recorded: the run's first and last record, and the signed head of the log that covers them. */
  log: z.strictObject({
    from: z.number().int().positive(),
    to: z.number().int().positive(),
    head: z.strictObject({ position: z.number().int().positive(), hash: ChainHash }),
    checkpoint: Checkpoint,
  }),
});
export type PlanPredicate = z.infer<typeof PlanPredicate>;

export const PlanStatement = z.strictObject({
  _type: z.literal(STATEMENT_TYPE),
  subject: z.tuple([
    z.strictObject({ name: z.string(), digest: z.strictObject({ gitCommit: CommitId }) }),
    z.strictObject({ name: z.string(), digest: z.strictObject({ sha256: Sha256 }) }),
  ]),
  predicateType: z.literal(PLAN_PREDICATE_TYPE),
  predicate: PlanPredicate,
});
export type PlanStatement = z.infer<typeof PlanStatement>;

const Base64 = z.string().regex(/^[A-Za-z0-9+/]*={0,2}$/);

export const AttestationEnvelope = z.strictObject({
  payloadType: z.literal(ATTESTATION_PAYLOAD_TYPE),
  payload: Base64,
  signatures: z
    .array(z.strictObject({ keyid: KeyId, sig: Base64.max(200) }))
    .min(1)
    .max(10),
});
export type AttestationEnvelope = z.infer<typeof AttestationEnvelope>;

/**
 * What is signed in place of a payload (PAE, "pre-authentication encoding", version 1 of DSSE): type and payload, each behind
 * its length in bytes, so that one is never taken for a part of the other.
 * @param payload in UTF-8 when it is text
 */
export function preAuthenticationEncoding(payloadType: string, payload: Uint8Array): Uint8Array {
  const encoder = new TextEncoder();
  const type = encoder.encode(payloadType);
  const head = encoder.encode(`DSSEv1 ${type.length} ${payloadType} ${payload.length} `);
  const encoded = new Uint8Array(head.length + payload.length);
  encoded.set(head);
  encoded.set(payload, head.length);
  return encoded;
}
