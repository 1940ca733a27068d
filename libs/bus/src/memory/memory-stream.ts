import type { BusMessage, StoredMessage, StoreOptions, StoreOutcome } from '../bus.ts';
import type { StreamSpec } from '../topology.ts';

/** Where a message goes when it is stored; the last sequence counts messages that are gone, too. */
export class MemoryStream {
  spec: StreamSpec;
  readonly #messages = new Map<number, StoredMessage>();
  /** Message id -> the sequence it got and when, for the duplicate window. */
  readonly #ids = new Map<string, { readonly sequence: number; readonly atMs: number }>();
  readonly #perSubject = new Map<string, number>();
  #bytes = 0;
  #stored = 0;
  #lastSequence: number;

  constructor(spec: StreamSpec) {
    this.spec = spec;
    this.#lastSequence = spec.firstSequence - 1;
  }

  get lastSequence(): number {
    return this.#lastSequence;
  }

  get messages(): number {
    return this.#messages.size;
  }

  get firstSequence(): number {
    const [first] = this.#messages.keys();
    return first ?? this.#lastSequence + 1;
  }

  takes(subject: string): boolean {
    return this.spec.subjects.some((filter) => subjectMatches(filter, subject));
  }

  store(message: BusMessage, { messageId, expectedLastSequence }: StoreOptions, nowMs: number): StoreOutcome {
    this.#forgetOld(nowMs);
    const repeated = messageId === undefined ? undefined : this.#ids.get(messageId);
    if (repeated !== undefined) return { outcome: 'duplicate', sequence: repeated.sequence };
    if (expectedLastSequence !== undefined && expectedLastSequence !== this.#lastSequence) {
      return { outcome: 'out-of-order' };
    }
    if (this.spec.discard === 'new' && this.#isFullFor(message)) return { outcome: 'full' };
    this.#lastSequence += 1;
    const sequence = this.#lastSequence;
    this.#messages.set(sequence, { ...message, sequence, storedAt: this.#stamp(nowMs) });
    this.#count(message, 1);
    if (messageId !== undefined) this.#ids.set(messageId, { sequence, atMs: nowMs });
    if (this.spec.discard === 'old') this.#dropOldest();
    return { outcome: 'stored', sequence };
  }

  /** The first message at or after a sequence that the filter takes. */
  next(fromSequence: number, filter: string): StoredMessage | null {
    for (let at = Math.max(fromSequence, this.firstSequence); at <= this.#lastSequence; at += 1) {
      const message = this.#messages.get(at);
      if (message !== undefined && subjectMatches(filter, message.subject)) return message;
    }
    return null;
  }

  get(sequence: number): StoredMessage | undefined {
    return this.#messages.get(sequence);
  }

  remove(sequence: number): boolean {
    const message = this.#messages.get(sequence);
    if (message !== undefined) this.#count(message, -1);
    return this.#messages.delete(sequence);
  }

  /** What a server does that lost the end of its file: the lost sequences will be handed out again. */
  truncate(lastSequence: number): void {
    for (const sequence of this.#messages.keys()) if (sequence > lastSequence) this.remove(sequence);
    for (const [id, kept] of this.#ids) if (kept.sequence > lastSequence) this.#ids.delete(id);
    this.#lastSequence = Math.min(this.#lastSequence, lastSequence);
  }

  #isFullFor({ subject, body }: BusMessage): boolean {
    const { maxBytes, maxMessagesPerSubject } = this.spec;
    if (this.#bytes + body.byteLength > maxBytes) return true;
    return maxMessagesPerSubject !== null && (this.#perSubject.get(subject) ?? 0) >= maxMessagesPerSubject;
  }

  #dropOldest(): void {
    for (const sequence of this.#messages.keys()) {
      if (this.#bytes <= this.spec.maxBytes) return;
      this.remove(sequence);
    }
  }

  #count({ subject, body }: BusMessage, sign: 1 | -1): void {
    this.#bytes += sign * body.byteLength;
    this.#perSubject.set(subject, (this.#perSubject.get(subject) ?? 0) + sign);
  }

  /** As a server stamps it: to the nanosecond, so that no two messages of a stream have the same time. */
  #stamp(nowMs: number): string {
    this.#stored = (this.#stored + 1) % 1_000_000;
    return `${new Date(nowMs).toISOString().slice(0, -1)}${String(this.#stored).padStart(6, '0')}Z`;
  }

  #forgetOld(nowMs: number): void {
    const { maxAgeMs, duplicateWindowMs } = this.spec;
    for (const [sequence, { storedAt }] of this.#messages) {
      if (nowMs - Date.parse(storedAt) <= maxAgeMs) break;
      this.remove(sequence);
    }
    for (const [id, { atMs }] of this.#ids) {
      if (nowMs - atMs <= duplicateWindowMs) break;
      this.#ids.delete(id);
    }
  }
}

/** Whether a subject fits a filter: `*` stands for one token, `>` at the end for one or more. */
export function subjectMatches(filter: string, subject: string): boolean {
  const wanted = filter.split('.');
  const tokens = subject.split('.');
  for (const [index, token] of wanted.entries()) {
    if (token === '>') return tokens.length > index;
    if (index >= tokens.length || (token !== '*' && token !== tokens[index])) return false;
  }
  return wanted.length === tokens.length;
}
