import type { JobKind } from '@delta-ci/contracts';
import type { DeclaredInput, UnitEdge } from '../model.ts';
import type { JavaScriptPackage } from './workspaces.ts';

/** What a program that runs a workspace's tasks knows of one task of one package. */
export interface Task {
  readonly kind: JobKind;
  /** Command line, run in the workspace's root; null when the package's own script is to be run as it is. */
  readonly run: string | null;
  /** Name of the script that it stands for, if it is one. */
  readonly name: string;
  /** Everything it is known to run. */
  readonly text: string;
  readonly evidence: string;
  /** Globs from the repository's root. */
  readonly outputs: readonly string[];
}

/** Turborepo or Nx, as a repository configures it. */
export interface TaskRunner {
  readonly tasksOf: (each: JavaScriptPackage) => readonly Task[];
  /** What tasks of a package read, where that is narrower or wider than its own files. */
  readonly inputsOf: (each: JavaScriptPackage) => readonly DeclaredInput[];
  /** What the runner's settings say about how packages depend on each other. */
  readonly edgesOf: (each: JavaScriptPackage) => readonly UnitEdge[];
  /** Whether it builds what a task needs before the task, so that nobody else has to. */
  readonly builds: boolean;
  readonly env: Readonly<Record<string, string>>;
}

/** A glob of a setting, which is written from `folder`, as one from the repository's root; `!` stays in front. */
export function fromFolder(folder: string, pattern: string): string {
  const negated = pattern.startsWith('!');
  const plain = (negated ? pattern.slice(1) : pattern).replace(/^\.?\//u, '');
  return `${negated ? '!' : ''}${folder === '.' ? plain : `${folder}/${plain}`}`;
}

/**
 * Extended globs as alternatives, for patterns that take away: `+(a|b)` counts once here, so that less is taken away
 * than might be, and never more.
 */
export function withoutExtendedGlobs(pattern: string): string {
  return pattern.replaceAll(/([?*+@])\(([^()]{1,200})\)/gu, (_all, sign: string, choices: string) => {
    const list = choices.split('|');
    const optional = sign === '?' || sign === '*';
    return optional || list.length > 1 ? `{${[...(optional ? [''] : []), ...list].join(',')}}` : choices;
  });
}
