import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { RunView } from '@delta-ci/contracts';
import { FakeForge } from '../../../test/support/fake-forge/fake-forge.ts';
import { writeForgeSettings } from '../../../test/support/fake-forge/forge-settings.ts';
import { deliver, pushDelivery } from '../../../test/support/fake-forge/webhook-deliveries.ts';
import { DeveloperClone } from '../../../test/support/git-server/bare-repository.ts';
import { eventually } from '../../../test/support/infra/eventually.ts';
import { configWith } from '../../../test/support/mesh/held-jobs.ts';
import type { Mesh } from '../../mesh/mesh.ts';
import type { Scene } from '../scene.ts';
import { api, openMesh, WEBHOOK_SECRET } from './control-plane.ts';
import { natsServer, needed, postgresServer, type RestartableServer } from './servers.ts';

const REPOSITORY = 'bench/plain';
const FORGE_TOKEN = 'fake-forge-token-of-the-benchmark';
/** Longer than anything takes that comes back at all. */
const SETTLED = { deadline_ms: 120_000 };

/** Everything an installation has: every service, sandboxed runners, a forge, durable servers. */
export interface WholeMesh {
  readonly mesh: Mesh;
  readonly postgres: RestartableServer;
  readonly nats: RestartableServer;
  /** Pushes a commit whose only job runs these steps, `more` of its settings beside them. @returns what delivers it to the gateway */
  readonly push: (steps: readonly string[], more?: Readonly<Record<string, unknown>>) => Promise<PushedChange>;
  readonly run: (runId: string) => Promise<RunView>;
}

export interface PushedChange {
  readonly cloneUrl: string;
  readonly commit: string;
  /** Delivers as a forge does: again with the same id until somebody takes it. @returns the run */
  readonly deliver: () => Promise<string>;
  /**
   * Resolves when the run is finished and every check of its commit is completed at the forge. That the run counts as
   * reported may come later: a call that nobody heard the end of has first to be too old to land.
   */
  readonly settled: (runId: string) => Promise<void>;
}

export async function wholeMesh(scene: Scene, env: Readonly<Record<string, string>> = {}): Promise<WholeMesh> {
  const directory = await scene.directory('mesh');
  const forgeDirectory = join(directory, 'forge');
  mkdirSync(forgeDirectory);
  const forge = await scene.open(
    async () => FakeForge.start({ directory: forgeDirectory, token: FORGE_TOKEN }),
    async (started) => started.close(),
  );
  const developer = await scene.open(
    async () => DeveloperClone.create(forge.barePath(REPOSITORY), forge.cloneUrl(REPOSITORY)),
    async (clone) => clone.remove(),
  );
  await developer.push('main', 'first', { 'README.md': '# plain\n' });
  const [postgres, nats] = [await postgresServer(scene), await natsServer(scene)];
  const served = { id: `github/${REPOSITORY}`, cloneUrl: forge.cloneUrl(REPOSITORY), defaultBranch: 'main' };
  const forgesFile = writeForgeSettings(join(directory, 'settings'), {
    apiUrl: forge.apiUrl,
    secrets: { webhook: WEBHOOK_SECRET, token: FORGE_TOKEN },
    repositories: [served],
  });
  const bubblewrapPath = needed('DELTA_BWRAP');
  const mesh = await openMesh(scene, { directory, postgres, nats, forgesFile, env, bubblewrapPath });
  const run = async (runId: string): Promise<RunView> => (await (await api(mesh, `/runs/${runId}`)).json()) as RunView;
  let pushed = 0;
  return {
    mesh,
    postgres,
    nats,
    run,
    push: async (steps, more = {}) => {
      pushed += 1;
      const files = { 'delta.yaml': configWith({ only: { ...more, steps: [...steps] } }), count: `${pushed}\n` };
      const commit = await developer.push('main', `change ${pushed}`, files);
      const delivery = pushDelivery(REPOSITORY, forge.cloneUrl(REPOSITORY), commit);
      const url = `${mesh.gatewayUrl}/api/v1/webhooks/github`;
      return {
        cloneUrl: forge.cloneUrl(REPOSITORY),
        commit: commit.after,
        deliver: async () =>
          eventually('the gateway takes the delivery', async () => {
            const { status, body } = await deliver(url, WEBHOOK_SECRET, delivery);
            return status === 202 && (body as { runId: string }).runId;
          }),
        settled: async (runId) => {
          const isSettled = async (): Promise<boolean> => {
            const checks = forge.checkRuns(REPOSITORY, commit.after);
            const isShown = checks.length > 0 && checks.every(({ status }) => status === 'completed');
            return isShown && (await run(runId)).state === 'finished';
          };
          await eventually('the change is finished and the forge shows it', isSettled, SETTLED);
        },
      };
    },
  };
}
