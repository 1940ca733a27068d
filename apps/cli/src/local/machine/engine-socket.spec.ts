import { homedir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { recorded } from '../../recorded-surroundings.fixture.ts';
import { engineSocket } from './engine-socket.ts';

const socketIn = (environment: Readonly<Record<string, string>>, existing: readonly string[] = []): string | null =>
  engineSocket(recorded('/work', environment).surroundings, (path) => existing.includes(path));

describe('where a container engine listens', () => {
  it.each([
    [{ DELTA_CONTAINER_ENGINE: '/a.sock', DOCKER_HOST: 'unix:///b.sock' }, '/a.sock'],
    [{ DOCKER_HOST: 'unix:///b.sock' }, '/b.sock'],
    [{ DOCKER_HOST: 'tcp://elsewhere:2375' }, null],
    [{ DOCKER_HOST: 'ssh://elsewhere' }, null],
    [{}, '/var/run/docker.sock'],
  ])('given %j, at %s', (environment, socket) => {
    expect(socketIn(environment)).toBe(socket);
  });

  it('given nothing, at the socket of Docker for this user alone where only that is there', () => {
    const own = join(homedir(), '.docker', 'run', 'docker.sock');
    expect(socketIn({}, [own])).toBe(own);
  });
});
