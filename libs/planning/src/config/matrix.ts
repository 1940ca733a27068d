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

/** Steps read the combination from their environment: `MATRIX_NODE=24`. */
export function matrixEnvironment(combination: Combination): Record<string, string> {
  return Object.fromEntries(combination.map(([name, value]) => [matrixVariable(name), value]));
}

export function matrixVariable(name: string): string {
  return `MATRIX_${name.toUpperCase()}`;
}

const REFERENCE = /\{matrix:([a-z0-9_]+)\}/gu;

/** Names of rows that texts refer to, each once. */
export function matrixNamesIn(texts: readonly string[]): string[] {
  return [...new Set(texts.flatMap((text) => [...text.matchAll(REFERENCE)].map(([, name]) => name ?? '')))];
}

/**
 * The job of one combination: `{matrix:node}` stands for the value of its row wherever the runner and not a shell reads
 * what is written, in image, toolchain, labels, folder, environment, services, artifacts and caches.
 */
export function filledJob(job: ConfigFileJob, combination: Combination): ConfigFileJob {
  if (combination.length === 0) return job;
  return withTexts(job, (text) =>
    text.replaceAll(REFERENCE, (whole, name: string) => combination.find(([row]) => row === name)?.[1] ?? whole),
  );
}

/** Names in those texts of a job that its matrix does not have. */
export function unknownMatrixNames(job: ConfigFileJob): string[] {
  const texts: string[] = [];
  withTexts(job, (text) => {
    texts.push(text);
    return text;
  });
  return matrixNamesIn(texts).filter((name) => !Object.hasOwn(job.matrix ?? {}, name));
}

/** The job with each text that may refer to its matrix replaced. */
function withTexts(job: ConfigFileJob, replace: (text: string) => string): ConfigFileJob {
  const { image, toolchain, workdir, runs_on, env, services, artifacts, caches } = job;
  const replaced = (texts: Readonly<Record<string, string>>): Record<string, string> =>
    Object.fromEntries(Object.entries(texts).map(([name, value]) => [name, replace(value)]));
  return {
    ...job,
    ...(image === undefined ? {} : { image: replace(image) }),
    ...(toolchain === undefined ? {} : { toolchain: replace(toolchain) }),
    ...(workdir === undefined ? {} : { workdir: replace(workdir) }),
    ...(runs_on === undefined ? {} : { runs_on: runs_on.map(replace) }),
    ...(env === undefined ? {} : { env: replaced(env) }),
    ...(services === undefined
      ? {}
      : {
          services: Object.fromEntries(
            Object.entries(services).map(([name, each]) => [
              name,
              {
                ...each,
                image: replace(each.image),
                ...(each.env === undefined ? {} : { env: replaced(each.env) }),
              },
            ]),
          ),
        }),
    ...(artifacts === undefined ? {} : { artifacts: artifacts.map((each) => ({ ...each, path: replace(each.path) })) }),
    ...(caches === undefined
      ? {}
      : { caches: caches.map((each) => ({ ...each, key: replace(each.key), paths: each.paths.map(replace) })) }),
  };
}
