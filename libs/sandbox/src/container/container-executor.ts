import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { selfTest, type Tested } from '../bubblewrap/self-test.ts';
import { layersOfSandbox } from '../bubblewrap/layers-of-sandbox.ts';
import { MINIMUM_LAYERS, refuseMissingLayer } from '../layer-minimum.ts';
import type { LayerReport } from '../layers.ts';
import { refusal } from '../refusal.ts';
import type { ObtainedRoot, Opened, SandboxExecutor, SandboxSpec, TierProbe } from '../sandbox-executor.ts';
import { refuseOutlet, refuseNetwork, refuseSpec } from '../validate-spec.ts';
import { findEngine, type ContainerEngine } from './container-engine.ts';
import { EngineClient } from './engine-client.ts';
import { prepareContainer } from './prepare-container.ts';

export type ContainerExecutorOptions = {
  /** Where the executor keeps what it must undo, homes included; made when missing. On a disk the engine sees as well. */
  readonly stateDir: string;
  /** Between SIGTERM and SIGKILL of a step that is stopped. */
  readonly killGraceMs: number;
  /** The engine's unix socket. */
  readonly engineSocket: string;
  /** An image the engine has, with `/bin/sh` and `git`; null shows jobs this host's own system, read-only. */
  readonly image: string | null;
};

/** What was learned about this host; no engine when the tier does not work here. */
type Learned = { readonly engine: ContainerEngine | null; readonly layers: readonly LayerReport[] };

const SAME_FILES =
  'let the engine see the same files under the same paths: on this very host, without a user namespace';

const tested = ({ arch, version, limitLayers }: ContainerEngine): Tested => ({
  arch,
  ownUid: process.getuid?.() === 0,
  mechanism: `a container of Docker ${version}`,
  remedy: SAME_FILES,
  limitLayers,
});

/**
 * Tier `container`: every step in a container of its own, for hosts that cannot have bubblewrap. The engine is asked for
 * what bubblewrap would do: a read-only root, no capability and no way to one, no network, the same rules for system
 * calls, limits by control groups. The engine itself is trusted like root, because whoever may talk to it is.
 */
export class ContainerExecutor implements SandboxExecutor {
  readonly tier = 'container';
  private readonly options: ContainerExecutorOptions;
  private learned: Promise<Learned> | null = null;

  constructor(options: ContainerExecutorOptions) {
    this.options = options;
  }

  async probe(): Promise<TierProbe> {
    const { engine, layers } = await this.learn();
    return { tier: this.tier, usable: engine !== null, layers };
  }

  async open(spec: SandboxSpec): Promise<Opened> {
    const refused = refuseNetwork(spec) ?? refuseOutlet(spec, this.tier) ?? refuseSpec(spec);
    if (refused !== null) return { ok: false, refusal: refused };
    const { engine, layers: offered } = await this.learn();
    const layers = layersOfSandbox(offered, spec);
    const lacking = refuseMissingLayer(layers, spec.minimum ?? MINIMUM_LAYERS[spec.trust]);
    if (lacking !== null) return { ok: false, refusal: lacking };
    if (engine === null) return { ok: false, refusal: refuseMissingLayer(layers, MINIMUM_LAYERS.trusted) ?? NOT_READY };
    return prepareContainer({ ...this.place(), engine, layers }, spec);
  }

  /** The engine's one image, which its operator chose. */
  async obtainRoot(reference: string): Promise<ObtainedRoot> {
    const { image } = this.options;
    if (reference === image) {
      return { ok: true, root: { reference, digest: null, env: {}, tree: null, release: () => Promise.resolve() } };
    }
    const has = image === null ? "this host's own system" : `the image ${image}`;
    return {
      ok: false,
      refusal: refusal('image_not_allowed', `containers of this runner have ${has}, and not the image ${reference}`),
    };
  }

  private learn(): Promise<Learned> {
    this.learned ??= this.examine();
    return this.learned;
  }

  private place(): Pick<ContainerExecutorOptions, 'stateDir' | 'killGraceMs'> {
    const { stateDir, killGraceMs } = this.options;
    return { stateDir, killGraceMs };
  }

  private async examine(): Promise<Learned> {
    const { engineSocket, image, stateDir } = this.options;
    const finding = await findEngine(new EngineClient(engineSocket), image);
    if (!finding.found) return { engine: null, layers: finding.layers };
    const { engine } = finding;
    await mkdir(stateDir, { recursive: true, mode: 0o700 });
    const workspace = await mkdtemp(join(stateDir, 'probe-'));
    try {
      const { usable, layers } = await selfTest(tested(engine), workspace, (spec) =>
        prepareContainer({ ...this.place(), engine, layers: [] }, spec),
      );
      return { engine: usable ? engine : null, layers };
    } finally {
      await rm(workspace, { recursive: true, force: true });
    }
  }
}

const NOT_READY = refusal('sandbox_setup_failed', 'containers do not work on this host');
