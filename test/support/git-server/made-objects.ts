import { feed } from './made-history.ts';

/** One entry of a tree: what git writes of it, whatever a file system or git itself would say about the name. */
export interface TreeLine {
  /** Octal, as git writes it: `100644`, `40000`. */
  readonly mode: string;
  readonly id: string;
  readonly name: string | Buffer;
}

/** Writes an object as it is given, without a look at what it holds, and answers its id. */
export async function writeObject(
  gitDir: string,
  type: 'blob' | 'tree' | 'commit',
  content: string | Buffer,
): Promise<string> {
  return feed(gitDir, ['hash-object', '-w', '-t', type, '--literally', '--stdin'], [content]);
}

/** Writes a tree of these entries, in git's order. */
export async function writeTree(gitDir: string, entries: readonly TreeLine[]): Promise<string> {
  const sorted = entries.map(rawEntry).sort((one, other) => Buffer.compare(one.key, other.key));
  return writeObject(gitDir, 'tree', Buffer.concat(sorted.map(({ raw }) => raw)));
}

/** As git writes an entry, and what it is ordered by: folders as if their names ended in a slash. */
function rawEntry({ mode, id, name }: TreeLine): { readonly key: Buffer; readonly raw: Buffer } {
  const bytes = Buffer.from(name);
  const short = mode.replace(/^0/u, '');
  return {
    key: short === '40000' ? Buffer.concat([bytes, Buffer.from('/')]) : bytes,
    raw: Buffer.concat([Buffer.from(`${short} `), bytes, Buffer.from([0]), Buffer.from(id, 'hex')]),
  };
}
