import type { RecipeCommand, RecipeUnit } from '@delta-ci/contracts';
import type { Unit, UnitCommand } from '../model.ts';
import { isSameValue } from '../parsed-values.ts';
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

function describeCommand({ kind, step, evidence, text, reports, outputs, joins, before }: UnitCommand): RecipeCommand {
  return {
    kind,
    evidence,
    text,
    step: { ...step },
    reports: [...reports],
    outputs: [...outputs],
    joins: joins === null ? null : { ...joins },
    ...(before === undefined ? {} : { before: before.map((each) => ({ ...each })) }),
  };
}

/** What of a unit is the same whatever it runs. Which builds it needs first follows from the edges of the tested tree. */
const SET_UP = [
  'id',
  'name',
  'root',
  'ecosystem',
  'manifest',
  'install',
  'hosts',
  'env',
  'toolchain',
  'buildBeforeTest',
  'caches',
] as const satisfies readonly (keyof Unit & keyof RecipeUnit)[];

/** Whether two descriptions agree on how a unit is set up. */
export function isSetUpAlike(one: Unit | RecipeUnit, other: RecipeUnit): boolean {
  return SET_UP.every((aspect) => isSameValue(one[aspect], other[aspect]));
}

const COMMAND = [
  'kind',
  'step',
  'evidence',
  'text',
  'reports',
  'outputs',
  'joins',
  'before',
] as const satisfies readonly (keyof UnitCommand & keyof RecipeCommand)[];

/** What decides how a command ends, apart from what it is run on. */
const RUN_IN = ['install', 'hosts', 'env', 'toolchain', 'buildBeforeTest'] as const satisfies readonly (keyof Unit &
  keyof RecipeUnit)[];
const RUN = ['step', 'joins', 'before'] as const satisfies readonly (keyof UnitCommand & keyof RecipeCommand)[];

/** Whether two descriptions run the same for a command, after the same preparation. */
export function isRunAlike(unit: Unit, command: UnitCommand, described: RecipeUnit, proven: RecipeCommand): boolean {
  const inAlike = RUN_IN.every((aspect) => isSameValue(unit[aspect], described[aspect]));
  return inAlike && RUN.every((aspect) => isSameValue(command[aspect], proven[aspect]));
}

export function isSameCommand(one: UnitCommand, other: RecipeCommand): boolean {
  return COMMAND.every((aspect) => isSameValue(one[aspect], other[aspect]));
}
