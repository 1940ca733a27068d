import { describe, expect, it } from '@jest/globals';
import { engineAddresses } from './docker-engine.mjs';

describe('where a Docker engine may listen', () => {
  it.each([
    [{ DOCKER_HOST: 'unix:///run/user/1/docker.sock' }, [{ socketPath: '/run/user/1/docker.sock' }]],
    [{ DOCKER_HOST: 'tcp://10.0.0.1:2376' }, [{ host: '10.0.0.1', port: 2376 }]],
    [{ DOCKER_HOST: 'tcp://engine' }, [{ host: 'engine', port: 2375 }]],
    [{ DOCKER_HOST: 'ssh://host' }, []],
    [{ DOCKER_HOST: 'nonsense' }, []],
  ])('%j', (env, addresses) => {
    expect(engineAddresses(env, '/home/ada')).toEqual(addresses);
  });

  it('is Docker’s custom when nothing is said', () => {
    expect(engineAddresses({}, '/home/ada')).toEqual([
      { socketPath: '/var/run/docker.sock' },
      { socketPath: '/home/ada/.docker/run/docker.sock' },
    ]);
  });
});
