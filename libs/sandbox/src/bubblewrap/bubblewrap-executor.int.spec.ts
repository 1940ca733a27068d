import { describe, expect, it } from '@jest/globals';
import { probeOnce, specFor, withDirectories } from '../testing/open-sandbox.fixture.ts';
import { describeProcessContract, SHELL_PROGRAMS } from '../testing/process-contract.fixture.ts';
import { describeSandboxContract } from '../testing/sandbox-contract.fixture.ts';
import { describeHostileBattery } from '../testing/hostile-battery.fixture.ts';
import { whereItRuns } from '../testing/where-it-runs.fixture.ts';
import { BubblewrapExecutor } from './bubblewrap-executor.ts';

const makeExecutor = (stateDir: string, bwrap = process.env['DELTA_BWRAP'] ?? 'bwrap'): BubblewrapExecutor =>
  new BubblewrapExecutor({ stateDir, killGraceMs: 1_000, bwrap, programDirs: (process.env['PATH'] ?? '').split(':') });

const probe = await probeOnce(makeExecutor);

describe('tier sandbox', () => {
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

whereItRuns('tier sandbox', probe, () => {
  it('isolates by every layer', () => {
    const isolation = ['filesystem', 'namespaces', 'network', 'seccomp', 'proc-masks'];
    const weaker = probe.layers.filter(({ layer, state }) => isolation.includes(layer) && state !== 'enforced');
    expect(weaker).toEqual([]);
  });

  describeSandboxContract('sandbox', { makeExecutor, programs: SHELL_PROGRAMS });
  describeProcessContract('sandbox', { makeExecutor });
  describeHostileBattery(makeExecutor);
});
