import { join, resolve } from 'node:path';
import { digestOf } from '@delta-ci/artifact-store';
import { CommandClient, connectBus, ReportClient, type Bus } from '@delta-ci/bus';
import { canonicalJson, type Plan } from '@delta-ci/contracts';
import type { ServedRepository } from '@delta-ci/forge';
import { writeForgeSettings } from '../../../test/support/fake-forge/forge-settings.ts';
import { eventually } from '../../../test/support/infra/eventually.ts';
import { NO_OP_REPOSITORY, noOpPlan } from '../../../test/support/protocol-runner/no-op-plan.ts';
import { startMesh, type Mesh, type MeshOptions } from '../../mesh/mesh.ts';
import type { Scene } from '../scene.ts';
import { natsServer, postgresServer, type RestartableServer } from './servers.ts';

export const WEBHOOK_SECRET = 'fake-webhook-secret-of-the-benchmark';
/** Where the forge would be: the discard service, which no machine runs any more. */
const NOBODY = 'http://127.0.0.1:9';
export const ROOT = resolve(import.meta.dirname, '../../..');

const NO_OP_SERVED: ServedRepository = {
  id: NO_OP_REPOSITORY.id,
  cloneUrl: NO_OP_REPOSITORY.cloneUrl,
  defaultBranch: NO_OP_REPOSITORY.defaultBranch,
};
const SILENT = { info: () => undefined, warn: () => undefined, error: () => undefined, debug: () => undefined };
/** A benchmark registers its runners and delivers its changes from one address. */
const UNLIMITED_RATES = {
  DELTA_REGISTRATIONS_PER_SECOND: '100000',
  DELTA_REGISTRATIONS_AT_ONCE: '1000000',
  DELTA_WEBHOOKS_PER_SECOND: '100000',
  DELTA_WEBHOOKS_AT_ONCE: '1000000',
};
/** Plans of many thousand jobs are recorded within seconds even on a busy machine. */
const PLANNED_LIMIT_MS = 120_000;

/** Orchestrator and gateway on durable servers of their own. Plans and runners are the benchmark's. */
export interface ControlPlane {
  readonly mesh: Mesh;
  readonly bus: Bus;
  readonly commands: CommandClient;
  readonly postgres: RestartableServer;
  readonly nats: RestartableServer;
  /** Creates a run with this plan and waits until its jobs are queued. @returns its id */
  readonly queuePlan: (plan: Plan) => Promise<string>;
  /** Creates runs of no-op jobs and waits until every job is queued. @returns their ids */
  readonly queueJobs: (jobs: number, runs?: number) => Promise<string[]>;
  readonly runState: (runId: string) => Promise<RunState>;
}

export interface RunState {
  readonly state: string;
  readonly outcome: string | null;
  readonly jobCounts: Readonly<Record<string, number>>;
}

export interface ControlPlaneOptions {
  /** With the real planner; without, plans are proposed by the benchmark. */
  readonly planner?: boolean;
  readonly repository?: ServedRepository;
  readonly env?: Readonly<Record<string, string>>;
}

export async function controlPlane(scene: Scene, options: ControlPlaneOptions = {}): Promise<ControlPlane> {
  const directory = await scene.directory('mesh');
  const [postgres, nats] = [await postgresServer(scene), await natsServer(scene)];
  const services: MeshOptions['services'] =
    options.planner === true ? ['orchestrator', 'planner', 'gateway'] : ['orchestrator', 'gateway'];
  const mesh = await openMesh(scene, {
    directory,
    postgres,
    nats,
    forgesFile: writeForgeSettings(join(directory, 'settings'), {
      apiUrl: NOBODY,
      secrets: { webhook: WEBHOOK_SECRET, token: null },
      repositories: [options.repository ?? NO_OP_SERVED],
    }),
    services,
    env: options.env ?? {},
  });
  const bus = await scene.open(
    async () => connectBus({ servers: [mesh.natsUrl], name: 'bench', log: SILENT }),
    async (connected) => connected.close(),
  );
  const reports = new ReportClient(bus);
  const runState = async (runId: string): Promise<RunState> => {
    const view: unknown = await (await api(mesh, `/runs/${runId}`)).json();
    return view as RunState;
  };
  const queuePlan = async (plan: Plan): Promise<string> => {
    const runId = await createRun(mesh, plan);
    await proposePlan(reports, runId, plan);
    await eventually('the plan is recorded', async () => isPlanned(await runState(runId)), LIMIT);
    return runId;
  };
  const queueJobs = async (jobs: number, runs = 1): Promise<string[]> => {
    const share = Math.ceil(jobs / runs);
    const plans = Array.from({ length: runs }, (_, at) => noOpPlan(Math.min(share, jobs - at * share)));
    return Promise.all(plans.map(queuePlan));
  };
  return { mesh, bus, commands: new CommandClient(bus), postgres, nats, queuePlan, queueJobs, runState };
}

const LIMIT = { deadline_ms: PLANNED_LIMIT_MS };
const isPlanned = ({ state }: RunState): boolean => !['created', 'planning'].includes(state);

async function createRun(mesh: Mesh, { repository, change }: Plan): Promise<string> {
  const body = JSON.stringify({ repository: repository.id, ref: change.ref, head: change.head });
  const answer: unknown = await (await api(mesh, '/runs', { method: 'POST', body })).json();
  return (answer as { runId: string }).runId;
}

async function proposePlan(reports: ReportClient, runId: string, plan: Plan): Promise<void> {
  const digest = digestOf(canonicalJson(plan));
  const envelope = { id: `plan-${runId}`, causation: runId, traceparent: null };
  const sent = await reports.send('planner.plan-proposed', { runId, digest, plan, inputsDigest: null }, envelope);
  if (!sent.sent) throw new Error(sent.refusal.message);
}

export interface OpenMeshOptions extends Pick<MeshOptions, 'directory' | 'forgesFile' | 'services' | 'env'> {
  readonly postgres: RestartableServer;
  readonly nats: RestartableServer;
  readonly bubblewrapPath?: string;
  readonly toolchainDirs?: readonly string[];
}

/** A mesh on servers that are not its own, so that they can be killed on their own. */
export async function openMesh(scene: Scene, options: OpenMeshOptions): Promise<Mesh> {
  const { postgres, nats, env, bubblewrapPath, toolchainDirs, ...rest } = options;
  const start = async (): Promise<Mesh> =>
    startMesh({
      root: ROOT,
      ...rest,
      postgres: { url: postgres.url },
      nats: { url: nats.url },
      gatewayPort: 0,
      bubblewrapPath: bubblewrapPath ?? null,
      isolation: 'sandbox',
      toolchainDirs: toolchainDirs ?? [],
      ephemeral: true,
      env: { DELTA_LOG_LEVEL: 'warn', ...UNLIMITED_RATES, ...env },
    });
  return scene.open(start, async (mesh) => mesh.stop());
}

export async function api(mesh: Mesh, path: string, init: RequestInit = {}): Promise<Response> {
  const headers = { authorization: `Bearer ${mesh.adminToken}`, 'content-type': 'application/json' };
  const response = await fetch(`${mesh.gatewayUrl}/api/v1${path}`, { ...init, headers });
  if (!response.ok) throw new Error(`${path}: HTTP ${response.status} ${await response.text()}`);
  return response;
}
