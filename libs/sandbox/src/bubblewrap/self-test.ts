import { readFileSync, readlinkSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { LayerReport } from '../layers.ts';
import { DEFAULT_SANDBOX_LIMITS } from '../limits.ts';
import type { Opened, SandboxSpec, StepOutcome, StepSpec } from '../sandbox-executor.ts';
import { EPERM } from '../seccomp/bpf.ts';
import { systemCallProgram } from '../seccomp/system-call-program.ts';
import { callNumber, REFUSED_CALLS, type FilterArch } from '../seccomp/system-calls.ts';
import { nothingIsolates, type BubblewrapHost } from './bubblewrap-host.ts';
import {
  judgeFacts,
  KEYCTL_PROBE,
  namespacesToCompare,
  parseFacts,
  probeScript,
  type Expected,
  type ProbeFacts,
} from './sandbox-probe.ts';

export type SelfTest = { readonly usable: boolean; readonly layers: readonly LayerReport[] };

/** A sandbox starts in milliseconds; a host on which the test takes this long is not one to run jobs on. */
const TEST_WITHIN_MS = 20_000;

const USER_NAMESPACES =
  'allow unprivileged user namespaces (sysctl kernel.unprivileged_userns_clone=1, user.max_user_namespaces>0, ' +
  'kernel.apparmor_restrict_unprivileged_userns=0 or an AppArmor profile for bwrap), or run as root';
const PRIVILEGES = 'give CAP_SYS_ADMIN to the container this runs in, or run on the host';

const testSpec = (workspace: string): SandboxSpec => ({
  workspace: { hostDir: workspace, onClose: 'keep' },
  trust: 'trusted',
  limits: DEFAULT_SANDBOX_LIMITS,
  network: 'none',
  env: {},
  binds: [],
  user: 'probe',
  minimum: {},
});

const testStep = (script: string): StepSpec => ({
  command: { kind: 'script', script },
  workdir: '.',
  env: {},
  timeoutMs: TEST_WITHIN_MS,
  idleTimeoutMs: null,
});

const failureOf = (outcome: StepOutcome): string =>
  outcome.kind === 'fault' ? outcome.refusal.message : `the self-test ended by ${outcome.result.endedBy}`;

const hostNamespaces = (): Readonly<Record<string, string>> =>
  Object.fromEntries(namespacesToCompare.map((name) => [name, readlinkSync(`/proc/self/ns/${name}`)]));

/** What the test must know of the tier it tests. */
export type Tested = {
  readonly arch: FilterArch;
  /** Whether every sandbox has a user id of its own. */
  readonly ownUid: boolean;
  /** What isolates here, in words. */
  readonly mechanism: string;
  /** What to do where no sandbox can be opened. */
  readonly remedy: string;
  readonly limitLayers: readonly LayerReport[];
  /** What the answers prove, where the host's own kernel answers no system call; left out, where it does. */
  readonly judge?: (facts: ProbeFacts, expected: Expected) => readonly LayerReport[];
};

export const testedHost = ({ arch, mode, program, limitLayers }: BubblewrapHost): Tested => ({
  arch,
  ownUid: mode === 'root',
  mechanism: `${program.version} ${mode === 'root' ? 'as root' : 'with user namespaces'}`,
  remedy: mode === 'root' ? PRIVILEGES : USER_NAMESPACES,
  limitLayers,
});

/** Opens a sandbox like any job's, asks it what it can see and do, and judges the answers. */
export async function selfTest(
  { arch, ownUid, mechanism, remedy, limitLayers, judge = judgeFacts }: Tested,
  workspace: string,
  open: (spec: SandboxSpec) => Promise<Opened>,
): Promise<SelfTest> {
  const unusable = (why: string): SelfTest => ({
    usable: false,
    layers: nothingIsolates(why, remedy, limitLayers),
  });
  const keyctl = callNumber(REFUSED_CALLS['keyctl'] ?? [null, null], arch) ?? 0;
  await writeFile(join(workspace, KEYCTL_PROBE), systemCallProgram(arch, keyctl), { mode: 0o755 });
  const opened = await open(testSpec(workspace));
  if (!opened.ok) return unusable(opened.refusal.message);
  const { sandbox } = opened;
  try {
    const chunks: Uint8Array[] = [];
    const script = `${probeScript(workspace)}\necho "uid=$(id -u)"`;
    const outcome = await sandbox.run(testStep(script), async (chunk) => void chunks.push(chunk));
    const facts = parseFacts(Buffer.concat(chunks).toString('utf8'));
    if (facts.get('complete') !== 'yes') return unusable(failureOf(outcome));
    const layers = judge(facts, {
      uid: Number(facts.get('uid')),
      ownUid,
      hostNamespaces: hostNamespaces(),
      hostKernel: readFileSync('/proc/version', 'utf8').trim(),
      seccompErrno: EPERM,
      mechanism,
    });
    return { usable: true, layers: [...layers, ...limitLayers] };
  } finally {
    await sandbox.close();
  }
}
