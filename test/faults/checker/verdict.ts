import { readFileSync } from 'node:fs';
import type { Evidence } from './evidence.ts';
import { INVARIANTS, INVARIANT_IDS, judgeEach, type Finding, type InvariantId } from './invariants.ts';
import { judgeEffects, parseEffects } from './judge-effects.ts';
import { judgeForge } from './judge-forge.ts';
import { judgeLog } from './judge-log.ts';
import { judgeStream } from './judge-stream.ts';
import { judgeArtifacts, judgeLeftovers, judgeSecrets, textsIn } from './judge-traces.ts';
import type { LogIndex } from './log-index.ts';

export interface JudgedInvariant extends Finding {
  readonly says: string;
  readonly required: boolean;
  readonly holds: boolean;
}

/** What the checker says of one run of a scenario. */
export interface Verdict {
  readonly scenario: string;
  readonly holds: boolean;
  readonly events: number;
  readonly invariants: readonly JudgedInvariant[];
}

/** Judges what a quiet mesh left, from outside. @throws Error when something that has to be read cannot be */
export async function judge(evidence: Evidence): Promise<Verdict> {
  const { scenario, bounds, required } = evidence;
  const { log, findings } = await judgeLog(evidence.databaseUrl, { bounds, reported: true });
  const effects = readFileSync(evidence.effectsFile, 'utf8');
  const texts = textsIn(evidence.serviceLogsDir);
  texts.set('the log', log.events.map((event) => JSON.stringify(event)).join('\n')).set('the effect ledger', effects);
  const all = [
    ...findings,
    judgeAccepted(log, evidence.acceptedRuns),
    ...judgeEffects(log, parseEffects(effects)),
    await judgeStream(log, evidence.natsUrl),
    await judgeForge(log, evidence.forge),
    judgeArtifacts(log, evidence.artifactDir),
    judgeSecrets(log, evidence.secrets, texts),
    await judgeLeftovers(log, evidence.meshDirectory),
  ];
  return verdictOn({ scenario, events: log.events.length, required, findings: all });
}

function judgeAccepted(log: LogIndex, acceptedRuns: readonly string[]): Finding {
  const created = new Set<string>(log.of('run.created').map(({ data }) => data.runId));
  return judgeEach('accepted-runs-kept', acceptedRuns, (runId) =>
    created.has(runId) ? null : `${runId} was answered 202 and is not in the log`,
  );
}

/** An invariant holds when nothing breaks it and, where that is required, something could have. */
export function verdictOn(found: {
  scenario: string;
  events: number;
  required: readonly InvariantId[];
  findings: readonly Finding[];
}): Verdict {
  const byId = new Map(found.findings.map((finding) => [finding.id, finding]));
  const invariants = INVARIANT_IDS.map((id): JudgedInvariant => {
    const { checked, violations } = byId.get(id) ?? { checked: 0, violations: [] };
    const required = found.required.includes(id);
    const holds = violations.length === 0 && (checked > 0 || !required);
    return { id, says: INVARIANTS[id], required, checked, violations, holds };
  });
  const { scenario, events } = found;
  return { scenario, events, holds: invariants.every(({ holds }) => holds), invariants };
}
