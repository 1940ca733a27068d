import { expect, it } from '@jest/globals';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { OUTLET_PORT } from '../egress-outlet.ts';
import {
  awaitOutput,
  collectOutput,
  finished,
  probeOnce,
  script,
  step,
  withSandbox,
} from '../testing/open-sandbox.fixture.ts';
import { CLOSED_OUTLET } from '../testing/hostile/behind-outlet.fixture.ts';
import { person } from '../testing/person.fixture.ts';
import { whereItRuns } from '../testing/where-it-runs.fixture.ts';
import { BubblewrapExecutor } from './bubblewrap-executor.ts';

const makeExecutor = (stateDir: string): BubblewrapExecutor =>
  new BubblewrapExecutor({
    stateDir,
    killGraceMs: 1_000,
    bwrap: process.env['DELTA_BWRAP'] ?? 'bwrap',
    programDirs: (process.env['PATH'] ?? '').split(':'),
  });

/** Connects with what is in every sandbox. */
const CONNECT = `exec 9<>/dev/tcp/127.0.0.1/${OUTLET_PORT}`;
const inBash = (text: string) => ({ command: { kind: 'argv', argv: ['/bin/bash', '-c', text] } as const });

whereItRuns('a sandbox with an outlet', await probeOnce(makeExecutor), () => {
  it('every step finds it, and programs are told where it is', async () => {
    await withSandbox(makeExecutor, { network: CLOSED_OUTLET }, async ({ sandbox }) => {
      for (const times of [1, 2]) {
        const output = collectOutput();
        const asked = await sandbox.run(step(inBash(`${CONNECT}; echo ${times} "$https_proxy"; cat <&9`)), output.sink);
        expect(finished(asked).exitCode).toBe(0);
        expect(output.text()).toBe(`${times} http://127.0.0.1:${OUTLET_PORT}\nthe outlet is shut\n`);
      }
    });
  });

  it('nothing else changes: output, exit code and variables of a step are its own', async () => {
    const env = { NODE_OPTIONS: '--require=/workspace/mine.cjs', https_proxy: 'mine' };
    await withSandbox(makeExecutor, { network: CLOSED_OUTLET, env }, async ({ sandbox }) => {
      const output = collectOutput();
      const ended = await sandbox.run(step(script('echo "$NODE_OPTIONS $https_proxy"; exit 7')), output.sink);
      expect(finished(ended)).toMatchObject({ exitCode: 7, endedBy: 'exit' });
      expect(output.text()).toBe('--require=/workspace/mine.cjs mine\n');
    });
  });

  it('a step with a terminal has both', async () => {
    await withSandbox(makeExecutor, { network: CLOSED_OUTLET }, async ({ sandbox }) => {
      const { terminal, sink, sees, type } = person();
      const running = sandbox.run(
        step(inBash(`stty size; ${CONNECT}; cat <&9; read -r last; exit 5`), { terminal }),
        sink,
      );
      await sees('30 100');
      await sees('the outlet is shut');
      type('bye\n');
      expect(finished(await running).exitCode).toBe(5);
    });
  });

  it('connections end with their step', async () => {
    const taken = Promise.withResolvers<Socket>();
    await withSandbox(makeExecutor, { network: { accept: taken.resolve } }, async ({ sandbox }) => {
      const { sink, seen } = awaitOutput('connected');
      const stop = new AbortController();
      const asked = step(inBash(`${CONNECT}; echo connected; cat <&9`), { signal: stop.signal });
      const running = sandbox.run(asked, sink);
      const [connection] = await Promise.all([taken.promise, seen]);
      const closed = once(connection, 'close');
      stop.abort();
      expect(finished(await running).endedBy).toBe('canceled');
      await closed;
    });
  });
});
