import { openLog, rebuildProjections, verifyChain } from '@delta-ci/event-log';
import pg from 'pg';

/** Each query finds what breaks one invariant of one log; a row says where. */
const BREACHES: Readonly<Record<string, string>> = {
  'positions are 1..N without a gap': `
    SELECT format('%s records, last position %s, head %s', count(*), max(position), (SELECT position FROM log_head)) AS breach
    FROM event HAVING count(*) <> coalesce(max(position), 0)
      OR coalesce(max(position), 0) <> (SELECT position FROM log_head)`,
  'stream versions are contiguous': `
    SELECT format('%s has %s records up to version %s', stream, count(*), max(version)) AS breach
    FROM event GROUP BY stream HAVING count(*) <> max(version) OR min(version) <> 1`,
  'each run, job and attempt ends once': `
    SELECT format('%s %s %s %s, %s times', type, correlation, data ->> 'jobKey', data ->> 'attempt', count(*)) AS breach
    FROM event_json WHERE type IN ('run.finished', 'job.finished', 'attempt.finished', 'run.reported', 'run.created')
    GROUP BY type, correlation, data ->> 'jobKey', data ->> 'attempt' HAVING count(*) > 1`,
  'nothing but annotations follows the end of a run': `
    SELECT format('%s at %s after the end of %s', later.type, later.position, later.stream) AS breach
    FROM event AS finished JOIN event AS later ON later.stream = finished.stream AND later.position > finished.position
    WHERE finished.type = 'run.finished' AND later.type NOT IN
      ('failure.explained', 'publication.recorded', 'run.reported', 'lease.stale-report-refused')`,
  'fences grow with every lease of a job': `
    SELECT format('fence %s after %s of %s %s', fence, earlier, correlation, job_key) AS breach
    FROM (SELECT correlation, data ->> 'jobKey' AS job_key, (data ->> 'fence')::int AS fence,
            lag((data ->> 'fence')::int) OVER (PARTITION BY correlation, data ->> 'jobKey' ORDER BY position) AS earlier
          FROM event_json WHERE type = 'lease.granted') AS granted
    WHERE earlier >= fence`,
  'a job is leased again only after its earlier attempt ended': `
    SELECT format('attempt %s of %s %s at %s', data ->> 'attempt', correlation, data ->> 'jobKey', position) AS breach
    FROM event_json AS granted WHERE type = 'lease.granted' AND (data ->> 'attempt')::int > 1 AND NOT EXISTS
      (SELECT 1 FROM event_json AS finished WHERE finished.type = 'attempt.finished'
         AND finished.stream = granted.stream AND finished.position < granted.position
         AND finished.data ->> 'jobKey' = granted.data ->> 'jobKey'
         AND (finished.data ->> 'attempt')::int = (granted.data ->> 'attempt')::int - 1)`,
  'no dispatch after a cancel request': `
    SELECT format('%s at %s', later.type, later.position) AS breach
    FROM event AS asked JOIN event AS later ON later.stream = asked.stream AND later.position > asked.position
    WHERE asked.type = 'run.cancel-requested' AND later.type IN ('attempt.queued', 'lease.granted', 'job.readied')`,
  'attempts stay within their budgets': `
    SELECT format('%s attempts of %s %s', count(*), attempt.run_id, attempt.job_key) AS breach
    FROM attempt JOIN job USING (run_id, job_key) GROUP BY attempt.run_id, attempt.job_key, job.policy
    HAVING count(*) > 1 + (job.policy ->> 'retries')::int + (job.policy ->> 'lostRetries')::int`,
  'a delivery leads to one run at most': `
    SELECT format('%s led to %s runs', data ->> 'deliveryId', count(*)) AS breach
    FROM event_json WHERE type = 'delivery.accepted' GROUP BY data ->> 'forge', data ->> 'deliveryId' HAVING count(*) > 1`,
};

/** What must be empty when nothing is under way any more. */
const LEFT_OPEN = `
  SELECT 'run ' || run_id || ' is ' || state AS breach FROM run WHERE live
  UNION ALL SELECT 'job ' || job_key || ' of ' || run_id || ' is ' || state FROM job WHERE state <> 'finished'
  UNION ALL SELECT 'attempt ' || job_key || ' of ' || run_id || ' is ' || state FROM attempt WHERE state <> 'finished'
  UNION ALL SELECT 'lease of ' || job_key || ' of ' || run_id || ' is ' || state FROM lease WHERE live
  UNION ALL SELECT 'run ' || run_id || ' is not reported' FROM run WHERE NOT reported AND $1`;

/**
 * Checks the invariants of one quiet log, the way a real fault run is judged: by SQL, by the hash chain, and by folding
 * the log into empty tables. @returns what does not hold, in words; empty when all of it does
 */
export async function brokenInvariants(adminDatabaseUrl: string, { reported = true } = {}): Promise<string[]> {
  const client = new pg.Client({ connectionString: adminDatabaseUrl });
  await client.connect();
  const broken: string[] = [];
  try {
    for (const [invariant, query] of Object.entries(BREACHES)) {
      const { rows } = await client.query<{ breach: string }>(query);
      broken.push(...rows.map(({ breach }) => `${invariant}: ${breach}`));
    }
    const { rows } = await client.query<{ breach: string }>(LEFT_OPEN, [reported]);
    broken.push(...rows.map(({ breach }) => `everything ended: ${breach}`));
  } finally {
    await client.end();
  }
  return [...broken, ...(await brokenChain(adminDatabaseUrl)), ...(await brokenProjections(adminDatabaseUrl))];
}

async function brokenChain(databaseUrl: string): Promise<string[]> {
  const log = await openLog({
    databaseUrl,
    applicationName: 'invariants',
    hotConnectionsMax: 1,
    readConnectionsMax: 1,
  });
  try {
    const verified = await verifyChain(log);
    return verified.ok ? [] : [`the hash chain verifies: ${verified.problem} at ${verified.firstBadPosition}`];
  } finally {
    await log.close();
  }
}

async function brokenProjections(databaseUrl: string): Promise<string[]> {
  const { tables } = await rebuildProjections({ databaseUrl });
  return tables
    .filter(({ equal }) => !equal)
    .map(
      ({ table, differing }) => `folding the log gives the live tables: ${table} differs at ${differing.join(', ')}`,
    );
}
