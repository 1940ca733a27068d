import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { StepEnding } from '@delta-ci/contracts';
import { CappedOutput } from './capped-output.ts';
import { collectFiles } from './collect-files.ts';
import { MINIMUM_LAYERS, refuseMissingLayer } from './layer-minimum.ts';
import { LAYERS, type LayerReport } from './layers.ts';
import { enforced } from './limit-reports.ts';
import { emptyDirectory } from './remove-tree.ts';
import { refusal } from './refusal.ts';
import type {
  Opened,
  OutputSink,
  SandboxExecutor,
  SandboxSpec,
  StepOutcome,
  StepSpec,
  TierProbe,
} from './sandbox-executor.ts';
import { IO_NOT_COUNTED } from './run-step.ts';
import { SequentialSandbox } from './sequential-sandbox.ts';
import type { StopReason } from './step-stopper.ts';
import { refuseSpec } from './validate-spec.ts';

/** What a dummy step does, told by JSON in its variable `DELTA_DUMMY`. Left out: succeeds at once and says nothing. */
export type DummyBehaviour = {
  readonly output?: string;
  /** As many more bytes of `x`. */
  readonly outputBytes?: number;
  /** Written below the workspace before the step ends: content by relative path. */
  readonly files?: Readonly<Record<string, string>>;
  /** Never ends by itself. */
  readonly hangs?: boolean;
  readonly exitCode?: number;
  /** Why it ended, where it was not stopped. */
  readonly endedBy?: Extract<StepEnding, 'exit' | 'signal' | 'out_of_memory' | 'disk_full'>;
  /** The step could not be judged: a fault `sandbox_setup_failed` with this message. */
  readonly fault?: string;
};

export const DUMMY_VARIABLE = 'DELTA_DUMMY';

const CHUNK_BYTES = 64 * 1024;
/** 128 + SIGTERM: how a step ends that was asked to. */
const TERMINATED = 143;

const behaviourOf = (env: Readonly<Record<string, string>>): DummyBehaviour => {
  return JSON.parse(env[DUMMY_VARIABLE] ?? '{}') as DummyBehaviour;
};

/** Resolves with what stops a step that hangs: one of its timeouts, or its signal. */
function whenStopped(step: StepSpec): Promise<StopReason> {
  return new Promise((resolve) => {
    const timers = [setTimeout(() => end('timeout'), step.timeoutMs)];
    if (step.idleTimeoutMs !== null) timers.push(setTimeout(() => end('idle_timeout'), step.idleTimeoutMs));
    const end = (ending: StopReason): void => {
      timers.forEach(clearTimeout);
      resolve(ending);
    };
    if (step.signal?.aborted === true) end('canceled');
    step.signal?.addEventListener('abort', () => end('canceled'), { once: true });
  });
}

async function emit(behaviour: DummyBehaviour, output: CappedOutput): Promise<void> {
  if (behaviour.output !== undefined) await output.take(Buffer.from(behaviour.output));
  for (let left = behaviour.outputBytes ?? 0; left > 0; left -= CHUNK_BYTES) {
    await output.take(Buffer.alloc(Math.min(left, CHUNK_BYTES), 'x'));
  }
}

async function writeFiles(root: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), content);
  }
}

async function execute(spec: SandboxSpec, step: StepSpec, sink: OutputSink): Promise<StepOutcome> {
  const behaviour = behaviourOf({ ...spec.env, ...step.env });
  if (behaviour.fault !== undefined) {
    return { kind: 'fault', refusal: refusal('sandbox_setup_failed', behaviour.fault) };
  }
  const startedAt = performance.now();
  const output = new CappedOutput(spec.limits.outputBytes, sink, () => undefined);
  await emit(behaviour, output);
  await writeFiles(spec.workspace.hostDir, behaviour.files ?? {});
  const stoppedFor = behaviour.hangs === true || step.signal?.aborted === true ? await whenStopped(step) : null;
  const { sinkError, bytes, truncated } = output.totals();
  if (sinkError !== null) return { kind: 'fault', refusal: refusal('sink_failed', sinkError.message) };
  return {
    kind: 'finished',
    result: {
      endedBy: stoppedFor ?? behaviour.endedBy ?? 'exit',
      exitCode: stoppedFor === null ? (behaviour.exitCode ?? 0) : TERMINATED,
      signal: stoppedFor === null ? null : 'SIGTERM',
      oomKilled: behaviour.endedBy === 'out_of_memory',
      wallMs: performance.now() - startedAt,
      cpuMs: null,
      memoryPeakBytes: null,
      io: IO_NOT_COUNTED,
      outputBytes: bytes,
      outputTruncated: truncated,
    },
  };
}

/**
 * Starts no process: every step does what its variable `DELTA_DUMMY` says. For rehearsals, and for tests of whoever drives an
 * executor, which can so be shown any ending at will. `layers` is what it claims to enforce; by default all there is.
 */
export class DummyExecutor implements SandboxExecutor {
  readonly tier = 'dummy';
  private readonly layers: readonly LayerReport[];

  constructor(layers: readonly LayerReport[] = LAYERS.map((layer) => enforced(layer, 'nothing runs'))) {
    this.layers = layers;
  }

  async probe(): Promise<TierProbe> {
    return { tier: this.tier, usable: true, layers: this.layers };
  }

  async open(spec: SandboxSpec): Promise<Opened> {
    const refused = refuseSpec(spec) ?? refuseMissingLayer(this.layers, spec.minimum ?? MINIMUM_LAYERS[spec.trust]);
    if (refused !== null) return { ok: false, refusal: refused };
    const { hostDir, onClose } = spec.workspace;
    const sandbox = new SequentialSandbox({
      tier: this.tier,
      layers: this.layers,
      workspaceDir: hostDir,
      homeDir: `/home/${spec.user}`,
      binds: spec.binds.map(({ hostPath, at }) => ({ hostPath, at: at ?? hostPath })),
      execute: (step, _ordinal, sink) => execute(spec, step, sink),
      collect: (globs, caps, take) => collectFiles(hostDir, globs, caps, take),
      stop: () => Promise.resolve([]),
      clear: async () => {
        if (onClose === 'empty') await emptyDirectory(hostDir);
        return [];
      },
    });
    return { ok: true, sandbox };
  }
}
