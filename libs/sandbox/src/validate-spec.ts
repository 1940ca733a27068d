import { posix } from 'node:path';
import { lstatSync } from 'node:fs';
import { refusal, type Refusal } from './refusal.ts';
import type { SandboxSpec, StepSpec } from './sandbox-executor.ts';

const VARIABLE_NAME = /^[A-Za-z_][A-Za-z0-9_]{0,127}$/;
const LOGIN_NAME = /^[a-z_][a-z0-9_-]{0,31}$/;

/** Mounting over these would take the sandbox apart. */
const RESERVED_PLACES = new Set(['/', '/proc', '/dev', '/sys', '/etc', '/usr', '/tmp', '/home', '/workspace']);

/** Arguments reach the launcher separated by NUL, so a NUL in one of them would start another. */
const holdsNul = (value: string): boolean => value.includes('\0');

const invalid = (message: string): Refusal => refusal('spec_invalid', message);

function refuseEnv(env: Readonly<Record<string, string>>): Refusal | null {
  for (const [name, value] of Object.entries(env)) {
    if (!VARIABLE_NAME.test(name)) return invalid(`${JSON.stringify(name)} is not a variable name`);
    if (holdsNul(value)) return invalid(`the value of ${name} holds a NUL byte`);
  }
  return null;
}

const isPlainAbsolute = (path: string): boolean =>
  posix.isAbsolute(path) && posix.normalize(path) === path && !holdsNul(path);

function refuseBinds(spec: SandboxSpec): Refusal | null {
  for (const bind of spec.binds) {
    const at = bind.at ?? bind.hostPath;
    if (!isPlainAbsolute(bind.hostPath)) return invalid(`bind source ${bind.hostPath} is not a plain absolute path`);
    if (!isPlainAbsolute(at) || RESERVED_PLACES.has(at) || /^\/(proc|dev|sys)\//.test(at)) {
      return invalid(`nothing may be mounted at ${at}`);
    }
    if (lstatSync(bind.hostPath, { throwIfNoEntry: false }) === undefined) {
      return invalid(`bind source ${bind.hostPath} does not exist`);
    }
  }
  return null;
}

function refuseLimits(spec: SandboxSpec): Refusal | null {
  const bad = Object.entries(spec.limits).find(([, value]) => !(Number.isFinite(value) && value > 0));
  return bad === undefined ? null : invalid(`limit ${bad[0]} must be a positive number`);
}

function refuseWorkspace(spec: SandboxSpec): Refusal | null {
  const { hostDir } = spec.workspace;
  const isDirectory = isPlainAbsolute(hostDir) && lstatSync(hostDir, { throwIfNoEntry: false })?.isDirectory() === true;
  return isDirectory
    ? null
    : refusal('workspace_unusable', `${hostDir} is not an existing directory (links are refused)`);
}

/** What is wrong with a spec as such, whatever the host; null when nothing is. */
export function refuseSpec(spec: SandboxSpec): Refusal | null {
  if (!LOGIN_NAME.test(spec.user)) return invalid(`${JSON.stringify(spec.user)} is not a login name`);
  return refuseEnv(spec.env) ?? refuseBinds(spec) ?? refuseLimits(spec) ?? refuseWorkspace(spec);
}

/** Longest delay Node's timers keep; beyond it they fire at once. */
const TIMER_MS_MAX = 2 ** 31 - 1;

const isDelay = (value: number): boolean => value > 0 && value <= TIMER_MS_MAX;

/** MAX_ARG_STRLEN of Linux, less its closing NUL: a longer word cannot be handed to any program. */
const WORD_BYTES_MAX = 128 * 1024 - 1;

/** What is wrong with a step as such; null when nothing is. */
export function refuseStep(step: StepSpec): Refusal | null {
  const words = step.command.kind === 'argv' ? step.command.argv : [step.command.script];
  if (words.length === 0 || words.some(holdsNul)) return invalid('a command needs words, none with a NUL byte');
  if (words.some((word) => Buffer.byteLength(word) > WORD_BYTES_MAX)) {
    return invalid(`no word of a command, and no script, may be longer than ${WORD_BYTES_MAX} bytes`);
  }
  const workdir = posix.normalize(step.workdir);
  if (posix.isAbsolute(workdir) || workdir === '..' || workdir.startsWith('../') || holdsNul(workdir)) {
    return invalid(`workdir ${JSON.stringify(step.workdir)} is not inside the workspace`);
  }
  if (!isDelay(step.timeoutMs) || (step.idleTimeoutMs !== null && !isDelay(step.idleTimeoutMs))) {
    return invalid(`timeouts must be positive and at most ${TIMER_MS_MAX} ms`);
  }
  return refuseEnv(step.env);
}

/** No proxy is in between: the host's network leads to its loopback and its cloud's metadata service. */
export function refuseNetwork(spec: SandboxSpec): Refusal | null {
  return spec.trust === 'untrusted' && spec.network === 'host'
    ? refusal('untrusted_host_network', "untrusted code never gets the host's network")
    : null;
}

/** For a tier that cannot put an outlet into a sandbox: it would have to give the job more, or less, than its allow-list. */
export function refuseOutlet(spec: SandboxSpec, tier: string): Refusal | null {
  return typeof spec.network === 'string'
    ? null
    : refusal(
        'outlet_unsupported',
        `tier ${tier} cannot enforce a list of hosts that a job may reach: use tier sandbox`,
      );
}
