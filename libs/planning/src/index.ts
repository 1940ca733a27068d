export { PLANNING_RULES_VERSION } from './assemble-plan.ts';
export { planDigestIn, planStatementOf, type AttestedRun } from './attestation/plan-statement.ts';
export { checkPlan } from './check-plan.ts';
export type { ConfigProblem } from './config/config-problem.ts';
export { lintConfigFile, parseConfigFile, warningsOfConfigFile, type ParsedConfig } from './config/lint-config-file.ts';
export { RETENTION_DAYS_DEFAULT } from './construction/artifacts.ts';
export { HEALTH_SECONDS_DEFAULT } from './plan-configured.ts';
export { DEFAULT_PLANNING_RULES } from './default-rules.ts';
export { condensed, discover, wantedPaths } from './discover.ts';
export { DiscoveryMemory } from './discovery-memory.ts';
export { constructionKey, withHeading } from './known-construction.ts';
export type {
  ChangedFile,
  CommandJoin,
  Comparison,
  DeclaredInput,
  DependencyKind,
  Discovery,
  DiscoveryProblem,
  EntryType,
  ExternalClosure,
  LimitsMax,
  PlanningFailureCode,
  PlanningInputs,
  PlanningResult,
  PlanningRules,
  RepositorySnapshot,
  SnapshotEntry,
  Unit,
  UnitCache,
  UnitCommand,
  UnitEdge,
} from './model.ts';
export { planChange } from './plan-change.ts';
export { inputsFromRecord, recordInputs, rulesVersionOf, type RecordedInputs } from './recorded-inputs.ts';
export { configOfRecipe, type ConfigOfRecipe } from './recipes/config-of-recipe.ts';
export { fingerprintText } from './recipes/fingerprint.ts';
export type { LatestRecipe, RecipeInput } from './recipes/recipe-input.ts';
export { departsFromDiscovery, followsRecipe } from './recipes/recipe-words.ts';
export { escapesIn, foldLedger, type Escape } from './shadow/fold-ledger.ts';
export { judgeEntry, type JudgedEntry } from './shadow/judge-entry.ts';
export type { ShadowInput } from './shadow/shadow-input.ts';
export { shadowRulesFor } from './shadow/shadow-rules.ts';
export { percent } from './shadow/shadow-words.ts';
export { accountOf, type LedgerAccount, type Spared } from './shadow/ledger-account.ts';
export { CHANGES_MAX, TOO_MANY_CHANGES } from './told-one-by-one.ts';
