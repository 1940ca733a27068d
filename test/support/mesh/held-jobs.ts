import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A job of `delta.yaml` that runs until the test lets it go. */
export interface HeldJob {
  /** Lines of the job's script; the last one waits. */
  steps: readonly string[];
  release: () => void;
}

/**
 * Jobs that wait for the test. Sandboxes see one directory of the test read-only (as if it held a toolchain); a job waits
 * until a file of a name of its own appears there.
 */
export class HeldJobs {
  readonly directory: string;

  constructor(directory: string) {
    this.directory = directory;
    mkdirSync(directory, { recursive: true, mode: 0o755 });
  }

  hold(name: string): HeldJob {
    const file = join(this.directory, name);
    return {
      steps: [`echo "held until released"`, `until [ -e ${file} ]; do sleep 0.05; done; echo "released"`],
      release: () => writeFileSync(file, '', { mode: 0o644 }),
    };
  }
}

/** A `delta.yaml` of jobs without anything but steps. JSON is YAML. */
export function configWith(jobs: Record<string, object>, policies: object = {}): string {
  return `${JSON.stringify({ version: 1, jobs, policies }, null, 2)}\n`;
}
