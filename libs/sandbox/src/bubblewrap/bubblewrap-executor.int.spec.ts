import { describe, expect, it } from '@jest/globals';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  collectOutput,
  finished,
  probeOnce,
  script,
  specFor,
  step,
  withDirectories,
} from '../testing/open-sandbox.fixture.ts';
import { describeProcessContract, SHELL_PROGRAMS } from '../testing/process-contract.fixture.ts';
import { describeTerminals } from '../testing/terminal-contract.fixture.ts';
import { describeSandboxContract } from '../testing/sandbox-contract.fixture.ts';
import { describeHostileBattery } from '../testing/hostile-battery.fixture.ts';
import { whereItRuns } from '../testing/where-it-runs.fixture.ts';
import { MINIMUM_LAYERS } from '../layer-minimum.ts';
import { DEFAULT_SANDBOX_LIMITS } from '../limits.ts';
import type { Sandbox } from '../sandbox-executor.ts';
import { BubblewrapExecutor } from './bubblewrap-executor.ts';

const makeExecutor = (stateDir: string, bwrap = process.env['DELTA_BWRAP'] ?? 'bwrap'): BubblewrapExecutor =>
  new BubblewrapExecutor({ stateDir, killGraceMs: 1_000, bwrap, programDirs: (process.env['PATH'] ?? '').split(':') });

/** How steps end that fill the disk, or its inodes, and one that does so and succeeds all the same. */
async function fillAndSay(sandbox: Sandbox): Promise<unknown[]> {
  const fill = 'head -c 64M /dev/zero > full';
  const ends: unknown[] = [];
  for (const text of [fill, `${fill} || :`, 'rm full; exit 3', 'for i in $(seq 1000); do : > $i || exit 4; done']) {
    const { endedBy, exitCode } = finished(await sandbox.run(step(script(text)), collectOutput().sink));
    ends.push([endedBy, exitCode]);
  }
  await sandbox.close();
  return ends;
}

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

  it.each(['none', 'host'] as const)(
    "given network %s, the sandbox's own name is that of this host",
    async (network) => {
      await withDirectories(async (stateDir, hostDir) => {
        const opened = await makeExecutor(stateDir).open(specFor(hostDir, { network }));
        if (!opened.ok) throw new Error(opened.refusal.message);
        const output = collectOutput();
        const ended = finished(await opened.sandbox.run(step(script('getent ahostsv4 "$(hostname)"')), output.sink));
        await opened.sandbox.close();
        expect({ code: ended.exitCode, said: output.text() }).toMatchObject({
          code: 0,
          said: expect.stringMatching(/^127\.0\.0\.1 /u),
        });
      });
    },
  );

  it('given a step that fills a disk of its own, or its inodes, it ends by that; one that fills it and succeeds does not', async () => {
    await withDirectories(async (stateDir, hostDir) => {
      const opened = await makeExecutor(stateDir).open(
        specFor(hostDir, {
          workspace: { hostDir, onClose: 'empty' },
          trust: 'untrusted',
          limits: { ...DEFAULT_SANDBOX_LIMITS, diskBytes: 32 * 1024 * 1024, inodes: 500 },
          minimum: { 'disk-limit': 'enforced' },
        }),
      );
      const offered = probe.layers.find(({ layer }) => layer === 'disk-limit')?.state;
      // Without loop devices there is no disk of its own: then the refusal that names the layer is what has to come.
      const seen = opened.ok ? await fillAndSay(opened.sandbox) : [opened.refusal.layer];
      const filled = [
        ['disk_full', 1],
        ['exit', 0],
        ['exit', 3],
        ['disk_full', expect.any(Number)],
      ];
      expect(seen).toEqual(offered === 'enforced' ? filled : ['disk-limit']);
    });
  });

  it('given a stranger’s workspace with something in it, no disk hides that: it is refused, and left as it was', async () => {
    await withDirectories(async (stateDir, hostDir) => {
      await writeFile(join(hostDir, 'file'), 'x');
      const workspace = { hostDir, onClose: 'empty' } as const;
      const spec = specFor(hostDir, { workspace, trust: 'untrusted', minimum: MINIMUM_LAYERS.trusted });
      const opened = await makeExecutor(stateDir).open(spec);
      if (opened.ok) await opened.sandbox.close();
      const owned = probe.layers.some(({ layer, state }) => layer === 'disk-limit' && state === 'enforced');
      expect(opened).toMatchObject(owned ? { ok: false, refusal: { code: 'workspace_unusable' } } : { ok: true });
      expect([...(await readdir(hostDir)), ...(await readdir(stateDir))]).toEqual(owned ? ['file'] : []);
    });
  });

  describeSandboxContract('sandbox', { makeExecutor, programs: SHELL_PROGRAMS });
  describeProcessContract('sandbox', { makeExecutor });
  describeTerminals('sandbox', makeExecutor);
  describeHostileBattery(makeExecutor);
});
