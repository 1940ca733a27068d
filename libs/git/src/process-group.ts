import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';

/** Time between the polite signal, on which git removes its temporary files, and the one that cannot be ignored. */
const KILL_GRACE_MS = 2_000;

export interface ProcessSpec {
  readonly program: string;
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly directory: string;
}

/** Starts a program as the leader of a process group of its own, so that whatever it starts can be ended with it. */
export function startInGroup(spec: ProcessSpec): ChildProcessWithoutNullStreams {
  return spawn(spec.program, spec.args, {
    env: spec.environment,
    cwd: spec.directory,
    detached: true,
    shell: false,
    stdio: ['pipe', 'pipe', 'pipe'],
    windowsHide: true,
  });
}

function signalGroup(child: ChildProcessWithoutNullStreams, signal: 'SIGTERM' | 'SIGKILL'): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // The group is gone already, which is what was wanted.
  }
}

/** Ends the group: politely, then for good. Its pipes are closed, so a process that escaped the group cannot hold us. */
export function endGroup(child: ChildProcessWithoutNullStreams): void {
  signalGroup(child, 'SIGTERM');
  const last = setTimeout(() => {
    signalGroup(child, 'SIGKILL');
    child.stdout.destroy();
    child.stderr.destroy();
  }, KILL_GRACE_MS);
  child.once('close', () => clearTimeout(last));
}

/**
 * Keeps the beginning and the end of a stream of text: where git puts the cause and the summary. What lies between is left
 * out in whole lines, so that a secret is never cut in two and half of it overlooked by whoever masks it.
 */
export class TextTail {
  private readonly halfBytes: number;
  private head = Buffer.alloc(0);
  private tail = Buffer.alloc(0);
  private leftOut = false;

  constructor(limitBytes: number) {
    this.halfBytes = Math.floor(limitBytes / 2);
  }

  add(chunk: Buffer): void {
    const room = this.halfBytes - this.head.length;
    this.head = Buffer.concat([this.head, chunk.subarray(0, room)]);
    const tail = Buffer.concat([this.tail, chunk.subarray(room)]);
    this.leftOut ||= tail.length > this.halfBytes;
    this.tail = tail.subarray(Math.max(0, tail.length - this.halfBytes));
  }

  text(): string {
    if (!this.leftOut) return Buffer.concat([this.head, this.tail]).toString('utf8');
    const head = this.head.subarray(0, this.head.lastIndexOf('\n') + 1);
    const tail = this.tail.subarray(this.tail.indexOf('\n') + 1);
    return `${head.toString('utf8')}[...]\n${this.tail.includes('\n') ? tail.toString('utf8') : ''}`;
  }
}
