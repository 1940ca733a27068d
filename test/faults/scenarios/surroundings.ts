import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from '../../support/infra/index.ts';
import { QUICK } from '../../support/mesh/index.ts';
import { noMountsHere, SmallDisk } from '../hands/small-disk.ts';
import type { Scenario } from '../scenario.ts';
import type { Stage } from '../stage.ts';

/** What stands around the control plane: the forge and the artifact store. */
export const SURROUNDING_SCENARIOS: readonly Scenario[] = [
  {
    name: 'forge-errors',
    hurts:
      'the forge: it answers 500, 502 and 503, asks to come back later (429), and answers after the caller has left',
    shows: 'runs go on, and the forge shows how they ended once it is well',
    slackMs: 15_000,
    mesh: { env: { ...QUICK, DELTA_FORGE_TIMEOUT_MS: '1500', DELTA_RETRY_INITIAL_MS: '200' } },
    act: async (stage) => {
      const { forge } = stage.system;
      forge.failNext({ status: 500 }, { status: 502 }, { lateMs: 3_000 }, { status: 429, retryAfterSeconds: 2 });
      await stage.changes('while-the-forge-is-ill', 2);
      forge.failNext({ lateMs: 3_000 }, { status: 503 }, { lateMs: 3_000 }, { status: 429, retryAfterSeconds: 1 });
      await stage.changes('still-ill', 2);
      await stage.settle();
      return { 'answers spoilt': forge.sabotaged };
    },
  },
  {
    name: 'store-slow',
    hurts:
      'uploads of logs and artifacts, and everything else between runners and gateway: every piece comes a little later',
    shows: 'jobs take longer, and nothing is lost or stored in part',
    slackMs: 15_000,
    act: async (stage) => {
      stage.hops.gateway.delay(SLOW_MS);
      const changes = await stage.changes('slowly', 3);
      await stage.settle();
      return { 'changes with slow uploads': changes.length };
    },
  },
  {
    name: 'store-corrupt',
    hurts: 'the bytes of a stored artifact, which the disk changed',
    shows: 'what is downloaded is what was recorded, or an error; never something else',
    slackMs: 15_000,
    act: async (stage) => {
      const { runId } = await stage.change('to-be-spoilt');
      await stage.settle();
      const { digest } = await onlyArtifact(stage, runId);
      const file = objectFile(stage, digest);
      const sound = readFileSync(file);
      writeFileSync(file, spoilt(sound));
      const received = await download(stage, runId, digest);
      writeFileSync(file, sound);
      if (received !== 'error') throw new Error(`bytes of ${received} were sent as the artifact ${digest}`);
      const again = await download(stage, runId, digest);
      if (again !== digest) throw new Error(`mended, the artifact reads as ${again}`);
      return { 'downloads refused': 1 };
    },
  },
  {
    name: 'disk-full',
    hurts: 'the disk of the artifact store, full to the last byte while a job ends',
    shows: 'what cannot be stored is never recorded as stored, and work goes on when there is room',
    slackMs: 30_000,
    missingHere: noMountsHere,
    act: async (stage) => {
      const disk = new SmallDisk(join(stage.system.mesh.directory, 'artifacts'), DISK_BYTES);
      stage.atTheEnd(() => disk.remove());
      const { held } = await stage.runningChange('disk-is-full');
      disk.fill();
      held.release();
      const said = join(stage.system.mesh.directory, 'logs', 'gateway.log');
      await eventually('the gateway meets the full disk', () => readFileSync(said, 'utf8').includes('ENOSPC'));
      disk.free();
      await stage.change('there-is-room-again');
      await stage.settle();
      return { 'disks filled': 1 };
    },
  },
];

/** For every piece, in each direction: a heartbeat still gets through several times within a lease. */
const SLOW_MS = 80;
const DISK_BYTES = 8 * 1024 * 1024;

async function onlyArtifact(stage: Stage, runId: string): Promise<{ digest: string }> {
  const [artifact] = await stage.system.ask<{ digest: string }>('SELECT digest FROM artifact WHERE run_id = $1', [
    runId,
  ]);
  if (artifact === undefined) throw new Error(`no artifact of ${runId} is recorded`);
  return artifact;
}

function objectFile(stage: Stage, digest: string): string {
  const hex = digest.slice('sha256:'.length);
  const file = join(stage.system.mesh.directory, 'artifacts', 'artifacts', 'sha256', hex.slice(0, 2), hex);
  if (!existsSync(file)) throw new Error(`${digest} is not stored where it belongs`);
  return file;
}

/** The same length, one byte different. */
function spoilt(bytes: Buffer): Buffer {
  const changed = Buffer.from(bytes);
  changed.writeUInt8((changed.readUInt8(0) + 1) % 256, 0);
  return changed;
}

/** The digest of what was received whole, or `error`. */
async function download({ system: { mesh } }: Stage, runId: string, digest: string): Promise<string> {
  try {
    const url = `${mesh.gatewayUrl}/api/v1/runs/${runId}/jobs/first/artifacts/${encodeURIComponent(digest)}`;
    const response = await fetch(url, { headers: { authorization: `Bearer ${mesh.adminToken}` } });
    if (!response.ok) return 'error';
    const bytes = Buffer.from(await response.arrayBuffer());
    return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  } catch {
    return 'error';
  }
}
