import {
  DEFAULT_JOB_LIMITS,
  type ConfigFile,
  type ConfigFileJob,
  type PlannedJob,
  type Recipe,
} from '@delta-ci/contracts';
import { stringify } from 'yaml';
import { parseConfigFile } from '../config/lint-config-file.ts';
import { constructJobs } from '../construction/construct-jobs.ts';
import { storyOf } from '../construction/explain.ts';
import { termsOf } from '../construction/job-terms.ts';
import { DEFAULT_PLANNING_RULES } from '../default-rules.ts';
import { assessEverything } from '../impact/assess-change.ts';
import type { Discovery, Unit } from '../model.ts';
import { plainUnit } from '../plain-unit.ts';
import { quoteForShell } from '../shell-words.ts';
import { byText } from '../tree-paths.ts';

export type ConfigOfRecipe =
  { readonly ok: true; readonly text: string } | { readonly ok: false; readonly problem: string };

/**
 * A configuration file with the jobs that a recipe leads to when everything is reached: the same commands, in the same
 * order and folders, with the same artifacts and policies.
 *
 * It names no paths, so every job runs for every change: what a change reaches is worked out anew for each, and a list that
 * is right today would leave out a failure tomorrow. It names no caches, which spare time alone: their keys need files of
 * which a recipe does not know whether they are there.
 * @param heading lines of remarks above it
 */
export function configOfRecipe(recipe: Recipe, heading: readonly string[]): ConfigOfRecipe {
  const discovery: Discovery = { units: unitsOf(recipe), edges: [], problems: [] };
  const terms = termsOf({
    rules: DEFAULT_PLANNING_RULES,
    trust: 'trusted',
    limits: DEFAULT_JOB_LIMITS,
    entries: [],
  });
  const story = storyOf(discovery, assessEverything(discovery, 'the recipe'), 0, terms.policies);
  const { jobs } = constructJobs(story, terms);
  const hosts = [...new Set(jobs.flatMap(({ egress }) => egress.allow))].sort(byText);
  const file: ConfigFile = {
    version: 1,
    jobs: Object.fromEntries(jobs.map((job) => [job.key, configJobOf(job)])),
    ...(hosts.length === 0 ? {} : { egress: { allow: hosts } }),
  };
  const remarks = [...heading, ...toolchainRemarks(recipe)].map((line) => `# ${line.replaceAll(/\s+/gu, ' ')}\n`);
  const text = remarks.join('') + stringify(file, { lineWidth: 0, aliasDuplicateObjects: false });
  const read = parseConfigFile(text, 'delta.yaml');
  const [problem] = read.ok ? [] : read.problems;
  if (problem !== undefined) return { ok: false, problem: `line ${problem.line}: ${problem.message}` };
  return { ok: true, text };
}

/** Units of the recipe, and those that commands are told under without having any themselves. */
function unitsOf({ units }: Recipe): Unit[] {
  const known = new Set(units.map(({ id }) => id));
  const groups = units.flatMap(({ ecosystem, manifest, commands }) =>
    commands.flatMap(({ joins }): Unit[] => {
      if (joins === null || known.has(joins.group)) return [];
      known.add(joins.group);
      return [plainUnit({ root: joins.group, ecosystem, manifest })];
    }),
  );
  return [...units.map((described): Unit => ({ ...plainUnit(described), ...described })), ...groups];
}

/** One folder for all steps where they share it; otherwise each step goes to its own. */
function configJobOf({ steps, env, artifacts, policy }: PlannedJob): ConfigFileJob {
  const [first] = steps;
  const shared = steps.every(({ workdir }) => workdir === first?.workdir) ? (first?.workdir ?? '.') : null;
  // A configured job is told that it runs in continuous integration in any case.
  const own = Object.entries(env).filter(([name, value]) => name !== 'CI' || value !== 'true');
  return {
    ...(shared === null || shared === '.' ? {} : { workdir: shared }),
    ...(own.length === 0 ? {} : { env: Object.fromEntries(own) }),
    steps: steps.map(({ workdir, run }) =>
      shared !== null || workdir === '.' ? run : `cd ${folderWord(workdir)}\n${run}`,
    ),
    ...(artifacts.length === 0
      ? {}
      : {
          artifacts: artifacts.map(({ type, path, retentionDays }) => ({ type, path, retention_days: retentionDays })),
        }),
    ...(policy.priority === 0 ? {} : { policy: { priority: policy.priority } }),
  };
}

const folderWord = (folder: string): string => quoteForShell(folder.startsWith('-') ? `./${folder}` : folder);

/** Whether runners announce what they have is the installation's choice, so a file must not ask for it unseen. */
function toolchainRemarks({ units }: Recipe): string[] {
  const wanted = units.flatMap(({ toolchain }) =>
    toolchain === null ? [] : [`${toolchain.name} ${toolchain.version}`],
  );
  return wanted.length === 0 ? [] : [`It ran with ${[...new Set(wanted)].sort(byText).join(', ')}.`];
}
