import { afterAll, describe, expect, it } from '@jest/globals';
import { Git } from './git.ts';
import type { HistoryStep } from './history-walk.ts';
import { openHistory } from './local-repository.ts';
import { errorOf, TemporaryPlaces, TEST_ENVIRONMENT, valueOf, type MadeRepository } from './made-repository.fixture.ts';
import type { RepositoryReader } from './repository-reader.ts';
import { SnapshotReader, type Snapshot, type SnapshotReading } from './snapshot-reader.ts';

const git = new Git({ environment: TEST_ENVIRONMENT });
const places = new TemporaryPlaces();
afterAll(() => places.removeAll());

/** Wants files without an ending too, while there is a file of a certain name. */
const READING: SnapshotReading = {
  wanted: (entries) => {
    const paths = entries.map(({ path }) => path);
    return paths.filter((path) => path.endsWith('.json') || (paths.includes('side.json') && !path.includes('.')));
  },
  kept: (entry, text) => `${entry.type} ${text}`,
};

async function reading<T>(directory: string, use: (reader: RepositoryReader) => Promise<T>): Promise<T> {
  const reader = valueOf(await openHistory(git, directory));
  try {
    return await use(reader);
  } finally {
    await reader.close();
  }
}

async function stepsOf(made: MadeRepository, count: number): Promise<HistoryStep[]> {
  return reading(made.root, async (reader) => {
    const steps: HistoryStep[] = [];
    const head = valueOf(await reader.resolveRef('HEAD'));
    valueOf(await reader.walkFirstParents(head, count, async (step) => void steps.push(step)));
    return steps;
  });
}

/** A history in which files come, go, move, change their kind, and a branch is merged. */
async function aHistory(): Promise<MadeRepository> {
  const made = await places.repository();
  await made.write('a.json', '{}');
  await made.write('b/c.json', '{"long": "enough to be recognised when it moves"}');
  await made.write('b/x', 'x');
  made.commitAll('one');
  await made.write('a.json', '{"a":1}');
  await made.write('a-z/new.json', '[]');
  made.commitAll('two');
  made.git(['checkout', '--quiet', '-b', 'side']);
  await made.write('side.json', 'side');
  made.commitAll('on the side');
  made.git(['checkout', '--quiet', 'main']);
  made.git(['merge', '--quiet', '--no-ff', '--message', 'merged', 'side']);
  made.git(['mv', 'b/c.json', 'a-z/moved.json']);
  await made.write('b/x', 'y');
  made.commitAll('three');
  made.git(['rm', '--quiet', '-r', 'b', 'a.json', 'side.json']);
  await made.write('kept', 'kept');
  await made.write('b.json', Buffer.from([0xff, 0xfe]));
  await made.write('a.json/nested.json', 'a folder where a file was');
  made.commitAll('four');
  made.commitAll('nothing at all');
  return made;
}

describe('walking along first parents', () => {
  it('given a history, then each commit comes with its parent and what changed, the oldest first', async () => {
    const steps = await stepsOf(await aHistory(), 3);
    expect(steps.map(({ commit, parent, changes }) => [commit.subject, parent?.subject, changes.length])).toEqual([
      ['three', 'merged', 2],
      ['four', 'three', 6],
      ['nothing at all', 'four', 0],
    ]);
    expect(steps[0]?.changes[0]).toMatchObject({ status: 'R', oldPath: 'b/c.json', path: 'a-z/moved.json' });
  });

  it('given more commits asked for than there are, then the first has no parent and a merge counts once', async () => {
    const steps = await stepsOf(await aHistory(), 100);
    expect(steps.map(({ commit, parent }) => [commit.subject, parent?.subject ?? null])).toEqual([
      ['one', null],
      ['two', 'one'],
      ['merged', 'two'],
      ['three', 'merged'],
      ['four', 'three'],
      ['nothing at all', 'four'],
    ]);
  });

  it('given more commits than one process is asked for, then none is left out', async () => {
    const made = await places.repository();
    const lines = Array.from({ length: 120 }, (_, at) => {
      const who = `Test <test@example.invalid> ${1_700_000_000 + at} +0000`;
      const text = `change ${at}`;
      return `commit refs/heads/main\ncommitter ${who}\ndata ${text.length}\n${text}\nM 644 inline file-${at % 7}\ndata ${text.length}\n${text}\n`;
    });
    made.git(['fast-import', '--quiet'], lines.join(''));
    const steps = await stepsOf(made, 110);
    expect(steps.map(({ commit }) => commit.subject)).toEqual(
      Array.from({ length: 110 }, (_, at) => `change ${at + 10}`),
    );
    expect(steps.every(({ changes }) => changes.length === 1)).toBe(true);
  });

  it('given a visitor that has seen enough or an abort, then the walk is over', async () => {
    const made = await aHistory();
    await reading(made.gitDir, async (reader) => {
      const head = valueOf(await reader.resolveRef('HEAD'));
      expect(valueOf(await reader.walkFirstParents(head, 9, async () => false))).toBe(1);
      const abort = new AbortController();
      const walked = await reader.walkFirstParents(head, 9, async () => abort.abort(), { signal: abort.signal });
      expect(errorOf(walked)).toBe('git_canceled');
      const few = await reader.walkFirstParents(head, 9, async () => undefined, { maxEntries: 3 });
      expect(errorOf(few)).toBe('too_many_entries');
    });
  });
});

describe('snapshots that are carried along', () => {
  it('given any step of a history, then what is carried equals what is read anew', async () => {
    const made = await aHistory();
    await reading(made.root, async (reader) => {
      const head = valueOf(await reader.resolveRef('HEAD'));
      const [carrying, fresh] = [new SnapshotReader(reader, READING), new SnapshotReader(reader, READING)];
      let before: Snapshot | null = null;
      const visited = await reader.walkFirstParents(head, 100, async ({ commit, changes }) => {
        const next: Snapshot = valueOf(
          before === null ? await carrying.read(commit.id) : await carrying.readNext(before, commit.id, changes),
        );
        expect(next).toEqual(valueOf(await fresh.read(commit.id)));
        before = next;
      });
      expect(valueOf(visited)).toBe(6);
    });
  });

  it('given a difference that does not fit the listing, then the commit is read anew', async () => {
    const made = await aHistory();
    await reading(made.root, async (reader) => {
      const head = valueOf(await reader.resolveRef('HEAD'));
      const snapshots = new SnapshotReader(reader, READING);
      const whole = valueOf(await snapshots.read(head));
      const change = {
        status: 'D' as const,
        path: 'never/there',
        oldBlobId: 'a'.repeat(40),
        newBlobId: null,
        oldMode: '100644',
        newMode: null,
      };
      expect(valueOf(await snapshots.readNext(whole, head, [change]))).toEqual(whole);
    });
  });
});

describe('opening a history', () => {
  it('given no repository, then that is said', async () => {
    expect(errorOf(await openHistory(git, await places.directory()))).toBe('not_a_repository');
    expect(errorOf(await openHistory(git, 'relative'))).toBe('invalid_directory');
  });
});
