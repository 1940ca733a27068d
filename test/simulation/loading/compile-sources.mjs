// @ts-check
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { transformSync } from '@swc/core';
import { compilation } from '../../support/compilation.mjs';
import { mutated } from './mutate.mjs';

/**
 * Compiles the sources for the threads that run seeds: TypeScript with decorators, as Jest does. Here and not in each
 * thread, because the compiler is native code that does not bear to be unloaded with a thread.
 */

const repository = fileURLToPath(new URL('../../../', import.meta.url));
const FOLDERS = ['apps', 'libs', 'test/simulation', 'test/support'];

/** Compiled sources by their path in the repository. @typedef {Readonly<Record<string, string>>} Sources */

/** @type {Sources | null} */
let unchanged = null;

/**
 * All sources, with a mutant's changes when there is one.
 * @param {import('../mutant.ts').Mutant | null} mutant
 * @returns {Sources}
 * @throws when a mutant does not find its place
 */
export function compileSources(mutant) {
  unchanged ??= Object.fromEntries(sourcePaths().map((path) => [path, compile(path, null)]));
  const changed = new Set(mutant?.changes.map(({ file }) => file));
  return { ...unchanged, ...Object.fromEntries([...changed].map((path) => [path, compile(path, mutant)])) };
}

/** @param {string} path @param {import('../mutant.ts').Mutant | null} mutant */
function compile(path, mutant) {
  const filename = repository + path;
  return transformSync(mutated(readFileSync(filename, 'utf8'), path, mutant), { ...compilation, filename }).code;
}

function sourcePaths() {
  return FOLDERS.flatMap((folder) =>
    readdirSync(repository + folder, { recursive: true, encoding: 'utf8' })
      .map((path) => `${folder}/${path.replaceAll('\\', '/')}`)
      .filter((path) => path.endsWith('.ts') && !path.endsWith('.spec.ts') && !path.endsWith('.d.ts'))
      .filter((path) => !path.includes('/node_modules/') && !path.includes('/dist/')),
  );
}
