import type { Git, GitCommand, GitContext } from './git.ts';
import { done, failed, type GitResult } from './git-error.ts';

/** Far beyond any path a file system takes (Linux stops at 4,096 bytes); a longer record is hostile or broken. */
const MAX_RECORD_BYTES = 1_048_576;

/** Cuts a stream of bytes at NUL, however it arrives in pieces. Holds at most one unfinished record. */
export class NulRecords {
  private rest: Buffer[] = [];
  private restBytes = 0;

  /** The records completed by a chunk, without their NUL. They may share memory with the chunk: read them at once. */
  add(chunk: Buffer): Buffer[] {
    const records: Buffer[] = [];
    let start = 0;
    for (let end = chunk.indexOf(0); end >= 0; end = chunk.indexOf(0, start)) {
      records.push(this.complete(chunk.subarray(start, end)));
      start = end + 1;
    }
    this.keep(chunk.subarray(start));
    return records;
  }

  /** Bytes of the record that has begun and not ended. */
  get unfinishedBytes(): number {
    return this.restBytes;
  }

  private complete(last: Buffer): Buffer {
    if (this.restBytes === 0) return last;
    const record = Buffer.concat([...this.rest, last]);
    this.rest = [];
    this.restBytes = 0;
    return record;
  }

  private keep(piece: Buffer): void {
    if (piece.length === 0) return;
    this.rest.push(piece);
    this.restBytes += piece.length;
  }
}

/** What a reader of records says about each batch: go on, stop there with success, or stop with a refusal. */
export type Verdict = 'more' | 'enough' | ReturnType<typeof failed>;

/** Runs a command that writes records ended by NUL, and hands them on in batches, in the order they come. */
export async function readNulRecords(
  git: Git,
  command: GitCommand,
  context: GitContext,
  take: (records: readonly Buffer[]) => Verdict | Promise<Verdict>,
): Promise<GitResult<void>> {
  const splitter = new NulRecords();
  let verdict: Verdict = 'more';
  const ended = await git.stream(command, context, async (chunk) => {
    verdict = await take(splitter.add(chunk));
    if (verdict === 'more' && splitter.unfinishedBytes > MAX_RECORD_BYTES) {
      verdict = failed(
        'unexpected_output',
        `git ${command.command} wrote a record of more than ${MAX_RECORD_BYTES} bytes`,
      );
    }
    return verdict === 'more';
  });
  return conclude(command, ended, verdict, splitter.unfinishedBytes);
}

function conclude(
  command: GitCommand,
  ended: GitResult<number>,
  verdict: Verdict,
  unfinishedBytes: number,
): GitResult<void> {
  if (verdict !== 'more' && verdict !== 'enough') return verdict;
  if (!ended.ok) return ended;
  if (verdict === 'more' && unfinishedBytes > 0) {
    return failed('unexpected_output', `git ${command.command} ended in the middle of a record`);
  }
  return done(undefined);
}
