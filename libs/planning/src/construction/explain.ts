import type { Explanation, ExplanationLink, RecipeReference } from '@delta-ci/contracts';
import { endsOf } from '../impact/edge-path.ts';
import type { Cause, Impact } from '../impact/impact.ts';
import { listed, nameOf } from '../impact/world.ts';
import type { Discovery, Unit, UnitEdge } from '../model.ts';

/** Sentences and chains for jobs and units. A chain reads from the changed file to the decision. */

const CHAIN_LINKS_MAX = 900;
/** How many links of a dependency path each chain of a plan may have: the most with which all of them stay few enough. */
const PATH_LINKS = [CHAIN_LINKS_MAX, 300, 100, 40, 20] as const;
/** Of all chains of a plan together; what ordinary plans have is never cut. */
const PATH_LINKS_OF_PLAN = 250_000;
const SENTENCE_LENGTH_MAX = 4_900;

/** Job rules of units for which no job runs: discovery found no command, or what reached them concerns other kinds of jobs. */
export const NOTHING_TO_RUN = 'nothing to run';
export const NO_JOB_NOTICES = 'no job notices';

/** What explanations of one plan have in common. */
export interface Story {
  readonly discovery: Discovery;
  readonly impact: Impact;
  readonly changedFiles: number;
  /** What holds for every job of the plan, whatever it does. */
  readonly policies: readonly ExplanationLink[];
  /** Whose commands the jobs are, as far as they say so; null without one. */
  readonly recipe: RecipeReference | null;
  readonly unitName: (id: string) => string;
  readonly dependenciesOf: (id: string) => readonly UnitEdge[];
  /** As many links as each chain may have of its dependency path. */
  readonly pathLinks: number;
}

export function storyOf(
  discovery: Discovery,
  impact: Impact,
  changedFiles: number,
  policies: readonly ExplanationLink[],
  recipe: RecipeReference | null = null,
): Story {
  const units = new Map(discovery.units.map((unit) => [unit.id, unit]));
  const dependencies = Map.groupBy(discovery.edges, ({ from }) => from);
  return {
    discovery,
    impact,
    changedFiles,
    policies,
    recipe,
    unitName: (id) => {
      const unit = units.get(id);
      return unit === undefined ? id : nameOf(unit);
    },
    dependenciesOf: (id) => dependencies.get(id) ?? [],
    pathLinks: pathLinksFor(discovery, impact),
  };
}

/** A unit and each of its commands have a chain, which in a chain of thousands of units is as long as that on average. */
function pathLinksFor({ units }: Discovery, { units: impacts }: Impact): number {
  const chains = units.map(({ id, commands }) => {
    const impact = impacts.get(id);
    const causes = [...(impact?.kinds.values() ?? []), ...(impact?.whole ? [impact.whole] : [])];
    return { links: 2 * Math.max(0, ...causes.map(({ path }) => path.length)), times: 1 + commands.length };
  });
  const total = (most: number): number =>
    chains.reduce((sum, { links, times }) => sum + Math.min(links, most) * times, 0);
  return PATH_LINKS.find((most) => total(most) <= PATH_LINKS_OF_PLAN) ?? PATH_LINKS[PATH_LINKS.length - 1] ?? 0;
}

/** Why something runs. `opening` begins the sentence: `test packages/cart runs`. */
export function explainRun(story: Story, opening: string, cause: Cause, ends: readonly ExplanationLink[]): Explanation {
  const clauses = [`${opening} because ${reasonOf(cause)}`, ...hopsOf(story, cause)];
  const further =
    cause.furtherFiles === 0
      ? ''
      : ` ${cause.furtherFiles === 1 ? 'One further file reaches' : `${cause.furtherFiles} further files reach`} ${story.unitName(cause.origin)}.`;
  return {
    decision: 'run',
    chain: chainOf(story, cause, ends),
    sentence: `${clauses.join('; ')}.${further}`.slice(0, SENTENCE_LENGTH_MAX),
  };
}

/** As clauses; very long paths keep both ends, of which a sentence has room for the first at most. */
function hopsOf({ unitName, pathLinks }: Story, { path }: Cause): string[] {
  const shown = pathLinks / 4;
  const hops = endsOf(path, shown).map(
    ({ from, to, kind }) => `${unitName(from)} depends on ${unitName(to)} (${kind})`,
  );
  const left = path.length - hops.length;
  return left === 0 ? hops : [...hops.slice(0, shown), `and so on for ${left} more`, ...hops.slice(shown)];
}

function chainOf({ pathLinks }: Story, cause: Cause, ends: readonly ExplanationLink[]): ExplanationLink[] {
  const links = [...causeLinks(cause), ...dependencyLinks(endsOf(cause.path, pathLinks / 2))];
  return bounded([...bounded(links, pathLinks), ...ends], CHAIN_LINKS_MAX);
}

function reasonOf({ file, because }: Cause): string {
  return file === null ? because : `${file.path} was ${file.status}, and ${because}`;
}

function causeLinks({ file, rule, because, origin }: Cause): ExplanationLink[] {
  const first: ExplanationLink =
    file === null ? { kind: 'change', detail: because } : { kind: 'file', path: file.path, status: file.status };
  return [first, { kind: 'rule', rule, detail: because }, { kind: 'unit', unit: origin }];
}

function dependencyLinks(path: readonly UnitEdge[]): ExplanationLink[] {
  return path.flatMap(({ from, to, kind }): ExplanationLink[] => [
    { kind: 'dependency', from, to, dependencyKind: kind },
    { kind: 'unit', unit: from },
  ]);
}

/** Chains through very long dependency paths keep both ends. */
function bounded(links: readonly ExplanationLink[], most: number): ExplanationLink[] {
  return links.length <= most ? [...links] : [...links.slice(0, most / 2), ...links.slice(-most / 2)];
}

/** Why something of a unit that no change reaches does not run. */
export function explainSkip(story: Story, opening: string, unit: Unit, ends: readonly ExplanationLink[]): Explanation {
  const { changedFiles } = story;
  const changed = changedFiles === 0 ? 'no file changed' : notReaching(changedFiles, nameOf(unit));
  const rest = ofDependencies(story, unit);
  const detail = `${changed}, and ${rest}`;
  return {
    decision: 'skip',
    chain: [
      { kind: 'change', detail: changed },
      { kind: 'unit', unit: unit.id },
      { kind: 'rule', rule: 'unreached', detail: rest },
      ...ends,
    ],
    sentence: `${opening}: ${detail}.`.slice(0, SENTENCE_LENGTH_MAX),
  };
}

/** Why nothing reaches a unit by way of what it depends on. */
function ofDependencies(story: Story, unit: Unit): string {
  const dependencies = [...new Set(story.dependenciesOf(unit.id).map(({ to }) => to))];
  if (dependencies.length === 0) return 'it depends on no other unit';
  const reached = dependencies.filter((id) => isReached(story.impact, id));
  if (reached.length > 0) {
    const names = listed(reached.map(story.unitName), 4);
    return `what reaches ${names}, which it depends on, goes no further than jobs of ${reached.length === 1 ? 'that unit' : 'those units'}`;
  }
  const names = listed(dependencies.map(story.unitName), 4);
  return `${names}, which it depends on, ${dependencies.length === 1 ? 'is' : 'are'} not affected either`;
}

function isReached({ units }: Impact, id: string): boolean {
  const impact = units.get(id);
  return impact !== undefined && (impact.whole !== null || impact.kinds.size > 0);
}

function notReaching(changedFiles: number, unit: string): string {
  if (changedFiles === 1) return `the changed file does not reach ${unit}`;
  return `none of the ${changedFiles} changed files reaches ${unit}`;
}

/** Why what many units would share does not run: `whom` stands for them (`none of its 12 units`). */
export function explainNoneReached(
  { changedFiles }: Story,
  opening: string,
  whom: string,
  ends: readonly ExplanationLink[],
): Explanation {
  const detail =
    changedFiles === 0
      ? 'no file changed'
      : `${whom} ${changedFiles === 1 ? 'is reached by the changed file' : `is reached by any of the ${changedFiles} changed files`} in a way that it would notice`;
  return {
    decision: 'skip',
    chain: [{ kind: 'change', detail }, { kind: 'rule', rule: 'unreached', detail: whom }, ...ends],
    sentence: `${opening}: ${detail}.`,
  };
}

/** Why a job does not run although other kinds of jobs of its unit do. */
export function explainOtherKinds(
  story: Story,
  opening: string,
  unit: Unit,
  cause: Cause,
  reached: readonly string[],
  ends: readonly ExplanationLink[],
): Explanation {
  const detail = `only ${listed(reached)} of ${nameOf(unit)} can notice`;
  return {
    decision: 'skip',
    chain: chainOf(story, cause, ends),
    sentence: `${opening}: ${[reasonOf(cause), ...hopsOf(story, cause), detail].join('; ')}.`.slice(
      0,
      SENTENCE_LENGTH_MAX,
    ),
  };
}
