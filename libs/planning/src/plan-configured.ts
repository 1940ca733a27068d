import {
  shortHash,
  type ConfigFileJob,
  type ConfigFileSource,
  type Explanation,
  type ExplanationLink,
  type Plan,
  type PlannedFile,
  type PlannedJob,
  type PlanNote,
  type ServiceRequest,
  type SkippedJob,
} from '@delta-ci/contracts';
import { changedText, planHeader, summaryOf } from './assemble-plan.ts';
import { runPolicyOf, termsFor } from './config/config-terms.ts';
import { configuredPolicy } from './config/config-policy.ts';
import { grantOf, labelsWithin, policyWithin, type Grant } from './config/granted.ts';
import { combinationsOf, filledJob, matrixEnvironment, type Combination } from './config/matrix.ts';
import { compilePaths, judgeConfigured, type ConfiguredDecision } from './config/paths-decision.ts';
import type { FoundConfig } from './config/read-config.ts';
import { RETENTION_DAYS_DEFAULT } from './construction/artifacts.ts';
import type { JobTerms } from './construction/job-terms.ts';
import { keysFor } from './construction/job-keys.ts';
import { changedWord, placesOf } from './impact/changed-places.ts';
import { listed } from './impact/world.ts';
import type { PlanningInputs, PlanningResult } from './model.ts';
import { resolvePath } from './tree-paths.ts';

/** Plans what the configuration file says: every job of it, narrowed by `paths`. */
export function planConfigured(inputs: PlanningInputs, { path, file }: FoundConfig): PlanningResult {
  const expanded = expandJobs(file.jobs);
  const decisions = judgeConfigured(file.jobs, inputs);
  const context: Context = {
    inputs,
    terms: termsFor(inputs, file),
    grant: grantOf(inputs),
    path,
    source: file.source,
    expanded,
    blobIds: keyFileIdsOf(expanded, inputs),
  };
  const jobs: PlannedJob[] = [];
  const skipped: SkippedJob[] = [];
  for (const job of expanded) {
    const decision = decisions.get(job.name);
    if (decision === undefined) throw new Error(`every job is decided on, ${job.name} is not`);
    if (decision.runs) jobs.push(plannedJob(job, decision, decisions, context));
    else skipped.push({ ...headOf(job), explanation: explain(job, decision, context) });
  }
  const plan: Plan = {
    ...planHeader(inputs, runPolicyOf(inputs, file)),
    source: { kind: 'config', evidence: `${path} of the tested commit` },
    jobs,
    skipped,
    units: [],
    files: configuredFiles(inputs, file.jobs, decisions, expanded),
    notes: missingKeyFiles(context),
    summary: summaryOf(changedText(inputs), jobs, skipped),
  };
  return { ok: true, plan };
}

interface ExpandedJob {
  readonly name: string;
  readonly key: string;
  /** With the values of its combination. */
  readonly job: ConfigFileJob;
  readonly combination: Combination;
}

interface Context {
  readonly inputs: PlanningInputs;
  readonly terms: JobTerms;
  readonly grant: Grant | null;
  readonly path: string;
  /** What the file says for jobs that say nothing of it. */
  readonly source: ConfigFileSource | undefined;
  readonly expanded: readonly ExpandedJob[];
  /** Of the files that keys of caches name, by path. */
  readonly blobIds: ReadonlyMap<string, string>;
}

function expandJobs(jobs: Readonly<Record<string, ConfigFileJob>>): ExpandedJob[] {
  const all = Object.entries(jobs).flatMap(([name, job]) =>
    combinationsOf(job).map((combination) => ({
      name,
      job: filledJob(job, combination),
      combination,
      // By lines: `a b` and `c` are not `a` and `b c`.
      text: [name, ...combination.map(([, value]) => value)].join('\n'),
    })),
  );
  const keys = keysFor(all.map(({ text }) => text));
  return all.map(({ name, job, combination, text }) => ({ name, job, combination, key: keys.get(text) ?? name }));
}

function titleOf(name: string, combination: Combination): string {
  return [name, ...combination.map(([, value]) => value)].join(' ');
}

function headOf({ key, name, combination }: ExpandedJob): Omit<SkippedJob, 'explanation'> {
  return { key, title: titleOf(name, combination).slice(0, 300), kind: 'custom', unit: null };
}

function plannedJob(
  expanded: ExpandedJob,
  decision: ConfiguredDecision,
  decisions: ReadonlyMap<string, ConfiguredDecision>,
  context: Context,
): PlannedJob {
  const { job, combination } = expanded;
  const { terms, inputs } = context;
  const trusted = inputs.change.trust === 'trusted';
  const workdir = resolvePath('.', job.workdir ?? '.') ?? '.';
  const needs = new Set((job.needs ?? []).filter((need) => decisions.get(need)?.runs === true));
  return {
    ...headOf(expanded),
    needs: context.expanded.filter(({ name }) => needs.has(name)).map(({ key }) => key),
    steps: job.steps.map((run) => ({ name: (run.split('\n')[0] ?? '').trim().slice(0, 200) || 'step', run, workdir })),
    env: { CI: 'true', ...matrixEnvironment(combination), ...job.env },
    image: job.image ?? null,
    ...sourceOf(job.source ?? context.source),
    ...servicesOf(job),
    requirements: requirementsOf(expanded, context),
    limits: terms.limits,
    egress: { allow: [...terms.egressFor([])] },
    secrets: trusted ? [...(job.secrets ?? [])] : [],
    ...(trusted ? idTokensOf(job) : {}),
    artifacts: (job.artifacts ?? []).map(({ type, path, retention_days }) => ({
      type,
      path: type === 'folder' ? (resolvePath('.', path) ?? path) : path,
      retentionDays: retention_days ?? RETENTION_DAYS_DEFAULT,
    })),
    caches: cachesOf(expanded, context),
    policy: policyWithin(configuredPolicy(job), context.grant),
    explanation: explain(expanded, decision, context),
  };
}

function sourceOf({ submodules = false, lfs = false }: ConfigFileSource = {}): Pick<PlannedJob, 'source'> {
  if (submodules === false && !lfs) return {};
  return {
    source: {
      ...(submodules === false ? {} : { submodules: submodules === true ? 'direct' : submodules }),
      ...(lfs ? { lfs } : {}),
    },
  };
}

function idTokensOf({ id_tokens }: ConfigFileJob): Pick<PlannedJob, 'idTokens'> {
  const all = Object.entries(id_tokens ?? {}).map(([name, { aud }]) => ({
    name,
    audience: typeof aud === 'string' ? [aud] : [...aud],
  }));
  return all.length === 0 ? {} : { idTokens: all };
}

/** As long as a service may take to be ready where its file does not say: a database is in seconds, on a busy machine later. */
export const HEALTH_SECONDS_DEFAULT = 60;

function servicesOf({ services }: ConfigFileJob): Pick<PlannedJob, 'services'> {
  const all = Object.entries(services ?? {}).map(([name, { image, ports, env, health }]): ServiceRequest => ({
    name,
    image,
    ports: ports ?? [],
    env: env ?? {},
    health:
      health === undefined
        ? null
        : { command: health.command, timeoutMs: (health.timeout_seconds ?? HEALTH_SECONDS_DEFAULT) * 1_000 },
  }));
  return all.length === 0 ? {} : { services: all };
}

function requirementsOf({ job }: ExpandedJob, { terms, grant }: Context): PlannedJob['requirements'] {
  const [name, version] = job.toolchain?.split('@') ?? [];
  const toolchain = name === undefined || version === undefined ? null : { name, version, evidence: 'toolchain' };
  return terms.requirements(toolchain, labelsWithin(job.runs_on ?? [], grant));
}

/** `{hash:path}` in a key of a cache stands for the id of that file's content in the tested tree. */
const HASH_REFERENCE = /\{hash:([^}]*)\}/gu;

const hashedPaths = (key: string): string[] => [...key.matchAll(HASH_REFERENCE)].map(([, path]) => path ?? '');

/** As long as a key of a plan may be. */
const CACHE_KEY_LENGTH_MAX = 500;

/** What was kept of other paths would be found, and restore nothing: keys say of which paths they are. One cache has one key. */
function cachesOf({ job }: ExpandedJob, { blobIds }: Context): PlannedJob['caches'] {
  const all = (job.caches ?? []).map(({ type, key, paths }) => {
    const filled = key.replaceAll(HASH_REFERENCE, (_whole, path: string) => blobIds.get(path) ?? 'none');
    const whole = `${filled}-${shortHash(paths.join('\n'))}`;
    const fits = whole.length <= CACHE_KEY_LENGTH_MAX;
    return { type, key: fits ? whole : `${whole.slice(0, CACHE_KEY_LENGTH_MAX - 9)}-${shortHash(whole)}`, paths };
  });
  return all.filter(({ key }, at) => all.findIndex((other) => other.key === key) === at);
}

/** Ids of the files that keys of caches name, as far as they are there. */
function keyFileIdsOf(expanded: readonly ExpandedJob[], { head }: PlanningInputs): ReadonlyMap<string, string> {
  const wanted = new Set(expanded.flatMap(({ job }) => (job.caches ?? []).flatMap(({ key }) => hashedPaths(key))));
  if (wanted.size === 0) return new Map();
  return new Map(head.entries.filter(({ path }) => wanted.has(path)).map(({ path, blobId }) => [path, blobId]));
}

/** A key that names a file which is not there stays the same for ever, and what is kept under it grows old. */
function missingKeyFiles({ expanded, blobIds }: Context): PlanNote[] {
  const notes = expanded.flatMap(({ name, job }) =>
    (job.caches ?? [])
      .flatMap(({ key }) => hashedPaths(key).filter((path) => !blobIds.has(path)))
      .map((path): PlanNote => {
        const message = `a cache of ${name} goes by ${path}, which is no file of the repository`;
        return { severity: 'warning', code: 'cache_key_file_missing', message, subject: name };
      }),
  );
  return [...new Map(notes.map((note) => [note.message, note])).values()];
}

function explain(expanded: ExpandedJob, decision: ConfiguredDecision, { path, terms }: Context): Explanation {
  const title = titleOf(expanded.name, expanded.combination);
  const rule: ExplanationLink = { kind: 'rule', rule: decision.rule, detail: decision.because };
  const job: ExplanationLink = { kind: 'job-rule', rule: 'configured job', detail: `jobs.${expanded.name} of ${path}` };
  const first: ExplanationLink =
    decision.file === null
      ? { kind: 'change', detail: decision.because }
      : { kind: 'file', path: decision.file.path, status: changedWord(decision.file.status) };
  const withheld = withheldFrom(expanded.job, terms);
  return {
    decision: decision.runs ? 'run' : 'skip',
    chain: [first, rule, job, ...(decision.runs ? [...terms.policies, ...withheld] : [])],
    sentence: `${title} ${decision.runs ? 'runs because' : 'is skipped:'} ${decision.because}.`.slice(0, 5_000),
  };
}

function withheldFrom(job: ConfigFileJob, { trust }: JobTerms): ExplanationLink[] {
  if (trust === 'trusted') return [];
  const names = [
    ...(job.secrets ?? []).map((name) => `secret ${name}`),
    ...Object.keys(job.id_tokens ?? {}).map((name) => `token ${name}`),
    ...(job.caches ?? []).map(({ key }) => `saving of cache ${key}`),
  ];
  if (names.length === 0) return [];
  return [{ kind: 'policy', policy: 'withheld', detail: `${listed(names, 10)}, because the change is not trusted` }];
}

/** Each changed file with the jobs it reaches. Jobs of a configuration file belong to no unit: their keys stand in for one. */
function configuredFiles(
  { comparison }: PlanningInputs,
  jobs: Readonly<Record<string, ConfigFileJob>>,
  decisions: ReadonlyMap<string, ConfiguredDecision>,
  expanded: readonly ExpandedJob[],
): PlannedFile[] {
  if (comparison.kind === 'everything') return [];
  const matchers = Object.entries(jobs).map(([name, job]) => [name, compilePaths(job)] as const);
  const everything = [...decisions.values()].find(({ rule }) => rule === 'ci-configuration');
  return comparison.changes
    .map((change): PlannedFile => {
      const places = placesOf(change);
      const own = everything !== undefined && everything.file?.path === change.path;
      const reached = new Set(matchers.filter(([, matches]) => own || places.some(matches)).map(([name]) => name));
      const reaches = expanded.filter(({ name }) => reached.has(name)).map(({ key }) => key);
      const status = changedWord(change.status);
      const because = own ? 'it configures continuous integration, so everything runs' : reachText(reaches);
      const rule = own ? 'ci-configuration' : 'configured-paths';
      return {
        path: change.path,
        status,
        owner: null,
        rule,
        reaches,
        sentence: `${change.path} was ${status}: ${because}.`,
      };
    })
    .sort((one, other) => (one.path < other.path ? -1 : 1));
}

function reachText(reaches: readonly string[]): string {
  if (reaches.length === 0) return 'it matches the paths of no job';
  return `it matches the paths of ${listed(reaches, 5)}`;
}
