import { describeVerdicts, probeHost } from '@delta-ci/sandbox';
import { executorsOf } from '../local/machine/choose-executor.ts';
import { KNOWN_TOOLS, toolsOfJobs, toolsText, type JobTool } from '../local/machine/job-tools.ts';
import { outsideRepository } from '../local/machine/outside-repository.ts';
import { toolchainDirs } from '../local/machine/toolchain-dirs.ts';
import { EXIT, type ExitCode } from '../problem.ts';
import { safeText } from '../screen/safe-text.ts';
import { printJson, type Surroundings } from '../surroundings.ts';

/** `delta doctor`: what this host can enforce around a job, by trying, and which toolchains jobs find on it. */
export async function doctor(given: Surroundings, { json }: { readonly json?: boolean }): Promise<ExitCode> {
  const surroundings = outsideRepository(given, '.');
  const { sandbox, container, process } = await executorsOf(surroundings);
  const verdicts = await probeHost([sandbox, ...(container === null ? [] : [container]), process]);
  const ready = verdicts.some(({ tier, usable }) => tier !== 'process' && usable);
  const tools = await toolsOfJobs(await toolchainDirs(surroundings));
  if (json === true) printJson(surroundings, { ready, tiers: verdicts, tools });
  else {
    const verdict = ready
      ? '`delta run` works here.'
      : '`delta run` works here with --unsandboxed only: jobs would run as yourself.';
    const lines = [...describeVerdicts(verdicts), '', ...toolLines(tools)].map(safeText);
    surroundings.out(`${lines.join('\n')}\n\n${verdict}\n`);
  }
  return ready ? EXIT.succeeded : EXIT.notJudged;
}

/** What jobs without an image find, and how they find something else. */
function toolLines(tools: readonly JobTool[]): string[] {
  const missing = KNOWN_TOOLS.filter((name) => tools.every((tool) => tool.name !== name));
  return [
    `jobs of \`delta run\` find ${toolsText(tools)}`,
    ...(missing.length === 0 ? [] : [`  and no ${missing.join(', ')}`]),
    '  (others: first on PATH for node, go, pnpm and cargo, or named in DELTA_TOOLCHAIN_DIRS)',
  ];
}
