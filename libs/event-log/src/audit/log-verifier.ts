import { Checkpoint, type AuditFinding, type AuditRecord, type LogHead } from '@delta-ci/contracts';
import type { TrustedKeys } from '../checkpoints/checkpoint-keys.ts';
import { recordIn, recordProblem } from './record-problem.ts';

/**
 * Hashes kept of the records just seen. A checkpoint is recorded within moments of the position it covers: this many
 * records are more than the fastest writer appends while one is signed.
 */
const HASHES_KEPT = 65_536;

/**
 * Recomputes a log record by record, and compares it with every checkpoint it meets: those among the records, and those
 * that somebody kept elsewhere. Pure bookkeeping: records and checkpoints are brought to it in order.
 *
 * It remembers the version of every stream and the hash at every checkpoint, some hundred bytes each. Streams that began before the first record it
 * was given are taken as they come.
 */
export class LogVerifier {
  readonly #start: LogHead;
  readonly #keys: TrustedKeys | null;
  readonly #versions = new Map<string, number>();
  readonly #hashes = new Map<number, string>();
  /** Of positions that a checkpoint vouched for: its record may come much later, from a signer that stood still. */
  readonly #signed = new Map<number, string>();
  #before: LogHead;
  #signedUpTo: number;
  #checkpoints = 0;

  /** `start`: the record before the first; trusted. `keys`: whose checkpoints count; null: signatures are not looked at. */
  constructor(start: LogHead, keys: TrustedKeys | null) {
    this.#start = start;
    this.#keys = keys;
    this.#before = start;
    this.#signedUpTo = start.position;
    this.#hashes.set(start.position, start.hash);
  }

  /** The last record that was found good. */
  get before(): LogHead {
    return this.#before;
  }
  /** The last position a checkpoint vouches for. */
  get signedUpTo(): number {
    return this.#signedUpTo;
  }
  /** Positions that a checkpoint vouches for, however often it was met. */
  get checkpoints(): number {
    return this.#checkpoints;
  }

  /** Takes the record that comes next. @returns what is wrong with it, or null */
  take(record: AuditRecord): AuditFinding | null {
    const problem = recordProblem(record, this.#before) ?? this.#versionProblem(record);
    if (problem !== null) return at(this.#before.position + 1, problem);
    this.#before = { position: record.position, hash: record.hash };
    this.#hashes.set(record.position, record.hash);
    this.#hashes.delete(record.position - HASHES_KEPT);
    return record.columns.type === 'checkpoint.signed' ? this.#takeCheckpointIn(record) : null;
  }

  /** Compares a checkpoint from outside. To be brought when the log has come to its position. */
  compare(checkpoint: Checkpoint): AuditFinding | null {
    const { position, time } = checkpoint;
    const forged = this.#forgery(checkpoint);
    if (forged !== null) return at(position, `the checkpoint at ${position} of ${time} ${forged}`);
    if (position > this.#before.position) {
      const end = this.#before.position;
      return at(end + 1, `the log ends at ${end}, and was signed at ${position} on ${time}: the rest is missing`);
    }
    return this.#compareHash(checkpoint);
  }

  #versionProblem({ columns: { stream, version } }: AuditRecord): string | null {
    const known = this.#versions.get(stream) ?? (this.#start.position === 0 ? 0 : version - 1);
    this.#versions.set(stream, version);
    return version === known + 1 ? null : `version ${version} of stream ${stream} follows version ${known}`;
  }

  #takeCheckpointIn({ canonical, position }: AuditRecord): AuditFinding | null {
    const checkpoint = Checkpoint.safeParse(recordIn(canonical)?.['data']).data;
    if (checkpoint === undefined) return at(position, 'the record of a checkpoint holds none');
    if (checkpoint.position >= position) return at(position, 'a checkpoint covers its own record');
    const forged = this.#forgery(checkpoint);
    return forged === null ? this.#compareHash(checkpoint) : at(position, `the checkpoint ${forged}`);
  }

  #forgery(checkpoint: Checkpoint): string | null {
    const verdict = this.#keys?.judge(checkpoint) ?? 'valid';
    if (verdict === 'valid') return null;
    return verdict === 'invalid'
      ? 'has a signature that is not of its key'
      : `is signed with the key ${checkpoint.keyId}, which is not trusted`;
  }

  #compareHash({ position, hash, time }: Checkpoint): AuditFinding | null {
    const ours = this.#hashes.get(position) ?? this.#signed.get(position);
    if (ours === undefined) {
      // What lies before the start was not asked for; what lies far behind cannot be a checkpoint of this writer.
      if (position < this.#start.position) return null;
      return at(this.#before.position, `a checkpoint of position ${position} comes too late to be compared`);
    }
    if (ours === hash) {
      if (position > this.#signedUpTo) this.#checkpoints += 1;
      this.#signedUpTo = Math.max(this.#signedUpTo, position);
      this.#signed.set(position, hash);
      return null;
    }
    const from = Math.min(this.#signedUpTo + 1, position);
    return { position: from, upTo: position, problem: `what was signed at ${position} on ${time} had another hash` };
  }
}

const at = (position: number, problem: string): AuditFinding => ({ position, upTo: position, problem });
