import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { eventually } from '../../../test/support/infra/index.ts';
import { ProcessProvisioner } from './process-provisioner.ts';
import type { RunnerEnd } from './provisioner.ts';

const RUNNER = `rnr_${'1'.repeat(32)}`;

/** A program that registers as runners do, leaves when it is told to, and otherwise stays. */
const REGISTERS = `
process.on('message', (message) => { if (message.retire) process.exit(0); });
process.on('SIGTERM', () => { console.log('handing back'); process.exit(7); });
console.log(JSON.stringify({ env: Object.keys(process.env).sort(), name: process.env.DELTA_RUNNER_NAME }));
process.send({ registered: '${RUNNER}' });
setInterval(() => undefined, 1_000);
`;

let directory: string;
let provisioner: ProcessProvisioner;
let ends: RunnerEnd[];
let lines: string[];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'delta-provisioner-'));
  ends = [];
  lines = [];
});
afterEach(async () => {
  await provisioner.close();
  await rm(directory, { recursive: true, force: true });
});

async function provisionerOf(program: string): Promise<ProcessProvisioner> {
  const entry = join(directory, 'runner.mjs');
  await writeFile(entry, program);
  return new ProcessProvisioner({
    entry,
    directory: join(directory, 'runners'),
    env: { DELTA_POOL: 'default' },
    namePrefix: 'spec-',
    onChange: () => undefined,
    onEnd: (end) => ends.push(end),
    onLine: (_name, line) => lines.push(line),
  });
}

const registered = async (): Promise<unknown> =>
  eventually('a registered runner', () => provisioner.runners().find(({ runnerId }) => runnerId === RUNNER));

describe('runners as processes', () => {
  it('given a started runner, then it counts as starting until it registered, and inherits nothing', async () => {
    provisioner = await provisionerOf(REGISTERS);
    provisioner.start();
    expect(provisioner.runners()).toMatchObject([{ runnerId: null, retiring: false }]);
    await registered();
    const said = await eventually('its first line', () => lines[0]);
    const { env, name } = JSON.parse(said) as { env: string[]; name: string };
    expect(env.filter((variable) => !variable.startsWith('NODE_'))).toEqual([
      'DELTA_DATA_DIR',
      'DELTA_POOL',
      'DELTA_RUNNER_NAME',
    ]);
    expect(name).toBe(provisioner.runners()[0]?.name);
  });

  it('given a retired runner, then it leaves by itself, and ends once', async () => {
    provisioner = await provisionerOf(REGISTERS);
    provisioner.start();
    await registered();
    const name = provisioner.runners()[0]?.name ?? '';
    provisioner.retire(name);
    provisioner.retire(name);
    await eventually('its end', () => ends.length > 0);
    expect(ends).toEqual([{ name, runnerId: RUNNER, exitCode: 0, signal: null }]);
    expect(provisioner.runners()).toEqual([]);
  });

  it('given a runner that cannot start, then it ends without ever having registered', async () => {
    provisioner = await provisionerOf('process.exit(78);');
    provisioner.start();
    await eventually('its end', () => ends.length > 0);
    expect(ends).toMatchObject([{ runnerId: null, exitCode: 78 }]);
  });

  it('given several runners, then each works in a directory of its own', async () => {
    provisioner = await provisionerOf(
      `import { writeFileSync } from 'node:fs';
      writeFileSync(process.env.DELTA_DATA_DIR + '/mine', process.env.DELTA_RUNNER_NAME);
      ${REGISTERS}`,
    );
    provisioner.start();
    provisioner.start();
    await eventually('both registered', () => provisioner.runners().every(({ runnerId }) => runnerId !== null));
    const owners = await Promise.all(
      ['0', '1'].map(async (slot) => readFile(join(directory, 'runners', slot, 'mine'), 'utf8')),
    );
    expect(new Set(owners)).toEqual(new Set(provisioner.runners().map(({ name }) => name)));
  });

  it('given a provisioner that closes, then every runner is told to hand back its job, and is gone', async () => {
    provisioner = await provisionerOf(REGISTERS);
    provisioner.start();
    await registered();
    await provisioner.close();
    expect(ends).toMatchObject([{ runnerId: RUNNER, exitCode: 7 }]);
  });
});
