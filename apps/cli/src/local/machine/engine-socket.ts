import { homedir } from 'node:os';
import { join } from 'node:path';
import { variable, type Surroundings } from '../../surroundings.ts';

/**
 * Where a container engine of this machine listens: the socket that is named, else the one of `DOCKER_HOST`, else
 * Docker's custom. Null when `DOCKER_HOST` leads elsewhere: an engine of another machine cannot show jobs their files.
 */
export function engineSocket(surroundings: Surroundings, exists: (path: string) => boolean): string | null {
  const named = variable(surroundings, 'DELTA_CONTAINER_ENGINE');
  if (named !== null) return named;
  const host = variable(surroundings, 'DOCKER_HOST');
  if (host !== null) return /^unix:\/\/(\/.+)$/.exec(host)?.[1] ?? null;
  const custom = ['/var/run/docker.sock', join(homedir(), '.docker', 'run', 'docker.sock')];
  return custom.find(exists) ?? '/var/run/docker.sock';
}
