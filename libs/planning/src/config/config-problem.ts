/** What is wrong with a configuration file, and where: lines and columns count from 1. */
export interface ConfigProblem {
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

export type ConfigPath = readonly (string | number)[];

/** A problem by the place in the value; `key` for the name of a member rather than what it holds. */
export interface PlacedProblem {
  readonly path: ConfigPath;
  readonly of: 'key' | 'value';
  readonly message: string;
}
