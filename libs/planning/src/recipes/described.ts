import type { RecipeCommand, RecipeUnit } from '@delta-ci/contracts';
import type { Unit, UnitCommand } from '../model.ts';
import { sortedText } from '../parsed-values.ts';
import { byText } from '../tree-paths.ts';

/** Units as recipes describe them. */

/** A unit with these of its commands. */
export function describeUnit(unit: Unit, commands: readonly UnitCommand[]): RecipeUnit {
  const { id, name, root, ecosystem, manifest, install, hosts, env, toolchain, buildsFirst, buildBeforeTest } = unit;
  return {
    id,
    name,
    root,
    ecosystem,
    manifest,
    buildBeforeTest,
    install: install.map((step) => ({ ...step })),
    hosts: [...hosts],
    env: { ...env },
    toolchain: toolchain === null ? null : { ...toolchain },
    buildsFirst: [...buildsFirst],
    caches: unit.caches.map(({ paths, keyFiles, ...cache }) => ({
      ...cache,
      paths: [...paths],
      keyFiles: [...keyFiles],
    })),
    commands: commands.map(describeCommand).sort((one, other) => byText(one.kind, other.kind)),
  };
}

export function describeCommand({ kind, step, evidence, text, reports, outputs, joins }: UnitCommand): RecipeCommand {
  return {
    kind,
    evidence,
    text,
    step: { ...step },
    reports: [...reports],
    outputs: [...outputs],
    joins: joins === null ? null : { ...joins },
  };
}

/**
 * Whether two descriptions agree on how a unit is set up, whatever it runs. Which builds it needs first follows from the
 * edges of the tested tree, and is no part of that.
 */
export function isSetUpAlike(one: RecipeUnit, other: RecipeUnit): boolean {
  return setUpOf(one) === setUpOf(other);
}

const setUpOf = (unit: RecipeUnit): string => sortedText({ ...unit, commands: null, buildsFirst: null });

export function isSameCommand(one: RecipeCommand, other: RecipeCommand): boolean {
  return sortedText(one) === sortedText(other);
}
