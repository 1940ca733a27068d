import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { git } from '../../../../../test/support/git-server/bare-repository.ts';
import { pointerTo } from '../../../../../test/support/git-server/private-forge.ts';
import { bubblewrapPath } from '../../../../../test/support/infra/index.ts';
import { delta } from '../../program.ts';
import { recorded } from '../../recorded-surroundings.fixture.ts';

const CONTENT = 'kept elsewhere';
const OID = createHash('sha256').update(CONTENT).digest('hex');
const JOBS = `version: 1
source: { submodules: true, lfs: true }
jobs:
  whole: { steps: ['git submodule status | grep -q "^ "', 'test "$(cat vendor/lib/lib.txt)" = lib && test "$(cat model.bin)" = "${CONTENT}"'] }
  modules: { steps: ['test "$(cat vendor/lib/lib.txt)" = lib && grep -q version model.bin'], source: { submodules: true } }
  bare: { steps: ['test ! -e vendor/lib/lib.txt && grep -q version model.bin'], source: {} }
`;

let place: string;
let shop: string;
let environment: Record<string, string | undefined>;
const object = (): string => join(shop, '.git', 'lfs', 'objects', OID.slice(0, 2), OID.slice(2, 4), OID);

beforeAll(async () => {
  place = await mkdtemp(join(tmpdir(), 'delta-local-source-'));
  environment = {
    PATH: process.env['PATH'],
    HOME: place,
    DELTA_CACHE_HOME: join(place, 'cache'),
    DELTA_BWRAP: await bubblewrapPath(),
  };
  shop = join(place, 'shop');
  for (const name of ['lib', 'shop']) {
    await mkdir(join(place, name));
    await git(join(place, name), 'init', '--quiet', '--initial-branch=main');
  }
  await writeFile(join(place, 'lib', 'lib.txt'), 'lib');
  await writeFile(join(shop, 'delta.yaml'), JOBS);
  await writeFile(join(shop, '.gitattributes'), '*.bin filter=lfs\n');
  await writeFile(join(shop, 'model.bin'), pointerTo(OID, CONTENT.length));
  await commitAll(join(place, 'lib'));
  await git(shop, '-c', 'protocol.file.allow=always', 'submodule', 'add', '--quiet', join(place, 'lib'), 'vendor/lib');
  await commitAll(shop);
  await mkdir(dirname(object()), { recursive: true });
  await writeFile(object(), CONTENT);
});
afterAll(async () => rm(place, { recursive: true, force: true }));

async function commitAll(directory: string): Promise<void> {
  await git(directory, 'add', '--all');
  await git(directory, 'commit', '--quiet', '--message', 'A change');
}

async function run(): Promise<{ exitCode: number; said: string }> {
  const { surroundings, out, err } = recorded(shop, environment);
  const exitCode = await delta(['run', '--all'], surroundings);
  return { exitCode, said: out() + err() };
}

describe('a local run of jobs that ask for submodules and files of Git LFS', () => {
  it('given both on this machine, then those who ask have them, and others have not', async () => {
    expect(await run()).toMatchObject({ exitCode: 0 });
  });

  it('given an object that is damaged or not there, then it says how to get it for whom, and others run', async () => {
    const refused = { exitCode: 3, said: expect.stringMatching(/whole +\| not judged: .*git lfs fetch/u) };
    await writeFile(object(), 'kept ELSEWHERE');
    expect(await run()).toMatchObject(refused);
    await rm(object());
    const { exitCode, said } = await run();
    expect({ exitCode, said }).toMatchObject(refused);
    expect(said).toMatch(/bare +\| succeeded/u);
    expect(said).toMatch(/modules +\| succeeded/u);
    await writeFile(object(), CONTENT);
  });

  it('given a submodule that is not checked out, then it says how to get it, and the repository around it is not taken', async () => {
    await git(shop, 'submodule', 'deinit', '--quiet', '--force', 'vendor/lib');
    const { exitCode, said } = await run();
    expect(exitCode).toBe(3);
    expect(said).toContain('submodule vendor/lib: it is not checked out; get it with: git submodule update');
    expect(said).toMatch(/bare +\| succeeded/u);
  });
});
