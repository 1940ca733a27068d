import { createHash } from 'node:crypto';
import { CONFIG_FILE_NAMES, IsolationTier, PoolName, ShadowRules } from '@delta-ci/contracts';
import {
  lintConfigFile,
  type ChangedFile,
  type LimitsMax,
  type PlanningInputs,
  type PlanningRules,
  type RepositorySnapshot,
  type SnapshotEntry,
} from '@delta-ci/planning';

/** What a history is planned by instead of what it was: a configuration file in every commit, or other rules. */
export type Policy =
  | { readonly kind: 'config'; readonly text: string }
  | { readonly kind: 'rules'; readonly rules: Partial<PlanningRules> };

export type ParsedPolicy =
  { readonly ok: true; readonly policy: Policy } | { readonly ok: false; readonly message: string };

/** A JSON object of planning rules, or a configuration file that can be followed. */
export function parsePolicy(text: string, name: string): ParsedPolicy {
  if (text.trimStart().startsWith('{')) return parseRules(text, name);
  const [problem] = lintConfigFile(text, name);
  if (problem === undefined) return { ok: true, policy: { kind: 'config', text } };
  return { ok: false, message: `${name}:${problem.line}:${problem.column} ${problem.message}` };
}

/** What each rule may be. */
const RULES: Readonly<Record<keyof PlanningRules, (value: unknown) => boolean>> = {
  pool: (value) => PoolName.safeParse(value).success,
  os: (value) => value === 'linux' || value === 'darwin',
  trustedIsolation: (value) => IsolationTier.safeParse(value).success,
  untrustedEgress: isTexts,
  requireToolchains: (value) => typeof value === 'boolean',
  labels: isTexts,
  images: isTexts,
  limitsMax: isLimitsMax,
  runsHere: (value) => value === true,
  shadow: (value) => ShadowRules.safeParse(value).success,
};

const LIMITS: readonly string[] = ['cpuCount', 'memoryBytes', 'diskBytes'] satisfies readonly (keyof LimitsMax)[];

function isLimitsMax(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return Object.entries(value).every(([name, most]) => LIMITS.includes(name) && typeof most === 'number' && most > 0);
}

function isTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every((text) => typeof text === 'string');
}

function parseRules(text: string, name: string): ParsedPolicy {
  const rules = parsedObject(text);
  if (rules === null) return { ok: false, message: `${name} is no JSON object` };
  const wrong = Object.entries(rules).find(([rule, value]) => !isRule(rule) || !RULES[rule](value));
  if (wrong === undefined) return { ok: true, policy: { kind: 'rules', rules } };
  const known = Object.keys(RULES).join(', ');
  const why = isRule(wrong[0]) ? `has a "${wrong[0]}" that cannot be` : `has "${wrong[0]}", which is none of ${known}`;
  return { ok: false, message: `${name} ${why}` };
}

const isRule = (name: string): name is keyof PlanningRules => Object.hasOwn(RULES, name);

function parsedObject(text: string): Partial<PlanningRules> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : null;
  } catch {
    return null;
  }
}

/** The same change under another policy. */
export function inputsUnder<I extends Pick<PlanningInputs, 'rules' | 'head' | 'comparison'>>(
  policy: Policy,
  inputs: I,
): I {
  if (policy.kind === 'rules') return { ...inputs, rules: { ...inputs.rules, ...policy.rules } };
  const entry = configEntry(policy.text);
  const { head, comparison } = inputs;
  return {
    ...inputs,
    head: withConfig(head, entry, policy.text),
    comparison:
      comparison.kind === 'everything'
        ? comparison
        : {
            ...comparison,
            snapshot: withConfig(comparison.snapshot, entry, policy.text),
            // The file that stands in its place never changed.
            changes: comparison.changes.flatMap(withoutConfig),
          },
  };
}

const NAMES: readonly string[] = CONFIG_FILE_NAMES;

const isConfig = (path: string): boolean => NAMES.includes(path);

function withoutConfig(change: ChangedFile): ChangedFile[] {
  const { path, oldPath } = change;
  const moved = oldPath !== undefined && isConfig(oldPath);
  if (isConfig(path))
    return oldPath === undefined || moved || change.status !== 'R' ? [] : [{ status: 'D', path: oldPath }];
  return moved ? [{ status: 'A', path }] : [change];
}

function configEntry(text: string): SnapshotEntry {
  const bytes = Buffer.from(text);
  const blobId = createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex');
  return { path: CONFIG_FILE_NAMES[0], mode: '100644', type: 'file', blobId };
}

function withConfig({ entries, contents }: RepositorySnapshot, entry: SnapshotEntry, text: string): RepositorySnapshot {
  const texts = new Map(contents);
  for (const name of NAMES) texts.delete(name);
  return { entries: [...entries.filter(({ path }) => !isConfig(path)), entry], contents: texts.set(entry.path, text) };
}
