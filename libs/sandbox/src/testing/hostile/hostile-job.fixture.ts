import { DEFAULT_SANDBOX_LIMITS, type SandboxLimits } from '../../limits.ts';
import type { Layer } from '../../layers.ts';
import type { StepResult, StepSpec } from '../../sandbox-executor.ts';
import type { FilterArch } from '../../seccomp/system-calls.ts';

/** What the host offers a job to attack: all of it made for the test. */
export type Target = {
  readonly wardenPid: number;
  /** What the warden was started with, `NAME=value`, less what every step is given as well. */
  readonly environment: readonly string[];
  /** A file of the warden's that only somebody outside may read, and what it holds. */
  readonly secretFile: string;
  readonly secret: string;
  /** A listener on the host's 127.0.0.1, and one on an abstract unix socket. */
  readonly port: number;
  readonly abstractName: string;
  /** A program that runs scripts of its own: this very node, bound read-only. */
  readonly node: string;
  readonly arch: FilterArch;
};

export type HostileJob = {
  readonly name: string;
  readonly script: (target: Target) => string;
  readonly files?: (target: Target) => Readonly<Record<string, Buffer>>;
  readonly limits?: Partial<SandboxLimits>;
  readonly step?: Partial<StepSpec>;
  /** A second step of the same job. What it prints is judged as well; `ends` is the first one's. */
  readonly afterwards?: { readonly script: (target: Target) => string; readonly step?: Partial<StepSpec> };
  /** What is collected of its files afterwards, as a pattern; every content counts as output. */
  readonly collects?: string;
  /** The next job in the same place, of somebody else: what it prints is judged as well. */
  readonly next?: (target: Target) => string;
  /** The layer that stops it; where it is not enforced, the executor refuses whoever insists on it, and that is asked instead. */
  readonly stoppedBy?: Layer;
  /** It has a proxy, `CLOSED_OUTLET`, and may not be let out by it or past it. */
  readonly behindOutlet?: true;
  /** All of these must hold for the result, and none of `never` may appear in the output. */
  readonly ends: Partial<StepResult>;
  readonly says?: RegExp;
  readonly never?: (target: Target) => RegExp;
  /** What is different where a kernel of the sandbox's own answers: what it lets a job do reaches no other. */
  readonly underOwnKernel?: Partial<Pick<HostileJob, 'script' | 'ends' | 'says'>>;
};

export const MiB = 1024 * 1024;

export const limitsOf = (job: HostileJob): SandboxLimits => ({ ...DEFAULT_SANDBOX_LIMITS, ...job.limits });
