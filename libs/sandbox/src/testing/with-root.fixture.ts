import type { JobRoot, Opened, SandboxExecutor, SandboxSpec, TierProbe } from '../sandbox-executor.ts';

/** An executor all of whose sandboxes have this root. */
export class WithRoot implements SandboxExecutor {
  readonly tier: SandboxExecutor['tier'];
  private readonly executor: SandboxExecutor;
  private readonly root: JobRoot;

  constructor(executor: SandboxExecutor, root: JobRoot) {
    this.tier = executor.tier;
    this.executor = executor;
    this.root = root;
  }

  probe(): Promise<TierProbe> {
    return this.executor.probe();
  }

  open(spec: SandboxSpec): Promise<Opened> {
    return this.executor.open({ ...spec, root: this.root });
  }
}
