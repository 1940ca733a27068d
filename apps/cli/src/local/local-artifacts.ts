import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { ArtifactRequest } from '@delta-ci/contracts';
import type { CollectReport, CollectedFile } from '@delta-ci/sandbox';
import { errorMessage } from '../error-code.ts';
import { isRepositoryHead, saveArtifact } from '../save-artifact.ts';
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
/** What a runner sends of one file, and holds in memory as well. */
const FILE_BYTES_MAX = 256 * 1024 * 1024;

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
  readonly #directory: string | null;
  readonly #output: JobOutput;

  /** @param directory of this job alone; null where nothing is kept */
  constructor(directory: string | null, output: JobOutput) {
    this.#directory = directory;
    this.#output = output;
  }

  async take({ type }: ArtifactRequest, file: CollectedFile): Promise<void> {
    const { path: name, sizeBytes } = file;
    // Names are told of whether anything is kept or not.
    if (await this.#output.hides(Buffer.from(name))) {
      this.#leave(name, 'a secret of the job is in its name');
      return;
    }
    const isReport = type === 'junit' && sizeBytes <= JUNIT_BYTES_MAX && this.junit.length < JUNIT_FILES_MAX;
    // Several patterns may match one file.
    const isKnown = this.found.some((other) => other.name === name);
    if (!isReport && (isKnown || this.#directory === null)) {
      if (!isKnown) this.found.push({ name, type, sizeBytes });
      return;
    }
    if (sizeBytes > FILE_BYTES_MAX) {
      this.#leave(name, `it has ${sizeBytes} bytes, the limit is ${FILE_BYTES_MAX}`);
      return;
    }
    const bytes = await contentOf(file);
    if (await this.#output.hides(bytes)) {
      this.#leave(name, 'a secret of the job is in it');
      return;
    }
    if (isReport) this.junit.push(bytes.toString('utf8'));
    if (!isKnown && (this.#directory === null || (await this.#save(name, bytes, this.#directory))))
      this.found.push({ name, type, sizeBytes: bytes.byteLength });
  }

  collected({ path }: ArtifactRequest, { files, notCollected }: CollectReport): void {
    if (files === 0 && notCollected.length === 0) this.unmatched.push(path);
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

async function contentOf({ content }: CollectedFile): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of content) parts.push(part);
  return Buffer.concat(parts);
}
