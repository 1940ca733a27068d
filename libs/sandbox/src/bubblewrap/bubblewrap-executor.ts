import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { detectCgroups, type CgroupFinding } from '../cgroup/cgroup-host.ts';
import { MINIMUM_LAYERS, refuseMissingLayer, type LayerMinimum } from '../layer-minimum.ts';
import type { LayerReport } from '../layers.ts';
import { refusal, type Refusal } from '../refusal.ts';
import { JobImages, type ImageOffer } from '../images/job-images.ts';
import type {
  ObtainedRoot,
  Opened,
  RootRequest,
  SandboxExecutor,
  SandboxSpec,
  TierProbe,
} from '../sandbox-executor.ts';
import { refuseNetwork, refuseSpec } from '../validate-spec.ts';
import { findHost, type BubblewrapHost } from './bubblewrap-host.ts';
import { layersOfSandbox } from './layers-of-sandbox.ts';
import { prepareSandbox, type Preparation } from './prepare-sandbox.ts';
import { findRootTools, type RootTools } from './root-view.ts';
import { selfTest, testedHost } from './self-test.ts';
import { standUp, type StandingSandbox } from './standing-sandbox.ts';
import { OWN_USER_IDS } from './user-ids.ts';

export type BubblewrapExecutorOptions = {
  /** Where the executor keeps what it must undo, homes included; made when missing. On a disk, private to the warden. */
  readonly stateDir: string;
  /** Between SIGTERM and SIGKILL of a step that is stopped. */
  readonly killGraceMs: number;
  /** Path or name of bubblewrap. */
  readonly bwrap: string;
  /** Where a bare name is looked for: the directories of the warden's PATH. */
  readonly programDirs: readonly string[];
  /** Images that jobs may have; left out, none. */
  readonly images?: ImageOffer;
};

/** What was learned about this host; no host when the tier does not work here. */
type Learned = { readonly host: BubblewrapHost | null; readonly layers: readonly LayerReport[] };

/**
 * Tier `sandbox`: bubblewrap around every step, with a seccomp filter, masks over /proc and control groups or resource
 * limits. As root each sandbox has a user id and a file system of its own and no user namespace is needed; as anybody
 * else a user namespace is made, and the step's first process is ours under the same filter.
 */
export class BubblewrapExecutor implements SandboxExecutor {
  readonly tier = 'sandbox';
  private readonly options: BubblewrapExecutorOptions;
  private readonly cgroups: CgroupFinding;
  private learned: Promise<Learned> | null = null;
  private rootTools: Promise<RootTools> | null = null;
  private readonly images: JobImages | null;
  private standing: Promise<StandingSandbox | null> | null = null;

  constructor(options: BubblewrapExecutorOptions) {
    this.options = options;
    this.images = options.images === undefined ? null : new JobImages(options.images);
    this.cgroups = detectCgroups();
  }

  async probe(): Promise<TierProbe> {
    const { host, layers } = await this.learn();
    return { tier: this.tier, usable: host !== null, layers };
  }

  async open(spec: SandboxSpec): Promise<Opened> {
    const refused = refuseNetwork(spec) ?? refuseSpec(spec);
    if (refused !== null) return { ok: false, refusal: refused };
    const { host, layers: offered } = await this.learn();
    const layers = layersOfSandbox(offered, spec);
    const lacking = refuseMissingLayer(layers, spec.minimum ?? MINIMUM_LAYERS[spec.trust]);
    if (lacking !== null) return { ok: false, refusal: lacking };
    if (host === null) return { ok: false, refusal: refuseMissingLayer(layers, ISOLATION_AT_ALL) ?? NOT_READY };
    const preparation = await this.preparation(host, layers, spec.root !== undefined);
    return (await this.adoptStanding(preparation, spec)) ?? prepareSandbox(preparation, spec);
  }

  async obtainRoot(reference: string, request: RootRequest): Promise<ObtainedRoot> {
    if (this.images === null) return { ok: false, refusal: NO_IMAGES };
    return this.images.obtain(reference, request, process.getuid?.() === 0);
  }

  async standBy(guess: SandboxSpec): Promise<boolean> {
    const { host } = await this.learn();
    if (host === null || refuseSpec(guess) !== null) return false;
    const left = await this.standDown();
    if (left.length > 0) throw new Error(notRemoved(left));
    const standing = standUp(await this.preparation(host, [], false), guess);
    // Where none could be made, whoever opens one meets what is wrong then, if it still is.
    this.standing = standing.catch(() => null);
    return (await standing) !== null;
  }

  async standDown(): Promise<readonly string[]> {
    return this.putAway(await this.takeStanding());
  }

  /** What resists stays to be put away once more, and is told each time. */
  private async putAway(standing: StandingSandbox | null): Promise<readonly string[]> {
    const left = (await standing?.end()) ?? [];
    if (left.length > 0) this.standing = Promise.resolve(standing);
    return left;
  }

  private async takeStanding(): Promise<StandingSandbox | null> {
    const { standing } = this;
    this.standing = null;
    return standing;
  }

  /**
   * One that does not suit is gone before another is made, and with it what lay in the workspace: both would have the same one,
   * and a file system of its own is put over an empty one alone.
   */
  private async adoptStanding(preparation: Preparation, spec: SandboxSpec): Promise<Opened | null> {
    const standing = await this.takeStanding();
    if (standing === null) return null;
    const sandbox = await standing.adopt(preparation, spec);
    if (sandbox !== null) return { ok: true, sandbox };
    const left = await this.putAway(standing);
    return left.length === 0 ? null : { ok: false, refusal: refusal('sandbox_setup_failed', notRemoved(left)) };
  }

  private learn(): Promise<Learned> {
    this.learned ??= this.examine();
    return this.learned;
  }

  private async examine(): Promise<Learned> {
    const { bwrap, programDirs, stateDir } = this.options;
    await mkdir(stateDir, { recursive: true, mode: 0o700 });
    const finding = await findHost(bwrap, programDirs, stateDir, this.cgroups);
    if (!finding.found) return { host: null, layers: finding.layers };
    const { host } = finding;
    const workspace = await mkdtemp(join(stateDir, 'probe-'));
    try {
      const tested = await selfTest(testedHost(host), workspace, async (spec) =>
        prepareSandbox(await this.preparation(host, [], false), spec),
      );
      return { host: tested.usable ? host : null, layers: tested.layers };
    } finally {
      await rm(workspace, { recursive: true, force: true });
    }
  }

  private async preparation(
    host: BubblewrapHost,
    layers: readonly LayerReport[],
    withRoot: boolean,
  ): Promise<Preparation> {
    const { stateDir, killGraceMs } = this.options;
    const cgroups = this.cgroups.found ? this.cgroups.host : null;
    const rootTools = withRoot ? await this.findRootTools(host) : null;
    return { host, layers, cgroups, stateDir, killGraceMs, userIds: OWN_USER_IDS, rootTools };
  }

  /** Looked for once, when the first job asks for a root: most runners never need them. */
  private findRootTools({ mode, setpriv }: BubblewrapHost): Promise<RootTools> {
    this.rootTools ??= findRootTools(mode, setpriv, this.options.stateDir);
    return this.rootTools;
  }
}

/** Without these there is no sandbox at all, whatever the spec would put up with. */
const ISOLATION_AT_ALL: LayerMinimum = { filesystem: 'enforced', namespaces: 'enforced' };

const notRemoved = (left: readonly string[]): string => `what stood ahead could not be removed: ${left.join(', ')}`;

const NO_IMAGES: Refusal = refusal(
  'image_not_allowed',
  'no images are offered here: the file that DELTA_IMAGES_FILE names says which are',
);
const NOT_READY: Refusal = refusal('sandbox_setup_failed', 'the sandbox does not work on this host');
