import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { lawfulFiles, ringPartners, violations } from './lint-violations.ts';

const workspace = resolve(import.meta.dirname, '../..');

/** Rule names (`plugin(rule)`) that oxlint reported, by file. */
type Findings = ReadonlyMap<string, readonly string[]>;

interface OxlintReport {
  readonly diagnostics: readonly { readonly filename: string; readonly code?: string }[];
}

/** Copies what decides how a file is linted, so that bad files never stand in the workspace itself. */
async function settle(room: string): Promise<void> {
  const copied = ['.oxlintrc.json', 'tools/lint/house-rules.ts', 'tsconfig.base.json', 'tsconfig.check.json'];
  const tsconfigs = ['libs', 'apps', 'tools', 'test'].map((folder) => `${folder}/tsconfig.json`);
  for (const file of [...copied, ...tsconfigs]) await cp(join(workspace, file), join(room, file));
  await mkdir(join(room, 'node_modules'));
  for (const types of ['@types', '@jest']) {
    await symlink(join(workspace, 'node_modules', types), join(room, 'node_modules', types));
  }
}

async function place(room: string, file: { readonly path: string; readonly source: string }): Promise<void> {
  await mkdir(dirname(join(room, file.path)), { recursive: true });
  await writeFile(join(room, file.path), file.source);
}

function oxlint(room: string): Promise<string> {
  const program = join(workspace, 'node_modules/oxlint/bin/oxlint');
  const args = [program, '--type-aware', '--format=json'];
  return new Promise((done) => {
    execFile(process.execPath, args, { cwd: room, maxBuffer: 16 * 1024 * 1024 }, (_failure, stdout) => done(stdout));
  });
}

function findingsOf(report: OxlintReport): Findings {
  const findings = new Map<string, string[]>();
  for (const { filename, code } of report.diagnostics) {
    findings.set(filename, [...(findings.get(filename) ?? []), code ?? 'unnamed']);
  }
  return findings;
}

describe('the lint configuration', () => {
  let room = '';
  let findings: Findings = new Map();

  beforeAll(async () => {
    room = await mkdtemp(join(tmpdir(), 'delta-lint-'));
    await settle(room);
    for (const file of [...violations, ...ringPartners, ...lawfulFiles]) await place(room, file);
    const report: OxlintReport = JSON.parse(await oxlint(room));
    findings = findingsOf(report);
  });

  afterAll(() => rm(room, { recursive: true, force: true }));

  it.each(violations)('holds that $promise: $rule at $path', ({ path, rule }) => {
    expect(findings.get(path) ?? []).toContain(rule);
  });

  it.each(lawfulFiles)('has nothing to say about $path', ({ path }) => {
    expect(findings.get(path) ?? []).toEqual([]);
  });
});
