// @ts-check
import { delimiter, dirname, join } from 'node:path';
import { ensureBubblewrap } from './bubblewrap.mjs';
import { openCache } from './cache-dir.mjs';
import { answeringSocket, dockerAnswers } from './docker-engine.mjs';
import { ensureNatsServer } from './nats-server-program.mjs';
import { ensureNode } from './node-runtime.mjs';
import { ensurePackages } from './packages.mjs';
import { ensurePostgresBinaries } from './postgres-binaries.mjs';
import { SetupProblem } from './setup-problem.mjs';

/** @typedef {import('./progress.mjs').Progress} Progress */

/**
 * What the steps share; `standIn` gives the text to show when Docker may serve instead, and throws when not.
 *
 * @typedef {object} Step
 * @property {string} repoRoot
 * @property {string} cacheDir
 * @property {Progress} progress
 * @property {NodeJS.ProcessEnv} env
 * @property {{ ask: () => Promise<boolean> }} docker whether an engine answers
 * @property {(problem: unknown) => Promise<string>} standIn
 */

/**
 * What this machine offers. Of each server either the program or the address of a running one is known; both are null
 * only when a Docker engine was allowed to stand in for them.
 *
 * @typedef {object} Tools
 * @property {import('./node-runtime.mjs').NodeRuntime} node
 * @property {string | null} databaseUrl of `DATABASE_URL`
 * @property {string | null} postgresBinDir
 * @property {string | null} natsUrl of `NATS_URL`
 * @property {string | null} natsServerPath
 * @property {string | null} bubblewrapPath null: see `sandboxProblem`
 * @property {string | null} sandboxProblem why there is no bubblewrap, in one line
 * @property {string | null} containerEngine socket of the engine that stands in for bubblewrap; null where none has to or can
 * @property {boolean} docker whether an engine answers; asked only when something else is missing
 * @property {string} cacheDir
 */

/**
 * Installs the packages and finds or fetches every program. Repeatable, and quick when everything is there.
 *
 * @param {object} options
 * @param {string} options.repoRoot
 * @param {Progress} options.progress
 * @param {NodeJS.ProcessEnv} [options.env]
 * @param {boolean} [options.dockerMayServe] a missing server is no problem when a Docker engine answers
 * @returns {Promise<Tools>}
 * @throws {SetupProblem} one line that says what is missing and how to get it
 */
export async function ensureTools({ repoRoot, progress, env = process.env, dockerMayServe = false }) {
  await ensurePackages({ repoRoot, progress });
  const node = await ensureNode({ repoRoot, progress });
  const cacheDir = await openCache({ repoRoot, env });
  const docker = onceAsked(() => dockerAnswers(env));
  const standIn = async (/** @type {unknown} */ problem) => {
    if (!(problem instanceof SetupProblem) || !dockerMayServe || !(await docker.ask())) throw problem;
    return `from Docker, since ${problem.message}`;
  };
  const step = { repoRoot, cacheDir, progress, env, docker, standIn };
  const postgres = await postgresStep(step);
  const nats = await natsStep(step);
  const sandbox = await sandboxStep(step);
  return { node, ...postgres, ...nats, ...sandbox, docker: docker.known() ?? false, cacheDir };
}

/**
 * @param {Step} step
 * @returns {Promise<{ databaseUrl: string | null, postgresBinDir: string | null }>}
 */
function postgresStep({ repoRoot, cacheDir, progress, env, standIn }) {
  return progress.step('postgres', async (say) => {
    const databaseUrl = given(env['DATABASE_URL']);
    if (databaseUrl !== null) {
      say(`DATABASE_URL (${hostOf(databaseUrl)})`);
      return { databaseUrl, postgresBinDir: null };
    }
    try {
      const { binDir, version, from } = await ensurePostgresBinaries({ repoRoot, cacheDir, env });
      say(`${version} from ${from}`);
      return { databaseUrl: null, postgresBinDir: binDir };
    } catch (problem) {
      say(await standIn(problem));
      return { databaseUrl: null, postgresBinDir: null };
    }
  });
}

/**
 * @param {Step} step
 * @returns {Promise<{ natsUrl: string | null, natsServerPath: string | null }>}
 */
function natsStep({ cacheDir, progress, env, standIn }) {
  return progress.step('nats-server', async (say) => {
    const natsUrl = given(env['NATS_URL']);
    if (natsUrl !== null) {
      say(`NATS_URL (${hostOf(natsUrl)})`);
      return { natsUrl, natsServerPath: null };
    }
    try {
      const { path, version, from } = await ensureNatsServer({ cacheDir, say, env });
      say(`${version} from ${from}`);
      return { natsUrl: null, natsServerPath: path };
    } catch (problem) {
      say(await standIn(problem));
      return { natsUrl: null, natsServerPath: null };
    }
  });
}

/**
 * @param {Step} step
 * @returns {Promise<{ bubblewrapPath: string | null, sandboxProblem: string | null, containerEngine: string | null }>}
 */
function sandboxStep({ cacheDir, progress, env }) {
  return progress.step('sandbox', async (say) => {
    const found = await ensureBubblewrap({ cacheDir, say: (text) => say(`bubblewrap, ${text}`), env });
    if (found.path !== null) {
      say(`bubblewrap ${found.version} from ${found.from}`);
      return { bubblewrapPath: found.path, sandboxProblem: null, containerEngine: null };
    }
    const containerEngine = given(env['DELTA_CONTAINER_ENGINE']) ?? (await answeringSocket(env));
    const instead =
      containerEngine === null
        ? 'none, and jobs run without one only if you ask for that by name; no Docker engine answers'
        : `containers of the Docker engine at ${containerEngine}`;
    say(`${instead}, since ${found.reason}`);
    return { bubblewrapPath: null, sandboxProblem: found.reason, containerEngine };
  });
}

/**
 * How the tools are made known to a command: Node and the packages' programs first on PATH, the rest by name. What was
 * named and does not work here is not passed on.
 *
 * @param {{ tools: Tools, repoRoot: string, env?: NodeJS.ProcessEnv }} found
 * @returns {NodeJS.ProcessEnv}
 */
export function environmentWith({ tools, repoRoot, env = process.env }) {
  const path = [join(repoRoot, 'node_modules', '.bin'), dirname(tools.node.path), env['PATH'] ?? ''];
  const named = {
    DELTA_NODE: tools.node.path,
    DELTA_POSTGRES_BIN: tools.postgresBinDir,
    DELTA_NATS_SERVER: tools.natsServerPath,
    DELTA_BWRAP: tools.bubblewrapPath,
    DELTA_CONTAINER_ENGINE: tools.containerEngine,
  };
  const known = Object.entries(named).filter(([, value]) => value !== null);
  const others = Object.entries(env).filter(([name]) => !(name in named));
  return { ...Object.fromEntries(others), PATH: path.join(delimiter), ...Object.fromEntries(known) };
}

/** @param {() => Promise<boolean>} question */
function onceAsked(question) {
  /** @type {boolean | null} */
  let answer = null;
  return { ask: async () => (answer ??= await question()), known: () => answer };
}

/** @param {string | undefined} value */
function given(value) {
  return value === undefined || value === '' ? null : value;
}

/** The part of an address that may be shown: it can hold a password. @param {string} url */
function hostOf(url) {
  return URL.canParse(url) ? new URL(url).host : 'an address that is no URL';
}
