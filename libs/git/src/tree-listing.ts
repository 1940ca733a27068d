import { decodePath } from './path-bytes.ts';

/** What an entry is, by its mode: 100644 and 100664, 100755, 120000, 160000. */
export type EntryType = 'file' | 'executable' | 'symlink' | 'submodule';

/** One entry of a recursive tree listing. Directories are not listed: git has none that are empty. */
export interface TreeEntry {
  /** With `/` between parts; see `decodePath` for bytes that are not UTF-8. */
  readonly path: string;
  /** Octal, six digits, as git writes it. */
  readonly mode: string;
  readonly type: EntryType;
  /** The blob's id; for a submodule the commit it points at. */
  readonly blobId: string;
  /** Bytes of the blob; only when sizes were asked for, and never for a submodule. */
  readonly sizeBytes?: number;
}

/** The type that a mode stands for, or undefined for a mode that git does not give to entries. */
export function entryTypeOf(mode: string): EntryType | undefined {
  if (mode === '100644' || mode === '100664') return 'file';
  if (mode === '100755') return 'executable';
  if (mode === '120000') return 'symlink';
  if (mode === '160000') return 'submodule';
  return undefined;
}

/** `<mode> <kind> <id>` and, with sizes, ` <size or ->`, padded with spaces; a tab and the path follow. */
const HEADER = /^(\d{6}) (blob|commit) ([0-9a-f]{40}|[0-9a-f]{64})(?: +(\d+|-))?$/u;

const TAB = 0x09;

/** Reads one record of `ls-tree -r -z [-l]`. Undefined when it is not one. */
export function parseTreeRecord(record: Buffer): TreeEntry | undefined {
  const tab = record.indexOf(TAB);
  if (tab < 0) return undefined;
  const header = HEADER.exec(record.toString('latin1', 0, tab));
  if (header === null) return undefined;
  const [, mode = '', , blobId = '', size] = header;
  const type = entryTypeOf(mode);
  if (type === undefined || tab + 1 === record.length) return undefined;
  const entry = { path: decodePath(record.subarray(tab + 1)), mode, type, blobId };
  return size === undefined || size === '-' ? entry : { ...entry, sizeBytes: Number(size) };
}
