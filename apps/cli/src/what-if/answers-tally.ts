import { createHash } from 'node:crypto';
import { canonicalJson, type Json } from '@delta-ci/contracts';
import { ASKED, questionsOf, replyTo, type Asked } from './answers.ts';
import type { ReplannedStep } from './replan.ts';

/** What came of asking why about everything in all plans of a history. */
export interface AnswersSummary {
  readonly asked: Readonly<Record<Asked, number>>;
  /** How many of these had to be asked by full name (`file:build`), because something else goes by the plain one. */
  readonly byFullName: number;
  /** How many of these have no answer. */
  readonly unanswered: number;
  /** The first of them. */
  readonly without: readonly Unanswered[];
  /** SHA-256 of what was asked and the sentence that answered it, in order, one a line; a commit without a plan is its code. */
  readonly digest: string;
}

export interface Unanswered {
  readonly commit: string;
  readonly kind: string;
  readonly id: string;
  readonly reason: string;
}

/** Who has more than these has seen enough. */
const NAMED_MAX = 100;

/** Asks about plans as they come, and keeps sums alone. */
export class AnswersTally {
  readonly #asked: Record<Asked, number> = { 'jobs that run': 0, 'jobs that do not': 0, units: 0, 'changed files': 0 };
  readonly #without: Unanswered[] = [];
  readonly #hash = createHash('sha256');
  #byFullName = 0;
  #unanswered = 0;

  add({ step, plan, planned }: Pick<ReplannedStep, 'step' | 'plan' | 'planned'>): void {
    if (plan === null) return this.#write(planned.ok ? planned.digest : planned.code);
    for (const question of questionsOf(plan)) {
      const { about, subject } = question;
      this.#asked[about] += 1;
      const reply = replyTo(plan, question);
      this.#write([subject.kind, subject.id, reply.ok ? reply.sentence : null]);
      if (!reply.ok) this.#miss({ commit: step.commit.id, ...subject, reason: reply.reason });
      else if (reply.byFullName) this.#byFullName += 1;
    }
  }

  summary(): AnswersSummary {
    return {
      asked: this.#asked,
      byFullName: this.#byFullName,
      unanswered: this.#unanswered,
      without: this.#without,
      digest: `sha256:${this.#hash.copy().digest('hex')}`,
    };
  }

  #miss(unanswered: Unanswered): void {
    this.#unanswered += 1;
    if (this.#without.length < NAMED_MAX) this.#without.push(unanswered);
  }

  #write(line: Json): void {
    this.#hash.update(`${canonicalJson(line)}\n`);
  }
}

export const askedIn = ({ asked }: AnswersSummary): number => ASKED.reduce((sum, each) => sum + asked[each], 0);
