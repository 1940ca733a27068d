import type { CollectCaps, CollectedFile, CollectReport } from './collect-files.ts';
import type { LayerReport } from './layers.ts';
import { refusal } from './refusal.ts';
import { refuseStep } from './validate-spec.ts';
import type { CloseReport, ExecutorTier, OutputSink, Sandbox, StepOutcome, StepSpec } from './sandbox-executor.ts';

export type SandboxParts = {
  readonly tier: ExecutorTier;
  readonly layers: readonly LayerReport[];
  readonly workspaceDir: string;
  readonly homeDir: string;
  readonly binds: readonly { readonly hostPath: string; readonly at: string }[];
  /** Runs step number `ordinal`, whose signal is also raised when the sandbox closes. */
  execute(step: StepSpec, ordinal: number, sink: OutputSink): Promise<StepOutcome>;
  collect(
    globs: readonly string[],
    caps: CollectCaps,
    take: (file: CollectedFile) => Promise<void>,
  ): Promise<CollectReport>;
  /** Ends all that is alive of it; answers what still is. */
  stop(): Promise<readonly string[]>;
  /** Removes all of it; answers what is left. */
  clear(): Promise<readonly string[]>;
};

/** One step at a time, and an end that waits for the step it cuts short. The same for every tier. */
export class SequentialSandbox implements Sandbox {
  readonly tier: ExecutorTier;
  readonly layers: readonly LayerReport[];
  readonly workspaceDir: string;
  readonly homeDir: string;
  private readonly parts: SandboxParts;
  private readonly closing = new AbortController();
  private current: Promise<StepOutcome> | null = null;
  private ended: Promise<CloseReport> | null = null;
  private closed: Promise<CloseReport> | null = null;
  private steps = 0;

  constructor(parts: SandboxParts) {
    this.parts = parts;
    this.tier = parts.tier;
    this.layers = parts.layers;
    this.workspaceDir = parts.workspaceDir;
    this.homeDir = parts.homeDir;
  }

  bindSeenAs(hostPath: string): string | null {
    return this.parts.binds.find((bind) => bind.hostPath === hostPath)?.at ?? null;
  }

  async run(step: StepSpec, sink: OutputSink): Promise<StepOutcome> {
    if (this.current !== null) throw new Error('a step of this sandbox is still under way');
    if (this.ended !== null) return { kind: 'fault', refusal: refusal('sandbox_closed', 'the sandbox is closed') };
    const refused = refuseStep(step);
    if (refused !== null) return { kind: 'fault', refusal: refused };
    const signals = [this.closing.signal, ...(step.signal === undefined ? [] : [step.signal])];
    this.current = this.parts.execute({ ...step, signal: AbortSignal.any(signals) }, this.steps++, sink);
    try {
      return await this.current;
    } finally {
      this.current = null;
    }
  }

  async collectFiles(
    globs: readonly string[],
    caps: CollectCaps,
    take: (file: CollectedFile) => Promise<void>,
  ): Promise<CollectReport> {
    if (this.current !== null) throw new Error('files are collected between steps');
    return this.parts.collect(globs, caps, take);
  }

  end(): Promise<CloseReport> {
    this.ended ??= this.stop();
    return this.ended;
  }

  close(): Promise<CloseReport> {
    this.closed ??= this.clear();
    return this.closed;
  }

  private async stop(): Promise<CloseReport> {
    this.closing.abort();
    await this.current?.catch(() => undefined);
    return { leftovers: await this.parts.stop() };
  }

  private async clear(): Promise<CloseReport> {
    const { leftovers: alive } = await this.end();
    return alive.length > 0 ? { leftovers: alive } : { leftovers: await this.parts.clear() };
  }
}
