import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import { Git, isObjectId, openHistory, type RepositoryReader } from '@delta-ci/git';
import { createProgress, openCache, reasonOf, SetupProblem, showUsage } from '../bootstrap/index.mjs';
import { parseOracleArguments, USAGE, type OracleArguments } from './arguments.ts';
import { askHistory, valueOf } from './ask-history.ts';
import { NOT_ASKED, ORACLES } from './oracles/known-oracles.ts';
import type { Oracle } from './oracles/oracle.ts';
import { exitCodeOf, reportPage, reportText, type Asked, type OracleReport } from './report.ts';
import { withSandboxPlace, SandboxedClone, type SandboxPlace } from './sandboxed-clone.ts';
import { toolFor } from './toolbox.ts';

const parsed = parseOracleArguments(
  process.argv.slice(2),
  ORACLES.map(({ name }) => name),
  NOT_ASKED,
);
switch (parsed.kind) {
  case 'usage':
    process.exitCode = showUsage(USAGE, parsed.problem);
    break;
  case 'list':
    for (const { name, asks } of ORACLES) process.stdout.write(`${name}: ${asks}\n`);
    for (const [name, reason] of Object.entries(NOT_ASKED)) process.stdout.write(`${name}: not asked: ${reason}\n`);
    break;
  case 'ask':
    process.exitCode = await ask(parsed.order).catch(complain);
    break;
}

/** What all oracles of one call are asked about, and with. */
interface Occasion {
  readonly reader: RepositoryReader;
  readonly head: string;
  readonly last: number;
  readonly place: SandboxPlace;
  readonly cacheDir: string;
  readonly signal: AbortSignal;
}

async function ask(order: OracleArguments): Promise<number> {
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
  try {
    if (order.report !== null) refuseToOverwrite(order.report);
    const report = await reportOn(order, stop.signal);
    process.stdout.write(order.json ? `${JSON.stringify(report, null, 2)}\n` : reportText(report));
    if (order.report !== null) await writeFile(resolve(order.report), reportPage(report), { flag: 'wx' });
    return exitCodeOf(report);
  } catch (error) {
    if (stop.signal.aborted) return 130;
    throw error;
  }
}

/** Said before hours of work, not after them. */
function refuseToOverwrite(file: string): void {
  if (existsSync(file)) throw new SetupProblem(`${file} is there already`, 'name another file for --report');
}

async function reportOn({ repo, ref, last, oracles }: OracleArguments, signal: AbortSignal): Promise<OracleReport> {
  const directory = resolve(repo);
  const reader = valueOf(await openHistory(new Git({ environment: process.env }), directory));
  try {
    const head = await headOf(reader, ref);
    const cacheDir = await openCache({ repoRoot: resolve(import.meta.dirname, '../..') });
    const chosen =
      oracles === null ? await knowing(reader, head) : ORACLES.filter(({ name }) => oracles.includes(name));
    const asked = await withSandboxPlace(cacheDir, async (place) => {
      const answers: Asked[] = [];
      for (const oracle of chosen) answers.push(await askOne(oracle, { reader, head, last, place, cacheDir, signal }));
      return answers;
    });
    return { repository: nameOf(directory), head, asked };
  } finally {
    await reader.close();
  }
}

/** Oracles that can be asked about the newest commit. */
async function knowing(reader: RepositoryReader, head: string): Promise<Oracle[]> {
  const paths = valueOf(await reader.listTree(head)).map(({ path }) => path);
  return ORACLES.filter(({ lacks }) => lacks(paths) === null);
}

async function askOne(oracle: Oracle, occasion: Occasion): Promise<Asked> {
  const { reader, head, last, place, cacheDir, signal } = occasion;
  return createProgress().step(oracle.name, async (say) => {
    const skipped = (reason: string): Asked => {
      say(`not asked: ${reason}`);
      return { oracle: oracle.name, tally: null, skipped: reason };
    };
    const found = await toolFor(oracle.program, { cacheDir, say });
    if (!found.ok) return skipped(found.reason);
    const opened = await SandboxedClone.open(place, reader.gitDir, found.tool, signal);
    if (!opened.ok) return skipped(opened.reason);
    try {
      const tally = await askHistory({ reader, head, last, oracle, clone: opened.clone }, signal, ({ commits }) =>
        say(`${commits} of at most ${last} commits`),
      );
      return { oracle: oracle.name, tally, skipped: null };
    } finally {
      await opened.clone.close();
    }
  });
}

/** A full name, or a short one of a branch, a remote's branch or a tag, in this order; or a full commit id. */
async function headOf(reader: RepositoryReader, name: string | null): Promise<string> {
  if (name === null) return valueOf(await reader.resolveRef('HEAD'));
  if (isObjectId(name)) return name;
  const prefixes = name === 'HEAD' || name.startsWith('refs/') ? [''] : ['refs/heads/', 'refs/remotes/', 'refs/tags/'];
  for (const prefix of prefixes) {
    const found = await reader.resolveRef(`${prefix}${name}`);
    if (found.ok) return found.value;
  }
  throw new Error(`"${name}" names no branch, tag or commit of the repository`);
}

/** What people call a repository: its folder, or the one above a bare `.git` or `repo`. */
function nameOf(directory: string): string {
  const name = basename(directory);
  return name === '.git' ? basename(dirname(directory)) : name;
}

function complain(error: unknown): number {
  process.stderr.write(`delta: ${reasonOf(error)}\n`);
  return 2;
}
