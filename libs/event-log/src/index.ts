export { migrate, type AppliedMigrations, type MigrateOptions } from './schema/migrate.ts';
export { provisionRoles, type ProvisionRolesOptions, type RoleUrls } from './schema/provision-roles.ts';
export { roleNames, type RoleNames } from './schema/role-names.ts';
export { RecalledDurations } from './durations/recalled-durations.ts';
export { openLog, type LogConnection, type OpenLogOptions } from './connection.ts';
export {
  type Answer,
  type Append,
  type DecisionView,
  type Submission,
  type SubmissionResult,
} from './append/submission.ts';
export { LogWriter, type BatchMeasure, type LogWriterOptions } from './append/log-writer.ts';
export { type OnFault } from './append/decide-batch.ts';
export { chainHash } from './append/hash-chain.ts';
export { LeaseRenewals, type Heartbeat, type Renewal } from './leases/lease-renewals.ts';
export { StreamMarks } from './marks/stream-marks.ts';
export { LogReader, type ReadOptions } from './read/log-reader.ts';
export { findLease, type FoundLease } from './queries/find-lease.ts';
export { findCache, findCacheScope, type KeptCache, type RunCacheScope } from './queries/find-cache.ts';
export { findPlan } from './queries/find-plan.ts';
export { findOutgrownRecipes } from './queries/find-outgrown-recipes.ts';
export { findLatestRecipe } from './queries/find-latest-recipe.ts';
export { findRepository, type KnownRepository } from './queries/find-repository.ts';
export { findRunner, type KnownRunner } from './queries/find-runner.ts';
export { howDoRunnersStand, type StandingRunner } from './queries/how-do-runners-stand.ts';
export { listPoolDecisions, listPools, type PoolDecision } from './queries/list-pools.ts';
export { showJobAtMoment, showMoment, type MomentQuery } from './moment/show-moment.ts';
export { listCaches, whatIsKeptUnder } from './queries/list-caches.ts';
export { listRecipes } from './queries/list-recipes.ts';
export { listRuns } from './queries/list-runs.ts';
export { showRecipe, type KnownRecipe } from './queries/show-recipe.ts';
export { showRun } from './queries/show-run.ts';
export { whatDoesThePoolNeed, type PoolDemand } from './queries/what-does-the-pool-need.ts';
export { whatDidPlansLeaveOut } from './queries/what-did-plans-leave-out.ts';
export { whatDidShadowsFind } from './queries/what-did-shadows-find.ts';
export { whichPlanHasTheTrustedRun } from './queries/which-plan-has-the-trusted-run.ts';
export { whichAttemptsWait, type WaitingAttemptsQuery } from './queries/which-attempts-wait.ts';
export { whichLeasesDoesTheRunnerHold, type HeldLease } from './queries/which-leases-does-the-runner-hold.ts';
export { waitForRemovals, whileRemoving, type RemovedKind } from './retention/removals.ts';
export { whatExpiredLast, whichArtifactsExpired, whoKeepsDigests } from './retention/which-artifacts-expired.ts';
export {
  whichCachesAreOld,
  whichCachesHaveNoRoom,
  whichChunksAreKept,
  type CacheBounds,
} from './queries/which-caches-are-over.ts';
export { whichLeasesExpired, type ExpiredLease } from './queries/which-leases-expired.ts';
export { whichRunsAreDue, type DueRun } from './queries/which-runs-are-due.ts';
export { whichRunsAreSuperseded, type SupersededRun } from './queries/which-runs-are-superseded.ts';
export {
  whichRunsAreUnreported,
  type UnreportedRun,
  type UnreportedRunsQuery,
} from './queries/which-runs-are-unreported.ts';
export { databaseAuditSource, pages, readCheckpoints, type AuditSource, type Stretch } from './audit/audit-source.ts';
export { readStoredRecords, type StoredRecordsQuery } from './audit/read-stored-records.ts';
export { verifyLog, type VerifyLogOptions } from './audit/verify-log.ts';
export { bundleText, parseBundle, type BundleSegment, type RunBundle } from './audit/run-bundle.ts';
export { collectRunBundle, type CollectedBundle } from './audit/collect-run-bundle.ts';
export { checkBundle, type BundleVerdict, type ProvenRecord } from './audit/check-bundle.ts';
export {
  ENVELOPE_BYTES_MAX,
  openEnvelope,
  sealStatement,
  type AttestationProblem,
  type OpenedAttestation,
} from './audit/envelope.ts';
export { verifyChain, type Verification, type VerifyOptions } from './read/verify-chain.ts';
export {
  TrustedKeys,
  loadTrustedKeys,
  readSigningKey,
  type SignatureVerdict,
  type SigningKey,
} from './checkpoints/checkpoint-keys.ts';
export { whatIsThereToSign, type ToSign, type UnsignedClaim } from './checkpoints/what-is-there-to-sign.ts';
export {
  digestUnfinishedWork,
  type Querier,
  type TablesIn,
  type UnfinishedWork,
} from './checkpoints/digest-unfinished-work.ts';
export { LogBell, type LogBellOptions } from './read/log-bell.ts';
export { leadWhile, type LeadOptions } from './election/lead-while.ts';
export { foldWholeLog, type FoldedRow } from './replay/folded-rows.ts';
export { replayRun, type DecisionDifference, type RecordedPlanning, type ReplayedRun } from './replay/replay-run.ts';
export {
  verifyReplay,
  type DifferingCheckpoint,
  type ReplayProgress,
  type ReplayedTable,
  type VerifiedReplay,
  type VerifyReplayOptions,
} from './replay/verify-replay.ts';
export {
  rebuildProjections,
  type RebuildOptions,
  type RebuiltProjections,
  type TableComparison,
} from './rebuild/rebuild-projections.ts';
