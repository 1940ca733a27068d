import { describe, expect, it } from '@jest/globals';
import { environmentWith } from './ensure-tools.mjs';

const TOOLS = {
  node: { path: '/node/bin/node', version: '24.9.0', from: 'npm' as const },
  databaseUrl: null,
  postgresBinDir: '/postgres/bin',
  natsUrl: null,
  natsServerPath: '/nats-server',
  bubblewrapPath: null,
  sandboxProblem: 'this host forbids it',
  containerEngine: '/docker.sock',
  docker: true,
  cacheDir: '/cache',
};

describe('the environment of a command', () => {
  it('names what was found, and not what was named and does not work', () => {
    const env = { PATH: '/usr/bin', HOME: '/home/ada', DELTA_BWRAP: '/bin/broken' };
    expect(environmentWith({ tools: TOOLS, repoRoot: '/clone', env })).toEqual({
      PATH: '/clone/node_modules/.bin:/node/bin:/usr/bin',
      HOME: '/home/ada',
      DELTA_NODE: '/node/bin/node',
      DELTA_POSTGRES_BIN: '/postgres/bin',
      DELTA_NATS_SERVER: '/nats-server',
      DELTA_CONTAINER_ENGINE: '/docker.sock',
    });
  });
});
