import { randomUUID } from 'node:crypto';
import { posix } from 'node:path';
import { SOURCE_LAYOUT, type CacheContent } from '@delta-ci/contracts';
import type { OutputSink, Sandbox, StepOutcome, StepSpec } from '../../sandbox-executor.ts';

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

/** `nothing`: there is nothing at any of the paths. `broken`: what was to be unpacked is no archive, or not whole; whoever tries. */
export type CacheStepEnd =
  | { readonly kind: 'done' }
  | { readonly kind: 'nothing' }
  | { readonly kind: 'timed_out' }
  | { readonly kind: 'broken'; readonly why: string }
  | { readonly kind: 'failed'; readonly why: string };

/** What the script ends with when nothing is there: no command of it ends so by itself. */
const NOTHING_EXIT = 65;

/** What the unpacking script ends with when it could not make its place. */
const NO_PLACE_EXIT = 66;

/** What the unpacking script ends with when not even a list of the archive could be had. */
const BROKEN_EXIT = 67;
/** What a shell says of a program that it could not start, or that was killed, is more than this. */
const OWN_EXIT_MAX = 125;

/** @param to words of `tar` about where the archive goes, and its own words */
const packing = (to: string, words: string): string =>
  [
    'cd -- "$1"; shift',
    'for path do shift; if [ -e "./$path" ] || [ -L "./$path" ]; then set -- "$@" "./$path"; fi; done',
    `if [ "$#" = 0 ]; then exit ${NOTHING_EXIT}; fi`,
    `exec tar ${to} --exclude ./.git -- "$@" ${words}`,
  ].join('\n');

/** Words of `tar` would be taken for the archive. */
const PACK = packing('-cf -', '2> /dev/null');

/** What goes nowhere is not read, only looked at. */
const MEASURE = packing('--totals -cf /dev/null', '2>&1');
const MEASURED = /.*Total bytes written: (\d+)/;

/**
 * Aside first, and from there only to where nothing is: what was checked out is neither moved, nor written, nor removed, whenever
 * this is broken off. No symlink of either side is followed, or an archive could write to, or take from, wherever it likes; where
 * the kinds differ, what was checked out stays. Read-only folders can only be moved while they are not. An archive that can be listed
 * and not unpacked lacks something that another sandbox may have: room, or a file system that takes its names.
 */
const UNPACK = [
  'merge() {',
  '  if [ ! -e "$2" ] && [ ! -L "$2" ]; then',
  '    if [ -d "$1" ] && [ ! -L "$1" ] && [ ! -w "$1" ]; then',
  '      chmod u+w "$1"; mv "$1" "$2"; chmod u-w "$2"; return 0',
  '    fi',
  '    mv "$1" "$2"; return 0',
  '  fi',
  '  if [ -L "$1" ] || [ -L "$2" ] || [ ! -d "$1" ] || [ ! -d "$2" ] || [ ! -w "$2" ]; then return 0; fi',
  '  chmod u+rwx "$1"',
  '  for entry in "$1"/* "$1"/.[!.]* "$1"/..?*; do',
  '    if [ -e "$entry" ] || [ -L "$entry" ]; then merge "$entry" "$2/${entry##*/}"; fi',
  '  done',
  '}',
  'cd -- "$1"; archive=$2; aside=./$3; shift 3',
  `mkdir "$aside" || exit ${NO_PLACE_EXIT}`,
  'tar -xof "$archive" -C "$aside" || {',
  `  tar -tf "$archive" > /dev/null 2>&1 || [ "$?" -gt ${OWN_EXIT_MAX} ] || exit ${BROKEN_EXIT}`,
  '  exit 1',
  '}',
  'for path do',
  '  above=; rest=$path',
  '  while [ "$rest" != "${rest#*/}" ]; do',
  '    above=$above/${rest%%/*}; rest=${rest#*/}',
  '    if [ -L "$aside$above" ] || [ -L ".$above" ]; then continue 2; fi',
  '    if [ -e ".$above" ] && [ ! -d ".$above" ]; then continue 2; fi',
  '  done',
  '  if [ ! -e "$aside/$path" ] && [ ! -L "$aside/$path" ]; then continue; fi',
  '  mkdir -p ".$above"; merge "$aside/$path" "./$path"',
  'done',
].join('\n');

const CLEAR = 'cd -- "$1"; if [ -d "./$2" ] && [ ! -L "./$2" ]; then chmod -R u+rwx "./$2"; rm -rf "./$2"; fi';
const CLEAR_TIMEOUT_MS = 60_000;

/**
 * How many bytes an archive of what is at a place's paths has, without making it: a look at each file. Null where there is nothing,
 * and where `tar` does not say: GNU's and that of libarchive do, that of BusyBox does not.
 */
export async function measureCache(
  sandbox: Sandbox,
  { root, paths }: CachePlace,
  step: CacheStep,
): Promise<number | null> {
  const said = new LastWords();
  const inEnglish = { ...step, env: { LC_ALL: 'C' } };
  await run(sandbox, MEASURE, [rootOf(sandbox, root), ...paths], inEnglish, said.sink);
  const [, bytes] = MEASURED.exec(said.text()) ?? [];
  return bytes === undefined ? null : Number(bytes);
}

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
 * Unpacks an archive that lies in the caches' folder of the job's source, at a place's paths, where nothing is yet. When it fails
 * nothing of it is left, but what was moved to its place whole before time was up.
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
  // Nobody can have foreseen it and put something there, and what does stand there is not ours to remove.
  const aside = `.delta-cache-${randomUUID()}`;
  const outcome = await run(sandbox, UNPACK, [at, archive, aside, ...paths], step, said.sink);
  const end = endOf(outcome, said.text);
  if (outcome.kind === 'fault' || outcome.result.exitCode !== NO_PLACE_EXIT)
    await run(sandbox, CLEAR, [at, aside], { timeoutMs: CLEAR_TIMEOUT_MS }, said.sink);
  return end;
}

const rootOf = (sandbox: Sandbox, root: CachePlace['root']): string =>
  root === 'home' ? sandbox.homeDir : sandbox.workspaceDir;

async function run(
  sandbox: Sandbox,
  script: string,
  given: readonly string[],
  step: Partial<CacheStep> & Pick<CacheStep, 'timeoutMs'> & Partial<Pick<StepSpec, 'env' | 'outputBytes'>>,
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
  const kind = exitCode === BROKEN_EXIT ? 'broken' : 'failed';
  if (exitCode !== 0) return { kind, why: `it ended with ${exitCode}${said() === '' ? '' : `: ${said()}`}` };
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
