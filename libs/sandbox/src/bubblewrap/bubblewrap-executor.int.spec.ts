import { beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TierProbe } from '../sandbox-executor.ts';
import { specFor, withDirectories } from '../testing/open-sandbox.ts';
import { describeProcessContract, SHELL_PROGRAMS } from '../testing/process-contract.ts';
import { describeSandboxContract } from '../testing/sandbox-contract.ts';
import { describeHostileBattery } from '../testing/hostile-battery.ts';
import { BubblewrapExecutor } from './bubblewrap-executor.ts';

const makeExecutor = (stateDir: string, bwrap = process.env['DELTA_BWRAP'] ?? 'bwrap'): BubblewrapExecutor =>
  new BubblewrapExecutor({ stateDir, killGraceMs: 1_000, bwrap, programDirs: (process.env['PATH'] ?? '').split(':') });

let probe: TierProbe;
beforeAll(async () => {
  const stateDir = await mkdtemp(join(tmpdir(), 'delta-probe-'));
  probe = await makeExecutor(stateDir).probe();
  await rm(stateDir, { recursive: true });
});

describe('tier sandbox on this host', () => {
  it('isolates, or says what is missing and how to get it', () => {
    const isolation = ['filesystem', 'namespaces', 'network', 'seccomp', 'proc-masks'];
    const weaker = probe.layers.filter(({ layer, state }) => isolation.includes(layer) && state !== 'enforced');
    expect(weaker).toEqual([]);
    expect(probe.usable).toBe(true);
  });

  it('given no bubblewrap, it is unusable, says so, and refuses', async () => {
    await withDirectories(async (stateDir, hostDir) => {
      const executor = makeExecutor(stateDir, '/nowhere/bwrap');
      const { usable, layers } = await executor.probe();
      expect(usable).toBe(false);
      expect(layers[0]).toMatchObject({
        layer: 'filesystem',
        state: 'missing',
        by: expect.stringContaining('/nowhere'),
      });
      const opened = await executor.open(specFor(hostDir, { minimum: {} }));
      expect(opened).toMatchObject({ ok: false, refusal: { code: 'layer_missing', layer: 'filesystem' } });
    });
  });

  it("given untrusted code that wants the host's network, it refuses by name", async () => {
    await withDirectories(async (stateDir, hostDir) => {
      const opened = await makeExecutor(stateDir).open(specFor(hostDir, { trust: 'untrusted', network: 'host' }));
      expect(opened).toMatchObject({ ok: false, refusal: { code: 'untrusted_host_network' } });
    });
  });
});

describeSandboxContract('sandbox', { makeExecutor, programs: SHELL_PROGRAMS });
describeProcessContract('sandbox', { makeExecutor });
describeHostileBattery(makeExecutor);
