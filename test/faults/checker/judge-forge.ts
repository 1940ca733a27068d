import { z } from 'zod';
import { judgeEach, type Finding } from './invariants.ts';
import type { LogIndex } from './log-index.ts';

/** Where the forge is asked, as anybody with a token may ask it. */
export interface ForgeAccess {
  readonly apiUrl: string;
  readonly token: string;
}

const CheckRuns = z.object({
  check_runs: z.array(z.object({ name: z.string(), status: z.string(), conclusion: z.string().nullable() })),
});
type CheckRun = z.infer<typeof CheckRuns>['check_runs'][number];

/** The check that branch protection would require. */
const GATE = 'delta-ci';
const CONCLUSIONS: Readonly<Record<string, string>> = {
  succeeded: 'success',
  failed: 'failure',
  canceled: 'cancelled',
  timed_out: 'timed_out',
};

/** The gate of every commit shows how its newest run ended. */
export async function judgeForge(log: LogIndex, forge: ForgeAccess): Promise<Finding> {
  const gates = new Map<string, CheckRun[]>();
  const newest = newestRunsOfCommits(log);
  for (const { repository, head } of newest.values())
    gates.set(`${repository} ${head}`, await gatesOf(forge, repository, head));
  const outcomes = new Map(log.of('run.finished').map(({ correlation, data }) => [correlation, data.outcome]));
  return judgeEach('forge-converges', newest.values(), ({ runId, repository, head }) => {
    const wanted = CONCLUSIONS[outcomes.get(runId) ?? ''] ?? 'nothing: the run goes on';
    const shown = gates.get(`${repository} ${head}`)?.at(-1);
    return shown?.status === 'completed' && shown.conclusion === wanted
      ? null
      : `${runId} wants ${wanted}, the forge shows ${shown?.conclusion ?? shown?.status ?? 'no check'}`;
  });
}

function newestRunsOfCommits(log: LogIndex): Map<string, { runId: string; repository: string; head: string }> {
  return new Map(
    log
      .of('run.created')
      .map(({ data: { runId, repository, change } }) => [
        `${repository.fullName} ${change.head}`,
        { runId, repository: repository.fullName, head: change.head },
      ]),
  );
}

async function gatesOf({ apiUrl, token }: ForgeAccess, repository: string, head: string): Promise<CheckRun[]> {
  const url = `${apiUrl}/repos/${repository}/commits/${head}/check-runs?per_page=100`;
  const response = await fetch(url, { headers: { authorization: `Bearer ${token}` } });
  if (!response.ok) throw new Error(`the forge answered ${response.status} for ${head}`);
  return CheckRuns.parse(await response.json()).check_runs.filter(({ name }) => name === GATE);
}
