import { z } from 'zod';
import { Digest } from './ids.ts';

/**
 * Checkpoints: what the log was at a position, signed. Whoever changes, removes or adds a record up to there makes a
 * chain that no longer ends in the signed hash, and cannot sign another one.
 */

/** A chain hash: 64 hexadecimal digits. */
export const ChainHash = z.string().regex(/^[0-9a-f]{64}$/, 'expected 64 hexadecimal digits');
export type ChainHash = z.infer<typeof ChainHash>;

/** First half of the SHA-256 of a public key's DER form (SPKI), in hexadecimal. */
export const KeyId = z.string().regex(/^[0-9a-f]{32}$/, 'expected 32 hexadecimal digits');
export type KeyId = z.infer<typeof KeyId>;

/** What is signed. */
export const CheckpointClaim = z.strictObject({
  /** The record the checkpoint covers the log up to. */
  position: z.number().int().positive(),
  /** The chain hash of that record. */
  hash: ChainHash,
  /** Digest of the runs that were under way at that position: what folding the log up to there must give. */
  unfinished: Digest,
  /** When the log stood there, by the database's clock. */
  time: z.iso.datetime({ precision: 3 }),
  keyId: KeyId,
});
export type CheckpointClaim = z.infer<typeof CheckpointClaim>;

/** `signature`: Ed25519 over the UTF-8 bytes of `checkpointText`, in base64. */
export const Checkpoint = CheckpointClaim.extend({
  signature: z.string().regex(/^[A-Za-z0-9+/]{86}==$/, 'expected the base64 of 64 bytes'),
});
export type Checkpoint = z.infer<typeof Checkpoint>;

/** The stream all checkpoints stand in. */
export const CHECKPOINT_STREAM = 'log-checkpoints';

/** The text that is signed: five lines under a heading, each ended by a line feed, so that nothing can be read in two ways. */
export function checkpointText({ position, hash, unfinished, time, keyId }: CheckpointClaim): string {
  const facts = [`position ${position}`, `hash ${hash}`, `unfinished ${unfinished}`, `time ${time}`, `key ${keyId}`];
  return `${[HEADING, ...facts].join('\n')}\n`;
}

const HEADING = 'delta-ci checkpoint 1';

const TEXT =
  /^delta-ci checkpoint 1\nposition ([1-9][0-9]{0,15})\nhash ([^\n]{1,100})\nunfinished ([^\n]{1,100})\ntime ([^\n]{1,40})\nkey ([^\n]{1,100})\n$/;

/** Reads such a text; null when it is anything else. */
export function parseCheckpointText(text: string): CheckpointClaim | null {
  const [, position, hash, unfinished, time, keyId] = TEXT.exec(text) ?? [];
  return CheckpointClaim.safeParse({ position: Number(position), hash, unfinished, time, keyId }).data ?? null;
}
