import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { extract } from 'tar-stream';
import type { ArtifactRequest } from '@delta-ci/contracts';
import type { CollectedFile, NotCollectedReason } from '@delta-ci/sandbox';
import { SecretMasker } from '@delta-ci/service';
import { KeptArtifacts } from './kept-artifacts.ts';

const LONG = `dist/${'very/'.repeat(40)}deep.js`;
const FILES: Readonly<Record<string, string>> = {
  'dist/a.js': 'a();\n',
  'dist/empty': '',
  'dist/größe/ä b.txt': 'x'.repeat(1_000),
  [LONG]: 'deep',
};

const REQUEST: ArtifactRequest = { type: 'folder', path: 'dist', retentionDays: 3 };

function collectedFile(path: string, text: string, executable = false): CollectedFile {
  const bytes = Buffer.from(text);
  const content = (async function* () {
    yield bytes.subarray(0, 1);
    yield bytes.subarray(1);
  })();
  return { path, sizeBytes: bytes.length, executable, content };
}

interface Kept {
  readonly uploaded: readonly { readonly name: string; readonly bytes: Uint8Array }[];
  readonly leftBehind: readonly string[];
}

async function kept(
  files: Readonly<Record<string, string>>,
  { bytesMax = 1_000_000, refused = [] as readonly NotCollectedReason[] } = {},
): Promise<Kept> {
  const uploaded: { name: string; bytes: Uint8Array }[] = [];
  const leftBehind: string[] = [];
  const gateway = {
    uploadArtifact: async ({ name, bytes }: { readonly name: string; readonly bytes: Uint8Array }) => {
      uploaded.push({ name, bytes });
      return { sizeBytes: bytes.length };
    },
  };
  const say = async (name: string, why: string): Promise<void> => {
    leftBehind.push(`${name}: ${why}`);
  };
  const artifacts = new KeptArtifacts(gateway as never, new SecretMasker([]), say, bytesMax);
  for (const [path, text] of Object.entries(files)) {
    await artifacts.take(REQUEST, collectedFile(path, text, path === 'dist/a.js'));
  }
  const notCollected = refused.map((reason) => ({ path: 'dist/x', reason }));
  await artifacts.collected(REQUEST, { files: 1, totalBytes: 1, notCollected });
  expect(artifacts.list.records.map(({ name, type }) => [name, type])).toEqual(
    uploaded.map(({ name }) => [name, 'file']),
  );
  return { uploaded, leftBehind };
}

describe('a folder as an artifact', () => {
  it('given files of any names, then one archive holds them, and tar takes it apart', async () => {
    const { uploaded, leftBehind } = await kept(FILES);
    expect([uploaded.map(({ name }) => name), leftBehind]).toEqual([['dist.tar'], []]);
    const place = await mkdtemp(join(tmpdir(), 'delta-folder-'));
    try {
      await writeFile(join(place, 'dist.tar'), uploaded[0]?.bytes ?? '');
      execFileSync('tar', ['-xf', 'dist.tar'], { cwd: place, stdio: ['ignore', 'ignore', 'inherit'] });
      for (const [path, text] of Object.entries(FILES)) expect(await readFile(join(place, path), 'utf8')).toBe(text);
      expect((await stat(join(place, 'dist/a.js'))).mode & 0o111).not.toBe(0);
      expect((await stat(join(place, 'dist/empty'))).mode & 0o111).toBe(0);
    } finally {
      await rm(place, { recursive: true });
    }
  });

  it('given the same files, then it is the same archive', async () => {
    const [one, other] = [await kept(FILES), await kept(FILES)];
    expect(one).toEqual(other);
  });

  it.each<[string, Parameters<typeof kept>, string]>([
    ['no file', [{}], 'there is no file in it'],
    ['more than is held', [FILES, { bytesMax: 2_000 }], 'its files are more than 2000 bytes together'],
    ['more than is collected', [FILES, { refused: ['files-cap'] }], 'it is more than is collected (files-cap)'],
  ])('given %s, then it is left behind as a whole, and why is told', async (_what, given, why) => {
    expect(await kept(...given)).toEqual({ uploaded: [], leftBehind: [`dist.tar: ${why}`] });
  });

  it('whatever its files are called, then everything in the archive is an ordinary file under its own name', async () => {
    const odd = ['dist/-rf', 'dist/a\nb', 'dist/..\\up', 'dist/ü.js', `dist/${'x'.repeat(300)}`, 'dist/...'];
    const { uploaded } = await kept(Object.fromEntries(odd.map((name) => [name, 'x'])));
    const entries = extract();
    entries.end(uploaded[0]?.bytes);
    const found: unknown[] = [];
    for await (const entry of entries) {
      const { name, type, linkname, uid, gid } = entry.header;
      found.push([name, type, linkname, uid, gid]);
      entry.resume();
    }
    expect(found).toEqual(odd.map((name) => [name, 'file', null, 0, 0]));
  });

  it('given something in it that is no file, then the rest is kept', async () => {
    expect((await kept(FILES, { refused: ['symlink'] })).uploaded).toHaveLength(1);
  });
});
