import { spawn } from 'node:child_process';

/** Waits for the end of its input, which the kernel brings about however we die; a word before it means that all is done. */
const WAIT = 'read -r word; [ "$word" = released ] && exit 0; ';

/**
 * Has a shell command carried out should we die without doing it ourselves.
 *
 * @param command for `/bin/sh`; its words come from us alone
 * @returns a function to be called once it is done
 */
export function onDeath(command: string): () => void {
  const shell = spawn('/bin/sh', ['-c', WAIT + command], {
    detached: true,
    cwd: '/',
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  shell.unref();
  shell.stdin.on('error', () => undefined);
  return () => void shell.stdin.end('released\n');
}
