export {
  AttemptNumber,
  AttemptRef,
  CommitId,
  Digest,
  EpochMs,
  JobKey,
  LeaseHash,
  LeaseId,
  MessageId,
  PoolName,
  RepositoryId,
  RunId,
  RunnerId,
  Traceparent,
  attemptName,
  ForgeName,
} from './ids.ts';
export { staysBelow } from './artifact-name.ts';
export { canonicalJson, type Json } from './canonical-json.ts';
export { LearnedDuration, LearnedDurations, StepKey, StepShare, stepKey, stepNameOf } from './durations.ts';
export { shortHash } from './short-hash.ts';
export { CappedLog } from './capped-log.ts';
export { maskedCaches, maskedEgress, maskedError } from './masked.ts';
export { versionSatisfies } from './toolchain-version.ts';
export { firstDifference, type JsonDifference } from './json-difference.ts';
export { CapacityHistory, CapacityInputs, CapacityPolicy, CapacitySnapshot } from './capacity.ts';
export {
  CACHES_PER_JOB_MAX,
  CACHE_CHUNKS_MAX,
  CACHE_CHUNK_BYTES_MAX,
  CACHE_CHUNK_CONTENT_BYTES_MAX,
  CacheChunk,
  CacheContent,
  CacheKey,
  CacheName,
  CacheProblem,
  CacheRecord,
  CacheRemoval,
  CacheRemovalCause,
  CacheResult,
  REMOVED_CACHES_AT_ONCE_MAX,
  SavedCache,
  TRUSTED_DOMAIN,
  TrustDomain,
} from './caches.ts';
export { CacheListQuery, CachePage, RemoveCachesAnswer, RemoveCachesRequest } from './cache-api.ts';
export {
  DEBUG_IDLE_MS,
  DEBUG_KEYS_BYTES_MAX,
  DEBUG_MINUTES,
  DEBUG_MINUTES_MAX,
  DebugEnd,
  DebugHold,
  DebugInput,
  DebugReason,
  DebugRequest,
  DebugTerms,
  OpenDebugRequest,
} from './debug.ts';
export { Actor, Change, ChangeKind, ForgeKind, Repository, RerunSource, TrustLevel } from './change.ts';
export {
  AuditCheckpoint,
  AuditCheckpointsPage,
  AuditCheckpointsQuery,
  AuditEventsPage,
  AuditEventsQuery,
  AuditFinding,
  AuditRecord,
  AuditVerification,
  AuditVerifyQuery,
  LogHead,
} from './audit.ts';
export {
  CHECKPOINT_STREAM,
  ChainHash,
  Checkpoint,
  CheckpointClaim,
  KeyId,
  checkpointText,
  parseCheckpointText,
} from './checkpoint.ts';
export {
  ATTESTATION_PAYLOAD_TYPE,
  AttestationEnvelope,
  PLAN_PREDICATE_TYPE,
  PlanPredicate,
  PlanStatement,
  STATEMENT_TYPE,
  preAuthenticationEncoding,
  type AttestedJob,
  type AttestedSkip,
} from './attestation.ts';
export { JobKind, JobStep } from './job-step.ts';
export {
  RECIPE_LENGTH_MAX,
  Recipe,
  RecipeCommand,
  RecipeId,
  RecipeReference,
  RecipeUnit,
  RecipeUse,
  SUCCESSES_TO_CONVERGE,
  recipeIdOf,
  runOfRecipe,
} from './recipe.ts';
export {
  DEFAULT_IDLE_TIMEOUT_MS,
  DEFAULT_JOB_POLICY,
  JOB_TIMEOUT_MS_MAX,
  DEFAULT_RUN_POLICY,
  JobPolicy,
  RunPolicy,
  isShadow,
} from './policy.ts';
export {
  DEFAULT_SHADOW_RULES,
  LedgerEntry,
  Optimisation,
  PlanShadow,
  ShadowRules,
  type SampledJob,
  type SampledRun,
} from './shadow-ledger.ts';
export {
  ArtifactRequest,
  CacheRequest,
  DEFAULT_JOB_LIMITS,
  Egress,
  Explanation,
  ExplanationLink,
  ISOLATION_TIERS_FROM_WEAKEST,
  IsolationTier,
  JobLimits,
  JobRequirements,
  PinnedImage,
  Plan,
  PlanNote,
  PlannedFile,
  PlannedJob,
  PlannedUnit,
  ProposedPlan,
  SERVICES_MAX,
  ServiceRequest,
  SourceRequest,
  SkippedJob,
} from './plan.ts';
export {
  EGRESS_DECISIONS_MAX,
  EgressDecision,
  EgressReason,
  egressInWords,
  egressPlaceInWords,
  egressRangeOf,
  egressReasonInWords,
  egressWhyInWords,
} from './egress.ts';
export { METADATA_ADDRESSES, whyNeverReached } from './egress-entry.ts';
export {
  ArtifactRecord,
  AttemptOutcome,
  ERROR_MESSAGE_CHARS_MAX,
  CompletionReport,
  Confidence,
  FailureClass,
  InfrastructureError,
  IoUsage,
  JobOutcome,
  ResourceUsage,
  RunOutcome,
  StepEnding,
  StepResult,
  UsedImage,
  decidingStep,
  stepFailed,
  usageOfSteps,
} from './outcome.ts';
export { ArtifactExpiry, EXPIRED_AT_ONCE_MAX, ExpiredArtifact } from './artifact-expiry.ts';
export {
  CitedEvidence,
  ARTIFACT_STREAM,
  CACHE_STREAM,
  EVENT_DATA,
  EVENT_TYPES,
  FailureExplanation,
  PlannedJobState,
  RecordedEnvelope,
  RecordedEventSchema,
  StreamId,
  deliveryStream,
  operatorStream,
  parseRecordedEvent,
  poolStream,
  repositoryStream,
  runStream,
  runnerStream,
  type DomainEvent,
  type DomainEventOf,
  type EventType,
  type RecordedEvent,
  type RecordedEventOf,
} from './events.ts';
export { RefName, whyNoRefName } from './ref-name.ts';
export { UPCASTS, schemaVersionOf, upcast, type VersionedEvent } from './upcasts.ts';
export { JobAtMoment, Moment, MomentView, WaitingReason, WhyItWaits, parseMoment } from './moment.ts';
export { RunnerCapabilities } from './runner-capabilities.ts';
export {
  COMMAND_DATA,
  COMMAND_NAMES,
  COMMAND_RESULT,
  CommandSchema,
  GrantedLease,
  HeartbeatAnswer,
  LeaseState,
  ParkedAction,
  type Command,
  type CommandData,
  type CommandName,
  type CommandResult,
} from './commands.ts';
export { CommandAnswer, ErrorBody, REFUSALS, REFUSAL_CODES, Refusal, refuse, type RefusalCode } from './refusals.ts';
export {
  INLINE_PAYLOAD_BYTES_MAX,
  REPORT_DATA,
  REPORT_KINDS,
  ReportSchema,
  type Report,
  type ReportData,
  type ReportKind,
} from './reports.ts';
export {
  STREAMS,
  SUBJECT_FILTERS,
  commandSubject,
  dispatchSubject,
  eventMessageId,
  eventSubject,
  debugHeardSubject,
  debugInputSubject,
  logGrewSubject,
  parkedSubject,
  reportSubject,
  retrySubject,
  subjectToken,
  type StreamName,
} from './subjects.ts';
export { DispatchMessage } from './dispatch.ts';
export {
  ARTIFACT_BYTES_MAX,
  ARTIFACT_FILE_BYTES_MAX,
  AcknowledgeLeaseAnswer,
  ArtifactUploadAnswer,
  CancelAcknowledgeRequest,
  ChunkUploadAnswer,
  CompleteAnswer,
  CompleteRequest,
  HeartbeatRequest,
  LOG_BYTES_MAX,
  LOG_CHUNK_BYTES_MAX,
  LeaseOffer,
  LeaseRequest,
  FindCacheAnswer,
  FindCacheRequest,
  FoundCache,
  GiveUpCacheAnswer,
  GiveUpCacheRequest,
  GrantChunkAnswer,
  GrantChunkRequest,
  GrantUploadAnswer,
  GrantedRequest,
  LogAppendAnswer,
  OfferedChunk,
  RecordUploadRequest,
  UploadGrant,
  RUNNER_BODY_BYTES_MAX,
  RegisterRunnerAnswer,
  RegisterRunnerRequest,
  RenewTokenAnswer,
  SaveCacheAnswer,
  SaveCacheRequest,
  SourceAccess,
} from './runner-protocol.ts';
export {
  HandOut,
  HandedOutIdToken,
  HandedOutSecret,
  IdTokenRequest,
  ID_TOKENS_PER_JOB_MAX,
  SECRETS_PER_JOB_MAX,
  SecretName,
} from './secrets.ts';
export { CLOUD_EVENT_CONTENT_TYPE, CLOUD_EVENT_TYPE_PREFIX, CloudEvent } from './cloud-event.ts';
export { SOURCE_LAYOUT } from './source-layout.ts';
export { CONFIG_FILE_NAMES, ConfigFile, ConfigFileIdToken, ConfigFileJob, ConfigFileSource } from './config-file.ts';
export {
  AttemptState,
  ArtifactView,
  AttemptView,
  CancelRunRequest,
  CreateRunRequest,
  DeliveryAnswer,
  FeedEvent,
  JobState,
  JobView,
  LogFollowChunk,
  LogFollowEnd,
  PARKED_TEXT_MAX,
  ParkedPageView,
  ParkedSettled,
  ParkedView,
  PlanAnswer,
  PoolView,
  RepositoryList,
  RepositoryPolicyView,
  RerunRequest,
  RunAnswer,
  RunArtifact,
  RunListQuery,
  RunPage,
  RunState,
  RunSummary,
  RunView,
  SettleParkedRequest,
  SkippedJobView,
  WEBHOOK_BODY_BYTES_MAX,
  WhyAnswer,
} from './api.ts';
export { RecipeListQuery, RecipePage, RecipeSummary, RecipeView } from './recipe-api.ts';
export { explainSubject, fullNameOf, namesakesOf, whyJob } from './why.ts';
export { ROLES_OF, Role, type Access, type Content, type Endpoint } from './endpoint.ts';
export { ENDPOINTS, type EndpointName } from './endpoints.ts';
export { RUNNER_ENDPOINTS } from './runner-endpoints.ts';
export { openApiDocument } from './open-api.ts';
export { editDistance } from './edit-distance.ts';
export { wordsOfIssue, type FoundIssue } from './words-of-issue.ts';
