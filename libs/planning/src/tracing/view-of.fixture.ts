import { LockMemory } from '../javascript/lock-memory.ts';
import type { RepositorySnapshot } from '../model.ts';
import { Answers } from './answers.ts';
import { Listing } from './listing.ts';
import { ParsedTexts } from './parsed-texts.ts';
import { isSame, type RepositoryView } from './repository-view.ts';

/** A snapshot as a detector sees it that wants everything. */
export function viewOf({ entries, contents }: RepositorySnapshot): RepositoryView {
  const asked = { listing: Listing.of(entries), contents, isVisible: () => true };
  const answers = new Answers(asked, { locks: new LockMemory() }, new ParsedTexts(), null);
  return answers.to({ answer: (view) => view, same: isSame });
}
