import type { AuditFinding, AuditVerification, Checkpoint, LogHead } from '@delta-ci/contracts';
import { FIRST_PREV_HASH } from '@delta-ci/domain';
import type { TrustedKeys } from '../checkpoints/checkpoint-keys.ts';
import type { AuditSource } from './audit-source.ts';
import { LogVerifier } from './log-verifier.ts';

export interface VerifyLogOptions {
  /** Whose checkpoints count. Null: the chain alone is recomputed, which a whole chain made anew survives. */
  readonly keys: TrustedKeys | null;
  /** The record before the first to check, from a checkpoint that was judged. Default: the log's beginning. */
  readonly start?: LogHead;
  /** Last position to check. Default: the end, and then the head is checked too. */
  readonly to?: number;
  /** Told how far it has come, and how far there is to go. */
  readonly onProgress?: (position: number, end: number) => void;
  /** Ends the work; what was checked by then is answered. */
  readonly signal?: AbortSignal;
}

/**
 * Recomputes a log from its records and compares it with every checkpoint. Names the first position where it is not what
 * was recorded: a record changed, missing, moved or added, a column that says something else than the text, a stream with
 * a gap, a signature that fits another log, an end that was cut off.
 */
export async function verifyLog(source: AuditSource, options: VerifyLogOptions): Promise<AuditVerification> {
  const start = options.start ?? { position: 0, hash: FIRST_PREV_HASH };
  const verifier = new LogVerifier(start, options.keys);
  const kept = new KeptCheckpoints(options.keys === null ? null : source.checkpoints(start.position));
  const head = await source.head();
  const end = options.to ?? head.position;
  const finding =
    (await findInRecords(source, verifier, kept, { ...options, end })) ??
    (await findAtEnd(source, verifier, head, options));
  const { before, signedUpTo, checkpoints } = verifier;
  return {
    finding,
    checked: before.position - start.position,
    ...before,
    // A start is trusted by whoever gave it, which is not to say that anything was signed.
    signedUpTo: options.keys === null ? 0 : signedUpTo,
    checkpoints,
    complete: finding === null && options.signal?.aborted !== true && options.to === undefined,
  };
}

type Walk = VerifyLogOptions & { readonly end: number };

/** Goes on while somebody has kept a checkpoint beyond what was read: what it covers was there before it was signed. */
async function findInRecords(
  source: AuditSource,
  verifier: LogVerifier,
  kept: KeptCheckpoints,
  walk: Walk,
): Promise<AuditFinding | null> {
  for (;;) {
    const { position } = verifier.before;
    const finding = await findInStretch(source, verifier, kept, walk);
    if (finding !== null || walk.to !== undefined || walk.signal?.aborted === true) return finding;
    if (await kept.endsBy(verifier.before.position)) return null;
    if (verifier.before.position === position) return kept.compareUpTo(Number.MAX_SAFE_INTEGER, verifier);
  }
}

async function findInStretch(
  source: AuditSource,
  verifier: LogVerifier,
  kept: KeptCheckpoints,
  { to, end, onProgress, signal }: Walk,
): Promise<AuditFinding | null> {
  const after = verifier.before.position;
  for await (const page of source.records({ after, ...(to === undefined ? {} : { to }) })) {
    for (const record of page) {
      const finding = verifier.take(record) ?? (await kept.compareUpTo(record.position, verifier));
      if (finding !== null) return finding;
    }
    onProgress?.(verifier.before.position, Math.max(end, verifier.before.position));
    if (signal?.aborted === true) return null;
  }
  return null;
}

/** The log may grow while it is read: it must have ended neither before where its head was, nor after where it is now. */
async function findAtEnd(
  source: AuditSource,
  { before }: LogVerifier,
  headAtFirst: LogHead,
  { to, signal }: VerifyLogOptions,
): Promise<AuditFinding | null> {
  if (signal?.aborted === true) return null;
  if (before.position < (to ?? headAtFirst.position)) return atEnd(before.position, 'the record is missing');
  if (to !== undefined) return null;
  const headNow = await source.head();
  if (headNow.position < before.position) {
    return atEnd(headNow.position, `the head says ${headNow.position}, the log goes on to ${before.position}`);
  }
  const wrong = [headAtFirst, headNow].some(
    ({ position, hash }) => position === before.position && hash !== before.hash,
  );
  return wrong ? atEnd(before.position, 'the head has another hash than the last record') : null;
}

const atEnd = (end: number, problem: string): AuditFinding => ({ position: end + 1, upTo: end + 1, problem });

/** Checkpoints from outside, in order, each compared when the log has come to its position. */
class KeptCheckpoints {
  readonly #rest: AsyncIterator<Checkpoint> | null;
  #next: Checkpoint | null = null;
  #begun = false;

  constructor(checkpoints: AsyncIterable<Checkpoint> | null) {
    this.#rest = checkpoints?.[Symbol.asyncIterator]() ?? null;
  }

  async compareUpTo(position: number, verifier: LogVerifier): Promise<AuditFinding | null> {
    if (!this.#begun) await this.#advance();
    while (this.#next !== null && this.#next.position <= position) {
      const finding = verifier.compare(this.#next);
      if (finding !== null) return finding;
      await this.#advance();
    }
    return null;
  }

  /** Whether there is none of a later position. */
  async endsBy(position: number): Promise<boolean> {
    if (!this.#begun) await this.#advance();
    return this.#next === null || this.#next.position <= position;
  }

  async #advance(): Promise<void> {
    this.#begun = true;
    const step = await this.#rest?.next();
    this.#next = step === undefined || step.done === true ? null : step.value;
  }
}
