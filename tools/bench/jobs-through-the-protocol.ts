import { noOpPlan } from '../../test/support/protocol-runner/no-op-plan.ts';
import { ProtocolRunner, type Completion } from '../../test/support/protocol-runner/protocol-runner.ts';
import type { BenchMesh } from './bench-mesh.ts';

export interface JobsMeasured {
  jobs: number;
  runners: number;
  tookMs: number;
  jobsPerSecond: number;
  /** Completions that were not the first of their job: must be none. */
  twice: number;
}

/** Jobs that do nothing, through the whole HTTP runner protocol: lease, acknowledge, complete. */
export async function measureJobs(bench: BenchMesh, jobs: number, runners: number): Promise<JobsMeasured> {
  const { gatewayUrl, registrationToken } = bench.mesh;
  const pool = await Promise.all(
    Array.from({ length: runners }, async (_, index) =>
      ProtocolRunner.register({ gatewayUrl, registrationToken, name: `bench-${jobs}-${index}` }),
    ),
  );
  const runId = await bench.requestRun();
  const completions: Completion[] = [];
  await bench.proposePlan(runId, noOpPlan(jobs));
  const started = performance.now();
  await Promise.all(
    pool.map(async (runner) =>
      runner.work(
        () => completions.length >= jobs,
        (done) => completions.push(done),
      ),
    ),
  );
  const tookMs = performance.now() - started;
  const refused = completions.filter(({ status }) => status !== 200).length;
  if (refused > 0) throw new Error(`${refused} of ${jobs} completions were refused`);
  const { outcome } = await bench.runState(runId);
  if (outcome !== 'succeeded') throw new Error(`the run ended ${outcome ?? 'not at all'}`);
  const distinct = new Set(completions.map(({ job }) => job)).size;
  return { jobs, runners, tookMs, jobsPerSecond: (jobs / tookMs) * 1_000, twice: completions.length - distinct };
}
