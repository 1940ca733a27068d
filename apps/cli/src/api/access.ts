import { readFile, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { errorCode, errorMessage } from '../error-code.ts';
import { EXIT, Problem } from '../problem.ts';
import { variable, type Surroundings } from '../surroundings.ts';

export interface GatewayOptions {
  readonly url?: string;
  readonly token?: string;
}

export interface Access {
  readonly url: URL;
  readonly token: string;
}

const MESH_HOST = '127.0.0.1';
const DEFAULT_URL = `http://${MESH_HOST}:7070`;
/** Where a mesh started by `npm start` says, while it runs, at which port it listens. */
const RUNNING_MESH_FILE = join('.delta', 'mesh.json');
/** Where a mesh started by `npm start` leaves the token of its administrator. */
const ADMIN_TOKEN_FILE = join('.delta', 'gateway', 'admin-token');

/** Which gateway is meant and what is shown to it: options first, then the environment, then a mesh in a folder above. */
export async function accessFor(surroundings: Surroundings, options: GatewayOptions): Promise<Access> {
  return { url: await urlOf(surroundings, options), token: await tokenOf(surroundings, options) };
}

async function urlOf(surroundings: Surroundings, { url }: GatewayOptions): Promise<URL> {
  const named = url ?? variable(surroundings, 'DELTA_GATEWAY_URL');
  const text = named ?? (await runningMeshAbove(surroundings.directory)) ?? DEFAULT_URL;
  const parsed = URL.canParse(text) ? new URL(text) : null;
  if (parsed !== null && /^https?:$/u.test(parsed.protocol) && parsed.username === '') return parsed;
  throw new Problem('invalid_url', `"${text}" is not the address of a gateway`, {
    next: `give --url or DELTA_GATEWAY_URL an http(s) address, for instance ${DEFAULT_URL}`,
  });
}

async function runningMeshAbove(start: string): Promise<string | null> {
  for (const directory of upwardsFrom(start)) {
    const text = await readSmall(join(directory, RUNNING_MESH_FILE), 'no_gateway');
    if (text !== null) return gatewayIn(text, join(directory, RUNNING_MESH_FILE));
  }
  return null;
}

/** A mesh listens on its own machine. A repository may bring such a file along, and would be shown the token elsewhere. */
function gatewayIn(text: string, path: string): string {
  try {
    const mesh: unknown = JSON.parse(text);
    if (typeof mesh === 'object' && mesh !== null && 'gatewayUrl' in mesh) {
      const url = String(mesh.gatewayUrl);
      if (URL.parse(url)?.hostname === MESH_HOST) return url;
    }
  } catch {
    // Said below, like any other file that is not what it should be.
  }
  throw new Problem('no_gateway', `${path} does not say where the mesh listens on this machine`, {
    next: 'name it with --url',
  });
}

async function tokenOf(surroundings: Surroundings, { token }: GatewayOptions): Promise<string> {
  const given = token ?? variable(surroundings, 'DELTA_TOKEN');
  if (given !== null) return printable(given, 'the token that was given');
  const named = variable(surroundings, 'DELTA_TOKEN_FILE');
  if (named !== null) {
    const text = await readToken(resolve(surroundings.directory, named));
    if (text === null) throw new Problem('no_token', `DELTA_TOKEN_FILE names ${named}, which does not exist`);
    return text;
  }
  for (const directory of upwardsFrom(surroundings.directory)) {
    const text = await readToken(join(directory, ADMIN_TOKEN_FILE));
    if (text !== null) return text;
  }
  throw new Problem('no_token', 'no token to show to the gateway', {
    next: `give --token, DELTA_TOKEN or DELTA_TOKEN_FILE; in a checkout with a running mesh ${ADMIN_TOKEN_FILE} is used`,
  });
}

async function readToken(path: string): Promise<string | null> {
  const text = await readSmall(path, 'no_token');
  return text === null ? null : printable(text.trim(), path);
}

/** A token is a line, and so is the address of a mesh; a file of more is something else. */
const FILE_BYTES_MAX = 16 * 1024;

/** @returns null when there is no such file */
export async function readSmall(
  path: string,
  problem: 'no_token' | 'no_gateway' | 'no_database',
): Promise<string | null> {
  try {
    if ((await stat(path)).size > FILE_BYTES_MAX) throw new Problem(problem, `${path} is too large to be read`);
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Problem) throw error;
    const code = errorCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return null;
    throw new Problem(problem, `${path} cannot be read: ${code ?? errorMessage(error)}`, { exitCode: EXIT.usage });
  }
}

function printable(token: string, where: string): string {
  if (/^[\u0021-\u007e]+$/u.test(token)) return token;
  throw new Problem('no_token', `${where} is not a token: it is empty or has spaces or line breaks`);
}

/** The directory and all above it. */
export function* upwardsFrom(directory: string): Generator<string> {
  for (let at = directory; ; at = dirname(at)) {
    yield at;
    if (dirname(at) === at) return;
  }
}
