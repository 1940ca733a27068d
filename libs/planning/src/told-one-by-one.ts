import type { PlanningInputs } from './model.ts';

/** More changed files than this are not told one by one: a plan that names them all could not be kept, nor read. */
export const CHANGES_MAX = 50_000;

/** Characters of their paths, each of which a plan holds a few times. */
const PATHS_LENGTH_MAX = 8 * 1_024 ** 2;

/** Why everything runs when more files changed than are told one by one. */
export const TOO_MANY_CHANGES = `more than ${CHANGES_MAX} files changed, which are more than a plan tells of one by one`;

/** The same inputs, with everything counting as changed where the changes are too many, or too long, to be told. */
export function withinTelling(inputs: PlanningInputs): PlanningInputs {
  const { comparison } = inputs;
  if (comparison.kind === 'everything') return inputs;
  const { changes } = comparison;
  if (changes.length > CHANGES_MAX) return { ...inputs, comparison: { kind: 'everything', reason: TOO_MANY_CHANGES } };
  let length = 0;
  for (const { path, oldPath = '' } of changes) length += path.length + oldPath.length;
  if (length <= PATHS_LENGTH_MAX) return inputs;
  const reason = `the paths of the ${changes.length} changed files are longer than a plan can tell`;
  return { ...inputs, comparison: { kind: 'everything', reason } };
}
