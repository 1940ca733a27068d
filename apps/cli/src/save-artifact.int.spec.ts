import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { refuseUnsafe, saveArtifact } from './save-artifact.ts';

describe('an artifact that is saved', () => {
  let directory = '';
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'delta-artifact-'));
  });
  afterEach(async () => rm(directory, { recursive: true, force: true }));

  const digestOf = (text: string): string => `sha256:${createHash('sha256').update(text).digest('hex')}`;
  async function* pieces(...texts: readonly string[]): AsyncGenerator<Uint8Array> {
    for (const text of texts) yield Promise.resolve(Buffer.from(text));
  }
  const artifact = (name: string, text: string) => ({ name, digest: digestOf(text), sizeBytes: text.length });
  const save = async (name: string, recorded: string, given: readonly string[] = [recorded], force = false) =>
    saveArtifact(artifact(name, recorded), pieces(...given), { directory: join(directory, 'out'), force });
  const files = async (): Promise<string[]> => {
    const names: string[] = await readdir(join(directory, 'out'), { recursive: true }).catch(() => []);
    return names.sort();
  };

  it('has its bytes under its name, with folders made on the way', async () => {
    expect(await save('reports/unit.xml', 'all fine', ['all ', 'fine'])).toBe(join(directory, 'out/reports/unit.xml'));
    expect(await readFile(join(directory, 'out/reports/unit.xml'), 'utf8')).toBe('all fine');
    expect(await files()).toEqual(['reports', 'reports/unit.xml']);
  });

  it.each([
    ['another digest', ['all bad!']],
    ['too few bytes', ['all']],
    ['too many bytes', ['all fine', ' and more']],
  ])('with %s is not there at all', async (_, given) => {
    await expect(save('unit.xml', 'all fine', given)).rejects.toMatchObject({ code: 'artifact_unfit' });
    expect(await files()).toEqual([]);
  });

  it('does not take the place of a file, unless that is said; what does not fit never does', async () => {
    await save('unit.xml', 'first');
    await expect(save('unit.xml', 'second')).rejects.toMatchObject({ code: 'file_unwritable' });
    await expect(save('unit.xml', 'second', ['other'], true)).rejects.toMatchObject({ code: 'artifact_unfit' });
    expect(await readFile(join(directory, 'out/unit.xml'), 'utf8')).toBe('first');
    await save('unit.xml', 'second', ['second'], true);
    expect(await readFile(join(directory, 'out/unit.xml'), 'utf8')).toBe('second');
    expect(await files()).toEqual(['unit.xml']);
  });

  it.each(['../evil', '/etc/evil', 'a/../../evil', '.git/config', 'C:\\evil', 'a\\..\\evil', ''])(
    'with the name %j is refused',
    async (name) => {
      await expect(save(name, 'x')).rejects.toMatchObject({ code: 'artifact_unfit' });
    },
  );

  it.each(['HEAD', 'reports/head', 'a\\HEAD'])('with the name %j is refused, whatever the directory', async (name) => {
    const refusal = refuseUnsafe(['unit.xml', name, 'refs/x'], join(directory, 'out'));
    await expect(refusal).rejects.toMatchObject({ code: 'artifact_unsafe' });
  });

  it.each(['.bash_profile', '.config/x'])('with the name %j is for a directory that is new or empty', async (name) => {
    const names = ['unit.xml', name];
    await refuseUnsafe(names, join(directory, 'out'));
    await mkdir(join(directory, 'out'));
    await refuseUnsafe(names, join(directory, 'out'));
    await writeFile(join(directory, 'out', 'mine'), '');
    await expect(refuseUnsafe(names, join(directory, 'out'))).rejects.toMatchObject({ code: 'artifact_unsafe' });
  });

  it.each(['unit.xml', 'HEAD/unit.xml', 'overhead', 'a/.nyc/out.json', 'config'])(
    'with the name %j may lie anywhere',
    async (name) => {
      await writeFile(join(directory, 'mine'), '');
      await expect(refuseUnsafe([name], directory)).resolves.toBeUndefined();
    },
  );

  it('does not leave the directory by a link that is there', async () => {
    await mkdir(join(directory, 'out'));
    await mkdir(join(directory, 'elsewhere'));
    await symlink(join(directory, 'elsewhere'), join(directory, 'out', 'reports'));
    await expect(save('reports/unit.xml', 'x')).rejects.toMatchObject({ code: 'file_unwritable' });
    expect(await readdir(join(directory, 'elsewhere'))).toEqual([]);
    await writeFile(join(directory, 'kept'), 'mine');
    await symlink(join(directory, 'kept'), join(directory, 'out', 'unit.xml'));
    await save('unit.xml', 'x', ['x'], true);
    expect(await readFile(join(directory, 'kept'), 'utf8')).toBe('mine');
  });
});
