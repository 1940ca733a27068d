// @ts-check
import { spawn } from 'node:child_process';
import { closeSync, constants, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { leash } from './leash.mjs';
import { lastLine } from './run-command.mjs';
import { SetupProblem } from './setup-problem.mjs';

/** How often a starting server is asked whether it is ready. */
const READY_POLL_MS = 10;
/** A server on a very busy two-core machine, with a recovery to do. */
const READY_LIMIT_MS = 60_000;
/** How long a server may take to end at each of its stop signals. */
const STOP_LIMIT_MS = 10_000;
/** A free port is taken by somebody else within microseconds very rarely; so many in a row are another fault. */
const PORT_TRIES = 5;
/** A log may live in a directory of another account: a link that account has put there is not followed. */
const APPEND = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW;

/**
 * @typedef {object} ServerProcess
 * @property {number} pid
 * @property {Promise<void>} exited settles when the process has ended, for whatever reason
 * @property {() => boolean} isRunning
 * @property {() => Promise<void>} stop ends it cleanly and waits; harmless when it has ended already
 * @property {() => Promise<void>} kill ends it with SIGKILL and waits
 */

/**
 * @typedef {object} ServerPlan
 * @property {string} name for messages
 * @property {string} command
 * @property {readonly string[]} args
 * @property {NodeJS.ProcessEnv} env
 * @property {string} logFile what it prints is appended there
 * @property {import('./server-account.mjs').Account | null} [account]
 * @property {(pid: number) => Promise<boolean>} isReady
 * @property {readonly [NodeJS.Signals, ...NodeJS.Signals[]]} stopSignals gentlest first; SIGKILL follows by itself
 * @property {string | undefined} [removeDirOnDeath] deleted if we die without stopping the server
 */

/**
 * Starts a server of its own session, on a leash, and waits until it is ready.
 *
 * @param {ServerPlan} plan
 * @returns {Promise<ServerProcess>}
 */
export async function startServerProcess(plan) {
  const server = launch(plan);
  const deadline = Date.now() + READY_LIMIT_MS;
  while (!(await plan.isReady(server.pid))) {
    if (!server.isRunning()) throw await startFailure(plan, 'ended while it started');
    if (Date.now() > deadline) {
      await server.kill();
      throw await startFailure(plan, `was not ready after ${READY_LIMIT_MS / 1000} s`);
    }
    await pause(READY_POLL_MS);
  }
  return server;
}

/** @param {ServerPlan} plan @returns {ServerProcess} */
function launch({ command, args, env, logFile, account = null, stopSignals, removeDirOnDeath, name }) {
  const log = openSync(logFile, APPEND, 0o600);
  const as = account === null ? {} : { uid: account.uid, gid: account.gid };
  const child = spawn(command, args, { cwd: '/', env, detached: true, stdio: ['ignore', log, log], ...as });
  closeSync(log);
  /** @type {Promise<void>} */
  const exited = new Promise((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
  const { pid } = child;
  if (pid === undefined)
    throw new SetupProblem(`${name} cannot be started from ${command}`, 'check that it can be run here');
  const rope = leash(pid, { signal: stopSignals[0], removeDir: removeDirOnDeath });
  void exited.then(rope.release);
  child.unref();
  const isRunning = () => child.exitCode === null && child.signalCode === null;
  /** @param {readonly NodeJS.Signals[]} signals */
  const end = async (signals) => {
    child.ref();
    for (const signal of signals) {
      if (!isRunning()) return;
      child.kill(signal);
      await Promise.race([exited, pause(STOP_LIMIT_MS, undefined, { ref: false })]);
    }
  };
  return { pid, exited, isRunning, stop: () => end([...stopSignals, 'SIGKILL']), kill: () => end(['SIGKILL']) };
}

/** @param {ServerPlan} plan @param {string} what */
async function startFailure({ name, logFile }, what) {
  const log = await readFile(logFile, 'utf8').catch(() => '');
  return new SetupProblem(`${name} ${what} (${whyItEnded(log)})`, `see ${logFile}`);
}

/**
 * The line of a log that says why a server ended: its last fatal one (Postgres: `FATAL`, nats-server: `[FTL]`), else
 * its last.
 *
 * @param {string} log
 */
export function whyItEnded(log) {
  const fatal = log.split('\n').findLast((line) => /\b(FATAL|PANIC|FTL)\b/.test(line));
  return fatal?.trim() ?? lastLine(log);
}

/**
 * Starts something on the wanted port, or on a free one: again on another if somebody takes that one in between.
 *
 * @template T
 * @param {number | undefined} wanted
 * @param {(port: number) => Promise<T>} start
 * @returns {Promise<{ started: T, port: number }>}
 */
export async function onLoopbackPort(wanted, start) {
  for (let tries = 1; ; tries += 1) {
    const port = wanted ?? (await freeLoopbackPort());
    try {
      return { started: await start(port), port };
    } catch (error) {
      const taken = error instanceof SetupProblem && /in use|could not create any TCP/i.test(error.message);
      if (wanted !== undefined || !taken || tries === PORT_TRIES) throw error;
    }
  }
}

/**
 * A port on the loopback address that nobody listens on at this moment.
 *
 * @returns {Promise<number>}
 */
export function freeLoopbackPort() {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => {
        if (address === null || typeof address === 'string') reject(new Error('the system gave no port'));
        else resolve(address.port);
      });
    });
  });
}
