import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/**
 * A warden in a process of its own that does one short job after the other, strangers' and trusted ones in turn, every other
 * trusted one in a sandbox that stood by, and says a line at each turn of it.
 */
const WARDEN = (source: string, contracts: string): string => `
  import { registerHooks } from 'node:module';
  registerHooks({
    resolve: (specifier, context, next) =>
      specifier === '@delta-ci/contracts' ? { url: ${JSON.stringify(contracts)}, shortCircuit: true } : next(specifier, context),
  });
  const { BubblewrapExecutor, DEFAULT_SANDBOX_LIMITS } = await import(${JSON.stringify(source)});
  const { hostDir, ...options } = JSON.parse(process.argv[1]);
  const executor = new BubblewrapExecutor({ ...options, killGraceMs: 1000 });
  const say = (word) => process.stdout.write(word + '\\n');
  say('probing');
  await executor.probe();
  const script = 'setsid sleep 3000 & echo x > ~/file; head -c 100000 /dev/zero > file; echo written';
  for (let round = 0; ; round += 1) {
    const trust = round % 2 === 0 ? 'untrusted' : 'trusted';
    const spec = {
      workspace: { hostDir, onClose: 'empty' }, trust, limits: DEFAULT_SANDBOX_LIMITS,
      network: 'none', env: {}, binds: [], user: 'job', minimum: {},
    };
    say('opening');
    if (round % 4 === 1) await executor.standBy(spec);
    const { sandbox, refusal } = await executor.open(spec);
    if (!sandbox) throw new Error(JSON.stringify(refusal));
    say('opened');
    const step = { command: { kind: 'script', script }, workdir: '.', env: {}, timeoutMs: 60000, idleTimeoutMs: null };
    await sandbox.run(step, async () => say('running'));
    say('closing');
    await sandbox.close();
  }
`;

export type WardenAtWork = {
  readonly stateDir: string;
  readonly hostDir: string;
  readonly bwrap: string;
  readonly programDirs: readonly string[];
};

/** Starts the warden; settles when it has said `turns` lines. It is still at work then. */
export async function wardenAfter(turns: number, options: WardenAtWork): Promise<ChildProcess> {
  const source = new URL('../index.ts', import.meta.url).href;
  const contracts = new URL('../../../contracts/src/index.ts', import.meta.url).href;
  const args = ['--no-warnings', '--input-type=module', '-e', WARDEN(source, contracts), JSON.stringify(options)];
  const cwd = fileURLToPath(new URL('.', import.meta.url));
  const warden = spawn(process.execPath, args, { cwd, env: {}, stdio: ['ignore', 'pipe', 'pipe'] });
  let complaint = '';
  warden.stderr.on('data', (chunk: Buffer) => void (complaint += chunk.toString('utf8')));
  await new Promise<void>((resolve, reject) => {
    let said = 0;
    createInterface({ input: warden.stdout }).on('line', () => {
      said += 1;
      if (said === turns) resolve();
    });
    warden.once('exit', () => reject(new Error(`the warden ended: ${complaint}`)));
  });
  return warden;
}
