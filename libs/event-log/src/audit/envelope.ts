import {
  ATTESTATION_PAYLOAD_TYPE,
  AttestationEnvelope,
  PlanStatement,
  canonicalJson,
  preAuthenticationEncoding,
  type Json,
} from '@delta-ci/contracts';
import type { SigningKey, TrustedKeys } from '../checkpoints/checkpoint-keys.ts';

/** Largest file that is looked at: a plan of ten thousand jobs has some forty megabytes of reasons. */
export const ENVELOPE_BYTES_MAX = 128 * 1_024 ** 2;

/** What can be wrong with an attestation, by name. */
export type AttestationProblem =
  /** Not JSON, or not the shape of an envelope. */
  | 'not_an_attestation'
  /** None of the keys that signed it is trusted: it cannot be judged. */
  | 'untrusted_key'
  /** A trusted key is named, and it did not sign this. */
  | 'invalid_signature'
  /** Properly signed, and not a statement about a plan. */
  | 'unknown_statement'
  /** Parts of the statement contradict each other. */
  | 'contradictory_statement'
  /** The head of the log that it names is not signed by a trusted key. */
  | 'log_head_not_signed';

export type OpenedAttestation =
  | { readonly ok: true; readonly statement: PlanStatement; readonly keyId: string }
  | { readonly ok: false; readonly problem: AttestationProblem; readonly message: string };

/** A statement in an envelope, signed. The payload is the statement's canonical JSON. */
export function sealStatement(statement: PlanStatement, key: SigningKey): AttestationEnvelope {
  const payload = Buffer.from(canonicalJson(statement as Json));
  const sig = key.signBytes(preAuthenticationEncoding(ATTESTATION_PAYLOAD_TYPE, payload));
  return {
    payloadType: ATTESTATION_PAYLOAD_TYPE,
    payload: payload.toString('base64'),
    signatures: [{ keyid: key.keyId, sig }],
  };
}

/**
 * Judges an attestation by its text and trusted keys alone. Nothing of it is looked at before a signature holds, and what
 * is looked at are the bytes that were signed.
 */
export function openEnvelope(text: string, keys: TrustedKeys): OpenedAttestation {
  const envelope = AttestationEnvelope.safeParse(parsedJson(text));
  if (!envelope.success) return refused('not_an_attestation', 'the file is no signed envelope of a statement');
  const payload = Buffer.from(envelope.data.payload, 'base64');
  const signed = preAuthenticationEncoding(envelope.data.payloadType, payload);
  const verdicts = envelope.data.signatures.map(({ keyid, sig }) => ({
    keyid,
    verdict: keys.judgeBytes(keyid, signed, sig),
  }));
  const invalid = verdicts.find(({ verdict }) => verdict === 'invalid');
  if (invalid !== undefined) return refused('invalid_signature', `the key ${invalid.keyid} did not sign this`);
  const valid = verdicts.find(({ verdict }) => verdict === 'valid');
  if (valid === undefined) {
    const named = verdicts.map(({ keyid }) => keyid).join(', ');
    return refused('untrusted_key', `it is signed with ${named}, which is not trusted`);
  }
  const statement = PlanStatement.safeParse(parsedJson(payload.toString('utf8')));
  if (!statement.success) {
    const [issue] = statement.error.issues;
    const place = issue?.path.join('.') ?? '';
    return refused('unknown_statement', `what was signed is no statement about a plan: ${place}: ${issue?.message}`);
  }
  const problem = contradictionIn(statement.data) ?? headProblem(statement.data, keys);
  return problem ?? { ok: true, statement: statement.data, keyId: valid.keyid };
}

function contradictionIn({ subject: [commit, plan], predicate }: PlanStatement): OpenedAttestation | null {
  const { inputs, log, run } = predicate;
  const pairs: readonly (readonly [string, unknown, unknown])[] = [
    ['the tested commit', commit.digest.gitCommit, inputs.commit],
    ['the repository', commit.name, run.repository],
    ['the plan', `sha256:${plan.digest.sha256}`, predicate.plan.digest],
    ['the position of the log head', log.head.position, log.checkpoint.position],
    ['the hash of the log head', log.head.hash, log.checkpoint.hash],
  ];
  const differing = pairs.find(([, one, other]) => one !== other);
  if (differing !== undefined) return refused('contradictory_statement', `it names ${differing[0]} in two ways`);
  if (log.from <= log.to && log.to <= log.head.position) return null;
  return refused('contradictory_statement', 'its records lie beyond the head of the log that it names');
}

function headProblem({ predicate: { log } }: PlanStatement, keys: TrustedKeys): OpenedAttestation | null {
  if (keys.judge(log.checkpoint) === 'valid') return null;
  const { position, keyId } = log.checkpoint;
  return refused('log_head_not_signed', `the checkpoint at ${position} is not signed with a trusted key (${keyId})`);
}

const refused = (problem: AttestationProblem, message: string): OpenedAttestation => ({ ok: false, problem, message });

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
