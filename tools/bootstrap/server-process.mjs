// @ts-check
import { spawn } from 'node:child_process';
import { closeSync, constants, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { leash } from './leash.mjs';
import { lastLine } from './run-command.mjs';
import { SetupProblem, reasonOf } from './setup-problem.mjs';

/** How often a starting server is asked whether it is ready. */
const READY_POLL_MS = 10;
/** A server on a very busy two-core machine, with a recovery to do. */
const READY_LIMIT_MS = 60_000;
/** How long a server may take to end at each of its stop signals. */
const STOP_LIMIT_MS = 10_000;
/** A free port is taken by somebody else before its server listens very rarely; so many in a row are another fault. */
const PORT_TRIES = 5;
/** How nats-server, Redis and Restate, Postgres, and two ages of Docker say that somebody else listens there. */
const TAKEN = /in use|could not create any TCP|already allocated/i;
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
  const begin = async (/** @type {number} */ port) => ({ started: await start(port), port });
  return wanted === undefined ? onFreePorts(['one'], async ({ one }) => begin(one)) : begin(wanted);
}

/**
 * Starts something that has to be told its ports, on free ones of the loopback address: all over again on others if
 * somebody takes one of them before it listens. What can choose a port itself, and say which, has no need of this.
 *
 * @template {string} Name
 * @template T
 * @param {readonly Name[]} names what each port is for
 * @param {(ports: Readonly<Record<Name, number>>) => Promise<T>} start leaves nothing behind when it fails
 * @returns {Promise<T>}
 */
export async function onFreePorts(names, start) {
  for (let tries = 1; ; tries += 1) {
    const ports = /** @type {Record<Name, number>} */ ({});
    for (const name of names) ports[name] = await freePort('127.0.0.1');
    try {
      return await start(ports);
    } catch (error) {
      if (!TAKEN.test(reasonOf(error)) || tries === PORT_TRIES) throw error;
    }
  }
}

/**
 * A port of an address of this machine that nobody listens on at this moment.
 *
 * @param {string} host
 * @returns {Promise<number>}
 */
export function freePort(host) {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, host, () => {
      const address = probe.address();
      probe.close(() => {
        if (address === null || typeof address === 'string') reject(new Error('the system gave no port'));
        else resolve(address.port);
      });
    });
  });
}
