import { describe, expect, it } from '@jest/globals';
import { ProcessExecutor } from './process-executor.ts';
import { CLOSED_OUTLET } from './testing/hostile/behind-outlet.fixture.ts';
import { specFor, withDirectories } from './testing/open-sandbox.fixture.ts';
import { describeProcessContract, SHELL_PROGRAMS } from './testing/process-contract.fixture.ts';
import { describeTerminals } from './testing/terminal-contract.fixture.ts';
import { describeSandboxContract } from './testing/sandbox-contract.fixture.ts';

const makeExecutor = (stateDir: string): ProcessExecutor => new ProcessExecutor({ stateDir, killGraceMs: 1_000 });

describeSandboxContract('process', { makeExecutor, programs: SHELL_PROGRAMS });
describeProcessContract('process', { makeExecutor });
describeTerminals('process', makeExecutor);

describe('tier process', () => {
  it('given untrusted code, it refuses by name', async () => {
    await withDirectories(async (stateDir, hostDir) => {
      const opened = await makeExecutor(stateDir).open(specFor(hostDir, { trust: 'untrusted' }));
      expect(opened).toMatchObject({ ok: false, refusal: { code: 'tier_refuses_untrusted' } });
    });
  });

  it('given a job that may reach some hosts, it refuses by name, because it could not keep it to them', async () => {
    await withDirectories(async (stateDir, hostDir) => {
      const opened = await makeExecutor(stateDir).open(specFor(hostDir, { network: CLOSED_OUTLET }));
      expect(opened).toMatchObject({ ok: false, refusal: { code: 'outlet_unsupported' } });
    });
  });

  it('given a spec that insists on isolation, it refuses and names the layer', async () => {
    await withDirectories(async (stateDir, hostDir) => {
      const opened = await makeExecutor(stateDir).open(specFor(hostDir, { minimum: { seccomp: 'enforced' } }));
      expect(opened).toMatchObject({ ok: false, refusal: { code: 'layer_missing', layer: 'seccomp' } });
    });
  });
});
