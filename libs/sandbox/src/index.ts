export type {
  CloseReport,
  EgressOutlet,
  ExecutorTier,
  JobRoot,
  ObtainedRoot,
  Opened,
  OutputSink,
  ReadOnlyBind,
  RootRequest,
  Sandbox,
  SandboxExecutor,
  SandboxNetwork,
  SandboxSpec,
  StepCommand,
  StepOutcome,
  StepResult,
  StepSpec,
  TerminalInput,
  TierProbe,
} from './sandbox-executor.ts';
export type { Refusal, RefusalCode } from './refusal.ts';
export { LAYERS, type Layer, type LayerReport, type LayerState } from './layers.ts';
export { MINIMUM_LAYERS, refuseMissingLayer, type LayerMinimum } from './layer-minimum.ts';
export { DEFAULT_SANDBOX_LIMITS, type SandboxLimits } from './limits.ts';
export {
  DEFAULT_COLLECT_CAPS,
  type CollectCaps,
  type CollectedFile,
  type CollectReport,
  type NotCollectedReason,
} from './collect-files.ts';
export { ProcessExecutor, type ProcessExecutorOptions } from './process-executor.ts';
export { BubblewrapExecutor, type BubblewrapExecutorOptions } from './bubblewrap/bubblewrap-executor.ts';
export type { ImageOffer } from './images/job-images.ts';
export { ImageStore, type KeptImage } from './images/image-store.ts';
export { readImagesFile } from './images/images-file.ts';
export { ContainerExecutor, type ContainerExecutorOptions } from './container/container-executor.ts';
export { GvisorExecutor, type GvisorExecutorOptions } from './gvisor/gvisor-executor.ts';
export { isHeld, reapLeftovers, type Leftover, type ReapReport } from './leftovers.ts';
export { checkoutScript, COMMIT_TREE, DOWNLOADED_PACK, type JobSource } from './job/checkout.ts';
export { pathOfJobs, runJob, standBy, type JobOrder, type JobPlace, type JobSinks } from './job/run-job.ts';
export type { JobResult } from './job/reported-step.ts';
export { AGAIN, type HeldJob, type ShellUser } from './job/job-shell.ts';
export { CacheFailed, type CacheStore } from './job/caches/cache-store.ts';
export { JobCaches, type JobCacheTools, type SecretWatch } from './job/caches/job-caches.ts';
export { DummyExecutor, DUMMY_VARIABLE, type DummyBehaviour } from './dummy-executor.ts';
export { lookAtHost, type HostFact, type HostQuestions } from './host-facts.ts';
export { describeVerdicts, probeHost, type TierVerdict } from './probe-host.ts';
