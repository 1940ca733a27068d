import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import { existsSync } from 'node:fs';
import { chmod, rename, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { Git } from './git.ts';
import { errorOf, MadeRepository, TemporaryPlaces, TEST_ENVIRONMENT, valueOf } from './made-repository.fixture.ts';
import { encodePath } from './path-bytes.ts';
import { RepositoryReader } from './repository-reader.ts';

const git = new Git({ environment: TEST_ENVIRONMENT });
const places = new TemporaryPlaces();
const readers: RepositoryReader[] = [];

function read(made: MadeRepository): RepositoryReader {
  const reader = new RepositoryReader(git, made.gitDir);
  readers.push(reader);
  return reader;
}

afterEach(async () => {
  await Promise.all(readers.splice(0).map((reader) => reader.close()));
});
afterAll(() => places.removeAll());

const CAPS = { maxBlobBytes: 1_000, maxTotalBytes: 10_000 };

describe('listing a tree', () => {
  it('given files, programs, links and submodules, when listed, then each is of its own kind', async () => {
    const made = await places.repository();
    await made.write('a/plain.txt', 'plain');
    await made.write('run.sh', '#!/bin/sh\n');
    await chmod(join(made.root, 'run.sh'), 0o755);
    await symlink('a/plain.txt', join(made.root, 'link'));
    const target = 'c'.repeat(40);
    made.git(['add', '--all']);
    made.git(['update-index', '--add', '--cacheinfo', `160000,${target},vendor/lib`]);
    made.git(['commit', '--quiet', '--message', 'one']);
    const head = made.git(['rev-parse', 'HEAD']);

    const entries = valueOf(await read(made).listTree(head, { sizes: true }));

    expect(entries.map(({ path, mode, type, sizeBytes }) => [path, mode, type, sizeBytes])).toEqual([
      ['a/plain.txt', '100644', 'file', 5],
      ['link', '120000', 'symlink', 11],
      ['run.sh', '100755', 'executable', 10],
      ['vendor/lib', '160000', 'submodule', undefined],
    ]);
    expect(entries[3]?.blobId).toBe(target);
  });

  it('given names with newlines, quotes, tabs, unicode and bytes that are not UTF-8, when listed, then none is lost', async () => {
    const made = await places.repository();
    const names = [
      'new\nline',
      'tab\there',
      '"quoted"',
      'back\\slash',
      'ünï/日本語',
      ' space ',
      '-dash',
      '\u{10FE80}',
    ].map((name) => Buffer.from(name));
    names.push(Buffer.from([0x63, 0x61, 0x66, 0xe9]), Buffer.from([0xff, 0x2f, 0xfe]));
    for (const name of names) await made.write(name, 'x');
    const head = made.commitAll('names');

    const entries = valueOf(await read(made).listTree(head));

    const bytes = entries.map((entry) => valueOf(encodePath(entry.path)).toString('hex'));
    expect(bytes.toSorted()).toEqual(names.map((name) => name.toString('hex')).toSorted());
    expect(entries.every((entry) => entry.path.isWellFormed() && !entry.path.includes('\0'))).toBe(true);
  });

  it('given more entries than wanted, when listed, then that is refused by name', async () => {
    const made = await places.repository();
    for (const name of ['a', 'b', 'c']) await made.write(name, name);
    const head = made.commitAll('three');
    expect(errorOf(await read(made).listTree(head, { maxEntries: 2 }))).toBe('too_many_entries');
    expect(valueOf(await read(made).listTree(head, { maxEntries: 3 }))).toHaveLength(3);
  });

  it('given an object that is not there, or no id at all, when listed, then the error says which', async () => {
    const made = await places.repository();
    made.commitAll('one');
    expect(errorOf(await read(made).listTree('b'.repeat(40)))).toBe('object_not_found');
    expect(errorOf(await read(made).listTree('HEAD'))).toBe('invalid_commit_id');
    expect(errorOf(await read(made).listTree('--output=/tmp/x'))).toBe('invalid_commit_id');
  });

  it('given a tree whose entry carries a forbidden name, when listed, then it is data like any other', async () => {
    const made = await places.repository();
    const blob = made.git(['hash-object', '-w', '--stdin'], 'x');
    const tree = made.git(['mktree'], `100644 blob ${blob}\t..\n`);
    expect(valueOf(await read(made).listTree(tree)).map((entry) => entry.path)).toEqual(['..']);
  });
});

describe('differences', () => {
  it('given every kind of change, when compared, then each has its status, modes, ids and both places', async () => {
    const made = await places.repository();
    const long = Array.from({ length: 40 }, (_, line) => `line ${line}\n`).join('');
    await made.write('moved-from', long);
    await made.write('edited', 'one');
    await made.write('deleted', 'gone');
    await made.write('mode', 'same');
    await made.write('kind', 'file');
    const base = made.commitAll('base');
    await rename(join(made.root, 'moved-from'), join(made.root, 'moved\nto'));
    await made.write('moved\nto', `${long}more\n`);
    await made.write('edited', 'two');
    await rm(join(made.root, 'deleted'));
    await chmod(join(made.root, 'mode'), 0o755);
    await rm(join(made.root, 'kind'));
    await symlink('edited', join(made.root, 'kind'));
    await made.write('added', 'new');
    const head = made.commitAll('head');

    const changes = valueOf(await read(made).diff(base, head));

    const told = changes.map(({ status, path, oldPath, oldMode, newMode }) => [
      status,
      path,
      oldPath,
      oldMode,
      newMode,
    ]);
    expect(told.toSorted((a, b) => String(a[1]).localeCompare(String(b[1])))).toEqual([
      ['A', 'added', undefined, null, '100644'],
      ['D', 'deleted', undefined, '100644', null],
      ['M', 'edited', undefined, '100644', '100644'],
      ['T', 'kind', undefined, '100644', '120000'],
      ['M', 'mode', undefined, '100644', '100755'],
      ['R', 'moved\nto', 'moved-from', '100644', '100644'],
    ]);
    const renamed = changes.find((change) => change.status === 'R');
    expect(renamed?.similarity).toBeGreaterThan(50);
    expect(changes.find((change) => change.status === 'A')?.oldBlobId).toBeNull();
    expect(changes.find((change) => change.status === 'D')?.newBlobId).toBeNull();
  });

  it('given renames switched off, when compared, then a move is a deletion and an addition', async () => {
    const made = await places.repository();
    await made.write('old', 'content of some length');
    const base = made.commitAll('base');
    await rename(join(made.root, 'old'), join(made.root, 'new'));
    const head = made.commitAll('head');
    const changes = valueOf(await read(made).diff(base, head, { renames: false }));
    expect(changes.map((change) => `${change.status} ${change.path}`)).toEqual(['A new', 'D old']);
  });

  it('given no base, when compared, then everything is an addition; given the same commit, then nothing changed', async () => {
    const made = await places.repository();
    await made.write('a', 'a');
    await made.write('b/c', 'c');
    const head = made.commitAll('root');
    const changes = valueOf(await read(made).diff(null, head));
    expect(changes.map((change) => `${change.status} ${change.path}`)).toEqual(['A a', 'A b/c']);
    expect(valueOf(await read(made).diff(head, head))).toEqual([]);
  });

  it('given a submodule moved on, when compared, then its commits are the ids, whatever the repository configures', async () => {
    const made = await places.repository();
    made.git(['update-index', '--add', '--cacheinfo', `160000,${'c'.repeat(40)},lib`]);
    made.git(['commit', '--quiet', '--message', 'base']);
    const base = made.git(['rev-parse', 'HEAD']);
    made.git(['update-index', '--cacheinfo', `160000,${'d'.repeat(40)},lib`]);
    made.git(['commit', '--quiet', '--message', 'head']);
    made.git(['config', 'diff.ignoreSubmodules', 'all']);
    const [change] = valueOf(await read(made).diff(base, made.git(['rev-parse', 'HEAD'])));
    expect(change).toMatchObject({ status: 'M', path: 'lib', oldBlobId: 'c'.repeat(40), newBlobId: 'd'.repeat(40) });
  });

  it('given more changes than wanted, when compared, then that is refused by name', async () => {
    const made = await places.repository();
    for (const name of ['a', 'b', 'c']) await made.write(name, name);
    const head = made.commitAll('three');
    expect(errorOf(await read(made).diff(null, head, { maxEntries: 2 }))).toBe('too_many_entries');
  });
});

describe('contents', () => {
  it('given blobs within and beyond the caps, a tree and a stranger, when read, then each gets its own answer', async () => {
    const made = await places.repository();
    await made.write('small', 'small');
    await made.write('empty', '');
    await made.write('large', 'x'.repeat(2_000));
    await made.write('binary', Buffer.from([0, 10, 255, 0, 10]));
    const head = made.commitAll('one');
    const reader = read(made);
    const id = (path: string): string => made.git(['rev-parse', `HEAD:${path}`]);
    const ids = [id('small'), id('large'), id('empty'), head, 'e'.repeat(40), id('binary'), id('small')];

    const answers = valueOf(await reader.readBlobs(ids, CAPS));

    expect(answers.map((answer) => answer.kind)).toEqual([
      'content',
      'too_large',
      'content',
      'not_a_blob',
      'missing',
      'content',
      'content',
    ]);
    expect(answers.map((answer) => (answer.kind === 'content' ? answer.content.toString('hex') : ''))).toEqual([
      Buffer.from('small').toString('hex'),
      '',
      '',
      '',
      '',
      '000aff000a',
      Buffer.from('small').toString('hex'),
    ]);
  });

  it('given a total cap, when read, then blobs are taken in order until one does not fit', async () => {
    const made = await places.repository();
    for (const name of ['a', 'b', 'c']) await made.write(name, name.repeat(6));
    made.commitAll('one');
    const ids = ['a', 'b', 'c'].map((name) => made.git(['rev-parse', `HEAD:${name}`]));
    const answers = valueOf(await read(made).readBlobs(ids, { maxBlobBytes: 100, maxTotalBytes: 12 }));
    expect(answers.map((answer) => answer.kind)).toEqual(['content', 'content', 'over_total']);
  });

  it('given many readers at once, when read, then nobody gets the content of another', async () => {
    const made = await places.repository();
    for (let n = 0; n < 30; n += 1) await made.write(`f${n}`, `content ${n}`.repeat(n + 1));
    const head = made.commitAll('many');
    const reader = read(made);
    const entries = valueOf(await reader.listTree(head));
    const all = await Promise.all(entries.map((entry) => reader.readBlobs([entry.blobId], CAPS)));
    entries.forEach((entry, index) => {
      const n = Number(entry.path.slice(1));
      const [answer] = valueOf(all[index]!);
      expect(answer?.kind === 'content' && answer.content.toString()).toBe(`content ${n}`.repeat(n + 1));
    });
  });

  it('given a signal that is aborted, when read, then that is the answer, and the reader still works', async () => {
    const made = await places.repository();
    await made.write('a', 'a');
    made.commitAll('one');
    const reader = read(made);
    const id = made.git(['rev-parse', 'HEAD:a']);
    expect(errorOf(await reader.readBlobs([id], CAPS, { signal: AbortSignal.abort() }))).toBe('git_canceled');
    const [answer] = valueOf(await reader.readBlobs([id], CAPS));
    expect(answer?.kind).toBe('content');
  });
});

describe('history', () => {
  it('given a commit with a hostile message and a signature, when read, then its facts are told', async () => {
    const made = await places.repository();
    const tree = made.git(['mktree'], '');
    const raw =
      `tree ${tree}\nauthor A <b> C <a@example.invalid> 1700000000 +0100\ncommitter <> 99999999999999999 +0000\n` +
      `gpgsig -----BEGIN\n fake\n tree ${'0'.repeat(40)}\n -----END\n\nsubject\u001b[31m\n\nbody\n  indented\n`;
    const id = made.git(['hash-object', '-t', 'commit', '-w', '--literally', '--stdin'], raw);
    const info = valueOf(await read(made).commitInfo(id));
    expect(info).toMatchObject({ id, treeId: tree, parents: [], subject: 'subject\u001b[31m' });
    expect(info.message).toContain('body\n  indented');
    expect(info.author).toEqual({ name: 'A <b> C', email: 'a@example.invalid', timeMs: 1_700_000_000_000 });
    expect(info.committer).toEqual({ name: '', email: '', timeMs: 0 });
  });

  it('given a merge, when asked, then bases, ancestors, parents and the first-parent line are right', async () => {
    const made = await places.repository();
    await made.write('a', '1');
    const root = made.commitAll('root');
    made.git(['checkout', '--quiet', '-b', 'side']);
    await made.write('b', '1');
    const side = made.commitAll('side');
    made.git(['checkout', '--quiet', 'main']);
    await made.write('c', '1');
    const main = made.commitAll('main');
    made.git(['merge', '--quiet', '--no-ff', '--message', 'merge', 'side']);
    const merge = made.git(['rev-parse', 'HEAD']);
    const reader = read(made);
    expect(valueOf(await reader.mergeBase(main, side))).toBe(root);
    // A parent and its child, whichever is named first, of a commit with one parent and of the first one.
    expect(valueOf(await reader.mergeBase(root, side))).toBe(root);
    expect(valueOf(await reader.mergeBase(side, root))).toBe(root);
    expect(valueOf(await reader.isAncestor(side, merge))).toBe(true);
    expect(valueOf(await reader.isAncestor(merge, side))).toBe(false);
    expect(valueOf(await reader.commitInfo(merge)).parents).toEqual([main, side]);
    expect(valueOf(await reader.firstParentLog(merge, 10)).map((info) => info.subject)).toEqual([
      'merge',
      'main',
      'root',
    ]);
    expect(valueOf(await reader.firstParentLog(merge, 2))).toHaveLength(2);
    expect(valueOf(await reader.resolveRef('refs/heads/side'))).toBe(side);
    expect(valueOf(await reader.treeId(merge))).toBe(made.git(['rev-parse', 'HEAD^{tree}']));
  });

  it('given merges of each other, after which no one commit has all that both share, then the first is what counts', async () => {
    const made = await places.repository();
    made.commitAll('root');
    const [one, other] = ['one', 'other'].map((branch) => {
      made.git(['checkout', '--quiet', '-b', branch, 'main']);
      return made.commitAll(branch);
    });
    const merged = [one, other].map((tip) => {
      made.git(['checkout', '--quiet', '--detach', tip!]);
      made.git(['merge', '--quiet', '--no-ff', '--message', `into ${tip}`, tip === one ? 'other' : 'one']);
      return made.git(['rev-parse', 'HEAD']);
    });
    const reader = read(made);
    expect(valueOf(await reader.mergeBase(merged[0]!, merged[1]!))).toBe(merged[0]);
    expect(valueOf(await reader.mergeBase(merged[1]!, merged[0]!))).toBe(merged[1]);
  });

  it('given a shallow clone, where a better common ancestor may lie in what was left out, then the first is what counts', async () => {
    const made = await places.repository();
    await made.write('a', 'old');
    made.commitAll('before');
    const root = made.commitAll('root');
    await made.write('a', 'new');
    const changed = made.commitAll('a is changed');
    const main = made.commitAll('main');
    made.git(['checkout', '--quiet', '-b', 'long', changed]);
    for (const message of ['1', '2', '3']) made.commitAll(message);
    made.git(['checkout', '--quiet', '-b', 'topic', root]);
    const topic = made.commitAll('topic');
    made.git(['merge', '--quiet', '--no-ff', '--no-commit', 'long']);
    await made.write('a', 'old');
    const head = made.commitAll('a is taken back');
    made.git(['branch', '--quiet', '-D', 'long']);
    expect(valueOf(await read(made).mergeBase(main, head))).toBe(changed);
    const shallow = await places.clone(made, '--depth=4', '--no-single-branch');
    const reader = read(shallow);
    expect(valueOf(await reader.isShallow())).toBe(true);
    const base = valueOf(await reader.mergeBase(main, head));
    expect(valueOf(await reader.diff(base, head)).map(({ path }) => path)).toEqual(['a']);
    expect(base).toBe(main);
    // Where nothing was left out on the way it is the common ancestor, as ever.
    expect(valueOf(await reader.mergeBase(main, topic))).toBe(root);
  });

  it('given unrelated or missing commits, when asked, then the refusal has a name', async () => {
    const made = await places.repository();
    const one = made.commitAll('one');
    made.git(['checkout', '--quiet', '--orphan', 'other']);
    await made.write('x', 'x');
    const other = made.commitAll('other');
    const reader = read(made);
    expect(errorOf(await reader.mergeBase(one, other))).toBe('no_merge_base');
    expect(errorOf(await reader.mergeBase(one, 'a'.repeat(40)))).toBe('commit_not_found');
    expect(errorOf(await reader.commitInfo('a'.repeat(40)))).toBe('commit_not_found');
    expect(errorOf(await reader.treeId('a'.repeat(40)))).toBe('commit_not_found');
    expect(errorOf(await reader.resolveRef('refs/heads/none'))).toBe('ref_not_found');
    expect(errorOf(await reader.resolveRef('main'))).toBe('invalid_ref');
    expect(errorOf(await reader.isAncestor('0'.repeat(40), one))).toBe('invalid_commit_id');
  });

  it('given a shallow clone, when history ends early, then it is seen, and a missing base says what to do', async () => {
    const made = await places.repository();
    const first = made.commitAll('first');
    made.commitAll('second');
    made.git(['checkout', '--quiet', '-b', 'side', first]);
    made.commitAll('side');
    const shallow = await places.clone(made, '--depth=1', '--no-single-branch');
    const reader = read(shallow);
    expect(valueOf(await reader.isShallow())).toBe(true);
    const side = shallow.git(['rev-parse', 'origin/side']);
    const main = shallow.git(['rev-parse', 'origin/main']);
    const refused = await reader.mergeBase(side, main);
    expect(errorOf(refused)).toBe('no_merge_base');
    expect(!refused.ok && refused.error.message).toContain('--unshallow');
    const [parent] = valueOf(await reader.commitInfo(main)).parents;
    expect(valueOf(await reader.hasCommit(parent!))).toBe(false);
  });

  it('given a repository hashed with SHA-256, when read, then everything works with its longer ids', async () => {
    const made = await places.repository('--object-format=sha256');
    await made.write('a', 'a');
    const base = made.commitAll('one');
    await made.write('a', 'b');
    const head = made.commitAll('two');
    const reader = read(made);
    expect(head).toHaveLength(64);
    expect(valueOf(await reader.diff(base, head))).toHaveLength(1);
    expect(valueOf(await reader.diff(null, head))).toHaveLength(1);
    const [entry] = valueOf(await reader.listTree(head));
    const [answer] = valueOf(await reader.readBlobs([entry!.blobId], CAPS));
    expect(answer?.kind).toBe('content');
  });
});

describe('a repository whose configuration is hostile', () => {
  it('given programs in its configuration, when read, then none of them runs', async () => {
    const made = await places.repository();
    await made.write('a', 'a');
    await made.write('.gitattributes', '* diff=evil filter=evil\n');
    const base = made.commitAll('one');
    await made.write('a', 'b');
    const head = made.commitAll('two');
    const proof = join(await places.directory(), 'ran');
    const run = `touch ${proof}`;
    for (const name of [
      'core.fsmonitor',
      'core.pager',
      'core.sshCommand',
      'diff.external',
      'diff.evil.command',
      'diff.evil.textconv',
      'filter.evil.smudge',
      'filter.evil.clean',
      'gpg.program',
      'core.alternateRefsCommand',
    ]) {
      made.git(['config', name, run]);
    }
    made.git(['config', 'log.showSignature', 'true']);
    const reader = read(made);
    valueOf(await reader.diff(base, head));
    valueOf(await reader.firstParentLog(head, 10));
    valueOf(await reader.listTree(head, { sizes: true }));
    expect(existsSync(proof)).toBe(false);
  });

  it('given a promised object that has to be fetched, when it is missing, then nothing is fetched', async () => {
    const source = await places.repository();
    source.git(['config', 'uploadpack.allowFilter', 'true']);
    await source.write('a', 'a');
    const head = source.commitAll('one');
    const blob = source.git(['rev-parse', 'HEAD:a']);
    const partial = await places.clone(source, '--filter=blob:none', '--no-checkout');
    expect(errorOf(await read(partial).readBlobs([blob], CAPS))).toBe('object_not_found');
    expect(valueOf(await read(partial).listTree(head))).toHaveLength(1);
  });
});
