import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { ARTIFACT_FILE_BYTES_MAX, type ArtifactRequest } from '@delta-ci/contracts';
import type { CollectReport, CollectedFile } from '@delta-ci/sandbox';
import { errorMessage } from '../../error-code.ts';
import { isRepositoryHead, saveArtifact } from '../../save-artifact.ts';
import type { JobOutput } from './job-output.ts';

/** A file that a job of a local run left, by its path in the workspace. */
export interface LocalArtifact {
  readonly name: string;
  readonly type: ArtifactRequest['type'];
  readonly sizeBytes: number;
}

/** Test reports larger than this are not read: the analysis reads no more of one. */
const JUNIT_BYTES_MAX = 16 * 1024 * 1024;
/** Reports kept of one job: a suite writes one or a few, and they are held in memory. */
const JUNIT_FILES_MAX = 20;

/**
 * What one job leaves: test reports as text, for the analysis, and, where a person named a directory, the files themselves below it.
 * Nothing of that changes what the job's steps said.
 */
export class LocalArtifacts {
  readonly junit: string[] = [];
  /** What was there to be taken, kept or not. */
  readonly found: LocalArtifact[] = [];
  /** Patterns of the plan that nothing matched. */
  readonly unmatched: string[] = [];
  /** Names of what was found, and of reports that were read: several patterns may match one file. */
  readonly #known = new Set<string>();
  readonly #read = new Set<string>();
  readonly #directory: string | null;
  readonly #output: JobOutput;

  /** @param directory of this job alone; null where nothing is kept */
  constructor(directory: string | null, output: JobOutput) {
    this.#directory = directory;
    this.#output = output;
  }

  /** A file that a request of the plan asks for. */
  async take({ type }: ArtifactRequest, file: CollectedFile): Promise<void> {
    const { path: name, sizeBytes } = file;
    const isReport = type === 'junit' && this.#mayRead(file);
    const isKnown = this.#known.has(name);
    if (isKnown && !isReport) return;
    if (await this.#output.hides(Buffer.from(name))) return this.#leave(name, 'a secret of the job is in its name');
    if (this.#directory === null && !isReport) return this.#find({ name, type, sizeBytes });
    if (sizeBytes > ARTIFACT_FILE_BYTES_MAX)
      return this.#leave(name, `it has ${sizeBytes} bytes, the limit is ${ARTIFACT_FILE_BYTES_MAX}`);
    const bytes = await buffer(file.content);
    if (await this.#output.hides(bytes)) return this.#leave(name, 'a secret of the job is in it');
    if (isReport) {
      this.#read.add(name);
      this.junit.push(bytes.toString('utf8'));
    }
    if (!isKnown && (this.#directory === null || (await this.#save(name, bytes, this.#directory))))
      this.#find({ name, type, sizeBytes: bytes.byteLength });
  }

  /** All files of a request were taken. */
  collected({ path }: ArtifactRequest, { files, notCollected }: CollectReport): void {
    if (files === 0 && notCollected.length === 0) this.unmatched.push(path);
  }

  #mayRead({ path, sizeBytes }: CollectedFile): boolean {
    return sizeBytes <= JUNIT_BYTES_MAX && this.junit.length < JUNIT_FILES_MAX && !this.#read.has(path);
  }

  #find(artifact: LocalArtifact): void {
    this.#known.add(artifact.name);
    this.found.push(artifact);
  }

  #leave(name: string, why: string): void {
    this.#output.say(`artifact ${name} was left behind: ${why}`);
  }

  async #save(name: string, bytes: Buffer, directory: string): Promise<boolean> {
    if (isRepositoryHead(name)) {
      this.#leave(name, 'to git it would make its directory a repository, with commands of the job');
      return false;
    }
    const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
    try {
      await saveArtifact({ name, digest, sizeBytes: bytes.byteLength }, once(bytes), { directory, force: false });
      return true;
    } catch (error) {
      this.#leave(name, errorMessage(error));
      return false;
    }
  }
}

/** Where the artifacts of one job are kept. */
export const artifactsOf = (directory: string | null, jobKey: string): string | null =>
  directory === null ? null : join(directory, jobKey);

async function* once(bytes: Buffer): AsyncGenerator<Uint8Array> {
  yield bytes;
}
