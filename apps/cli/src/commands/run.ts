import { randomUUID } from 'node:crypto';
import type { PlannedJob } from '@delta-ci/contracts';
import type { HeldJob, SandboxExecutor } from '@delta-ci/sandbox';
import { chooseExecutor } from '../local/machine/choose-executor.ts';
import { openFailureShell, refuseWithoutShells, terminalForShells } from '../local/job/failure-shell.ts';
import { artifactDirectory } from '../local/job/artifact-directory.ts';
import { cachingOf } from '../local/caches/caching.ts';
import { egressBounds } from '../local/job/egress-bounds.ts';
import { executeJob, type JobPlace } from '../local/job/execute-job.ts';
import { handedInSecrets, type SecretOptions } from '../local/needs/handed-in-secrets.ts';
import type { NetworkChoice } from '../local/job/job-network.ts';
import { makeJobSources } from '../local/source/job-source.ts';
import { toolsOfJobs, type JobTool } from '../local/machine/job-tools.ts';
import { judgeRun } from '../local/judge-run.ts';
import type { LocalChange } from '../local/source/local-change.ts';
import { outsideRepository } from '../local/machine/outside-repository.ts';
import { refusedJobs, offeredHere } from '../local/needs/refused-jobs.ts';
import { inRunDirectory } from '../local/run-directory.ts';
import { runJobs, selectJob, type LocalOutcome } from '../local/run-jobs.ts';
import { toolchainDirs } from '../local/machine/toolchain-dirs.ts';
import { nearestName } from '../nearest-name.ts';
import type { PersonsTerminal } from '../screen/persons-terminal.ts';
import { Problem, type ExitCode } from '../problem.ts';
import type { Surroundings } from '../surroundings.ts';
import { withLocalPlan, type LocalOptions, type PlannedLocally } from './local-options.ts';
import { jsonLines, readable, type PlannedRun, type RunScreen } from './run-screen.ts';

export interface RunOptions extends LocalOptions, SecretOptions {
  /** Only this job and what it needs. */
  readonly job?: string;
  /** `--network KIND`; `--no-network`: false. */
  readonly network?: 'plan' | 'host' | false;
  /** `--no-cache`: false. */
  readonly cache: boolean;
  readonly unsandboxed?: boolean;
  readonly keepGoing?: boolean;
  readonly shellOnFailure?: boolean;
  readonly jobs: number;
  /** `--has WHAT`: labels, and toolchains as `name@version`, that this machine is taken to have. */
  readonly has?: readonly string[];
  /** `--artifacts DIR`: where they are kept. */
  readonly artifacts?: string;
}

/** `delta run`: plans the change of the repository and carries the plan out on this host. */
export async function run(given: Surroundings, options: RunOptions): Promise<ExitCode> {
  const surroundings = outsideRepository(given, options.repo);
  const unsandboxed = options.unsandboxed === true;
  if (unsandboxed && (options.network === false || options.network === 'plan')) {
    const option = options.network === false ? '--no-network' : '--network plan';
    throw new Problem('invalid_options', `--unsandboxed jobs are not kept from the network: leave out ${option}`);
  }
  const terminal = options.shellOnFailure === true ? terminalForShells(surroundings, options.json === true) : null;
  return withLocalPlan(surroundings, options, unsandboxed, async (planned) => {
    const screen = options.json === true ? jsonLines(surroundings) : readable(surroundings);
    const jobs = jobsOf(planned, options);
    const chosen: PlannedRun = {
      plan: planned.plan,
      digest: planned.digest,
      jobs,
      unsandboxed,
      network: networkChoice(options),
      artifactDir: await artifactDirOf(surroundings, options, planned),
      comparedText: comparedText(planned.change),
    };
    screen.planned(chosen);
    // Jobs have some seconds to end, in which nothing else would say that the signal was heard.
    const sayStopping = (): void => surroundings.err('Interrupted: what runs is being stopped.\n');
    surroundings.interrupted.addEventListener('abort', sayStopping, { once: true });
    const startedMs = surroundings.nowMs();
    const outcomes =
      jobs.length === 0 ? [] : await carryOut(surroundings, options, planned, chosen, { screen, terminal });
    surroundings.interrupted.removeEventListener('abort', sayStopping);
    const judged = judgeRun(jobs, outcomes, surroundings.interrupted.aborted);
    screen.ended(chosen, { ...judged, durationMs: surroundings.nowMs() - startedMs, outcomes });
    return judged.exitCode;
  });
}

function jobsOf({ plan }: PlannedLocally, { job }: RunOptions): readonly PlannedJob[] {
  if (job === undefined) return plan.jobs;
  const selected = selectJob(plan, job);
  if (selected !== null) return selected;
  const skipped = plan.skipped.find(({ key }) => key === job);
  if (skipped !== undefined) {
    throw new Problem('job_skipped', `job ${job} does not run: ${skipped.explanation.sentence}`, {
      next: `to run it all the same: delta run --all --job ${job}`,
    });
  }
  const near = nearestName(
    job,
    [...plan.jobs, ...plan.skipped].map(({ key }) => key),
  );
  throw new Problem('unknown_job', `the plan has no job "${job}"`, {
    next: near === null ? 'see them with: delta plan' : `did you mean "${near}"?`,
  });
}

async function artifactDirOf(
  { directory }: Surroundings,
  { artifacts }: RunOptions,
  { change }: PlannedLocally,
): Promise<string | null> {
  return artifacts === undefined ? null : artifactDirectory(directory, artifacts, change.repository.root);
}

/** Tier `process` keeps nothing from jobs, whatever their plan names. */
function networkChoice({ network = 'plan', unsandboxed }: RunOptions): NetworkChoice {
  if (network === false) return 'none';
  return unsandboxed === true ? 'host' : network;
}

function comparedText({ base, everything, uncommitted, commit }: LocalChange): string {
  const what = uncommitted ? 'the working tree, with what is not committed' : `commit ${commit.slice(0, 8)}`;
  if (base === null) return `Everything of ${what}: ${everything ?? ''}.`;
  return `Compared: ${what}, with ${base.commit.slice(0, 8)} (${base.found}).`;
}

async function carryOut(
  surroundings: Surroundings,
  options: RunOptions,
  { git, change, plan }: PlannedLocally,
  { jobs, network, artifactDir }: PlannedRun,
  { screen, terminal }: { readonly screen: RunScreen; readonly terminal: PersonsTerminal | null },
): Promise<LocalOutcome[]> {
  const { interrupted, nowMs } = surroundings;
  const egress = egressBounds(surroundings);
  const secrets = await handedInSecrets(surroundings, options, change);
  const [executor, { toolchains, tools }] = await Promise.all([
    chooseExecutor(surroundings, options.unsandboxed === true),
    lookForTools(surroundings),
  ]);
  if (terminal !== null) await refuseWithoutShells(executor);
  warnOfUnlisted(surroundings, executor, network, jobs);
  // What a container or an image has inside is not this machine's.
  const here = executor.tier === 'container' ? null : tools;
  if (here !== null && jobs.some(({ image }) => image === null)) screen.equipped(here);
  const lacking = refusedJobs(jobs, offeredHere(here, options.has ?? [], secrets, network), secrets);
  const able = jobs.filter(({ key }) => !lacking.has(key));
  const caching = await cachingOf(surroundings, options, change, executor.tier, jobs);
  const outcomes = await inRunDirectory(surroundings, async (directory) => {
    const sources = await makeJobSources(git, change, able, directory.path, interrupted);
    const place: JobPlace = {
      runId: `run_${randomUUID().replaceAll('-', '')}`,
      executor,
      sourceOf: sources.of,
      directory,
      network,
      egress,
      cachesFor: caching?.storeFor ?? null,
      toolchainDirs: toolchains,
      secrets,
      artifactDir,
      nowMs,
    };
    const byKey = new Map(jobs.map((job) => [job.key, job]));
    return runJobs(jobs, {
      atOnceMax: options.jobs,
      failFast: plan.policy.failFast && options.keepGoing !== true,
      interrupted,
      refused: new Map([...sources.refused, ...lacking]),
      execute: async (job, signal, alone) => {
        screen.started(job);
        const lines = screen.outputOf(job);
        const shell =
          terminal === null
            ? undefined
            : async (held: HeldJob) =>
                alone(async () => openFailureShell(surroundings, terminal, executor.tier, job, held));
        const executed = await executeJob(place, job, (chunk) => lines.write(chunk), signal, shell);
        lines.end();
        return executed;
      },
      onFinished: (outcome) => {
        const job = byKey.get(outcome.key);
        if (job !== undefined) screen.finished(job, outcome);
      },
    });
  });
  await caching?.tidy();
  return outcomes;
}

/** Where jobs are shown toolchains, and what they find there. */
async function lookForTools(
  surroundings: Surroundings,
): Promise<{ readonly toolchains: readonly string[]; readonly tools: readonly JobTool[] }> {
  const toolchains = await toolchainDirs(surroundings);
  return { toolchains, tools: await toolsOfJobs(toolchains) };
}

/** What is known before any job runs is said before: each of these jobs is refused, in the words of its tier. */
function warnOfUnlisted(
  { err }: Surroundings,
  { tier }: SandboxExecutor,
  network: NetworkChoice,
  jobs: readonly PlannedJob[],
): void {
  if (tier === 'sandbox' || network !== 'plan') return;
  const refused = jobs.filter(({ egress }) => egress.allow.length > 0).map(({ key }) => key);
  if (refused.length === 0) return;
  const instead = "--network host gives them all of this host's network";
  err(
    `Tier ${tier} cannot keep jobs to the hosts of their plan, so these are refused (${instead}): ${refused.join(', ')}\n`,
  );
}
