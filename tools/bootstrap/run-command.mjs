// @ts-check
import { spawn } from 'node:child_process';

/** Output kept per stream: enough for any message we print, small enough to never matter. */
const KEPT_OUTPUT_BYTES = 256 * 1024;

/**
 * @typedef {object} CommandResult
 * @property {number} code exit code; 127 when the program could not be started, 124 when it ran out of time
 * @property {string} stdout the last 256 KiB
 * @property {string} stderr the last 256 KiB
 */

/**
 * Runs a program to its end without a shell and never rejects: a program that is absent or fails is an answer.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, uid?: number, gid?: number, input?: string, timeout_ms?: number }}
 *   [options]
 * @returns {Promise<CommandResult>}
 */
export function runCommand(command, args, { input, timeout_ms = 120_000, ...options } = {}) {
  return new Promise((resolve) => {
    let stdout = '';
    let stderr = '';
    let outOfTime = false;
    const child = spawnQuietly(command, args, options);
    if (child instanceof Error) return resolve({ code: 127, stdout, stderr: child.message });
    const timer = setTimeout(() => {
      outOfTime = true;
      child.kill('SIGKILL');
    }, timeout_ms);
    child.stdout.setEncoding('utf8').on('data', (text) => (stdout = (stdout + text).slice(-KEPT_OUTPUT_BYTES)));
    child.stderr.setEncoding('utf8').on('data', (text) => (stderr = (stderr + text).slice(-KEPT_OUTPUT_BYTES)));
    child.stdin.on('error', () => {}); // a program may end before it has read everything: its exit code tells
    child.stdin.end(input ?? '');
    child.on('error', (error) => {
      clearTimeout(timer);
      resolve({ code: 127, stdout, stderr: error.message });
    });
    child.on('close', (code) => {
      clearTimeout(timer);
      resolve({ code: outOfTime ? 124 : (code ?? 1), stdout, stderr });
    });
  });
}

/**
 * `spawn` throws instead of emitting when the system refuses the uid or the working directory.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, uid?: number, gid?: number }} options
 */
function spawnQuietly(command, args, options) {
  try {
    return spawn(command, args, { ...options, stdio: 'pipe' });
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

/**
 * The last line with something in it: where programs put their reason.
 *
 * @param {string} text
 */
export function lastLine(text) {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  return (lines.at(-1) ?? 'no output').trim();
}
