// @ts-check
/**
 * Loads compiled sources into a thread's realm: our rooms by their doors, and the stand-ins in their places. Preloaded by
 * every thread that runs seeds; the sources come with its data.
 */
import { registerHooks } from 'node:module';
import { workerData } from 'node:worker_threads';
import { FILES, MODULES } from './substitutions.mjs';

const simulation = new URL('../', import.meta.url);
const repository = new URL('../../../', import.meta.url);
/** @type {import('./compile-sources.mjs').Sources} */
const sources = workerData.sources;

/** @type {Map<string, string>} */
const files = new Map(Object.entries(FILES).map(([from, to]) => [urlIn(repository, from), urlIn(simulation, to)]));

/** @param {URL} folder @param {string} path */
function urlIn(folder, path) {
  return new URL(path, folder).href;
}

/** @param {string} url */
const pathOf = (url) => (url.startsWith(repository.href) ? url.slice(repository.href.length) : '');

/** The stand-in for what a file of `apps` or `libs` imports. @param {string} specifier @param {string} importer */
function standInFor(specifier, importer) {
  const path = pathOf(importer);
  if (!path.startsWith('apps/') && !path.startsWith('libs/')) return undefined;
  const found = MODULES.find((module) => module.specifier === specifier && path.startsWith(module.importers));
  return found === undefined ? undefined : urlIn(simulation, found.standIn);
}

registerHooks({
  resolve(specifier, context, next) {
    const standIn = standInFor(specifier, context.parentURL ?? '');
    if (standIn !== undefined) return { url: standIn, shortCircuit: true };
    const room = /^@delta-ci\/([a-z-]+)$/.exec(specifier);
    if (room !== null) return { url: urlIn(repository, `libs/${room[1]}/src/index.ts`), shortCircuit: true };
    const resolved = next(specifier, context);
    return { ...resolved, url: files.get(resolved.url) ?? resolved.url };
  },
  load(url, context, next) {
    const source = sources[pathOf(url)];
    return source === undefined ? next(url, context) : { format: 'module', source, shortCircuit: true };
  },
});
