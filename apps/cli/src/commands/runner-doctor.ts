import { existsSync } from 'node:fs';
import { describeVerdicts, lookAtHost, probeHost, type HostFact } from '@delta-ci/sandbox';
import { bubblewrapPath, programDirs } from '../local/machine/bubblewrap-path.ts';
import { executorsOf, runscName } from '../local/machine/choose-executor.ts';
import { engineSocket } from '../local/machine/engine-socket.ts';
import { EXIT, type ExitCode } from '../problem.ts';
import { safeText } from '../screen/safe-text.ts';
import { table, type Cell } from '../screen/table.ts';
import { printJson, type Surroundings } from '../surroundings.ts';

/** What a runner has that is told nothing else. */
const DEFAULT_TIER = 'sandbox';

function factRows(facts: readonly HostFact[], { paint }: Surroundings): readonly (readonly (string | Cell)[])[] {
  return facts.map(({ name, isThere, found, remedy }) => [
    isThere ? { text: 'yes', paint: paint.green } : { text: 'no', paint: paint.yellow },
    name,
    remedy === null ? found : `${found}; to get it: ${remedy}`,
  ]);
}

/** `delta runner doctor`: what this host has, and what a runner on it can enforce with that, layer by layer, by trying. */
export async function runnerDoctor(
  surroundings: Surroundings,
  { json }: { readonly json?: boolean },
): Promise<ExitCode> {
  const { sandbox, gvisor, container, process, stateDir } = await executorsOf(surroundings);
  const [host, tiers] = await Promise.all([
    lookAtHost({
      stateDir,
      bwrap: await bubblewrapPath(surroundings),
      programDirs: programDirs(surroundings),
      runsc: runscName(surroundings),
      engineSocket: engineSocket(surroundings, existsSync),
    }),
    probeHost([sandbox, gvisor, ...(container === null ? [] : [container]), process]),
  ]);
  const verdict = tiers.find(({ tier }) => tier === DEFAULT_TIER);
  const accepts = (['trusted', 'untrusted'] as const).filter((trust) => verdict?.refuses[trust] === null);
  const ready = verdict?.usable === true && accepts.includes('trusted');
  if (json === true) printJson(surroundings, { ready, accepts, host, tiers });
  else {
    const said = ready
      ? `A runner works here: tier ${DEFAULT_TIER} takes ${accepts.join(' and ')} code.`
      : `A runner with its default tier, ${DEFAULT_TIER}, does not work here.`;
    surroundings.out(
      `${table(surroundings, ['', 'this host', 'found'], factRows(host, surroundings))}\n` +
        `${describeVerdicts(tiers).map(safeText).join('\n')}\n\n${said}\n`,
    );
  }
  return ready ? EXIT.succeeded : EXIT.notJudged;
}
