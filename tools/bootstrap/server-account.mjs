// @ts-check
import { readFile, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { SetupProblem } from './setup-problem.mjs';

/** @typedef {{ name: string, uid: number, gid: number }} Account */

/**
 * The account a server must run as that refuses root (Postgres does), or null when we are not root and need no other.
 * The owner of the place it works in comes first (`sudo npm start` in somebody's home leaves their files theirs), then
 * `nobody`.
 *
 * @param {string} place the directory the server will work in; it need not exist
 * @returns {Promise<Account | null>}
 */
export async function accountFor(place) {
  if (process.getuid?.() !== 0) return null;
  const accounts = parsePasswd(await readFile('/etc/passwd', 'utf8').catch(() => ''));
  const owner = await ownerOf(place);
  const account =
    accounts.find(({ uid }) => uid !== 0 && uid === owner) ?? accounts.find(({ name }) => name === 'nobody');
  if (account === undefined) {
    throw new SetupProblem(
      'Postgres refuses root and this machine has no account `nobody`',
      'start as an ordinary user',
    );
  }
  return account;
}

/**
 * The accounts of a passwd(5) file.
 *
 * @param {string} text
 * @returns {Account[]}
 */
export function parsePasswd(text) {
  return text
    .split('\n')
    .map((line) => line.split(':'))
    .filter((fields) => fields.length >= 7 && fields[0] !== '')
    .map(([name = '', , uid, gid]) => ({ name, uid: Number(uid), gid: Number(gid) }))
    .filter(({ uid, gid }) => Number.isInteger(uid) && Number.isInteger(gid));
}

/**
 * The first directory on the way to a place that an account cannot pass through, or null when it can get there. Only
 * what exists is judged; group membership is ignored, because the accounts we switch to get no supplementary groups.
 *
 * @param {string} place
 * @param {Account} account
 * @returns {Promise<string | null>}
 */
export async function barrierOnTheWayTo(place, account) {
  for (const dir of ancestorsOf(place)) {
    const found = await stat(dir).catch(() => null);
    if (found === null) return null;
    if (!mayPass(found, account)) return dir;
  }
  return null;
}

/**
 * The execute bit that applies to the account: the first class that matches decides, as in the kernel.
 *
 * @param {{ mode: number, uid: number, gid: number }} dir
 * @param {{ uid: number, gid: number }} account
 */
export function mayPass(dir, account) {
  if (dir.uid === account.uid) return (dir.mode & 0o100) !== 0;
  if (dir.gid === account.gid) return (dir.mode & 0o010) !== 0;
  return (dir.mode & 0o001) !== 0;
}

/** `/a/b` gives `/`, `/a`, `/a/b`. @param {string} place */
function ancestorsOf(place) {
  const dirs = [place];
  for (let dir = place; dirname(dir) !== dir; dir = dirname(dir)) dirs.unshift(dirname(dir));
  return dirs;
}

/** Who owns a place, or what of the way to it exists. @param {string} place @returns {Promise<number>} */
async function ownerOf(place) {
  for (const dir of ancestorsOf(place).reverse()) {
    const found = await stat(dir).catch(() => null);
    if (found !== null) return found.uid;
  }
  return 0;
}
