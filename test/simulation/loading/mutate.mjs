// @ts-check

/** @typedef {import('../mutant.ts').Mutant} Mutant */

/**
 * The source with the mutant's changes, when the file is the mutant's.
 * @param {string} source
 * @param {string} path in the repository
 * @param {Mutant | null} mutant
 * @throws when a place is not found exactly once: the source has moved on and the mutant has to follow
 */
export function mutated(source, path, mutant) {
  const changes = mutant?.changes.filter(({ file }) => file === path) ?? [];
  return changes.reduce((text, { find, replace }) => {
    const parts = text.split(find);
    if (parts.length === 2) return parts.join(replace);
    throw new Error(`the mutant "${mutant?.name}" finds its place ${parts.length - 1} times in ${path}, not once`);
  }, source);
}
