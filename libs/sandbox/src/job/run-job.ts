import {
  DEFAULT_IDLE_TIMEOUT_MS,
  ERROR_MESSAGE_CHARS_MAX,
  type ArtifactRequest,
  type InfrastructureError,
  type JobStep,
  type PlannedJob,
  type StepResult as ReportedStep,
  type TrustLevel,
} from '@delta-ci/contracts';
import { DEFAULT_COLLECT_CAPS, type CollectReport, type CollectedFile } from '../collect-files.ts';
import { DEFAULT_SANDBOX_LIMITS } from '../limits.ts';
import { refusal, type Refusal, type RefusalCode } from '../refusal.ts';
import type {
  JobRoot,
  ObtainedRoot,
  Opened,
  ReadOnlyBind,
  Sandbox,
  SandboxExecutor,
  SandboxNetwork,
  SandboxSpec,
  StepOutcome,
  StepResult,
} from '../sandbox-executor.ts';
import { openShell, type HeldJob } from './job-shell.ts';
import { CANCELED, endingInWords, endOf, notJudged, reported, SUCCEEDED, type JobResult } from './reported-step.ts';
import { checkoutScript, clearRepository, layOutRepository, TREE_MISMATCH_EXIT, type JobSource } from './checkout.ts';

/** One planned job, and what it needs to be carried out on this host. */
export interface JobOrder {
  job: PlannedJob;
  trust: TrustLevel;
  /** Its directory is there when the job begins; the commit, only when `sourceReady` says so. */
  source: JobSource;
  /**
   * Awaited once the sandbox stands and before anything runs in it: null, or why there is nothing to check out. Left out
   * when the commit is there from the beginning. What it rejects with, `runJob` rejects with.
   */
  sourceReady?: Promise<InfrastructureError | null>;
  /** Empty directory on the host for this job alone. */
  workspaceDir: string;
  network: SandboxNetwork;
  /** Directories of toolchains that are not part of the system, each with `bin`. */
  toolchainDirs: readonly string[];
  /** Added to the plan's environment: run and job ids, `CI`. */
  env: Readonly<Record<string, string>>;
  /** Secrets by name, in the environment of the job's steps and nowhere else. */
  secrets: Readonly<Record<string, string>>;
  signal: AbortSignal;
  /** What the log says of why `signal` was aborted; null, and left out: the job was canceled. */
  whyStopped?: () => string | null;
  /** Awaited when a step failed, once artifacts are taken, with the sandbox still there; what it does changes no result. */
  whenFailed?: (held: HeldJob) => Promise<void>;
}

/** Where a job will be carried out, known before the job is. Both directories are there and empty. */
export interface JobPlace {
  workspaceDir: string;
  gitDir: string;
  toolchainDirs: readonly string[];
}

export interface JobSinks {
  /** Output of all steps, in order, however much it is: whoever keeps it bounds it (`CappedLog` of contracts). */
  output: (chunk: Uint8Array) => Promise<void>;
  /** A new phase of the job: for progress. */
  step: (name: string) => void;
  /**
   * What was planned is in the workspace, and no step of the job has begun: time to restore caches. What it takes is taken from
   * the job's time, and what it throws is a broken invariant.
   */
  prepared?: (sandbox: Sandbox) => Promise<void>;
  /** All steps succeeded: time to save caches, of which so many milliseconds of the job's are left. */
  succeeded?: (sandbox: Sandbox, leftMs: number) => Promise<void>;
  /** A file the plan asks for; its content has to be read before the promise settles. */
  artifact: (request: ArtifactRequest, file: CollectedFile) => Promise<void>;
  /** All that one request of the plan asks for was handed on, but for what the report names. */
  collected?: (request: ArtifactRequest, report: CollectReport) => Promise<void>;
  /** Bytes of output passed on so far. */
  outputBytes: () => number;
  /** Steps and artifacts are done: what follows is cleaning up, and says something only if that fails. */
  closing?: () => void;
  /**
   * Where given, what the job left is not removed by `runJob`, which settles once nothing of the job is alive or all was tried, but
   * by `remove`: at another time, and in any case. It answers what could not be removed, and what is alive: nothing may be deleted
   * below that.
   */
  leaving?: (remove: () => Promise<readonly string[]>) => void;
}

const SOURCE_SEEN_AS = '/source.git';

/** Checking out a large repository takes seconds; more means that the disk hangs. */
const CHECKOUT_TIMEOUT_MS = 10 * 60_000;

/**
 * Has a sandbox made ready for the next job in this place, if it is one like most: without a network, for trusted code. What is laid
 * out for it in the workspace is there as long as the sandbox is, and not where none can be made.
 */
export async function standBy(executor: SandboxExecutor, place: JobPlace): Promise<void> {
  if (executor.standBy === undefined) return;
  let stands = false;
  try {
    await layOutRepository(place.workspaceDir, SOURCE_SEEN_AS);
    stands = await executor.standBy({
      ...placeOf(place),
      trust: 'trusted',
      limits: DEFAULT_SANDBOX_LIMITS,
      network: 'none',
      env: {},
    });
  } finally {
    if (!stands) await clearRepository(place.workspaceDir);
  }
}

/**
 * Carries out one job in one sandbox: checkout, steps in order until one fails, artifacts, and nothing left behind (see
 * `leaving`). Of steps that are independent all run, whichever of them fail.
 * Never throws for what the job does; what keeps a job from being judged is an `infrastructureError`.
 */
export async function runJob(executor: SandboxExecutor, order: JobOrder, given: JobSinks): Promise<JobResult> {
  const sinks = withOwnLines(given);
  if (order.job.image === null) return runInSandbox(executor, order, sinks, null);
  const obtained = await obtainRoot(executor, order.job.image, order, sinks);
  if (!obtained.ok) return order.signal.aborted ? CANCELED : notJudged(refusedBy(obtained.refusal));
  const { root } = obtained;
  const image = { reference: root.reference, digest: root.digest };
  return { ...(await runInSandbox(executor, order, sinks, root)), image };
}

async function obtainRoot(
  executor: SandboxExecutor,
  image: string,
  { trust, signal }: JobOrder,
  sinks: OwnSinks,
): Promise<ObtainedRoot> {
  if (executor.obtainRoot === undefined) {
    const message = `tier ${executor.tier} shows jobs the host as it is: it cannot give them the image ${image}`;
    return { ok: false, refusal: refusal('image_not_allowed', message) };
  }
  sinks.step('image');
  return executor.obtainRoot(image, { trust, signal, say: sinks.say });
}

async function runInSandbox(
  executor: SandboxExecutor,
  order: JobOrder,
  sinks: OwnSinks,
  root: JobRoot | null,
): Promise<JobResult> {
  const opened = await open(executor, order, root);
  if (!opened.ok) return notJudged(refusedBy(opened.refusal));
  const { sandbox } = opened;
  const remove = async (): Promise<readonly string[]> => {
    try {
      return (await sandbox.close()).leftovers;
    } finally {
      await root?.release();
    }
  };
  let result: JobResult;
  try {
    result = await carryOut(sandbox, order, sinks);
  } finally {
    sinks.closing?.();
    await leave(sandbox, remove, sinks);
  }
  return result;
}

/** The root is released with the sandbox, and at once when there is none. */
async function open(executor: SandboxExecutor, order: JobOrder, root: JobRoot | null): Promise<Opened> {
  let opened: Opened | null = null;
  try {
    opened = await executor.open(specOf(order, root));
    return opened;
  } finally {
    if (opened?.ok !== true) await root?.release();
  }
}

function specOf(order: JobOrder, root: JobRoot | null): SandboxSpec {
  return {
    ...placeOf({ ...order, gitDir: order.source.gitDir, toolchainDirs: toolchainsFor(order) }),
    trust: order.trust,
    limits: { ...DEFAULT_SANDBOX_LIMITS, ...order.job.limits },
    network: order.network,
    env: environmentOf(order),
    ...(root === null ? {} : { root }),
  };
}

/** Removing is left to others, or done, also where the end failed. Whoever hears how a job ended hears that it would not die. */
async function leave(sandbox: Sandbox, remove: () => Promise<readonly string[]>, sinks: OwnSinks): Promise<void> {
  let leftovers: readonly string[] = [];
  try {
    ({ leftovers } = await sandbox.end());
  } finally {
    if (sinks.leaving === undefined) leftovers = await remove();
    else sinks.leaving(remove);
  }
  if (leftovers.length > 0) await sinks.say(`could not be removed: ${leftovers.join(', ')}`);
}

async function carryOut(sandbox: Sandbox, order: JobOrder, sinks: OwnSinks): Promise<JobResult> {
  const problem = (await order.sourceReady) ?? null;
  if (problem !== null) return order.signal.aborted ? CANCELED : notJudged(problem);
  const deadlineAt = performance.now() + order.job.policy.timeoutMs;
  sinks.step('checkout');
  const checkout = await checkOut(sandbox, order, sinks);
  if (checkout !== null) return checkout;
  await sinks.prepared?.(sandbox);
  const steps: ReportedStep[] = [];
  let failed: { readonly step: JobStep; readonly result: StepResult } | null = null;
  for (const step of order.job.steps) {
    if (failed !== null && step.independent !== true) break;
    sinks.step(step.name);
    await sinks.say(`$ ${step.run}`);
    const from = sinks.outputBytes();
    const outcome = await runStep(sandbox, order, step, { deadlineAt, output: sinks.output });
    if (outcome.kind === 'fault') return { ...notJudged(refusedBy(outcome.refusal)), steps };
    const { result } = outcome;
    // Part of what there is to read of the step: whoever explains it finds the limit there.
    if (result.endedBy !== 'exit') await sinks.say(endingInWords(result.endedBy, order.job, order.whyStopped?.()));
    steps.push(reported(step.name, result, from, sinks.outputBytes()));
    if (succeeded(result)) continue;
    failed ??= { step, result };
    if (step.independent !== true || !leavesRoomForOthers(result)) break;
  }
  const ended = failed === null ? { ...SUCCEEDED, steps } : endOf(failed.result, steps);
  const result = await collected(sandbox, order, sinks, ended);
  if (failed === null) await sinks.succeeded?.(sandbox, deadlineAt - performance.now());
  if (failed === null || result.outcome === 'canceled') return result;
  const { step } = failed;
  const { job, secrets } = order;
  const env = { ...job.env, ...secrets };
  const shell = { key: job.key, step, env };
  await order.whenFailed?.({ step, result, openShell: async (person) => openShell(sandbox, shell, person) });
  return result;
}

async function runStep(
  sandbox: Sandbox,
  order: JobOrder,
  step: JobStep,
  { deadlineAt, output }: { readonly deadlineAt: number; readonly output: JobSinks['output'] },
): Promise<StepOutcome> {
  return sandbox.run(
    {
      command: { kind: 'script', script: step.run },
      workdir: step.workdir,
      env: { ...order.job.env, ...order.secrets },
      timeoutMs: Math.max(1, Math.round(deadlineAt - performance.now())),
      idleTimeoutMs: order.job.policy.idleTimeoutMs ?? DEFAULT_IDLE_TIMEOUT_MS,
      signal: order.signal,
      // The end of it says why a step failed.
      outputBytes: Number.MAX_SAFE_INTEGER,
    },
    output,
  );
}

/** Null when the tree is in the workspace; otherwise why the job ends here. */
async function checkOut(sandbox: Sandbox, order: JobOrder, sinks: OwnSinks): Promise<JobResult | null> {
  const seenAs = sandbox.bindSeenAs(order.source.gitDir);
  if (seenAs === null) throw new Error('the source is bound into every sandbox');
  const outcome: StepOutcome = await sandbox.run(
    {
      command: { kind: 'script', script: checkoutScript(seenAs, order.source, order.job.source) },
      // An image need not have git, and one that has it is no better judge of what is checked out.
      system: 'host',
      workdir: '.',
      env: {},
      timeoutMs: CHECKOUT_TIMEOUT_MS,
      idleTimeoutMs: null,
      signal: order.signal,
    },
    sinks.output,
  );
  if (outcome.kind === 'fault') return notJudged(refusedBy(outcome.refusal));
  if (succeeded(outcome.result)) return null;
  if (outcome.result.endedBy === 'canceled') return endOf(outcome.result, []);
  if (outcome.result.exitCode === TREE_MISMATCH_EXIT) {
    const { commit, tree } = order.source;
    return notJudged({ code: 'tree_mismatch', message: `commit ${commit} has not the tree ${tree} of the plan` });
  }
  const code = outcome.result.exitCode ?? outcome.result.signal;
  return notJudged({ code: 'workspace_failed', message: `the checkout ended with ${code}; the log has git's words` });
}

async function collected(sandbox: Sandbox, order: JobOrder, sinks: OwnSinks, result: JobResult): Promise<JobResult> {
  const remarks: string[] = [];
  for (const request of order.job.artifacts) {
    const report = await sandbox.collectFiles([globOf(request)], DEFAULT_COLLECT_CAPS, async (file) =>
      sinks.artifact(request, file),
    );
    await sinks.collected?.(request, report);
    // Of a folder whoever takes it says more.
    if (request.type !== 'folder' && report.files === 0 && report.notCollected.length === 0)
      remarks.push(`artifact ${request.path}: no file of the workspace matches`);
    remarks.push(...report.notCollected.map(({ path, reason }) => `artifact ${path} was left behind: ${reason}`));
  }
  for (const remark of remarks) await sinks.say(remark);
  return { ...result, remarks };
}

function globOf({ type, path }: ArtifactRequest): string {
  return type === 'folder' ? `${path}/**` : path;
}

function placeOf({ workspaceDir, gitDir, toolchainDirs }: JobPlace): Pick<SandboxSpec, 'workspace' | 'binds' | 'user'> {
  const binds: ReadOnlyBind[] = [
    { hostPath: gitDir, at: SOURCE_SEEN_AS },
    ...toolchainDirs.map((hostPath) => ({ hostPath })),
  ];
  return { workspace: { hostDir: workspaceDir, onClose: 'empty' }, binds, user: 'delta' };
}

/** Toolchains of the host are for the host's system: an image brings its own, and other libraries. */
const toolchainsFor = ({ job, toolchainDirs }: JobOrder): readonly string[] =>
  job.image === null ? toolchainDirs : [];

function environmentOf(order: JobOrder): Record<string, string> {
  if (order.job.image !== null) return { CI: 'true', ...order.env };
  return { CI: 'true', PATH: pathOfJobs(order.toolchainDirs), ...order.env };
}

/** The PATH of jobs that run on the host's system: toolchains, each by its `bin`, and behind them what is part of the system. */
export function pathOfJobs(toolchainDirs: readonly string[]): string {
  return [...toolchainDirs.map((directory) => `${directory}/bin`), SYSTEM_PATH].join(':');
}

const SYSTEM_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

function succeeded(result: StepResult): boolean {
  return result.endedBy === 'exit' && result.exitCode === 0;
}

/** Whether steps that do not depend on this one still have the time and the disk that they need; memory is each step's own. */
function leavesRoomForOthers({ endedBy }: StepResult): boolean {
  return endedBy === 'exit' || endedBy === 'signal' || endedBy === 'out_of_memory';
}

function refusedBy(refused: Refusal): InfrastructureError {
  const remedy = refused.remedy === null ? '' : `: ${refused.remedy}`;
  return { code: errorOf(refused.code), message: `${refused.message}${remedy}`.slice(0, ERROR_MESSAGE_CHARS_MAX) };
}

/** Which of these another attempt would meet again: anywhere, on this runner, or not at all. */
function errorOf(code: RefusalCode): InfrastructureError['code'] {
  switch (code) {
    case 'image_not_allowed':
    case 'image_refused':
      return 'not_offered';
    case 'layer_missing':
    case 'outlet_unsupported':
    case 'tier_refuses_untrusted':
    case 'untrusted_host_network':
      return 'layer_missing';
    case 'terminal_unsupported':
    case 'spec_invalid':
    case 'workspace_unusable':
    case 'too_many_sandboxes':
    case 'sandbox_closed':
    case 'sandbox_setup_failed':
    case 'sink_failed':
    case 'image_unavailable':
    case 'image_damaged':
      return 'sandbox_unavailable';
  }
}

interface OwnSinks extends JobSinks {
  /** A line of ours. */
  readonly say: (text: string) => Promise<void>;
}

const LINE_FEED = 0x0a;

/** Our own lines in a job's log are marked, and lines for themselves, so that nobody takes them for the job's, nor the job's for ours. */
function withOwnLines(sinks: JobSinks): OwnSinks {
  let endsLine = true;
  const output = async (chunk: Uint8Array): Promise<void> => {
    if (chunk.byteLength > 0) endsLine = chunk.at(-1) === LINE_FEED;
    return sinks.output(chunk);
  };
  return { ...sinks, output, say: async (text) => output(Buffer.from(`${endsLine ? '' : '\n'}[delta] ${text}\n`)) };
}
