// @ts-check
import { request } from 'node:http';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** A local engine answers within milliseconds. */
const ANSWER_LIMIT_MS = 2_000;

/**
 * Whether a Docker engine answers where `DOCKER_HOST`, or Docker's custom, says it listens.
 *
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {Promise<boolean>}
 */
export async function dockerAnswers(env = process.env) {
  return anyAnswersOk('/_ping', env);
}

/**
 * Whether that engine has an image already, so that using it needs no download.
 *
 * @param {string} image with its tag
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {Promise<boolean>}
 */
export async function dockerHasImage(image, env = process.env) {
  return anyAnswersOk(`/images/${image}/json`, env);
}

/** @param {string} path @param {NodeJS.ProcessEnv} env */
async function anyAnswersOk(path, env) {
  for (const address of engineAddresses(env, homedir())) {
    if (await answersOk(address, path)) return true;
  }
  return false;
}

/**
 * The unix socket of an engine that answers. Jobs need one: only an engine of this very machine can show them their
 * workspace.
 *
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {Promise<string | null>} null when none answers, or only one reached in another way
 */
export async function answeringSocket(env = process.env) {
  for (const address of engineAddresses(env, homedir())) {
    if ('socketPath' in address && (await engineAnswersAt(address.socketPath))) return address.socketPath;
  }
  return null;
}

/**
 * Whether an engine answers at a unix socket.
 *
 * @param {string} socketPath
 * @returns {Promise<boolean>}
 */
export function engineAnswersAt(socketPath) {
  return answersOk({ socketPath }, '/_ping');
}

/** @typedef {{ socketPath: string } | { host: string, port: number }} EngineAddress */

/**
 * @param {NodeJS.ProcessEnv} env
 * @param {string} home
 * @returns {EngineAddress[]} none when `DOCKER_HOST` names a transport other than a socket or plain TCP
 */
export function engineAddresses(env, home) {
  const named = env['DOCKER_HOST'];
  if (named === undefined || named === '') {
    return [{ socketPath: '/var/run/docker.sock' }, { socketPath: join(home, '.docker', 'run', 'docker.sock') }];
  }
  if (!URL.canParse(named)) return [];
  const url = new URL(named);
  if (url.protocol === 'unix:') return [{ socketPath: url.pathname }];
  if (url.protocol === 'tcp:' || url.protocol === 'http:')
    return [{ host: url.hostname, port: Number(url.port || 2375) }];
  return [];
}

/** @param {EngineAddress} address @param {string} path @returns {Promise<boolean>} */
function answersOk(address, path) {
  return new Promise((resolve) => {
    const call = request({ ...address, path, timeout: ANSWER_LIMIT_MS }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    call.once('timeout', () => call.destroy());
    call.once('error', () => resolve(false));
    call.once('close', () => resolve(false));
    call.end();
  });
}
