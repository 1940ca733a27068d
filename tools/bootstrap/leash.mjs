// @ts-check
import { spawn } from 'node:child_process';

/**
 * Waits until our end of its standard input closes, which the kernel does however we die (even by SIGKILL); `released`
 * instead of the end of input means that there is nothing left to do.
 */
const WAIT = `
read -r word
[ "$word" = released ] && exit 0
`;

/**
 * Ends a server, and deletes a directory. Ten seconds of grace, then SIGKILL. A server that has ended stays visible until
 * its new parent collects it, which the first process of a container may never do: hence `Z`. A directory can take more
 * than one try, while servers inside it still end on leashes of their own.
 */
const LEASH = `
ended() {
  kill -0 "$1" 2>/dev/null || return 0
  [ -r "/proc/$1/stat" ] && read -r pid name state rest <"/proc/$1/stat" && [ "$state" = Z ]
}
${WAIT}
waited=0
if [ -n "$1" ]; then
  kill -s "$2" "$1" 2>/dev/null
  while ! ended "$1" && [ "$waited" -lt 100 ]; do sleep 0.1; waited=$((waited + 1)); done
  kill -s KILL "$1" 2>/dev/null
fi
[ -n "$3" ] || exit 0
while ! rm -rf -- "$3" && [ "$waited" -lt 200 ]; do sleep 0.1; waited=$((waited + 1)); done
exit 0
`;

/**
 * Ties a server's life to ours by a small shell of its own session, so a Ctrl-C in our terminal does not reach it.
 *
 * @param {number} pid of the server
 * @param {{ signal: NodeJS.Signals, removeDir?: string | undefined }} atTheEnd the signal that ends it cleanly, and a
 *   directory to delete after it
 * @returns {{ release: () => void }} to be called once the server has ended
 */
export function leash(pid, { signal, removeDir = '' }) {
  return watchOurEnd(LEASH, String(pid), signal.replace('SIG', ''), removeDir);
}

/**
 * Has a directory deleted should we die without deleting it.
 *
 * @param {string} dir
 * @returns {{ release: () => void }} to be called once it is deleted
 */
export function removeOnDeath(dir) {
  return watchOurEnd(LEASH, '', '', dir);
}

/**
 * Has a shell command carried out should we die without doing it ourselves.
 *
 * @param {string} command for `/bin/sh`; what is in it comes from us alone
 * @param {readonly string[]} words its `$1` and so on
 * @returns {{ release: () => void }} to be called once it is done
 */
export function runOnDeath(command, ...words) {
  return watchOurEnd(`${WAIT}${command}`, ...words);
}

/** @param {string} script @param {readonly string[]} words `$1` and so on of the script */
function watchOurEnd(script, ...words) {
  const args = ['-c', script, 'delta-leash', ...words];
  const shell = spawn('/bin/sh', args, { detached: true, cwd: '/', stdio: ['pipe', 'ignore', 'ignore'] });
  shell.on('error', () => {}); // without a shell there is no leash; the server is still stopped by its owner
  shell.stdin.on('error', () => {});
  shell.unref();
  // A pipe is a socket underneath; an idle one must not keep our process alive.
  if ('unref' in shell.stdin && typeof shell.stdin.unref === 'function') shell.stdin.unref();
  return { release: () => void shell.stdin.end('released\n') };
}
