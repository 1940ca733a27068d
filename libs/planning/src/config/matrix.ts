import type { ConfigFileJob } from '@delta-ci/contracts';

/** As many jobs as one matrix may make: above it a slip of the hand is likelier than a wish. */
export const MATRIX_COMBINATIONS_MAX = 256;

/** One choice from each row of a matrix, in the order of the rows. */
export type Combination = readonly (readonly [name: string, value: string])[];

export function combinationCount({ matrix }: ConfigFileJob): number {
  return Object.values(matrix ?? {}).reduce((count, values) => count * values.length, 1);
}

/** All combinations, the last row varying fastest; one empty combination without a matrix. */
export function combinationsOf({ matrix }: ConfigFileJob): Combination[] {
  return Object.entries(matrix ?? {}).reduce<Combination[]>(
    (combinations, [name, values]) =>
      combinations.flatMap((combination) => values.map((value) => [...combination, [name, String(value)] as const])),
    [[]],
  );
}

const REFERENCE = /\{matrix:([a-z0-9_]+)\}/gu;

/** `{matrix:node}` in images, toolchains, labels and cache keys stands for the value of the combination. */
export function fillIn(text: string, combination: Combination): string {
  return text.replaceAll(REFERENCE, (whole, name: string) => combination.find(([row]) => row === name)?.[1] ?? whole);
}

/** Steps read the combination from their environment: `MATRIX_NODE=24`. */
export function matrixEnvironment(combination: Combination): Record<string, string> {
  return Object.fromEntries(combination.map(([name, value]) => [`MATRIX_${name.toUpperCase()}`, value]));
}

export function unknownMatrixNames(job: ConfigFileJob): string[] {
  const texts = [job.image, job.toolchain, ...(job.runs_on ?? []), ...(job.caches ?? []).map(({ key }) => key)];
  const names = texts.flatMap((text) => [...(text ?? '').matchAll(REFERENCE)].map((found) => found[1] ?? ''));
  return [...new Set(names)].filter((name) => !Object.hasOwn(job.matrix ?? {}, name));
}
