import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { BatchAnswers, type ObjectAnswer } from './batch-answers.ts';
import { nameFailure } from './failure-naming.ts';
import { done, failed, type GitResult } from './git-error.ts';
import type { Git, GitContext } from './git.ts';
import { endGroup, startInGroup, TextTail } from './process-group.ts';
import { mostTellingLine, safeLines } from './text-for-people.ts';

const STDERR_LIMIT_BYTES = 8_192;

interface Question {
  readonly ids: readonly string[];
  readonly answers: ObjectAnswer[];
  readonly settle: (result: GitResult<readonly ObjectAnswer[]>) => void;
}

/** One running `git cat-file`, with the questions it has not answered yet, in the order they were asked. */
class Conversation {
  readonly child: ChildProcessWithoutNullStreams;
  private readonly questions: Question[] = [];
  private readonly stderr = new TextTail(STDERR_LIMIT_BYTES);
  private readonly parser: BatchAnswers;
  ended = false;
  private closed = false;

  constructor(git: Git, context: GitContext, withContents: boolean) {
    this.parser = new BatchAnswers(withContents);
    this.child = startInGroup(
      git.spec({ command: 'cat-file', flags: [withContents ? '--batch' : '--batch-check'] }, context),
    );
    this.child.stdout.on('data', (chunk: Buffer) => this.hear(chunk));
    this.child.stderr.on('data', (chunk: Buffer) => this.stderr.add(chunk));
    this.child.stdin.on('error', () => this.end('repository_corrupt'));
    this.child.on('error', (error) =>
      this.giveUp(failed('git_not_found', `git could not be started: ${error.message}`)),
    );
    this.child.on('close', () => {
      this.closed = true;
      this.end('git_failed');
    });
  }

  ask(ids: readonly string[]): Promise<GitResult<readonly ObjectAnswer[]>> {
    return new Promise((resolve) => {
      this.questions.push({ ids, answers: [], settle: resolve });
      this.child.stdin.write(ids.map((id) => `${id}\n`).join(''));
    });
  }

  /** Ends the process; questions still open get `reason`. */
  giveUp(reason: ReturnType<typeof failed>): void {
    if (!this.ended && !this.closed) endGroup(this.child);
    this.ended = true;
    for (const question of this.questions.splice(0)) question.settle(reason);
  }

  private end(otherwise: 'repository_corrupt' | 'git_failed'): void {
    const said = this.stderr.text();
    const named = nameFailure(said);
    const code = named === 'git_failed' ? otherwise : named;
    const stderr = safeLines(said, 4_000);
    this.giveUp(failed(code, `git cat-file ended early: ${mostTellingLine(stderr)}`, stderr));
  }

  private hear(chunk: Buffer): void {
    const answers = this.parser.add(chunk);
    if (answers === 'broken') return this.giveUp(failed('unexpected_output', 'git cat-file wrote what it should not'));
    for (const answer of answers) if (!this.place(answer)) return;
  }

  private place(answer: ObjectAnswer): boolean {
    const question = this.questions[0];
    if (question === undefined || question.ids[question.answers.length] !== answer.id) {
      this.giveUp(failed('unexpected_output', 'git cat-file answered what it was not asked'));
      return false;
    }
    question.answers.push(answer);
    if (question.answers.length === question.ids.length) {
      this.questions.shift();
      question.settle(done(question.answers));
    }
    return true;
  }
}

export interface AskOptions {
  readonly timeLimitMs: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * A `git cat-file` that stays: started at the first question, asked any number of times, started again should it die.
 * Costs microseconds a question instead of the milliseconds of a process. Must be closed.
 */
export class ObjectBatch {
  private readonly git: Git;
  private readonly context: GitContext;
  private readonly withContents: boolean;
  private conversation: Conversation | undefined;
  private closed = false;

  /** @param withContents false asks for types and sizes alone, whatever the size of the objects. */
  constructor(git: Git, context: GitContext, withContents: boolean) {
    this.git = git;
    this.context = context;
    this.withContents = withContents;
  }

  /** Answers in the order of `ids`, which must be full object ids. A time-out or an abort ends every open question. */
  async ask(ids: readonly string[], options: AskOptions): Promise<GitResult<readonly ObjectAnswer[]>> {
    if (ids.length === 0) return done([]);
    if (this.closed) throw new Error('the object batch is closed');
    if (options.signal?.aborted === true) return failed('git_canceled', 'git cat-file was canceled');
    if (this.conversation === undefined || this.conversation.ended) {
      this.conversation = new Conversation(this.git, this.context, this.withContents);
    }
    const conversation = this.conversation;
    const late = failed('git_timed_out', `git cat-file did not answer within ${options.timeLimitMs} ms`);
    const timer = setTimeout(() => conversation.giveUp(late), options.timeLimitMs);
    const cancel = (): void => conversation.giveUp(failed('git_canceled', 'git cat-file was canceled'));
    options.signal?.addEventListener('abort', cancel, { once: true });
    try {
      return await conversation.ask(ids);
    } finally {
      clearTimeout(timer);
      options.signal?.removeEventListener('abort', cancel);
    }
  }

  async close(): Promise<void> {
    this.closed = true;
    const child = this.conversation?.child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
    const gone = new Promise((resolve) => child.once('close', resolve));
    child.stdin.end();
    endGroup(child);
    await gone;
  }
}
