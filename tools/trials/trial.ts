import type { ToolchainName } from './toolchains.ts';

/** Texts of a repository by path. */
export type Files = Readonly<Record<string, string>>;

/** What a job of a plan should come to, by its key. */
export type Outcomes = Readonly<Record<string, 'succeeded' | 'failed'>>;

/** A small repository of one ecosystem, what is wrong with it after a change, and which jobs should say so. */
export interface Trial {
  readonly name: string;
  readonly toolchain: ToolchainName;
  /** @param material folder with what the toolchain brings along for repositories, as jobs see it: packages, settings */
  readonly files: (material: string) => Files;
  /** Every job there is: all of them succeed as long as nothing is wrong. */
  readonly jobs: readonly string[];
  readonly bugs: readonly Bug[];
}

/** A change of one file that breaks something; what it does not reach may not run. */
export interface Bug {
  readonly what: string;
  readonly path: string;
  readonly from: string;
  readonly to: string;
  readonly outcomes: Outcomes;
  /** What the failing job has to have said or reported, so that it is known to have failed for this. */
  readonly told: RegExp;
}
