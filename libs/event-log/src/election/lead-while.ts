import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';

export interface LeadOptions {
  readonly databaseUrl: string;
  readonly applicationName: string;
  /** What is led, e.g. `relay`, `sweeper`: at most one leader of each at a time. */
  readonly office: string;
  /** Ends the candidacy, and the term if there is one. */
  readonly signal: AbortSignal;
  /**
   * The leader's work. Ends when its signal aborts: the office was lost, or everything stops. `isHeld` says whether the
   * office was heard to be ours so lately that its silence cannot have cost it: what must not be done beside a successor
   * is asked for right before it is done, as one who slept learns of the loss only later.
   */
  readonly lead: (signal: AbortSignal, isHeld: () => boolean) => Promise<void>;
}

const TRY_AGAIN_MS = 500;
/** Two may be late before the silence is too long; each of them wakes two processes of an idle system. */
const HEARTBEAT_MS = 2_000;
/** A leader that says nothing for this long has its session ended by the server, and another takes over. */
const SILENCE_MAX_MS = 5_000;
/** Shorter than the silence that costs the office, by what it takes to act on it; longer than a beat and a late answer. */
const HELD_FOR_MS = 4_000;

/**
 * Stands for an office until `signal` aborts, leading whenever it is free. The office is an advisory lock of a session
 * of its own: it falls free when the process dies, and when it freezes, because the server ends a silent session. A
 * leader that wakes up late may work for a moment beside its successor; whoever leads must bear that.
 * Rejects when the work itself fails.
 */
export async function leadWhile(options: LeadOptions): Promise<void> {
  const { signal } = options;
  while (!signal.aborted) {
    const term = new AbortController();
    const lose = () => term.abort();
    signal.addEventListener('abort', lose);
    const client = candidateSession(options, lose);
    try {
      const takenAtMs = await takeOffice(client, options.office, term.signal);
      if (takenAtMs !== null) await serve(client, options, term, takenAtMs);
    } finally {
      lose();
      signal.removeEventListener('abort', lose);
      await client.end().catch(() => undefined);
    }
    await delay(TRY_AGAIN_MS, undefined, { signal }).catch(() => undefined);
  }
}

function candidateSession({ databaseUrl, applicationName }: LeadOptions, onLost: () => void): pg.Client {
  const client = new pg.Client({
    connectionString: databaseUrl,
    application_name: applicationName,
    connectionTimeoutMillis: SILENCE_MAX_MS,
    query_timeout: SILENCE_MAX_MS,
    keepAlive: true,
  });
  client.on('error', onLost);
  client.on('end', onLost);
  return client;
}

/** Waits for the office to fall free. @returns when it was asked for; null: everything stops, or the database is away */
async function takeOffice(client: pg.Client, office: string, signal: AbortSignal): Promise<number | null> {
  try {
    await client.connect();
    await client.query(`SET idle_session_timeout = ${SILENCE_MAX_MS}`);
    while (!signal.aborted) {
      const askedAtMs = Date.now();
      if (await tryOffice(client, office)) return askedAtMs;
      await delay(TRY_AGAIN_MS, undefined, { signal }).catch(() => undefined);
    }
  } catch {
    return null;
  }
  return null;
}

async function tryOffice(client: pg.Client, office: string): Promise<boolean> {
  const { rows } = await client.query<{ taken: boolean }>(
    'SELECT pg_try_advisory_lock(hashtextextended($1, 0)) AS taken',
    [`delta-office-${office}`],
  );
  return rows[0]?.taken === true;
}

/** Leads while the session answers. */
async function serve(
  client: pg.Client,
  { lead }: LeadOptions,
  term: AbortController,
  takenAtMs: number,
): Promise<void> {
  let heardAtMs = takenAtMs;
  const beating = beatUntil(client, term, (askedAtMs) => {
    heardAtMs = askedAtMs;
  });
  try {
    await lead(term.signal, () => !term.signal.aborted && Date.now() - heardAtMs < HELD_FOR_MS);
  } finally {
    term.abort();
    await beating;
  }
}

async function beatUntil(
  client: pg.Client,
  term: AbortController,
  onHeard: (askedAtMs: number) => void,
): Promise<void> {
  while (!term.signal.aborted) {
    await delay(HEARTBEAT_MS, undefined, { signal: term.signal }).catch(() => undefined);
    if (term.signal.aborted) return;
    const askedAtMs = Date.now();
    await client.query('SELECT 1').then(
      () => onHeard(askedAtMs),
      () => term.abort(),
    );
  }
}
