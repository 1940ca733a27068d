import { isShadow, type ConfigFile, type Plan, type PlanNote } from '@delta-ci/contracts';
import { changedText, planHeader, plannedFiles, summaryOf } from './assemble-plan.ts';
import { runPolicyOf, termsFor } from './config/config-terms.ts';
import type { Member } from './construction/assignments.ts';
import { constructJobs } from './construction/construct-jobs.ts';
import { storyOf } from './construction/explain.ts';
import { DETECTORS } from './detectors/known-detectors.ts';
import type { DiscoveryMemory } from './discovery-memory.ts';
import { discover } from './discover.ts';
import { assessChange, assessEverything } from './impact/assess-change.ts';
import { listed } from './impact/world.ts';
import type { Impact } from './impact/impact.ts';
import type { Comparison, Discovery, PlanningInputs, PlanningResult } from './model.ts';
import { withRecipe, type AppliedRecipe } from './recipes/apply-recipe.ts';
import { recipeUseOf } from './recipes/lesson.ts';
import { recipeSentence, sourceEvidence } from './recipes/recipe-words.ts';
import { impactWithout, shadowNotes, shadowPlanOf } from './shadow/shadow-plan.ts';
import { shadowSentence } from './shadow/shadow-words.ts';

/** Plans a repository by what its own files say about it. A configuration file may still govern runs, limits and hosts. */
export function planDiscovered(
  inputs: PlanningInputs,
  config: ConfigFile | null,
  memory: DiscoveryMemory,
): PlanningResult {
  const { comparison } = inputs;
  // The earlier side first: it was, as a rule, the later one of another change.
  const before = comparison.kind === 'everything' ? null : discover(comparison.snapshot, memory);
  const found = discover(inputs.head, memory);
  const lost = before === null ? null : lostManifest(found, before);
  if (lost !== null) return { ok: false, code: 'manifest_unreadable', message: lost };
  const applied = withRecipe(found, inputs.recipe);
  const { discovery } = applied;
  if (discovery.units.every(({ commands }) => commands.length === 0)) return nothingToRun(inputs, discovery);
  // What a change reaches is a matter of the two trees: a recipe is of one of them alone.
  const narrow = impactOf(comparison, found, before);
  const shadow = shadowPlanOf(inputs, narrow);
  const impact =
    shadow === null || before === null || comparison.kind === 'everything'
      ? narrow
      : impactWithout(shadow, comparison, found, before);
  const terms = termsFor(inputs, config);
  const changedFiles = comparison.kind === 'everything' ? 0 : comparison.changes.length;
  const story = storyOf(discovery, impact, changedFiles, terms.policies, applied.used);
  const { jobs, skipped, units, ran, shadow: told } = constructJobs(story, terms, inputs.durations, shadow);
  const selected = jobs.filter(({ policy }) => !isShadow(policy));
  const plan: Plan = {
    ...planHeader(inputs, runPolicyOf(inputs, config)),
    source: sourceOf(inputs, applied, ran),
    ...(told === null ? {} : { shadow: told }),
    jobs: [...jobs],
    skipped: [...skipped],
    units: [...units],
    files: plannedFiles(impact.files),
    notes: [...problemNotes(discovery), ...toolchainNotes(discovery, inputs), ...shadowNotes(shadow)],
    summary: [
      summaryOf(changedText(inputs), selected, skipped),
      recipeSentence(inputs.recipe, applied),
      shadowSentence(jobs.length - selected.length),
    ]
      .join('')
      .slice(0, 5_000),
  };
  return { ok: true, plan };
}

function sourceOf({ recipe, change }: PlanningInputs, applied: AppliedRecipe, ran: readonly Member[]): Plan['source'] {
  const evidence = sourceEvidence(evidenceOf(applied.discovery), recipe, applied).slice(0, 2_000);
  const kind = applied.used === null ? 'discovery' : 'recipe';
  return { kind, evidence, ...(recipe === null ? {} : { recipe: recipeUseOf(recipe, applied, ran, change.trust) }) };
}

function impactOf(comparison: Comparison, after: Discovery, before: Discovery | null): Impact {
  if (comparison.kind === 'everything') return assessEverything(after, comparison.reason);
  if (before === null) throw new Error('what a change is compared with was discovered too');
  return assessChange(after, before, comparison.changes);
}

/** A manifest that a change broke takes its unit's jobs with it: without them a failure would look like success. */
function lostManifest(after: Discovery, before: Discovery): string | null {
  const had = new Set(before.units.filter(({ commands }) => commands.length > 0).map(({ manifest }) => manifest));
  const problem = after.problems.find(
    ({ code, path }) => code === 'manifest_unreadable' && path !== null && had.has(path),
  );
  return problem === undefined ? null : `${problem.message}, and it had jobs before this change`;
}

function evidenceOf({ units }: Discovery): string {
  const count = new Map<string, number>();
  for (const { ecosystem } of units) count.set(ecosystem, (count.get(ecosystem) ?? 0) + 1);
  const found = [...count].map(([ecosystem, number]) => `${number} ${ecosystem} ${number === 1 ? 'unit' : 'units'}`);
  return `found ${listed(found)} by their manifests: ${listed(manifestsOf(units), 5)}`.slice(0, 2_000);
}

/** Each once: one file may describe many units. */
function manifestsOf(units: Discovery['units']): string[] {
  return [...new Set(units.map(({ manifest }) => manifest))];
}

function problemNotes({ problems }: Discovery): PlanNote[] {
  return problems.map(({ code, message, path, severity }): PlanNote => ({
    severity: severity ?? 'warning',
    code,
    message,
    subject: path,
  }));
}

/** Versions are known; whether runners have to announce them is the installation's choice. */
function toolchainNotes({ units }: Discovery, { rules }: PlanningInputs): PlanNote[] {
  if (rules.requireToolchains) return [];
  const wanted = units.flatMap(({ toolchain }) => (toolchain === null ? [] : [toolchain]));
  const texts = [...new Set(wanted.map(({ name, version, evidence }) => `${name} ${version} (${evidence})`))];
  if (texts.length === 0) return [];
  const who =
    rules.runsHere === true ? 'jobs run with what this machine has' : 'runners are taken at their word to have it';
  const message = `the repository asks for ${listed(texts)}; ${who}`;
  return [{ severity: 'info', code: 'toolchain_not_required', message, subject: null }];
}

const STARTER = `version: 1
jobs:
  test:
    steps:
      - echo "replace this line with the command that tests the repository"
`;

function nothingToRun(inputs: PlanningInputs, { units, problems }: Discovery): PlanningResult {
  const found =
    units.length === 0
      ? `${inputs.head.entries.length} files were looked at and none of them describes something to run`
      : `${listed(manifestsOf(units))} ${manifestsOf(units).length === 1 ? 'names' : 'name'} nothing to run`;
  const looked = DETECTORS.map(({ lookedFor }) => `  - ${lookedFor}`).join('\n');
  const unread =
    problems.length === 0
      ? ''
      : `\nWhat could not be read:\n${problems
          .slice(0, 10)
          .map(({ message }) => `  - ${message}`)
          .join('\n')}`;
  const message = `${found}. Looked for:\n${looked}${unread}\nA delta.yaml at the repository's root can say what to run:\n\n${STARTER}`;
  return { ok: false, code: 'nothing_to_run', message: message.slice(0, 10_000) };
}
