import { createProgress, dockerAnswers, dockerHasImage, reasonOf } from '../../../tools/bootstrap/index.mjs';
import { NATS_IMAGE, POSTGRES_IMAGE } from './container-images.ts';
import { embeddedServers } from './embedded-servers.ts';
import type { TestServers } from './test-servers.ts';

interface Place {
  readonly repoRoot: string;
  /** Where the servers may keep what they need; deleted at the end. */
  readonly dir: string;
}

/**
 * Containers where a Docker engine answers and has or gets the images, embedded servers otherwise. `DELTA_TEST_INFRA`
 * forces one, and then whatever is missing for it is an error.
 */
export async function chooseServers(place: Place): Promise<TestServers> {
  const forced = process.env['DELTA_TEST_INFRA'] ?? '';
  switch (forced) {
    case 'embedded':
      return embeddedServers(place);
    case 'docker':
      return containers(place);
    case '':
      return (await dockerAnswers()) ? containersIfPossible(place) : embeddedServers(place);
    default:
      throw new Error(`DELTA_TEST_INFRA is '${forced}', which is neither docker nor embedded`);
  }
}

/** Whether choosing includes downloading images: longer than the first test that asks may take. */
export async function choiceDownloads(): Promise<boolean> {
  if (process.env['DELTA_TEST_INFRA'] === 'embedded' || !(await dockerAnswers())) return false;
  return !(await dockerHasImage(POSTGRES_IMAGE)) || !(await dockerHasImage(NATS_IMAGE));
}

async function containersIfPossible(place: Place): Promise<TestServers> {
  try {
    return await containers(place);
  } catch (error) {
    createProgress().note(`a Docker engine answers but cannot serve (${reasonOf(error)}): using embedded servers`);
    return embeddedServers(place);
  }
}

/** Loaded only when used: the Docker client is large. */
async function containers(place: Place): Promise<TestServers> {
  const { containerServers } = await import('./container-servers.ts');
  return containerServers(place);
}
