import { RUNNER_BODY_BYTES_MAX, type ArtifactRecord } from '@delta-ci/contracts';

/** As many as a report may name. */
const COUNT_MAX = 1_000;
/** Half of a report: the rest is for what the steps say. */
const LIST_BYTES_MAX = RUNNER_BODY_BYTES_MAX / 2;
/** Everything of a record but its name: digest, type, numbers and the names of its members. */
const RECORD_BYTES = 250;

/**
 * Artifacts of one attempt. A job can leave more files than a report can name, and a report that is refused would lose
 * the job's verdict: what does not fit is left behind instead.
 */
export class ArtifactList {
  readonly records: ArtifactRecord[] = [];
  #bytes = 0;

  /** Why an artifact of this name cannot be taken any more; null while there is room. */
  whyNoRoomFor(name: string): string | null {
    if (this.records.length >= COUNT_MAX) return `an attempt has at most ${COUNT_MAX} artifacts`;
    if (this.#bytes + bytesOf(name) > LIST_BYTES_MAX) return 'the names of the artifacts are too long together';
    return null;
  }

  add(record: ArtifactRecord): void {
    this.#bytes += bytesOf(record.name);
    this.records.push(record);
  }
}

const bytesOf = (name: string): number => RECORD_BYTES + Buffer.byteLength(JSON.stringify(name));
