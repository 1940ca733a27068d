import { execFile, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Checkpoint, RunId } from '@delta-ci/contracts';
import { TrustedKeys } from '../checkpoints/checkpoint-keys.ts';
import { freshLog, type FreshLog } from '../testing/fresh-log.fixture.ts';
import { simpleRun } from '../testing/run-story.fixture.ts';
import { signLog, testKey, type TestKey } from '../testing/signer.fixture.ts';
import { databaseAuditSource } from './audit-source.ts';
import { BUNDLE_PROCEDURE } from './bundle-procedure.ts';
import { checkBundle } from './check-bundle.ts';
import { collectRunBundle } from './collect-run-bundle.ts';
import { bundleText, parseBundle, type RunBundle } from './run-bundle.ts';

const DOCUMENT = resolve(import.meta.dirname, '../../../../docs/audit.md');

/** Two keys, as after a rotation, and two runs whose commands take turns, with a checkpoint in the middle. */
let log: FreshLog;
let before: TestKey;
let after: TestKey;
let trusted: TrustedKeys;
const [watched, other, late] = ['watched', 'other', 'late'].map(simpleRun) as [Story, Story, Story];
type Story = ReturnType<typeof simpleRun>;
let kept: Checkpoint[];

beforeAll(async () => {
  log = await freshLog();
  before = testKey();
  after = testKey();
  trusted = new TrustedKeys([before.key.publicKey, after.key.publicKey]);
  const writer = log.writer();
  for (const [index, submission] of watched.submissions.entries()) {
    await writer.submit(submission);
    const foreign = other.submissions[index];
    if (foreign !== undefined) await writer.submit(foreign);
    if (index === 1) kept = [await signLog(log.orchestrator, writer, before.key)];
  }
  kept.push(await signLog(log.orchestrator, writer, after.key));
  for (const submission of late.submissions) await writer.submit(submission);
});
afterAll(() => log.drop());

const collect = (runId: RunId, keys = trusted) => collectRunBundle(databaseAuditSource(log.reader), runId, keys);

async function bundleOf(runId: RunId): Promise<RunBundle> {
  const collected = await collect(runId);
  if (collected.kind !== 'collected') throw new Error(collected.kind);
  return collected.bundle;
}

describe('the bundle of a run', () => {
  it('proves every record of the run, and shows no text of another', async () => {
    const bundle = await bundleOf(watched.runId);
    const { finding, records, ended, checkpoints } = checkBundle(bundle, trusted);
    expect([finding, ended]).toEqual([null, true]);
    expect(records.map(({ type }) => type)).toEqual(expect.arrayContaining(['run.created', 'run.finished']));
    expect(records).toHaveLength(11);
    expect(checkpoints).toEqual(kept);
    expect([...bundle.keys.keys()]).toEqual([before.key.keyId, after.key.keyId]);
    expect(bundleText(bundle)).not.toContain(other.runId);
  });

  it('is read back from its text as it was', async () => {
    const bundle = await bundleOf(watched.runId);
    expect(parseBundle(bundleText(bundle))).toEqual(bundle);
  });

  it('is not made of a run nobody knows, nor before everything of it is signed', async () => {
    expect(await collect(`run_${'0'.repeat(32)}`)).toEqual({ kind: 'no-such-run' });
    expect(await collect(late.runId)).toMatchObject({ kind: 'not-signed-yet' });
    // A checkpoint of a key nobody trusts covers nothing.
    expect(await collect(watched.runId, before.trusted)).toMatchObject({ kind: 'not-signed-yet' });
  });

  it.each<[string, (text: string) => string, RegExp]>([
    ['a changed record', (text) => text.replace('"outcome":"succeeded"', '"outcome":"failed"'), /another hash/],
    ['a record left out', (text) => text.replace(/^\{.*"lease\.granted".*\n/m, ''), /another hash/],
    ['a record put in', (text) => text.replace(/^(\{.*\n)/m, '$1$1'), /another hash/],
    ['another beginning', (text) => text.replace(/(\[1\.before\]\n)./, '$1x'), /another hash/],
    [
      'a changed position',
      (text) => text.replace(/^position (\d)/m, 'position 9$1'),
      /signature that is not of its key/,
    ],
    ['a changed time', (text) => text.replace(/^time 20\d\d/m, 'time 1999'), /signature that is not of its key/],
    ['another signature', (text) => text.replace(/(\[2\.signature\]\n)[^\n]{4}/, '$1AAAA'), /not of its key/],
  ])('with %s proves nothing', async (_what, change, problem) => {
    const text = bundleText(await bundleOf(watched.runId));
    expect(change(text)).not.toBe(text);
    const changed = parseBundle(change(text));
    if (typeof changed === 'string') throw new Error(changed);
    expect(checkBundle(changed, trusted).finding?.problem).toMatch(problem);
  });

  it('proves nothing to somebody who trusts another key', async () => {
    const { finding } = checkBundle(await bundleOf(watched.runId), testKey().trusted);
    expect(finding?.problem).toMatch(/key that is not trusted/);
  });

  it('without the first stretch does not count its versions from 1', async () => {
    const bundle = await bundleOf(watched.runId);
    const { finding } = checkBundle({ ...bundle, segments: bundle.segments.slice(1) }, trusted);
    expect(finding?.problem).toMatch(/^version \d+ of the run follows version 0$/);
  });

  it('without its last stretch, or with a hash in place of its last records, does not hold the end of the run', async () => {
    const bundle = await bundleOf(watched.runId);
    const cut = { ...bundle, segments: bundle.segments.slice(0, 1) };
    const text = bundleText(bundle);
    const hidden = parseBundle(
      text.replaceAll(/^\{.*"type":"run\.finished".*$/gm, (line) => createHash('sha256').update(line).digest('hex')),
    );
    if (typeof hidden === 'string') throw new Error(hidden);
    for (const shorter of [cut, hidden]) expect(checkBundle(shorter, trusted)).toMatchObject({ ended: false });
  });

  it('of another run under this run’s name proves nothing', async () => {
    const { finding } = checkBundle({ ...(await bundleOf(watched.runId)), runId: other.runId }, trusted);
    expect(finding?.problem).toBe('the record is not of this run');
  });

  it.each([
    ['', 'this is no audit bundle: it does not say which run it is of'],
    ['[run]\nnone', 'this is no audit bundle: it does not say which run it is of'],
    [`[run]\nrun_${'1'.repeat(32)}`, 'the bundle holds no checkpoint'],
    [`[run]\nrun_${'1'.repeat(32)}\n[1.checkpoint]\nx`, 'section 1 of the bundle is incomplete'],
    [`[run]\nrun_${'1'.repeat(32)}\n[run]\nx`, 'the bundle holds the section run twice'],
  ])('is refused by name when it is none: %j', (text, problem) => {
    expect(parseBundle(text)).toBe(problem);
  });
});

/** What the procedure needs that not every host has: macOS calls it shasum, and its openssl is another. */
const MISSING = ['sha256sum', 'openssl', 'awk'].filter(
  (program) => spawnSync(program, ['--version']).error !== undefined,
);

const describeOnThisHost = MISSING.length === 0 ? describe : describe.skip;

describeOnThisHost('the procedure by hand', () => {
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'delta-by-hand-'));
  });
  afterAll(() => rm(directory, { recursive: true, force: true }));

  /** Runs the lines that the page shows, as an auditor would. */
  async function byHand(text: string): Promise<{ code: number; output: string }> {
    const page = await readFile(DOCUMENT, 'utf8');
    const shown = /```sh\n(.*?)\n```/s.exec(page)?.[1] ?? '';
    const cwd = await mkdtemp(join(directory, 'empty-'));
    const path = join(directory, 'run.bundle');
    await writeFile(path, text);
    const env = { PATH: process.env['PATH'] ?? '', BUNDLE: path };
    return promisify(execFile)('sh', ['-c', shown], { cwd, env }).then(
      ({ stdout }) => ({ code: 0, output: stdout }),
      (error: { code: number; stdout: string; stderr: string }) => ({
        code: error.code,
        output: error.stdout + error.stderr,
      }),
    );
  }

  it('is the one that every bundle begins with', async () => {
    expect(await readFile(DOCUMENT, 'utf8')).toContain(`\`\`\`sh\n${BUNDLE_PROCEDURE}\n\`\`\``);
    const head = bundleText(await bundleOf(watched.runId)).replaceAll(/^# ?/gm, '');
    expect(head).toContain(BUNDLE_PROCEDURE);
  });

  it('finds a bundle good that is', async () => {
    const { code, output } = await byHand(bundleText(await bundleOf(watched.runId)));
    expect(output.match(/Signature Verified Successfully/g)).toHaveLength(2);
    for (const { hash, keyId } of kept)
      expect([output, output]).toEqual([expect.stringContaining(`hash ${hash}`), expect.stringContaining(keyId)]);
    expect(code).toBe(0);
  });

  it.each<[string, (text: string) => string, RegExp]>([
    [
      'a changed record',
      (text) => text.replace('"outcome":"succeeded"', '"outcome":"failed"'),
      /chain is not what was signed/,
    ],
    ['a record left out', (text) => text.replace(/^\{.*"lease\.granted".*\n/m, ''), /chain is not what was signed/],
    [
      'another hash in the checkpoint',
      (text) => text.replace(/^hash (.)/m, (_, first) => `hash ${first === '0' ? 1 : 0}`),
      /Signature Verification Failure/i,
    ],
    [
      'another signature',
      (text) => text.replace(/(\[1\.signature\]\n)[^\n]{4}/, '$1AAAA'),
      /Signature Verification Failure/i,
    ],
  ])('stops at %s', async (_what, change, complaint) => {
    const text = bundleText(await bundleOf(watched.runId));
    expect(change(text)).not.toBe(text);
    const { code, output } = await byHand(change(text));
    expect(code).toBe(1);
    expect(output).toMatch(complaint);
  });

  it('stops at a key that has not the digest it is named by', async () => {
    const bundle = await bundleOf(watched.runId);
    const forged = bundleText({
      ...bundle,
      keys: new Map([...bundle.keys].map(([id]) => [id, testKey().key.publicKey])),
    });
    expect((await byHand(forged)).code).toBe(1);
  });
});
