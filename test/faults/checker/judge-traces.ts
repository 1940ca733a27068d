import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from '../../support/infra/eventually.ts';
import { processesThatMention, type FoundProcess } from '../../support/mesh/processes.ts';
import { judgeEach, type Finding } from './invariants.ts';
import type { LogIndex } from './log-index.ts';

/** What is written outside the log: stored artifacts, log lines of services, processes and workspaces. */

/** Every artifact that the log records is in the store, and is what the record says. */
export function judgeArtifacts(log: LogIndex, artifactDir: string): Finding {
  return judgeEach('artifacts-match', log.of('artifact.recorded'), ({ data: { artifact }, correlation }) => {
    const hex = artifact.digest.slice('sha256:'.length);
    const file = join(artifactDir, 'artifacts', 'sha256', hex.slice(0, 2), hex);
    if (!existsSync(file)) return `${artifact.name} of ${correlation} is not stored`;
    const stored = createHash('sha256').update(readFileSync(file)).digest('hex');
    return stored === hex ? null : `${artifact.name} of ${correlation} is stored as ${stored}`;
  });
}

/**
 * No secret of the mesh stands anywhere, and nothing that stands anywhere is a lease: every word of 64 hexadecimal
 * digits is hashed and looked up among the leases of the log.
 */
export function judgeSecrets(log: LogIndex, secrets: readonly string[], texts: ReadonlyMap<string, string>): Finding {
  const leases = new Set<string>(log.of('lease.granted').map(({ data }) => data.leaseHash));
  return judgeEach('no-secrets-told', texts, ([place, text]) => {
    if (secrets.some((secret) => text.includes(secret))) return `a secret stands in ${place}`;
    const lease = (text.match(/\b[0-9a-f]{64}\b/gu) ?? []).find((word) => leases.has(sha256(word)));
    return lease === undefined ? null : `a lease stands in ${place}`;
  });
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** Every file of a folder with what it says. */
export function textsIn(directory: string): Map<string, string> {
  return new Map(readdirSync(directory).map((name) => [name, readFileSync(join(directory, name), 'utf8')]));
}

/** Whether anything of a job is left though every job is over. Runners that get ready try a sandbox too, for a moment. */
export async function judgeLeftovers(log: LogIndex, meshDirectory: string): Promise<Finding> {
  const sandboxes = (): FoundProcess[] =>
    processesThatMention(meshDirectory).filter(({ commandLine }) => /\bbwrap\b/u.test(commandLine));
  await eventually('no sandbox is left', () => sandboxes().length === 0).catch(() => undefined);
  const violations = sandboxes().map(({ pid }) => `the sandbox of process ${pid} is left`);
  return { id: 'nothing-left-running', checked: log.of('lease.granted').length, violations };
}
