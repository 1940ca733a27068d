/** What an implementation of the runner protocol has to do, as the guide says it. */
export interface Requirement {
  /** One sentence. */
  readonly text: string;
  /** The heading of `docs/runner-protocol.md` under which it stands. */
  readonly section: string;
}

/** Requirements by id, in the order of the guide. */
export type Requirements = Readonly<Record<string, Requirement>>;

/** The sentences of one section by id, as requirements. */
export function under<Id extends string>(
  section: string,
  texts: Readonly<Record<Id, string>>,
): Record<Id, Requirement> {
  const made: Requirements = Object.fromEntries(
    Object.entries<string>(texts).map(([id, text]) => [id, { text, section }]),
  );
  return made as Record<Id, Requirement>;
}

export type Outcome = 'passed' | 'failed' | 'skipped';

/** What came out about one requirement. */
export interface Verdict extends Requirement {
  readonly id: string;
  readonly outcome: Outcome;
  /** Of a failure: what should have been seen, and what was. Of what was skipped: why. Empty for what passed. */
  readonly expected: string;
  readonly seen: string;
  /** The scene it was seen in; empty unless it failed. */
  readonly scene: string;
  /** The requests and answers it was seen in, a line or a few each. */
  readonly exchange: readonly string[];
}
