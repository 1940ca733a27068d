import { decodePath } from './path-bytes.ts';

/** Added, modified, deleted, renamed, copied, or changed in type (a file became a symbolic link, say). */
export type ChangeStatus = 'A' | 'M' | 'D' | 'R' | 'C' | 'T';

export interface ChangedFile {
  readonly status: ChangeStatus;
  /** Where the file is now; for a deletion, where it was. */
  readonly path: string;
  /** Where it came from; only for renames and copies. */
  readonly oldPath?: string;
  /** Null where there was no file before, or is none now. A submodule's id is the commit it points at. */
  readonly oldBlobId: string | null;
  readonly newBlobId: string | null;
  /** Six octal digits; null beside a null id. */
  readonly oldMode: string | null;
  readonly newMode: string | null;
  /** How alike a renamed or copied file is to its source, in percent. */
  readonly similarity?: number;
}

interface Header {
  readonly oldMode: string;
  readonly newMode: string;
  readonly oldId: string;
  readonly newId: string;
  readonly status: ChangeStatus;
  readonly similarity: number | undefined;
}

const HEADER = /^:(\d{6}) (\d{6}) ([0-9a-f]{40,64}) ([0-9a-f]{40,64}) ([AMDRCT])(\d{1,3})?$/u;

const NO_MODE = '000000';

function parseHeader(record: Buffer): Header | undefined {
  const found = HEADER.exec(record.toString('latin1'));
  if (found === null) return undefined;
  const [, oldMode = '', newMode = '', oldId = '', newId = '', status = '', score] = found;
  return {
    oldMode,
    newMode,
    oldId,
    newId,
    status: toStatus(status),
    similarity: score === undefined ? undefined : Number(score),
  };
}

function toStatus(letter: string): ChangeStatus {
  switch (letter) {
    case 'A':
    case 'M':
    case 'D':
    case 'R':
    case 'C':
    case 'T':
      return letter;
    default:
      throw new Error(`no such status: ${letter}`);
  }
}

function toChangedFile(header: Header, path: string, oldPath: string | undefined): ChangedFile {
  const { oldMode, newMode, oldId, newId, status, similarity } = header;
  return {
    status,
    path,
    ...(oldPath === undefined ? {} : { oldPath }),
    oldBlobId: oldMode === NO_MODE ? null : oldId,
    newBlobId: newMode === NO_MODE ? null : newId,
    oldMode: oldMode === NO_MODE ? null : oldMode,
    newMode: newMode === NO_MODE ? null : newMode,
    ...(similarity === undefined || oldPath === undefined ? {} : { similarity }),
  };
}

/** Reads the records of `diff-tree -r -z --raw`: a header, then one path, or two for renames and copies. */
export class RawDiffParser {
  private header: Header | undefined;
  private oldPath: string | undefined;

  /** The change completed by a record, `undefined` while one is incomplete, `'broken'` when this is no raw diff. */
  add(record: Buffer): ChangedFile | 'broken' | undefined {
    if (this.header === undefined) {
      this.header = parseHeader(record);
      return this.header === undefined ? 'broken' : undefined;
    }
    if (record.length === 0) return 'broken';
    const path = decodePath(record);
    const twoPaths = this.header.status === 'R' || this.header.status === 'C';
    if (twoPaths && this.oldPath === undefined) {
      this.oldPath = path;
      return undefined;
    }
    const change = toChangedFile(this.header, path, this.oldPath);
    this.header = undefined;
    this.oldPath = undefined;
    return change;
  }

  /** Whether the records ended in the middle of a change. */
  get unfinished(): boolean {
    return this.header !== undefined;
  }
}
