import type { Explanation, ExplanationLink } from '@delta-ci/contracts';
import type { Cause, Impact } from '../impact/impact.ts';
import { listed, nameOf } from '../impact/world.ts';
import type { Discovery, Unit, UnitEdge } from '../model.ts';

/** Sentences and chains for jobs and units. A chain reads from the changed file to the decision. */

const CHAIN_LINKS_MAX = 900;
const SENTENCE_LENGTH_MAX = 4_900;

/** What explanations of one plan have in common. */
export interface Story {
  readonly discovery: Discovery;
  readonly impact: Impact;
  readonly changedFiles: number;
  /** What holds for every job of the plan, whatever it does. */
  readonly policies: readonly ExplanationLink[];
  readonly unitName: (id: string) => string;
  readonly dependenciesOf: (id: string) => readonly UnitEdge[];
}

export function storyOf(
  discovery: Discovery,
  impact: Impact,
  changedFiles: number,
  policies: readonly ExplanationLink[],
): Story {
  const units = new Map(discovery.units.map((unit) => [unit.id, unit]));
  const dependencies = new Map<string, UnitEdge[]>();
  for (const edge of discovery.edges) dependencies.set(edge.from, [...(dependencies.get(edge.from) ?? []), edge]);
  return {
    discovery,
    impact,
    changedFiles,
    policies,
    unitName: (id) => {
      const unit = units.get(id);
      return unit === undefined ? id : nameOf(unit);
    },
    dependenciesOf: (id) => dependencies.get(id) ?? [],
  };
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
    chain: bounded([...causeLinks(cause), ...dependencyLinks(cause.path), ...ends]),
    sentence: `${clauses.join('; ')}.${further}`.slice(0, SENTENCE_LENGTH_MAX),
  };
}

function hopsOf({ unitName }: Story, { path }: Cause): string[] {
  return path.map(({ from, to, kind }) => `${unitName(from)} depends on ${unitName(to)} (${kind})`);
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
function bounded(links: readonly ExplanationLink[]): ExplanationLink[] {
  if (links.length <= CHAIN_LINKS_MAX) return [...links];
  return [...links.slice(0, CHAIN_LINKS_MAX / 2), ...links.slice(-CHAIN_LINKS_MAX / 2)];
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
    chain: bounded([...causeLinks(cause), ...dependencyLinks(cause.path), ...ends]),
    sentence: `${opening}: ${[reasonOf(cause), ...hopsOf(story, cause), detail].join('; ')}.`.slice(
      0,
      SENTENCE_LENGTH_MAX,
    ),
  };
}
