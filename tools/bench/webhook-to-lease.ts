import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deliver, pushDelivery } from '../../test/support/fake-forge/webhook-deliveries.ts';
import { DeveloperClone } from '../../test/support/git-server/bare-repository.ts';
import { serveGit } from '../../test/support/git-server/git-http-server.ts';
import { ProtocolRunner } from '../../test/support/protocol-runner/protocol-runner.ts';
import { WEBHOOK_SECRET, startBenchMesh } from './bench-mesh.ts';
import { percentile } from './percentile.ts';

export interface LatencyMeasured {
  changes: number;
  /** From sending the webhook to the lease in the runner's hands; planned from real git, nothing else going on. */
  p50Ms: number;
  p99Ms: number;
}

const REPOSITORY = 'bench/small';

/** An idle system takes one change after another: webhook, fetch, plan, dispatch, lease. */
export async function measureWebhookToLease(changes: number): Promise<LatencyMeasured> {
  const root = mkdtempSync(join(tmpdir(), 'delta-bench-git-'));
  const git = await serveGit(root);
  const cloneUrl = `${git.url}/${REPOSITORY}.git`;
  const bench = await startBenchMesh({
    durable: true,
    planner: true,
    repository: { id: `github/${REPOSITORY}`, cloneUrl, defaultBranch: 'main' },
  });
  const developer = await DeveloperClone.create(join(root, `${REPOSITORY}.git`), cloneUrl);
  try {
    await developer.push('main', 'first', FIRST);
    const { gatewayUrl, registrationToken } = bench.mesh;
    const runner = await ProtocolRunner.register({ gatewayUrl, registrationToken, name: 'bench' });
    const samples: number[] = [];
    for (let change = 0; change < changes; change += 1) {
      const commit = await developer.push('main', `change ${change}`, {
        'src/index.js': `export const value = '${randomUUID()}';\n`,
      });
      const waiting = runner.lease(30);
      const started = performance.now();
      const answer = await deliver(
        `${gatewayUrl}/api/v1/webhooks/github`,
        WEBHOOK_SECRET,
        pushDelivery(REPOSITORY, cloneUrl, commit),
      );
      if (answer.status !== 202) throw new Error(`the webhook was answered with ${answer.status}`);
      const lease = await waiting;
      if (lease === null) throw new Error('no lease within 30 s');
      samples.push(performance.now() - started);
      await runner.acknowledge(lease);
      await runner.complete(lease);
    }
    return { changes, p50Ms: percentile(samples, 0.5), p99Ms: percentile(samples, 0.99) };
  } finally {
    await developer.remove();
    await bench.stop();
    await git.close();
    rmSync(root, { recursive: true, force: true });
  }
}

const FIRST = {
  'package.json': `${JSON.stringify({ name: 'small', private: true, type: 'module', scripts: { test: 'node --test' } })}\n`,
  'src/index.js': "export const value = 'first';\n",
};
