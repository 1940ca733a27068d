import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { EXIT, Problem } from '../problem.ts';
import type { Surroundings } from '../surroundings.ts';

const BOOTSTRAP = join('tools', 'bootstrap', 'main.mjs');
const START = join('tools', 'start', 'main.ts');

/** `delta up`: starts the mesh of the checkout this is called in, and stays until it ends. */
export async function up(
  { directory, environment, interrupted }: Surroundings,
  more: readonly string[],
): Promise<number> {
  const root = await checkoutAbove(directory);
  if (root === null) {
    throw new Problem('not_in_a_checkout', 'this is not a checkout of Delta CI, so there is no mesh to start', {
      next: 'go to the checkout and run `delta up` there, or `npm start`',
    });
  }
  const args = [BOOTSTRAP, 'start', '--', 'node', START, ...more];
  const child = spawn(process.execPath, args, { cwd: root, stdio: 'inherit', env: { ...environment } });
  // A terminal sends Ctrl-C to the mesh too; whatever else ends this ends the mesh through this.
  interrupted.addEventListener('abort', () => {
    if (interrupted.reason !== 'SIGINT') child.kill('SIGTERM');
  });
  const [code] = (await once(child, 'exit')) as [number | null];
  return code ?? EXIT.canceled;
}

async function checkoutAbove(directory: string): Promise<string | null> {
  for (let at = directory; ; at = dirname(at)) {
    const present = await Promise.all([BOOTSTRAP, START].map(async (path) => isFile(join(at, path))));
    if (present.every(Boolean)) return at;
    if (dirname(at) === at) return null;
  }
}

const isFile = async (path: string): Promise<boolean> =>
  stat(path).then(
    (facts) => facts.isFile(),
    () => false,
  );
