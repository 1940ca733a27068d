import { mkdir, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { SourceRequest } from '@delta-ci/contracts';
import { besideScript } from './checkout-beside.ts';

/** In the source's directory: a pack as a remote sent it. */
export const DOWNLOADED_PACK = 'downloaded.pack';

/** Beside such a pack: the tree of the commit and a line feed, where whoever wrote it saw an object with the commit's hash. */
export const COMMIT_TREE = 'commit-tree';

/**
 * Where the tested tree comes from: a directory on the host with a bare repository that holds the commit, or with a pack
 * whose objects nobody has looked at (`DOWNLOADED_PACK`), but for the commit maybe (`COMMIT_TREE`). Beside either lies `shallow`
 * when the history before the commit is missing.
 * What a job asks for beside the commit's files lies there as `SOURCE_LAYOUT` says.
 */
export interface JobSource {
  gitDir: string;
  commit: string;
  tree: string;
  /** What the checkout names as its remote `origin`, a URL without credentials; left out, it has none. */
  origin?: string;
}

/** Object ids go into a script: anything but hexadecimal digits is a broken promise of whoever parsed them. */
const OBJECT_ID = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;

/** A URL goes into a script and into a file of git's: what could end a word or begin a comment there is a broken promise as well. */
const ORIGIN = /^[A-Za-z0-9:/@._~+,=%[\]-]+$/;

/** Tools that make links or versions ask git where a repository comes from. Nothing can be fetched from there without a network. */
function remoteOf(origin: string | undefined): string[] {
  if (origin === undefined) return [];
  if (!ORIGIN.test(origin)) throw new Error('the origin must be a clone URL');
  const remote = String.raw`[remote "origin"]\n\turl = %s\n\tfetch = +refs/heads/*:refs/remotes/origin/*\n`;
  return [`printf '${remote}' '${origin}' >> "$root/.git/config"`];
}

/** What the script ends with when the commit's tree is not the planned one: no command of it ends so by itself. */
export const TREE_MISMATCH_EXIT = 65;

/** Folders of a repository. Made in this order: where the last one lies, all do. */
const FOLDERS = ['.git/objects/info', '.git/objects/pack', '.git/refs/heads', '.git/refs/tags'] as const;

/** What `git init` would make, for a fraction of what starting it costs. */
const REPOSITORY = [
  `if [ ! -d ${FOLDERS[3]} ]; then mkdir -p ${FOLDERS.join(' ')}; fi`,
  "echo 'ref: refs/heads/main' > .git/HEAD",
];

/** Where a checkout has a pack that was downloaded, less `.pack` or `.idx`. */
const PACK = '.git/objects/pack/pack-source';

/**
 * Makes, in an empty workspace, what a checkout begins with and nothing of a job is in: each folder and link that lies there
 * already is a program that need not be started. A checkout does as well without.
 * @param sourceSeenAs where the sandbox will have the source
 */
export async function layOutRepository(workspaceDir: string, sourceSeenAs: string): Promise<void> {
  for (const folder of FOLDERS) await mkdir(join(workspaceDir, folder), { recursive: true });
  await symlink(`${sourceSeenAs}/${DOWNLOADED_PACK}`, join(workspaceDir, `${PACK}.pack`));
}

/** Removes what was laid out in a workspace that no job has had. */
export async function clearRepository(workspaceDir: string): Promise<void> {
  await rm(join(workspaceDir, '.git'), { recursive: true, force: true });
}

const CHECKOUT =
  'git -c core.hooksPath=/dev/null -c core.symlinks=true -c protocol.allow=never -c advice.detachedHead=false' +
  ' -c filter.lfs.smudge= -c filter.lfs.process= -c filter.lfs.required=false checkout --quiet --force --detach';

const CORE = String.raw`[core]\n\tfilemode = true\n\tbare = false\n\tlogallrefupdates = true\n`;
const configFor = (sha256: boolean): string =>
  sha256
    ? String.raw`${CORE}\trepositoryformatversion = 1\n[extensions]\n\tobjectFormat = sha256\n`
    : String.raw`${CORE}\trepositoryformatversion = 0\n`;

/** Objects are borrowed from the source, which is read-only: the index of a pack nobody has looked at is made here. */
function objectsFrom(seenAs: string): string[] {
  return [
    `if [ -f '${seenAs}/${DOWNLOADED_PACK}' ]; then`,
    `  if [ ! -L ${PACK}.pack ]; then ln -s '${seenAs}/${DOWNLOADED_PACK}' ${PACK}.pack; fi`,
    // Without waiting for the disk: the workspace outlives no crash.
    `  git -c core.fsync=none index-pack -o ${PACK}.idx ${PACK}.pack > /dev/null`,
    'else',
    `  if [ -L ${PACK}.pack ]; then rm ${PACK}.pack; fi`,
    `  echo '${seenAs}/objects' > .git/objects/info/alternates`,
    'fi',
  ];
}

/** Git is asked which tree the commit has, unless that is known. A pack was indexed before, which checks the hash of every object. */
function treeIn(seenAs: string, commit: string): string[] {
  return [
    `if [ -f '${seenAs}/${COMMIT_TREE}' ]; then read -r actual < '${seenAs}/${COMMIT_TREE}'`,
    `else actual=$(git rev-parse --verify --end-of-options '${commit}^{tree}'); fi`,
  ];
}

/**
 * The script that puts the tested tree into the workspace, inside the sandbox, because filters, links and names of
 * untrusted trees are dangerous where they are written out. Objects are borrowed from the read-only source. The tree
 * is compared before a file is written: what is tested is what was planned, or nothing.
 */
export function checkoutScript(
  sourceSeenAs: string,
  { commit, tree, origin }: Pick<JobSource, 'commit' | 'tree' | 'origin'>,
  beside: SourceRequest = {},
): string {
  if (!OBJECT_ID.test(commit) || !OBJECT_ID.test(tree)) throw new Error('commit and tree must be object ids');
  return [
    'export GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null GIT_TERMINAL_PROMPT=0 GIT_ADVICE=0',
    ...REPOSITORY,
    `printf '${configFor(commit.length === 64)}' > .git/config`,
    ...objectsFrom(sourceSeenAs),
    `if [ -f '${sourceSeenAs}/shallow' ]; then while read -r id; do echo "$id"; done < '${sourceSeenAs}/shallow' > .git/shallow; fi`,
    ...treeIn(sourceSeenAs, commit),
    `if [ "$actual" != '${tree}' ]; then echo "the tree is $actual, planned was ${tree}" >&2; exit ${TREE_MISMATCH_EXIT}; fi`,
    `${CHECKOUT} '${commit}'`,
    ...besideScript(sourceSeenAs, beside, { repository: REPOSITORY, checkout: CHECKOUT }),
    // Last: submodules take over the settings, and come from elsewhere.
    ...remoteOf(origin),
  ].join('\n');
}
