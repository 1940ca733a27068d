import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { connectBus, ReportClient, type Bus } from '@delta-ci/bus';
import { canonicalJson, type Plan } from '@delta-ci/contracts';
import { digestOf } from '@delta-ci/artifact-store';
import type { ServedRepository } from '@delta-ci/forge';
import { NO_OP_CHANGE, NO_OP_REPOSITORY } from '../../test/support/protocol-runner/no-op-plan.ts';
import { freeLoopbackPort } from '../bootstrap/server-process.mjs';
import { startMesh, type Mesh } from '../mesh/mesh.ts';

export const WEBHOOK_SECRET = 'fake-webhook-secret-of-the-benchmark';
const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const NO_OP_SERVED: ServedRepository = {
  id: NO_OP_REPOSITORY.id,
  cloneUrl: NO_OP_REPOSITORY.cloneUrl,
  defaultBranch: NO_OP_REPOSITORY.defaultBranch,
};
const SILENT = { info: () => undefined, warn: () => undefined, error: () => undefined, debug: () => undefined };

/** The control plane alone: orchestrator and gateway on servers of their own. Planner and runners are the benchmark's. */
export interface BenchMesh {
  mesh: Mesh;
  bus: Bus;
  /** Creates a run through the public API; its plan has to be proposed. */
  requestRun: () => Promise<string>;
  proposePlan: (runId: string, plan: Plan) => Promise<void>;
  runState: (runId: string) => Promise<{ state: string; outcome: string | null; jobCounts: Record<string, number> }>;
  stop: () => Promise<void>;
}

export interface BenchMeshOptions {
  /** False: Postgres does not wait for the disk. */
  durable: boolean;
  /** With the real planner; without, plans are proposed by the benchmark. */
  planner?: boolean;
  repository?: ServedRepository;
}

export async function startBenchMesh({
  durable,
  planner = false,
  repository = NO_OP_SERVED,
}: BenchMeshOptions): Promise<BenchMesh> {
  const directory = mkdtempSync(join(tmpdir(), 'delta-bench-'));
  mkdirSync(join(directory, 'demo'));
  const forgesFile = join(directory, 'forges.json');
  writeFileSync(forgesFile, JSON.stringify(forgeSettings(repository)));
  writeFileSync(join(directory, 'webhook-secret'), WEBHOOK_SECRET);
  const mesh = await startMesh({
    root: ROOT,
    directory,
    postgres: { binDir: needed('DELTA_POSTGRES_BIN') },
    nats: { path: needed('DELTA_NATS_SERVER') },
    gatewayPort: await freeLoopbackPort(),
    forgesFile,
    bubblewrapPath: null,
    isolation: 'sandbox',
    toolchainDirs: [],
    ephemeral: !durable,
    services: planner ? ['orchestrator', 'planner', 'gateway'] : ['orchestrator', 'gateway'],
    env: { DELTA_LOG_LEVEL: 'warn' },
  });
  const bus = await connectBus({ servers: [mesh.natsUrl], name: 'bench', log: SILENT });
  const reports = new ReportClient(bus);
  return {
    mesh,
    bus,
    requestRun: async () => requestRun(mesh),
    proposePlan: async (runId, plan) => {
      const digest = digestOf(canonicalJson(plan));
      const sent = await reports.send(
        'planner.plan-proposed',
        { runId, digest, plan },
        { id: `plan-${runId}`, causation: runId, traceparent: null },
      );
      if (!sent.sent) throw new Error(sent.refusal.message);
    },
    runState: async (runId) => {
      const view: unknown = await (await api(mesh, `/runs/${runId}`)).json();
      return view as { state: string; outcome: string | null; jobCounts: Record<string, number> };
    },
    stop: async () => {
      await bus.close();
      await mesh.stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

export async function api(mesh: Mesh, path: string, init: RequestInit = {}): Promise<Response> {
  const headers = { authorization: `Bearer ${mesh.adminToken}`, 'content-type': 'application/json' };
  const response = await fetch(`${mesh.gatewayUrl}/api/v1${path}`, { ...init, headers });
  if (!response.ok) throw new Error(`${path}: HTTP ${response.status} ${await response.text()}`);
  return response;
}

async function requestRun(mesh: Mesh): Promise<string> {
  const body = JSON.stringify({ repository: NO_OP_REPOSITORY.id, ref: NO_OP_CHANGE.ref, head: NO_OP_CHANGE.head });
  const answer: unknown = await (await api(mesh, '/runs', { method: 'POST', body })).json();
  return (answer as { runId: string }).runId;
}

function forgeSettings(repository: ServedRepository): object {
  return {
    forges: [
      {
        kind: 'github',
        name: 'github',
        apiUrl: 'http://127.0.0.1:9',
        webhookSecret: { file: 'webhook-secret' },
        cloneProtocols: ['http'],
        allowPrivateAddresses: true,
        repositories: [repository],
      },
    ],
  };
}

function needed(variable: string): string {
  const value = process.env[variable];
  if (value === undefined || value === '') throw new Error(`${variable} is not set: start me with "npm run bench"`);
  return value;
}
