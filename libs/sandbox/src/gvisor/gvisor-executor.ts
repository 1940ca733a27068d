import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { layersOfSandbox } from '../bubblewrap/layers-of-sandbox.ts';
import { selfTest, type Tested } from '../bubblewrap/self-test.ts';
import { detectCgroups } from '../cgroup/cgroup-host.ts';
import { MINIMUM_LAYERS, refuseMissingLayer } from '../layer-minimum.ts';
import type { LayerReport } from '../layers.ts';
import { refusal } from '../refusal.ts';
import type { Opened, SandboxExecutor, SandboxSpec, TierProbe } from '../sandbox-executor.ts';
import { refuseNetwork, refuseOutlet, refuseSpec } from '../validate-spec.ts';
import { judgeGvisorFacts } from './gvisor-facts.ts';
import { findGvisorHost, type GvisorHost } from './gvisor-host.ts';
import { prepareGvisor } from './prepare-gvisor.ts';

export type GvisorExecutorOptions = {
  /** Where the executor keeps what it must undo, homes included; made when missing. On a disk, private to the warden. */
  readonly stateDir: string;
  /** Between SIGTERM and SIGKILL of a step that is stopped. */
  readonly killGraceMs: number;
  /** Path or name of gVisor's `runsc`. */
  readonly runsc: string;
  /** Where a bare name is looked for: the directories of the warden's PATH. */
  readonly programDirs: readonly string[];
};

/** What was learned about this host; no host when the tier does not work here. */
type Learned = { readonly host: GvisorHost | null; readonly layers: readonly LayerReport[] };

const tested = ({ arch, program, limitLayers }: GvisorHost): Tested => ({
  arch,
  ownUid: true,
  mechanism: `gVisor, ${program.version}`,
  remedy: 'see what runsc says of this kernel: `runsc --network=none do true`',
  limitLayers,
  judge: judgeGvisorFacts,
});

/**
 * Tier `gvisor`: every step in a gVisor of its own, whose kernel answers the step's system calls in the host's place. That
 * kernel itself runs as nobody, with a filter, in namespaces of its own and in the step's control group, so that what a job
 * breaks out of it still meets what tier `sandbox` puts in its way. For root alone.
 */
export class GvisorExecutor implements SandboxExecutor {
  readonly tier = 'gvisor';
  private readonly options: GvisorExecutorOptions;
  private learned: Promise<Learned> | null = null;

  constructor(options: GvisorExecutorOptions) {
    this.options = options;
  }

  async probe(): Promise<TierProbe> {
    const { host, layers } = await this.learn();
    return { tier: this.tier, usable: host !== null, layers };
  }

  async open(spec: SandboxSpec): Promise<Opened> {
    const refused = refuseNetwork(spec) ?? refuseOutlet(spec, this.tier) ?? refuseSpec(spec);
    if (refused !== null) return { ok: false, refusal: refused };
    const { host, layers: offered } = await this.learn();
    const layers = layersOfSandbox(offered, spec);
    const lacking = refuseMissingLayer(layers, spec.minimum ?? MINIMUM_LAYERS[spec.trust]);
    if (lacking !== null) return { ok: false, refusal: lacking };
    if (host === null) return { ok: false, refusal: refuseMissingLayer(layers, MINIMUM_LAYERS.trusted) ?? NOT_READY };
    return prepareGvisor({ ...this.place(), host, layers }, spec);
  }

  private learn(): Promise<Learned> {
    this.learned ??= this.examine();
    return this.learned;
  }

  private place(): Pick<GvisorExecutorOptions, 'stateDir' | 'killGraceMs'> {
    const { stateDir, killGraceMs } = this.options;
    return { stateDir, killGraceMs };
  }

  private async examine(): Promise<Learned> {
    const { runsc, programDirs, stateDir } = this.options;
    await mkdir(stateDir, { recursive: true, mode: 0o700 });
    const finding = await findGvisorHost(runsc, programDirs, stateDir, detectCgroups());
    if (!finding.found) return { host: null, layers: finding.layers };
    const { host } = finding;
    const workspace = await mkdtemp(join(stateDir, 'probe-'));
    try {
      const { usable, layers } = await selfTest(tested(host), workspace, (spec) =>
        prepareGvisor({ ...this.place(), host, layers: [] }, spec),
      );
      return { host: usable ? host : null, layers };
    } finally {
      await rm(workspace, { recursive: true, force: true });
    }
  }
}

const NOT_READY = refusal('sandbox_setup_failed', 'gVisor does not work on this host');
