import { expect, it } from '@jest/globals';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { readdir, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { eventually } from '../../../test/support/infra/index.ts';
import { BubblewrapExecutor } from './bubblewrap/bubblewrap-executor.ts';
import { reapLeftovers } from './leftovers.ts';
import { lookAround } from './testing/attack.fixture.ts';
import { probeOnce, withDirectories } from './testing/open-sandbox.fixture.ts';
import { wardenAfter } from './testing/warden-at-work.fixture.ts';
import { whereItRuns } from './testing/where-it-runs.fixture.ts';

const bwrap = process.env['DELTA_BWRAP'] ?? 'bwrap';
const programDirs = (process.env['PATH'] ?? '').split(':');

/** Rounds, each with a warden of its own. `DELTA_WARDENS_SEED` repeats the moments of another time. */
const ROUNDS = 12;
const SEED = Number(process.env['DELTA_WARDENS_SEED'] ?? Date.now() % 1_000_000);
/** The probe, three jobs, and a few words of the fourth. */
const TURNS_MAX = 15;
/** Turns of our own event loop after that: a job takes some thousand of them. */
const DELAY_MAX = 3_000;

/** One turn of the event loop: what the moments of death are counted in. */
const turn = async (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** mulberry32: small, and the same everywhere. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

const loopFiles = (): readonly string[] =>
  readdirSync('/sys/block')
    .filter((name) => name.startsWith('loop'))
    .flatMap((name) => {
      try {
        return [readFileSync(join('/sys/block', name, 'loop/backing_file'), 'utf8').trim()];
      } catch {
        return [];
      }
    });

/** Directories without a record are left alone for a minute: somebody may be writing it. Here nobody is. */
async function age(stateDir: string): Promise<void> {
  for (const name of await readdir(stateDir)) await utimes(join(stateDir, name), 0, 0);
}

const makeSandboxes = (stateDir: string): BubblewrapExecutor =>
  new BubblewrapExecutor({ stateDir, killGraceMs: 1_000, bwrap, programDirs });

whereItRuns('wardens that are killed at any moment', await probeOnce(makeSandboxes), () => {
  const random = randomFrom(SEED);
  const moments = Array.from({ length: ROUNDS }, () => [1 + random(TURNS_MAX), random(DELAY_MAX)] as const);

  it.each(moments)(
    `seed ${SEED}: killed %i words and %i turns after its start, it leaves nothing that the next start does not remove`,
    async (turns, delay) => {
      await withDirectories(async (stateDir, hostDir) => {
        const warden = await wardenAfter(turns, { stateDir, hostDir, bwrap, programDirs });
        for (let passed = 0; passed < delay; passed += 1) await turn();
        const exited = once(warden, 'exit');
        warden.kill('SIGKILL');
        await exited;
        const ids = await readdir(stateDir);
        await age(stateDir);
        expect((await reapLeftovers(stateDir)).leftovers).toEqual([]);
        expect(await lookAround(ids, stateDir, hostDir, warden.pid ?? 0)).toEqual({
          processes: [],
          groups: [],
          mounts: [],
          ipc: [],
          state: [],
          workspace: [],
        });
        // A trial's disk is mounted where nobody else sees it, and the kernel lets go of such mounts behind our back.
        await eventually('the loop devices are let go', () => !loopFiles().some((file) => file.includes(stateDir)));
      });
    },
  );
});
