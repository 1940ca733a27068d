import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** Ample for a program that starts in a moment; on a host that is so busy, whoever asked would learn something wrong of it. */
const ASK_MS = 20_000;

/**
 * What a program says of itself when it is asked by one word. Rejects where it does not run or says nothing: to one that ended
 * just as its time was up Node listens no more, and calls that a success.
 */
export async function askProgram(path: string, word: string): Promise<string> {
  const { stdout, stderr } = await promisify(execFile)(path, [word], { timeout: ASK_MS, env: {} });
  const said = stdout + stderr;
  if (said === '') throw new Error(`${word} says nothing`);
  return said;
}
