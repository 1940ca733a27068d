import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { CollectedFile } from '@delta-ci/sandbox';
import { SecretMasker } from '@delta-ci/service';
import { JobOutput } from './job-output.ts';
import { LocalArtifacts } from './local-artifacts.ts';

const request = (type: 'junit' | 'file', path = '**') => ({ type, path, retentionDays: 1 }) as const;

const file = (path: string, text: string): CollectedFile => ({
  path,
  sizeBytes: Buffer.byteLength(text),
  executable: false,
  content: (async function* () {
    yield Buffer.from(text);
  })(),
});

describe('what a job of a local run leaves', () => {
  let place = '';
  let said = '';
  beforeEach(async () => {
    place = await mkdtemp(join(tmpdir(), 'delta-left-'));
    said = '';
  });
  afterEach(async () => rm(place, { recursive: true, force: true }));

  const output = (...secrets: readonly string[]): JobOutput =>
    new JobOutput(new SecretMasker(secrets), (chunk) => void (said += Buffer.from(chunk).toString()));

  it('given a directory, then it is there, and a report is read as well, whatever other pattern has matched it before', async () => {
    const artifacts = new LocalArtifacts(join(place, 'unit'), output());
    await artifacts.take(request('file'), file('reports/unit.xml', '<a/>'));
    await artifacts.take(request('junit'), file('reports/unit.xml', '<a/>'));
    expect(await readFile(join(place, 'unit/reports/unit.xml'), 'utf8')).toBe('<a/>');
    expect(artifacts.junit).toEqual(['<a/>']);
    expect(artifacts.found).toEqual([{ name: 'reports/unit.xml', type: 'file', sizeBytes: 4 }]);
    expect(said).toBe('');
  });

  it('given none, then it is told of, and reports are read', async () => {
    const artifacts = new LocalArtifacts(null, output());
    await artifacts.take(request('file'), file('app.js', 'x'));
    await artifacts.take(request('junit'), file('unit.xml', '<a/>'));
    expect(artifacts.found.map(({ name }) => name)).toEqual(['app.js', 'unit.xml']);
    expect(artifacts.junit).toEqual(['<a/>']);
  });

  it.each([
    ['a secret in it', 'app.js', 'so swordfish-42 it is', 'a secret of the job is in it'],
    ['a secret in its name', 'swordfish-42.js', 'x', 'a secret of the job is in its name'],
    ['a name that git obeys', 'sub/HEAD', 'ref: x', 'to git it would make its directory a repository'],
    ['a name that leads out', '../out.js', 'x', 'no name that stays below a directory'],
  ])('given %s, then it is left behind, and why is told', async (_what, name, text, why) => {
    const artifacts = new LocalArtifacts(join(place, 'unit'), output('swordfish-42'));
    await artifacts.take(request('file'), file(name, text));
    expect(said).toContain(`was left behind: `);
    expect(said).toContain(why);
    expect(said).not.toContain('swordfish-42');
    expect([artifacts.found, await readdir(place)]).toEqual([[], []]);
  });

  it('given a secret in a name, then it is told of nowhere, also where nothing is kept', async () => {
    const artifacts = new LocalArtifacts(null, output('swordfish-42'));
    await artifacts.take(request('file'), file('swordfish-42.js', 'x'));
    expect(artifacts.found).toEqual([]);
    expect(said).toBe('[delta] artifact ***.js was left behind: a secret of the job is in its name\n');
  });

  it('given a report that two patterns match, then it is read once', async () => {
    const artifacts = new LocalArtifacts(null, output());
    for (const path of ['**/*.xml', 'unit.xml']) await artifacts.take(request('junit', path), file('unit.xml', '<a/>'));
    expect([artifacts.junit, artifacts.found.length]).toEqual([['<a/>'], 1]);
  });

  it('given patterns that nothing matched, then these alone are told', () => {
    const artifacts = new LocalArtifacts(null, output());
    artifacts.collected(request('file', 'nothing/*'), { files: 0, totalBytes: 0, notCollected: [] });
    artifacts.collected(request('file', 'links/*'), {
      files: 0,
      totalBytes: 0,
      notCollected: [{ path: 'links/a', reason: 'symlink' }],
    });
    artifacts.collected(request('file', 'dist/*'), { files: 1, totalBytes: 1, notCollected: [] });
    expect(artifacts.unmatched).toEqual(['nothing/*']);
  });
});
