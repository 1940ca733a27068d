import { access, constants, mkdir } from 'node:fs/promises';
import { LOG_BYTES_MAX } from '@delta-ci/contracts';
import type { ArtifactStore } from './artifact-store.ts';
import { AttemptLogs } from './attempt-logs.ts';
import { CacheFiles } from './cache-files.ts';
import { CheckpointFiles } from './checkpoint-files.ts';
import { ContentFiles } from './content-files.ts';
import { LogArchiveFiles } from './logs/log-archive-files.ts';
import type { LogArchive } from './logs/log-archive.ts';

/** The artifact store on a directory that all services share: content by digest, logs by attempt, checkpoints by position. */
export class FileArtifactStore implements ArtifactStore {
  readonly content: ContentFiles;
  readonly artifacts: ContentFiles;
  readonly caches: CacheFiles;
  readonly logs: AttemptLogs;
  readonly checkpoints: CheckpointFiles;
  readonly #directory: string;

  /** @param logArchive where logs go when their attempts are over; a folder of the directory unless told */
  constructor(directory: string, logBytesMax: number = LOG_BYTES_MAX, logArchive?: LogArchive) {
    this.#directory = directory;
    this.content = new ContentFiles(directory);
    this.artifacts = new ContentFiles(directory, 'artifacts');
    this.caches = new CacheFiles(directory);
    this.logs = new AttemptLogs(directory, logBytesMax, logArchive ?? new LogArchiveFiles(directory));
    this.checkpoints = new CheckpointFiles(directory);
  }

  /** Makes the directory where there is none. */
  async check(): Promise<void> {
    await mkdir(this.#directory, { recursive: true });
    await access(this.#directory, constants.R_OK | constants.W_OK);
  }
}
