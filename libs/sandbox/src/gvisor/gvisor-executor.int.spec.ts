import { describe, expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { whereRunscIsHad } from '../../../../test/support/infra/gvisor.ts';
import { CLOSED_OUTLET } from '../testing/hostile/behind-outlet.fixture.ts';
import { describeHostileBattery } from '../testing/hostile-battery.fixture.ts';
import {
  awaitOutput,
  collectOutput,
  finished,
  probeOnce,
  script,
  specFor,
  step,
  withDirectories,
  withSandbox,
} from '../testing/open-sandbox.fixture.ts';
import { describeProcessContract, SHELL_PROGRAMS } from '../testing/process-contract.fixture.ts';
import { describeSandboxContract } from '../testing/sandbox-contract.fixture.ts';
import { whereItRuns } from '../testing/where-it-runs.fixture.ts';
import { GvisorExecutor } from './gvisor-executor.ts';

const executorFor = (stateDir: string, runsc: string): GvisorExecutor =>
  new GvisorExecutor({ stateDir, killGraceMs: 1_000, runsc, programDirs: [] });

describe('tier gvisor', () => {
  it('given no runsc, it is unusable, says so, and refuses', async () => {
    await withDirectories(async (stateDir, hostDir) => {
      const executor = executorFor(stateDir, '/nowhere/runsc');
      const { usable, layers } = await executor.probe();
      expect(usable).toBe(false);
      expect(layers[0]).toMatchObject({ state: 'missing', by: expect.stringContaining('/nowhere/runsc') });
      const opened = await executor.open(specFor(hostDir, { minimum: {} }));
      expect(opened).toMatchObject({ ok: false, refusal: { code: 'layer_missing', layer: 'filesystem' } });
    });
  });

  it('given a runsc that is too old for what is asked of it, it says what it lacks and where to get another', async () => {
    await withDirectories(async (stateDir) => {
      const old = join(stateDir, 'old-runsc');
      const flags = ['-host-uds', '-ignore-cgroups', '-oci-seccomp', '-overlay2'].map((flag) => `  ${flag}`).join('\n');
      await writeFile(old, `#!/bin/sh\ncase $1 in --version) echo runsc version 1;; *) echo '${flags}';; esac\n`, {
        mode: 0o755,
      });
      const { usable, layers } = await executorFor(join(stateDir, 'state'), old).probe();
      expect(usable).toBe(false);
      expect(layers[0]).toMatchObject({
        by: `runsc version 1 at ${old} is too old: it lacks -directfs`,
        remedy: expect.stringContaining('DELTA_RUNSC'),
      });
    });
  });

  it.each([
    ["untrusted code that wants the host's network", { trust: 'untrusted', network: 'host' }, 'untrusted_host_network'],
    ['a job that may reach some hosts', { network: CLOSED_OUTLET }, 'outlet_unsupported'],
  ] as const)('given %s, it refuses by name', async (_, asked, code) => {
    await withDirectories(async (stateDir, hostDir) => {
      const opened = await executorFor(stateDir, '/nowhere/runsc').open(specFor(hostDir, asked));
      expect(opened).toMatchObject({ ok: false, refusal: { code } });
    });
  });
});

await whereRunscIsHad('tier gvisor', async (runsc) => {
  const makeExecutor = (stateDir: string): GvisorExecutor => executorFor(stateDir, runsc);
  const probe = await probeOnce(makeExecutor);

  whereItRuns('tier gvisor', probe, () => {
    it('isolates by every layer', () => {
      expect(probe.layers.filter(({ layer, state }) => layer !== 'disk-limit' && state !== 'enforced')).toEqual([]);
    });

    it('given a step, its kernel is not the one of this host', async () => {
      await withSandbox(makeExecutor, {}, async ({ sandbox }) => {
        const output = collectOutput();
        finished(await sandbox.run(step(script('cat /proc/version')), output.sink));
        expect(output.text()).toMatch(/^Linux version /);
        expect(output.text()).not.toBe(await readFile('/proc/version', 'utf8'));
      });
    });

    it('given secrets in the environment of a step that runs, none of the files kept for it has them', async () => {
      await withSandbox(makeExecutor, {}, async ({ sandbox, stateDir }) => {
        const cancel = new AbortController();
        const { sink, seen } = awaitOutput('fake');
        const shows = script('echo "$TOKEN"; sleep 1000');
        const running = sandbox.run(step(shows, { env: { TOKEN: 'obviously-fake' }, signal: cancel.signal }), sink);
        await seen;
        const search = promisify(execFile)('grep', ['-rlF', '-D', 'skip', 'obviously-fake', stateDir]);
        await expect(search).rejects.toMatchObject({ code: 1, stdout: '' });
        cancel.abort();
        expect(finished(await running).endedBy).toBe('canceled');
      });
    });

    it('given a program whose name looks like a variable’s and variables that shells keep, it runs and has them', async () => {
      await withSandbox(makeExecutor, {}, async ({ sandbox }) => {
        const output = collectOutput();
        await sandbox.run(step(script('ln -s /usr/bin/printenv UID=a')), output.sink);
        const argv = [`${sandbox.workspaceDir}/UID=a`, 'UID', 'PS4'];
        const asked = step({ command: { kind: 'argv', argv }, env: { UID: 'nine', PS4: '$ ' } });
        expect(finished(await sandbox.run(asked, output.sink)).exitCode).toBe(0);
        expect(output.text()).toBe('nine\n$ \n');
      });
    });

    it("given trusted code that may have the host's network, it has it", async () => {
      await withSandbox(makeExecutor, { network: 'host' }, async ({ sandbox }) => {
        const output = collectOutput();
        await sandbox.run(step(script('cut -d: -f1 /proc/net/dev | tail -n +3 | tr -d " "')), output.sink);
        const [, , ...lines] = (await readFile('/proc/net/dev', 'utf8')).trim().split('\n');
        const ofHost = lines.map((line) => line.split(':')[0]?.trim() ?? '').sort();
        expect(output.text().trim().split('\n').sort()).toEqual(ofHost);
      });
    });

    describeSandboxContract('gvisor', { makeExecutor, programs: SHELL_PROGRAMS });
    // What is read past all caches of gVisor's comes from those of the host.
    describeProcessContract('gvisor', { makeExecutor, readsPastCaches: false });
    describeHostileBattery(makeExecutor, ({ behindOutlet }) => behindOutlet !== true, 'its own');
  });
});
