import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { SourceRequest } from '@delta-ci/contracts';
import { git, GIT_ENV } from '../../../../test/support/git-server/bare-repository.ts';
import { makeBareRepository, makeHistory } from '../../../../test/support/git-server/made-history.ts';
import { checkoutScript } from './checkout.ts';

const OID = 'ab'.repeat(32);

let place: string;
let source: string;
let outside: string;
let workspace: string;
let commit: string;
let tree: string;

beforeAll(async () => {
  place = await mkdtemp(join(tmpdir(), 'delta-beside-'));
  source = join(place, 'source.git');
  outside = join(place, 'outside');
  await mkdir(join(source, 'lfs'), { recursive: true });
  await mkdir(outside);
  await makeBareRepository(source);
  const link = { link: outside };
  const tested = { 'model.bin': 'pointer\n', 'a link': link, 'file link': { link: join(outside, 'file.txt') } };
  [commit = ''] = await makeHistory(source, [{ tree: tested }]);
  tree = await git(source, 'rev-parse', `${commit}^{tree}`);
  await writeFile(join(source, 'lfs', OID), 'content');
});
afterAll(async () => rm(place, { recursive: true, force: true }));

beforeEach(async () => {
  workspace = await mkdtemp(join(place, 'workspace-'));
  await writeFile(join(outside, 'file.txt'), 'untouched');
  for (const list of ['submodules', 'lfs-files']) await rm(join(source, list), { force: true });
});

/** What the script prints; rejects when it fails. */
async function checkOut(request: SourceRequest, lists: Readonly<Record<string, string>>): Promise<string> {
  for (const [name, text] of Object.entries(lists)) await writeFile(join(source, name), text);
  const script = checkoutScript(source, { commit, tree }, request);
  const { stdout } = await promisify(execFile)('/bin/sh', ['-e', '-c', script], { cwd: workspace, env: GIT_ENV });
  return stdout;
}

describe('what lies beside the commit’s own files', () => {
  it('given a file of Git LFS and a submodule, then they lie in place', async () => {
    await makeBareRepository(join(source, 'modules', '1.git'));
    const [inner = ''] = await makeHistory(join(source, 'modules', '1.git'), [{ tree: { 'a.txt': 'inner\n' } }]);
    await mkdir(join(workspace, 'lib'));
    const lists = { 'lfs-files': `${OID} model.bin\n`, submodules: `1 ${inner} modules/1.git lib\n2 ${inner} x y\n` };
    await writeFile(join(source, 'modules', '1.git', 'lfs-files'), '');
    await checkOut({ submodules: 'direct', lfs: true }, lists);
    expect(await readFile(join(workspace, 'model.bin'), 'utf8')).toBe('content');
    expect(await readFile(join(workspace, 'lib', 'a.txt'), 'utf8')).toBe('inner\n');
  });

  it.each<[string, SourceRequest, Readonly<Record<string, string>>, RegExp]>([
    [
      'a submodule behind a link',
      { submodules: 'direct' },
      { submodules: `1 ${'1'.repeat(40)} modules/1.git a link\n` },
      /a link is reached by a link/u,
    ],
    ['a file that is a link', { lfs: true }, { 'lfs-files': `${OID} file link\n` }, /file link is no file/u],
    ['a file that is not there', { lfs: true }, { 'lfs-files': `${OID} gone.bin\n` }, /gone\.bin is no file/u],
    ['an object that did not come', { lfs: true }, { 'lfs-files': `${'0'.repeat(64)} model.bin\n` }, /No such file/u],
    ['no list of submodules', { submodules: 'recursive' }, {}, /submodules/u],
    ['no list of files', { lfs: true }, {}, /lfs-files/u],
  ])('given %s, then the checkout fails, and nothing outside is touched', async (_what, request, lists, words) => {
    await expect(checkOut(request, lists)).rejects.toThrow(words);
    expect(await readFile(join(outside, 'file.txt'), 'utf8')).toBe('untouched');
  });
});
