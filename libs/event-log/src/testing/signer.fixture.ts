import { generateKeyPairSync } from 'node:crypto';
import { CHECKPOINT_STREAM, type Checkpoint } from '@delta-ci/contracts';
import type { LogWriter } from '../append/log-writer.ts';
import { readSigningKey, TrustedKeys, type SigningKey } from '../checkpoints/checkpoint-keys.ts';
import { whatIsThereToSign } from '../checkpoints/what-is-there-to-sign.ts';
import type { LogConnection } from '../connection.ts';

/** A key made for one test, and what trusts it. */
export interface TestKey {
  readonly key: SigningKey;
  readonly trusted: TrustedKeys;
}

export function testKey(): TestKey {
  const { privateKey } = generateKeyPairSync('ed25519');
  const key = readSigningKey(privateKey.export({ type: 'pkcs8', format: 'pem' }).toString());
  return { key, trusted: new TrustedKeys([key.publicKey]) };
}

/** Signs the log as it stands and records it, as the orchestrator does. @returns the checkpoint, as somebody may keep it */
export async function signLog(log: LogConnection, writer: LogWriter, key: SigningKey): Promise<Checkpoint> {
  const { claim } = await whatIsThereToSign(log);
  if (claim === null) throw new Error('there is nothing to sign');
  const data = key.sign(claim);
  const id = `sign-checkpoint-${claim.position}`;
  const appends = [{ stream: CHECKPOINT_STREAM, events: [{ type: 'checkpoint.signed' as const, data }] }];
  const answer = await writer.submit({
    id,
    actor: { kind: 'timer', name: 'sign-checkpoint' },
    causation: id,
    traceparent: null,
    runs: [],
    decide: () => ({ appends, answer: { ok: true, result: {} } }),
  });
  if (!answer.ok) throw new Error(answer.refusal.message);
  return data;
}
