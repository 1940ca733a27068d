import { posix } from 'node:path';
import { SOURCE_LAYOUT, type CacheContent } from '@delta-ci/contracts';
import type { OutputSink, Sandbox, StepOutcome } from '../sandbox-executor.ts';

/**
 * Caches are packed and unpacked by the `tar` of the host's system, inside the sandbox and as the job's user: whatever an archive
 * holds, it is written where the job could have written it.
 */

/** Where paths of a cache begin, and those that begin there, relative to it. */
export interface CachePlace {
  readonly root: keyof CacheContent;
  readonly paths: readonly string[];
}

/**
 * The paths of a cache as the plan has them (`~/` for the job's home), by where they begin. A whole home or workspace is left out:
 * the one is no cache of anything, and the other is what was checked out.
 */
export function cachePlaces(paths: readonly string[]): CachePlace[] {
  const home = plain(paths.filter((path) => path.startsWith('~/')).map((path) => path.slice(2)));
  const workspace = plain(paths.filter((path) => !path.startsWith('~/')));
  const places: CachePlace[] = [
    { root: 'home', paths: home },
    { root: 'workspace', paths: workspace },
  ];
  return places.filter((place) => place.paths.length > 0);
}

const plain = (paths: readonly string[]): string[] =>
  paths.map((path) => posix.normalize(path).replace(/\/+$/, '')).filter((path) => !['', '.', '~'].includes(path));

/** What a step of ours may take: its time, and what ends it sooner. */
export interface CacheStep {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** `nothing`: there is nothing at any of the paths. */
export type CacheStepEnd =
  | { readonly kind: 'done' }
  | { readonly kind: 'nothing' }
  | { readonly kind: 'timed_out' }
  | { readonly kind: 'failed'; readonly why: string };

/** What the script ends with when nothing is there: no command of it ends so by itself. */
const NOTHING_EXIT = 65;

/** Our place in a root while something is unpacked. */
const ASIDE = './.delta-cache';

/** Words of `tar` would be taken for the archive. */
const PACK = [
  'cd -- "$1"; shift',
  'for path do shift; if [ -e "./$path" ] || [ -L "./$path" ]; then set -- "$@" "./$path"; fi; done',
  `if [ "$#" = 0 ]; then exit ${NOTHING_EXIT}; fi`,
  'exec tar -cf - --exclude ./.git -- "$@" 2> /dev/null',
].join('\n');

/**
 * Aside first, and then each path to its place: what is broken off leaves nothing, and nothing comes to another place than the
 * plan names. What was checked out stays as it is: it is what was planned to be tested.
 */
const UNPACK = [
  'cd -- "$1"; archive=$2; shift 2',
  `mkdir ${ASIDE}`,
  `tar -xof "$archive" -C ${ASIDE}`,
  'for path do',
  `  new=${ASIDE}/$path`,
  '  if [ ! -e "$new" ] && [ ! -L "$new" ]; then continue; fi',
  '  if [ -e "./$path" ] || [ -L "./$path" ]; then',
  '    if [ -L "./$path" ] || [ ! -d "./$path" ] || [ -L "$new" ] || [ ! -d "$new" ]; then continue; fi',
  '    cp -Rp "./$path/." "$new/"; rm -rf "./$path"',
  '  fi',
  '  mkdir -p "./$(dirname "$path")"; mv "$new" "./$path"',
  'done',
].join('\n');

const CLEAR = `cd -- "$1"; if [ -e ${ASIDE} ]; then chmod -R u+rwx ${ASIDE}; rm -rf ${ASIDE}; fi`;
const CLEAR_TIMEOUT_MS = 60_000;

/**
 * Hands on an archive of what is at a place's paths, as it is made. More than `bytesMax` are not handed on, and the archive is
 * of no use then.
 */
export async function packCache(
  sandbox: Sandbox,
  { root, paths }: CachePlace,
  { timeoutMs, signal, bytesMax }: CacheStep & { readonly bytesMax: number },
  sink: OutputSink,
): Promise<CacheStepEnd> {
  const script = [rootOf(sandbox, root), ...paths];
  return endOf(await run(sandbox, PACK, script, { timeoutMs, signal, outputBytes: bytesMax }, sink));
}

/**
 * Unpacks an archive that lies in the caches' folder of the job's source, at a place's paths. When it fails nothing of it is left.
 * @param gitDir the source's directory on the host
 */
export async function unpackCache(
  sandbox: Sandbox,
  { root, paths }: CachePlace,
  { gitDir, name, ...step }: CacheStep & { readonly gitDir: string; readonly name: string },
): Promise<CacheStepEnd> {
  const seenAs = sandbox.bindSeenAs(gitDir);
  if (seenAs === null) throw new Error('the source is bound into every sandbox');
  const said = new LastWords();
  const at = rootOf(sandbox, root);
  const archive = `${seenAs}/${SOURCE_LAYOUT.caches}/${name}`;
  const end = endOf(await run(sandbox, UNPACK, [at, archive, ...paths], step, said.sink), said.text);
  await run(sandbox, CLEAR, [at], { timeoutMs: CLEAR_TIMEOUT_MS }, said.sink);
  return end;
}

const rootOf = (sandbox: Sandbox, root: CachePlace['root']): string =>
  root === 'home' ? sandbox.homeDir : sandbox.workspaceDir;

async function run(
  sandbox: Sandbox,
  script: string,
  given: readonly string[],
  step: Partial<CacheStep> & { readonly timeoutMs: number; readonly outputBytes?: number },
  sink: OutputSink,
): Promise<StepOutcome> {
  const argv = ['/bin/sh', '-e', '-c', script, 'sh', ...given];
  return sandbox.run(
    { command: { kind: 'argv', argv }, system: 'host', workdir: '.', env: {}, idleTimeoutMs: null, ...step },
    sink,
  );
}

function endOf(outcome: StepOutcome, said: () => string = () => ''): CacheStepEnd {
  if (outcome.kind === 'fault') return { kind: 'failed', why: outcome.refusal.message };
  const { endedBy, exitCode, outputTruncated } = outcome.result;
  if (endedBy === 'timeout') return { kind: 'timed_out' };
  if (endedBy !== 'exit') return { kind: 'failed', why: `it ended by ${endedBy}` };
  if (exitCode === NOTHING_EXIT) return { kind: 'nothing' };
  if (exitCode !== 0) return { kind: 'failed', why: `it ended with ${exitCode}${said() === '' ? '' : `: ${said()}`}` };
  return outputTruncated ? { kind: 'failed', why: 'it is too large' } : { kind: 'done' };
}

const WORDS_BYTES_MAX = 500;

/** The end of what a step said: there the reason stands. */
class LastWords {
  #bytes = Buffer.alloc(0);

  readonly sink: OutputSink = (chunk) => {
    this.#bytes = Buffer.concat([this.#bytes, chunk]).subarray(-WORDS_BYTES_MAX);
    return Promise.resolve();
  };

  readonly text = (): string => this.#bytes.toString('utf8').replace(/\s+/g, ' ').trim();
}
