import { spawn, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/**
 * A warden in a process of its own, there to be killed: opens a sandbox of the given tier and runs a step in it that
 * starts a daemon and never ends; or one that has a sandbox standing by, and no job. Node runs our sources as they are; only the doors of other rooms must be shown to it.
 */
const WARDEN = (source: string, contracts: string): string => `
  import { registerHooks } from 'node:module';
  registerHooks({
    resolve: (specifier, context, next) =>
      specifier === '@delta-ci/contracts' ? { url: ${JSON.stringify(contracts)}, shortCircuit: true } : next(specifier, context),
  });
  const { BubblewrapExecutor, ContainerExecutor, DEFAULT_SANDBOX_LIMITS, GvisorExecutor, ProcessExecutor } = await import(${JSON.stringify(source)});
  const { tier, hostDir, standing, ...given } = JSON.parse(process.argv[1]);
  const options = { ...given, killGraceMs: 1000, image: null };
  const executor = new { sandbox: BubblewrapExecutor, container: ContainerExecutor, gvisor: GvisorExecutor, process: ProcessExecutor }[tier](options);
  const spec = {
    workspace: { hostDir, onClose: 'empty' }, trust: 'trusted', limits: DEFAULT_SANDBOX_LIMITS,
    network: 'none', env: {}, binds: [], user: 'job',
  };
  if (standing) {
    await executor.standBy(spec);
    process.stdout.write('standing');
    await new Promise(() => undefined);
  }
  const { sandbox, refusal } = await executor.open(spec);
  if (!sandbox) throw new Error(JSON.stringify(refusal));
  const script = 'setsid sleep 3000 & echo left > file; echo ready; while :; do sleep 1; done';
  const command = { kind: 'script', script };
  await sandbox.run({ command, workdir: '.', env: {}, timeoutMs: 600000, idleTimeoutMs: null }, async (chunk) => {
    process.stdout.write(chunk);
  });
`;

export type WardenOptions = {
  readonly tier: 'process' | 'sandbox' | 'gvisor' | 'container';
  readonly stateDir: string;
  readonly hostDir: string;
  readonly bwrap: string;
  readonly programDirs: readonly string[];
  readonly engineSocket: string;
  readonly runsc?: string;
  readonly standing?: boolean;
};

/** Starts the warden; settles when its step is under way, or its sandbox stands. */
export async function startWarden(options: WardenOptions): Promise<ChildProcess> {
  const source = new URL('../index.ts', import.meta.url).href;
  const contracts = new URL('../../../contracts/src/index.ts', import.meta.url).href;
  const args = ['--no-warnings', '--input-type=module', '-e', WARDEN(source, contracts), JSON.stringify(options)];
  const cwd = fileURLToPath(new URL('.', import.meta.url));
  const warden = spawn(process.execPath, args, { cwd, env: {}, stdio: ['ignore', 'pipe', 'pipe'] });
  let complaint = '';
  warden.stderr.on('data', (chunk: Buffer) => void (complaint += chunk.toString('utf8')));
  await new Promise<void>((resolve, reject) => {
    warden.stdout.once('data', () => resolve());
    warden.once('exit', () => reject(new Error(`the warden ended: ${complaint}`)));
  });
  return warden;
}
