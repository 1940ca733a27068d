import { execFile, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '../support/infra/index.ts';
import { QUICK, configWith, startTestMesh, type TestMesh } from '../support/mesh/index.ts';

const SHOP = 'demo/logs';
const DELTA = join(dirname(dirname(import.meta.dirname)), 'apps', 'cli', 'bin', 'delta.mjs');
const LIMIT_MS = 180_000;
const LINES = 20_000;

interface Told {
  readonly process: ChildProcess;
  readonly text: () => string;
  readonly code: Promise<number | null>;
}

/** What a job prints, seen by somebody at a terminal, while the gateway in between dies. */
describe('the log of a job', () => {
  let system: TestMesh;
  let runId: string;

  beforeAll(async () => {
    // Who waits for a gateway on a busy machine does not lose its lease over it.
    const env = { ...QUICK, DELTA_LEASE_TTL_MS: '60000', DELTA_DISPATCH_VISIBILITY_MS: '61000' };
    system = await startTestMesh({ repositories: [SHOP], env });
  }, LIMIT_MS);
  afterAll(async () => system.finish(), LIMIT_MS);

  const delta = (...args: readonly string[]): Told => {
    const { gatewayUrl, adminToken } = system.mesh;
    const env = { PATH: process.env['PATH'] ?? '', DELTA_GATEWAY_URL: gatewayUrl, DELTA_TOKEN: adminToken };
    const child = execFile(process.execPath, [DELTA, ...args], { env });
    let text = '';
    child.stdout?.on('data', (more: string) => (text += more));
    const code = new Promise<number | null>((resolve) => void child.once('close', resolve));
    return { process: child, text: () => text, code };
  };
  const linesIn = (text: string) => text.split('\n').filter((line) => /^line \d+$/.test(line));
  const printed = (from: number, to: number) =>
    Array.from({ length: to - from + 1 }, (_, at) => `line ${String(from + at)}`);

  it(
    'given a job that goes on printing, when the gateway is killed, then its follower hears every line once, in order',
    async () => {
      const held = system.hold('gateway-dies-over-a-log');
      const loop = `i=$((i+1)); echo "line $i"`;
      const steps = [
        `i=0; while [ $i -lt ${LINES / 2} ]; do ${loop}; done`,
        ...held.steps,
        `i=${LINES / 2}; while [ $i -lt ${LINES} ]; do ${loop}; done`,
      ];
      const change = { 'delta.yaml': configWith({ talkative: { steps } }) };
      ({ runId } = await system.change(SHOP, 'a talkative job', change));
      await system.jobRuns(runId, 'talkative');
      const follower = delta('logs', runId, 'talkative', '-f');
      await eventually('the first half is heard', () => linesIn(follower.text()).length === LINES / 2);
      await system.mesh.service('gateway').crash();
      held.release();
      await system.mesh.service('gateway').ready();
      expect(await follower.code).toBe(0);
      expect(linesIn(follower.text())).toEqual(printed(1, LINES));
      await system.settled(runId);
    },
    LIMIT_MS,
  );

  it(
    'when it is over, then it is compressed, and any line of it is found by its number',
    async () => {
      await eventually('the log is compressed', () =>
        existsSync(join(system.mesh.directory, 'artifacts', 'logs-archive', runId, 'talkative', '1.log.zst')),
      );
      const all = delta('logs', runId, 'talkative');
      await all.code;
      const lines = all.text().split('\n');
      const at = lines.indexOf(`line ${LINES - 5}`) + 1;
      const some = delta('logs', runId, `talkative#L${at}-L${at + 2}`);
      await some.code;
      expect(some.text()).toBe(`${printed(LINES - 5, LINES - 3).join('\n')}\n`);
    },
    LIMIT_MS,
  );
});
