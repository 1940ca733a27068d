import { SnapshotReader, type GitResult, type HistoryStep, type RepositoryReader, type Snapshot } from '@delta-ci/git';
import { DiscoveryMemory, discover, planChange } from '@delta-ci/planning';
import { READING, pushOfStep } from '../history/push-of-step.ts';
import { compare } from './comparison/compare.ts';
import { NOTHING_YET, withCommit, type CommitOutcome, type Tally } from './comparison/tally.ts';
import { UnreadableAnswer, type Oracle, type Question } from './oracles/oracle.ts';
import type { Answered, SandboxedClone } from './sandboxed-clone.ts';

/** What is asked of whom. */
export interface HistoryOrder {
  readonly reader: RepositoryReader;
  readonly head: string;
  readonly last: number;
  readonly oracle: Oracle;
  readonly clone: Pick<SandboxedClone, 'ask'>;
}

/**
 * Plans the last commits along first parents, the oldest first, and asks the oracle about each. A commit without a parent has
 * nothing to compare with and is passed over.
 * @throws when git cannot go on; that the oracle cannot answer about a commit is part of the tally
 */
export async function askHistory(
  order: HistoryOrder,
  signal: AbortSignal,
  visited: (tally: Tally) => void,
): Promise<Tally> {
  const snapshots = new SnapshotReader(order.reader, READING);
  const memory = new DiscoveryMemory();
  const conversation = new Conversation(order);
  let tally = NOTHING_YET;
  let before: Snapshot | null = null;
  const walked = await order.reader.walkFirstParents(
    order.head,
    order.last,
    async (step) => {
      if (step.parent === null) return;
      const base: Snapshot = before ?? valueOf(await snapshots.read(step.parent.id, { signal }));
      const head = valueOf(await snapshots.readNext(base, step.commit.id, step.changes, { signal }));
      const outcome = await outcomeOf(conversation, memory, step, head, base);
      tally = withCommit(tally, { commit: step.commit.id, subject: step.commit.subject }, outcome);
      visited(tally);
      before = head;
    },
    { signal },
  );
  valueOf(walked);
  return tally;
}

export function valueOf<T>(result: GitResult<T>): T {
  if (result.ok) return result.value;
  throw new Error(result.error.message);
}

async function outcomeOf(
  conversation: Conversation,
  memory: DiscoveryMemory,
  step: HistoryStep,
  head: Snapshot,
  base: Snapshot,
): Promise<CommitOutcome> {
  const planned = planChange(pushOfStep(step, head, base), memory);
  if (!planned.ok) return { kind: 'not planned', reason: planned.code };
  const question: Question = {
    commit: step.commit.id,
    base: step.parent?.id ?? '',
    changed: step.changes,
    paths: head.entries.map(({ path }) => path),
  };
  const earlier = base.entries.map(({ path }) => path);
  const answered = await conversation.about(question, earlier);
  if (!answered.ok) return { kind: 'not answered', reason: answered.reason };
  const { plan } = planned;
  const discovery = discover(head, memory);
  const sides = { plan, discovery, answer: answered.answer, changed: step.changes };
  return { kind: 'compared', comparison: compare(sides) };
}

/** Asks one oracle about one commit after the other, and about the commit before where that belongs to an answer. */
class Conversation {
  readonly #order: HistoryOrder;
  #last: { readonly commit: string; readonly output: string } | null = null;

  constructor(order: HistoryOrder) {
    this.#order = order;
  }

  async about(question: Question, earlierPaths: readonly string[]): Promise<Interpreted> {
    const { oracle } = this.#order;
    const lacks = oracle.lacks(question.paths);
    if (lacks !== null) return { ok: false, reason: lacks };
    const before = oracle.comparesAnswers ? await this.#before(question, earlierPaths) : null;
    if (before?.ok === false) return before;
    const asked = await this.#ask(question);
    if (!asked.ok) return asked;
    return interpreted(oracle, asked.output, before?.output ?? null, question);
  }

  async #before({ base, changed }: Question, paths: readonly string[]): Promise<Answered> {
    if (this.#last?.commit === base) return { ok: true, output: this.#last.output };
    const lacks = this.#order.oracle.lacks(paths);
    if (lacks !== null) return { ok: false, reason: `${lacks} before` };
    return this.#ask({ commit: base, base, changed, paths });
  }

  async #ask(question: Question): Promise<Answered> {
    const { oracle, clone } = this.#order;
    const asked = await clone.ask(question.commit, question.base, oracle.script(question));
    this.#last = asked.ok ? { commit: question.commit, output: asked.output } : null;
    return asked;
  }
}

type Interpreted =
  { readonly ok: true; readonly answer: ReturnType<Oracle['read']> } | { readonly ok: false; readonly reason: string };

function interpreted(oracle: Oracle, output: string, before: string | null, question: Question): Interpreted {
  try {
    return { ok: true, answer: oracle.read(output, before, question) };
  } catch (error) {
    if (error instanceof UnreadableAnswer) return { ok: false, reason: error.message };
    throw error;
  }
}
