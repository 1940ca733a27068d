import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { LockMemory } from '../javascript/lock-memory.ts';
import type { EntryType, RepositorySnapshot } from '../model.ts';
import { Answers } from './answers.ts';
import { differenceBetween } from './difference.ts';
import { Listing } from './listing.ts';
import { ParsedTexts } from './parsed-texts.ts';
import { isSame, type Question, type RepositoryView, type Selection } from './repository-view.ts';

type Files = Readonly<Record<string, { readonly type: EntryType; readonly text: string | null }>>;

const NAMES = ['a', 'b', 'c.md', 'd.ts'];
const anyPath = fc.array(fc.constantFrom(...NAMES), { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/'));
const anyType = fc.constantFrom<EntryType>('file', 'executable', 'symlink', 'submodule');
const anyFile = fc.record({ type: anyType, text: fc.option(fc.constantFrom('x', 'y', 'z')) });
const anyFiles: fc.Arbitrary<Files> = fc.dictionary(anyPath, anyFile, { maxKeys: 6 });

const SELECTIONS: readonly Selection[] = [
  (path) => path.endsWith('.md'),
  (path) => path.startsWith('a/'),
  (_, type) => type === 'symlink',
  (path, type) => path.includes('b') && type === 'file',
];

/** What somebody who finds something out may ask next. */
const anyStep = fc.record({
  what: fc.constantFrom('file', 'place', 'type', 'text', 'parsed', 'listed', 'texts', 'ask'),
  path: anyPath,
  at: fc.nat(),
});
type Step = typeof anyStep extends fc.Arbitrary<infer T> ? T : never;

const inCapitals = (text: string, path: string): string => `${path}: ${text.toUpperCase()}`;

function asked({ what, path, at }: Step, view: RepositoryView, further: readonly Question<unknown>[]): unknown {
  const selection = SELECTIONS[at % SELECTIONS.length] ?? (() => true);
  switch (what) {
    case 'file':
      return view.files.has(path);
    case 'place':
      return view.places.has(path);
    case 'type':
      return view.typeOf(path) ?? null;
    case 'text':
      return view.contents.get(path) ?? view.contents.has(path);
    case 'parsed':
      return view.parsed(path, inCapitals) ?? null;
    case 'listed':
      return view.listed(selection).map((each) => [each.path, each.type]);
    case 'texts':
      return view.texts(selection);
    case 'ask':
      return further.length === 0 ? null : view.ask(further[at % further.length] ?? questionOf([], []));
  }
}

/** Asks one thing after the other, and asks for more or less by what it was told. */
function questionOf(steps: readonly Step[], further: readonly Question<unknown>[]): Question<string> {
  return {
    answer: (view) => {
      const told: string[] = [];
      for (const step of steps) {
        told.push(JSON.stringify(asked(step, view, further)));
        if (told.at(-1) === 'true') break;
      }
      return told.join('\n');
    },
    same: isSame,
  };
}

function snapshotOf(files: Files): RepositorySnapshot {
  const paths = Object.keys(files).sort();
  const entries = paths.map((path) => ({ path, mode: '', blobId: '', type: files[path]?.type ?? 'file' }));
  const readable = paths.flatMap((path): [string, string][] => {
    const text = files[path]?.text ?? null;
    return text === null ? [] : [[path, text]];
  });
  return { entries, contents: new Map(readable) };
}

/** Answers about one snapshot after the other, each from the one before. */
class History {
  #before: { readonly snapshot: RepositorySnapshot; readonly listing: Listing; readonly answers: Answers } | null =
    null;
  readonly #parsed = new ParsedTexts();

  next(snapshot: RepositorySnapshot, isVisible: (path: string) => boolean = () => true): Answers {
    const listing = Listing.of(snapshot.entries);
    const before = this.#before;
    const difference = before === null ? null : differenceBetween(before.snapshot, snapshot);
    if (before !== null && difference !== null) listing.carry(before.listing, difference.listed);
    const earlier = before === null || difference === null ? null : { answers: before.answers, difference };
    const asking = { listing, contents: snapshot.contents, isVisible };
    const answers = new Answers(asking, { locks: new LockMemory() }, this.#parsed, earlier);
    this.#before = { snapshot, listing, answers };
    return answers;
  }
}

describe('laws of answers', () => {
  it('law: along any history, what is answered from earlier answers is what would be found out anew', () => {
    const anySteps = fc.array(anyStep, { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(fc.array(anyFiles, { minLength: 2, maxLength: 5 }), anySteps, anySteps, anySteps, (all, a, b, c) => {
        const inner = questionOf(a, []);
        const middle = questionOf(b, [inner]);
        const outer = questionOf(c, [middle, inner]);
        const history = new History();
        for (const files of all) {
          const snapshot = snapshotOf(files);
          const answers = history.next(snapshot);
          // The inner ones are asked only as far as the outer one does.
          expect(answers.to(outer)).toBe(new History().next(snapshot).to(outer));
          answers.settle();
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it('law: a listing that takes over what was selected selects what a new one does', () => {
    fc.assert(
      fc.property(anyFiles, anyFiles, (one, other) => {
        const [before, after] = [snapshotOf(one), snapshotOf(other)];
        const [earlier, later] = [Listing.of(before.entries), Listing.of(after.entries)];
        for (const selection of SELECTIONS) earlier.select(selection);
        later.carry(earlier, differenceBetween(before, after)?.listed ?? []);
        const pathsOf = (listing: Listing): string[][] =>
          SELECTIONS.map((selection) => listing.select(selection).map(({ path, type }) => `${path} ${type}`));
        expect(pathsOf(later)).toEqual(pathsOf(Listing.of(after.entries)));
      }),
    );
  });
});

describe('answers', () => {
  const file = { type: 'file', text: 'x' } as const;
  const counted = (answer: (view: RepositoryView) => string): { question: Question<string>; times: () => number } => {
    let times = 0;
    const question = {
      answer: (view: RepositoryView): string => {
        times += 1;
        return answer(view);
      },
      same: isSame,
    };
    return { question, times: () => times };
  };

  it('given changes of what nobody asked about, then nothing is found out again', () => {
    const { question, times } = counted((view) => view.contents.get('a') ?? '');
    const history = new History();
    history.next(snapshotOf({ a: file })).to(question);
    const answers = history.next(snapshotOf({ a: file, b: file, 'c.md': { ...file, text: 'y' } }));
    expect([answers.to(question), times()]).toEqual(['x', 1]);
  });

  it('given that a question inside says the same after all, then what was concluded from it stands', () => {
    const inner: Question<boolean> = { answer: (view) => view.listed(isMarkdown).length > 0, same: isSame };
    const { question, times } = counted((view) => String(view.ask(inner)));
    const history = new History();
    history.next(snapshotOf({ 'c.md': file })).to(question);
    expect([history.next(snapshotOf({ 'c.md': file, 'a/c.md': file })).to(question), times()]).toEqual(['true', 1]);
    expect([history.next(snapshotOf({ a: file })).to(question), times()]).toEqual(['false', 2]);
  });

  it('given contents that may not be seen, then they are as if they were not there', () => {
    const { question } = counted((view) => `${view.contents.has('a')} ${view.files.has('a')}`);
    expect(new History().next(snapshotOf({ a: file }), () => false).to(question)).toBe('false true');
  });
});

const isMarkdown: Selection = (path) => path.endsWith('.md');
