import { describe, expect, it } from '@jest/globals';
import { aChange } from '../../../test/support/made-up/change.ts';
import { ReadingMemory, type ReadCommit } from './reading-memory.ts';

const REPOSITORY = 'github/acme/shop';
const [BASE, HEAD] = ['b'.repeat(40), 'c'.repeat(40)];
const CHANGE = aChange({ base: BASE, head: HEAD });

const holding = (text: string): ReadCommit => ({
  tree: text.padEnd(40, '0').slice(0, 40),
  snapshot: { entries: [], contents: new Map([['package.json', text]]) },
});

function filled(bytesMax?: number): ReadingMemory {
  const memory = new ReadingMemory(bytesMax);
  memory.keepCommit(REPOSITORY, BASE, holding('before'));
  memory.keepCommit(REPOSITORY, HEAD, holding('after'));
  memory.keepDifference(REPOSITORY, BASE, HEAD, { base: BASE, changes: [] });
  return memory;
}

describe('what was read of commits', () => {
  it('given both sides and their difference, then the whole change is there', () => {
    expect(filled().recall(REPOSITORY, CHANGE)).toEqual({
      tree: holding('after').tree,
      head: holding('after').snapshot,
      comparison: { kind: 'changes', commit: BASE, snapshot: holding('before').snapshot, changes: [] },
    });
  });

  it.each([
    ['another repository', 'github/acme/other', CHANGE],
    ['another head', REPOSITORY, { ...CHANGE, head: 'd'.repeat(40) }],
    ['another base', REPOSITORY, { ...CHANGE, base: 'd'.repeat(40) }],
    ['no base, so that a branch of the remote decides', REPOSITORY, { ...CHANGE, base: null }],
  ])('given %s, then it has to be read', (_name, repository, change) => {
    expect(filled().recall(repository, change)).toBeNull();
  });

  it('given more than it may hold, then the longest unused goes first', () => {
    const memory = new ReadingMemory(2_500);
    for (const [commit, text] of [
      [BASE, 'x'.repeat(500)],
      [HEAD, 'y'.repeat(500)],
    ] as const) {
      memory.keepCommit(REPOSITORY, commit, holding(text));
    }
    memory.commit(REPOSITORY, BASE);
    memory.keepCommit(REPOSITORY, 'd'.repeat(40), holding('z'.repeat(500)));
    expect(memory.commit(REPOSITORY, HEAD)).toBeNull();
    expect(memory.commit(REPOSITORY, BASE)).not.toBeNull();
  });

  it('given one that is larger than everything it may hold, then the others stay', () => {
    const memory = new ReadingMemory(2_500);
    memory.keepCommit(REPOSITORY, BASE, holding('x'));
    memory.keepCommit(REPOSITORY, HEAD, holding('y'.repeat(5_000)));
    expect(memory.commit(REPOSITORY, HEAD)).toBeNull();
    expect(memory.commit(REPOSITORY, BASE)).not.toBeNull();
  });
});
