/**
 * What stands between a step and the host, one promise each:
 * `filesystem` sees only the system read-only, its workspace, its home and the binds it was given;
 * `namespaces` sees and signals only its own processes, IPC objects and host name;
 * `network` reaches only its own loopback;
 * `identity` has no capability and cannot gain one, and owns nothing on the host but its workspace;
 * `seccomp` is refused the system calls that widen the kernel's attack surface;
 * `proc-masks` learns no kernel secrets from /proc and changes nothing there;
 * the limits bound what the job as a whole may use.
 */
export const LAYERS = [
  'filesystem',
  'namespaces',
  'network',
  'identity',
  'seccomp',
  'proc-masks',
  'memory-limit',
  'pids-limit',
  'cpu-limit',
  'disk-limit',
] as const;
export type Layer = (typeof LAYERS)[number];

/** `partial`: something holds, but less than the promise above; `by` says what. */
export type LayerState = 'enforced' | 'partial' | 'missing';

export type LayerReport = {
  readonly layer: Layer;
  readonly state: LayerState;
  /** The mechanism that holds, or what stands in its way. */
  readonly by: string;
  /** How to get the whole layer; null when it is there. */
  readonly remedy: string | null;
};
