import { describe, expect, it } from '@jest/globals';
import { DUMMY_VARIABLE, DummyExecutor, type DummyBehaviour } from './dummy-executor.ts';
import type { StepSpec } from './sandbox-executor.ts';
import {
  collectOutput,
  finished,
  specFor,
  step,
  withDirectories,
  withSandbox,
} from './testing/open-sandbox.fixture.ts';
import { describeSandboxContract } from './testing/sandbox-contract.fixture.ts';

const does = (behaviour: DummyBehaviour): Partial<StepSpec> => ({
  env: { [DUMMY_VARIABLE]: JSON.stringify(behaviour) },
});
const makeExecutor = (): DummyExecutor => new DummyExecutor();

describeSandboxContract('dummy', {
  makeExecutor,
  programs: {
    says: (text) => does({ output: text }),
    exits: (code) => does({ exitCode: code }),
    writes: (path, content) => does({ files: { [path]: content } }),
    floods: (bytes) => does({ outputBytes: bytes }),
    hangs: () => does({ output: 'ready', hangs: true }),
  },
});

describe('tier dummy', () => {
  it('given a fault or a kill for memory to play, it plays it', async () => {
    await withSandbox(makeExecutor, {}, async ({ sandbox }) => {
      const { sink } = collectOutput();
      expect(await sandbox.run(step(does({ fault: 'no user namespaces' })), sink)).toMatchObject({
        kind: 'fault',
        refusal: { code: 'sandbox_setup_failed', message: 'no user namespaces' },
      });
      const killed = finished(await sandbox.run(step(does({ endedBy: 'out_of_memory', exitCode: 137 })), sink));
      expect(killed).toMatchObject({ endedBy: 'out_of_memory', oomKilled: true, exitCode: 137 });
    });
  });

  it('given layers to claim, it refuses what they do not meet', async () => {
    await withDirectories(async (_, hostDir) => {
      const opened = await new DummyExecutor([]).open(specFor(hostDir, { trust: 'untrusted' }));
      expect(opened).toMatchObject({ ok: false, refusal: { code: 'layer_missing', layer: 'filesystem' } });
    });
  });
});
