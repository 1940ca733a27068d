import { LogWriter, openLog, rebuildProjections, verifyChain, verifyReplay } from '@delta-ci/event-log';
import pg from 'pg';
import { amount, type Measure } from '../measure.ts';
import type { Figure } from '../report/figure.ts';
import { logDatabase } from '../world/servers.ts';
import { countdown, tell, wholeRun } from '../world/stories.ts';

const TOLD_AT_ONCE = 1_000;
const PAGE = 5_000;

export const replay: Measure = {
  name: 'replay',
  what: 'events per second verified; folded in memory and compared; folded into tables; raw: reading the same rows',
  run: async (bench) => {
    const { orchestratorUrl } = await logDatabase(bench.scene);
    bench.say('writing a log');
    await writeRuns(orchestratorUrl, amount(bench, bench.replayedRuns));
    const raw = await readEverything(orchestratorUrl);
    bench.say(`verifying ${raw.events} events`);
    const verified = await verify(orchestratorUrl);
    bench.say('folding them in memory');
    const folded = await foldInMemory(orchestratorUrl);
    bench.say('folding them into tables');
    const rebuilt = await fold(orchestratorUrl);
    const limit = { what: 'reading the rows', value: raw.perSecond };
    const note = `${raw.events} events`;
    return [
      { name: 'replay.verified', value: verified.perSecond, unit: '/s', raw: limit, note },
      { name: 'replay.folded', value: folded.perSecond, unit: '/s', raw: limit, note },
      {
        name: 'replay.folding-memory',
        value: folded.grewMb,
        unit: 'MB',
        note: 'growth of the folding process, at most',
      },
      { name: 'replay.rebuilt', value: rebuilt, unit: '/s', raw: limit, note },
      { name: 'replay.memory-growth', value: verified.grewMb, unit: 'MB', note: 'of the verifying process, at most' },
    ] satisfies Figure[];
  },
};

async function writeRuns(databaseUrl: string, runs: number): Promise<void> {
  const log = await openLog({ databaseUrl, applicationName: 'bench' });
  const writer = new LogWriter({ pool: log.pool });
  try {
    await tell(writer, Math.min(runs, TOLD_AT_ONCE), countdown(runs, wholeRun));
  } finally {
    await writer.close();
    await log.close();
  }
}

async function readEverything(connectionString: string): Promise<{ events: number; perSecond: number }> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    const startedAt = performance.now();
    let events = 0;
    for (let read = PAGE; read === PAGE;) {
      const text =
        'SELECT position, canonical, prev_hash, hash FROM event WHERE position > $1 ORDER BY position LIMIT $2';
      const { rowCount } = await client.query({ name: 'read', text, values: [events, PAGE] });
      read = rowCount ?? 0;
      events += read;
    }
    return { events, perSecond: (events / (performance.now() - startedAt)) * 1_000 };
  } finally {
    await client.end();
  }
}

async function verify(databaseUrl: string): Promise<{ perSecond: number; grewMb: number }> {
  const log = await openLog({ databaseUrl, applicationName: 'bench' });
  try {
    const before = process.memoryUsage.rss();
    let highest = before;
    const onProgress = (): void => {
      highest = Math.max(highest, process.memoryUsage.rss());
    };
    const startedAt = performance.now();
    const verified = await verifyChain(log, { onProgress });
    if (!verified.ok) throw new Error(`position ${verified.firstBadPosition}: ${verified.problem}`);
    const perSecond = (verified.checked / (performance.now() - startedAt)) * 1_000;
    return { perSecond, grewMb: (highest - before) / 1024 ** 2 };
  } finally {
    await log.close();
  }
}

/** As `delta replay --verify` does it. */
async function foldInMemory(databaseUrl: string): Promise<{ perSecond: number; grewMb: number }> {
  const before = process.memoryUsage.rss();
  let highest = before;
  const onProgress = (): void => {
    highest = Math.max(highest, process.memoryUsage.rss());
  };
  const startedAt = performance.now();
  const { equal, position } = await verifyReplay({ databaseUrl, onProgress });
  if (!equal) throw new Error('the log does not lead to the live tables');
  return { perSecond: (position / (performance.now() - startedAt)) * 1_000, grewMb: (highest - before) / 1024 ** 2 };
}

async function fold(databaseUrl: string): Promise<number> {
  const startedAt = performance.now();
  const { equal, position } = await rebuildProjections({ databaseUrl });
  if (!equal) throw new Error('the rebuilt tables differ from the live ones');
  return (position / (performance.now() - startedAt)) * 1_000;
}
