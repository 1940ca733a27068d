import { describe, expect, it } from '@jest/globals';
import { readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { MINIMUM_LAYERS } from '../layer-minimum.ts';
import { CLOSED_OUTLET } from '../testing/hostile/behind-outlet.fixture.ts';
import { describeHostileBattery } from '../testing/hostile-battery.fixture.ts';
import { whereAnEngineAnswers } from '../../../../test/support/infra/container-engine.ts';
import { openDoorTo, withSmallImage } from '../testing/container-engine.fixture.ts';
import {
  awaitOutput,
  codeOf,
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
import { ContainerExecutor } from './container-executor.ts';
import { clearContainers } from './engine-client.ts';

const executorFor = (stateDir: string, socket: string, image: string | null = null): ContainerExecutor =>
  new ContainerExecutor({ stateDir, killGraceMs: 1_000, engineSocket: socket, image });

describe('tier container', () => {
  it('given no engine, it is unusable, says so, and refuses', async () => {
    await withDirectories(async (stateDir, hostDir) => {
      const executor = executorFor(stateDir, join(stateDir, 'no.sock'));
      const { usable, layers } = await executor.probe();
      expect(usable).toBe(false);
      expect(layers[0]).toMatchObject({ state: 'missing', by: expect.stringContaining('no.sock') });
      const opened = await executor.open(specFor(hostDir, { minimum: {} }));
      expect(opened).toMatchObject({ ok: false, refusal: { code: 'layer_missing', layer: 'filesystem' } });
    });
  });

  it("given untrusted code that wants the host's network, it refuses by name", async () => {
    await withDirectories(async (stateDir, hostDir) => {
      const opened = await executorFor(stateDir, join(stateDir, 'no.sock')).open(
        specFor(hostDir, { trust: 'untrusted', network: 'host' }),
      );
      expect(opened).toMatchObject({ ok: false, refusal: { code: 'untrusted_host_network' } });
    });
  });

  it('given a job that may reach some hosts, it refuses by name, because it could not keep it to them', async () => {
    await withDirectories(async (stateDir, hostDir) => {
      const opened = await executorFor(stateDir, join(stateDir, 'no.sock')).open(
        specFor(hostDir, { network: CLOSED_OUTLET }),
      );
      expect(opened).toMatchObject({ ok: false, refusal: { code: 'outlet_unsupported' } });
    });
  });
});

await whereAnEngineAnswers('tier container', (socket) => {
  const makeExecutor = (stateDir: string): ContainerExecutor => executorFor(stateDir, socket);

  it('isolates by every layer', async () => {
    const { usable, layers } = await probeOnce(makeExecutor);
    const isolation = ['filesystem', 'namespaces', 'network', 'seccomp', 'proc-masks', 'memory-limit', 'pids-limit'];
    expect(layers.filter(({ layer, state }) => isolation.includes(layer) && state !== 'enforced')).toEqual([]);
    expect(usable).toBe(true);
  });

  it('given an image the engine does not have, it says how to get it', async () => {
    await withDirectories(async (stateDir) => {
      const { usable, layers } = await executorFor(stateDir, socket, 'delta-ci/no-such-image:1').probe();
      expect(usable).toBe(false);
      expect(layers[0]).toMatchObject({
        by: 'the container engine has no image delta-ci/no-such-image:1',
        remedy: 'docker pull delta-ci/no-such-image:1',
      });
    });
  });

  it('given an image of its own, jobs see its programs and nothing of this host', async () => {
    await withSmallImage(socket, async (image) => {
      const makeWithImage = (stateDir: string): ContainerExecutor => executorFor(stateDir, socket, image);
      await withSandbox(makeWithImage, { minimum: MINIMUM_LAYERS.untrusted }, async ({ sandbox, hostDir }) => {
        const output = collectOutput();
        const look = 'id -u; cat /etc/passwd; [ -e /usr/share ] || echo "no share"; echo made > file';
        expect(finished(await sandbox.run(step(script(look)), output.sink)).exitCode).toBe(0);
        expect(output.text()).toMatch(/^[0-9]+\n[^]*\njob:x:[^]*no share\n$/);
        expect(await readFile(join(hostDir, 'file'), 'utf8')).toBe('made\n');
      });
    });
  });

  it("given trusted code that may have the host's network, it has it", async () => {
    await withSandbox(makeExecutor, { network: 'host' }, async ({ sandbox }) => {
      const output = collectOutput();
      await sandbox.run(step(script('readlink /proc/self/ns/net')), output.sink);
      expect(output.text()).toBe(`${await readlink('/proc/self/ns/net')}\n`);
    });
  });

  it('given an engine that goes away, the step is not judged, and close says what it cannot tell', async () => {
    await withDirectories(async (stateDir, hostDir) => {
      const door = await openDoorTo(socket, join(stateDir, 'door.sock'));
      const opened = await executorFor(join(stateDir, 'state'), door.path).open(specFor(hostDir));
      if (!opened.ok) throw new Error(opened.refusal.message);
      const { sink, seen } = awaitOutput('ready');
      const running = opened.sandbox.run(step(SHELL_PROGRAMS.hangs()), sink);
      await seen;
      door.shut();
      expect(codeOf(await running)).toBe('sandbox_setup_failed');
      const [id = ''] = await readdir(join(stateDir, 'state'));
      expect((await opened.sandbox.close()).leftovers).toEqual([
        `containers of sandbox ${id}, of which the engine at ${door.path} does not answer`,
      ]);
      expect(await clearContainers(socket, id)).toEqual([]);
    });
  });

  describeSandboxContract('container', { makeExecutor, programs: SHELL_PROGRAMS });
  describeProcessContract('container', { makeExecutor });
  describeHostileBattery(makeExecutor, ({ behindOutlet }) => behindOutlet !== true);
});
