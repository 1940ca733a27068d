import { join } from 'node:path';
import { ensurePostgresBinaries, openCache, startPostgres } from '../../../tools/bootstrap/index.mjs';

/** A server of one test alone, which may be ended and started again without harm to others. */
export interface RestartablePostgres {
  url: string;
  /** Where its data are. */
  dir: string;
  /** Ends it as a crash would; what was committed is on disk. */
  kill: () => Promise<void>;
  /** Ends it as `pg_ctl -m immediate` does: nobody is waited for, nothing is written any more. */
  endAtOnce: () => Promise<void>;
  /** Starts it again on the same address. */
  start: () => Promise<void>;
  stop: () => Promise<void>;
}

export async function restartablePostgres(repoRoot: string, directory: string): Promise<RestartablePostgres> {
  const cacheDir = await openCache({ repoRoot });
  const { binDir } = await ensurePostgresBinaries({ repoRoot, cacheDir });
  const place = { binDir, dir: join(directory, 'postgres'), database: 'delta' };
  let server = await startPostgres(place);
  const { port, url } = server;
  return {
    url,
    dir: place.dir,
    kill: async () => server.kill(),
    endAtOnce: async () => {
      process.kill(server.pid, 'SIGQUIT');
      await server.exited;
    },
    start: async () => {
      server = await startPostgres({ ...place, port });
    },
    stop: async () => server.stop(),
  };
}
