// @ts-check
import { findBubblewrap } from './bubblewrap.mjs';
import { openCache } from './cache-dir.mjs';
import { dockerAnswers } from './docker-engine.mjs';
import { findNatsServer } from './nats-server-program.mjs';
import { LEAST_NODE, findNode } from './node-runtime.mjs';
import { packagesState } from './packages.mjs';
import { carriedPackage, findOwnPostgres } from './postgres-binaries.mjs';
import { reasonOf } from './setup-problem.mjs';

/** @typedef {{ name: string, ok: boolean, required: boolean, detail: string }} Finding */

/**
 * Looks at everything a set-up needs and changes nothing.
 *
 * @param {{ repoRoot: string, env?: NodeJS.ProcessEnv }} where
 * @returns {Promise<{ ready: boolean, cacheDir: string, findings: Finding[] }>} ready: a start needs no network
 */
export async function examine({ repoRoot, env = process.env }) {
  const cacheDir = await openCache({ repoRoot, env });
  const docker = await dockerAnswers(env);
  const findings = [
    await finding('packages', async () => {
      const state = await packagesState(repoRoot);
      return { ok: state === 'current', detail: state === 'current' ? 'as in package-lock.json' : state };
    }),
    await finding('node', async () => {
      const node = await findNode(repoRoot);
      if (node === null)
        return { ok: false, detail: `${LEAST_NODE} or newer is not there (this is ${process.versions.node})` };
      return { ok: true, detail: `${node.version} from ${node.from}: ${node.path}` };
    }),
    await finding('postgres', () => examinePostgres(repoRoot, env)),
    await finding('nats-server', () => examineNats(cacheDir, env)),
    await finding('bubblewrap', async () => {
      const found = await findBubblewrap({ cacheDir, env });
      return {
        ok: found.path !== null,
        detail: found.path === null ? found.reason : `${found.version} from ${found.from}: ${found.path}`,
      };
    }),
    { name: 'docker', ok: docker, required: false, detail: docker ? 'an engine answers' : 'no engine answers' },
  ];
  return { ready: findings.every(({ ok, required }) => ok || !required), cacheDir, findings };
}

/**
 * @param {string} name
 * @param {() => Promise<{ ok: boolean, detail: string }>} look
 * @returns {Promise<Finding>}
 */
async function finding(name, look) {
  const required = name !== 'bubblewrap';
  try {
    return { name, required, ...(await look()) };
  } catch (error) {
    return { name, required, ok: false, detail: reasonOf(error) };
  }
}

/** @param {string} repoRoot @param {NodeJS.ProcessEnv} env */
async function examinePostgres(repoRoot, env) {
  if ((env['DATABASE_URL'] ?? '') !== '') return { ok: true, detail: 'DATABASE_URL is set' };
  if ((env['DELTA_POSTGRES_BIN'] ?? '') !== '')
    return { ok: true, detail: `DELTA_POSTGRES_BIN: ${env['DELTA_POSTGRES_BIN']}` };
  const carried = await carriedPackage(repoRoot);
  if (carried !== null) return { ok: true, detail: `${carried.version} from npm: ${carried.native}` };
  const own = await findOwnPostgres();
  return own === null
    ? { ok: false, detail: 'none' }
    : { ok: true, detail: `${own.version} of ${own.from}: ${own.binDir}` };
}

/** @param {string} cacheDir @param {NodeJS.ProcessEnv} env */
async function examineNats(cacheDir, env) {
  if ((env['NATS_URL'] ?? '') !== '') return { ok: true, detail: 'NATS_URL is set' };
  const found = await findNatsServer({ cacheDir, env });
  if (found === null) return { ok: false, detail: 'neither on PATH nor in the cache; fetched by the first start' };
  return { ok: true, detail: `${found.version} from ${found.from}: ${found.path}` };
}

/**
 * A table of the findings, one line each.
 *
 * @param {Awaited<ReturnType<typeof examine>>} report
 */
export function formatReport({ ready, cacheDir, findings }) {
  const lines = findings.map(({ name, ok, detail }) => `  ${ok ? 'ok ' : '-- '} ${name.padEnd(12)} ${detail}`);
  const end = ready ? 'Everything needed is there.' : '`npm start` and `npm test` get what is missing, or say how to.';
  return [...lines, `      ${'cache'.padEnd(12)} ${cacheDir}`, end, ''].join('\n');
}
