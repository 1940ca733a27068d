import pg from 'pg';

/** When the first event of each type was recorded in a run, in milliseconds of the database's clock. */
export async function timesOf(
  connectionString: string,
  runId: string,
  types: readonly string[],
): Promise<Readonly<Record<string, number>>> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    const text = `
      SELECT type, extract(epoch FROM min(time)) * 1000 AS ms FROM event
      WHERE stream = $1 AND type = ANY ($2::text[]) GROUP BY type`;
    const { rows } = await client.query<{ type: string; ms: string }>(text, [`run-${runId}`, types]);
    return Object.fromEntries(rows.map(({ type, ms }) => [type, Number(ms)]));
  } finally {
    await client.end();
  }
}
