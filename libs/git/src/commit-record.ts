export interface Signature {
  readonly name: string;
  readonly email: string;
  /** Milliseconds since the epoch, as the author's or committer's clock said; 0 when it cannot be read. */
  readonly timeMs: number;
}

/** A commit as its author wrote it: every text in it is a stranger's. Bytes that are not UTF-8 are shown as U+FFFD. */
export interface CommitInfo {
  readonly id: string;
  readonly treeId: string;
  readonly parents: readonly string[];
  readonly author: Signature;
  readonly committer: Signature;
  /** First line of the message. */
  readonly subject: string;
  readonly message: string;
}

const TIME = /^ ?(-?\d{1,20})(?: |$)/u;

/** JavaScript's dates end there; later "times" are nonsense. */
const MAX_TIME_MS = 8.64e15;

/** `Name <email> seconds zone`, read from its last brackets: a name may hold brackets too. Linear, whatever it holds. */
function parseSignature(text: string): Signature {
  const open = text.lastIndexOf('<');
  const close = text.indexOf('>', open);
  if (open < 0 || close < 0) return { name: '', email: '', timeMs: 0 };
  const timeMs = Number(TIME.exec(text.slice(close + 1))?.[1] ?? '0') * 1_000;
  return {
    name: text.slice(0, open).trimEnd(),
    email: text.slice(open + 1, close),
    timeMs: Math.abs(timeMs) <= MAX_TIME_MS ? timeMs : 0,
  };
}

interface Headers {
  readonly single: ReadonlyMap<string, string>;
  readonly parents: readonly string[];
}

function parseHeaders(lines: readonly string[]): Headers {
  const single = new Map<string, string>();
  const parents: string[] = [];
  for (const line of lines) {
    // A line that begins with a space continues the header before it, a signature usually.
    if (line.startsWith(' ')) continue;
    const space = line.indexOf(' ');
    const [name, value] = [line.slice(0, space), line.slice(space + 1)];
    if (name === 'parent') parents.push(value);
    else if (!single.has(name)) single.set(name, value);
  }
  return { single, parents };
}

/** Reads one record of `rev-list --header`: the id, the headers, an empty line, the message indented by four spaces. */
export function parseCommitRecord(record: Buffer): CommitInfo | undefined {
  const text = record.toString('utf8');
  const idEnd = text.indexOf('\n');
  const headersEnd = text.indexOf('\n\n');
  if (idEnd < 0) return undefined;
  const id = text.slice(0, idEnd);
  const { single, parents } = parseHeaders(text.slice(idEnd + 1, headersEnd < 0 ? undefined : headersEnd).split('\n'));
  const treeId = single.get('tree');
  if (treeId === undefined) return undefined;
  const message =
    headersEnd < 0
      ? ''
      : text
          .slice(headersEnd + 2)
          .replace(/^ {4}/gmu, '')
          .trimEnd();
  return {
    id,
    treeId,
    parents,
    author: parseSignature(single.get('author') ?? ''),
    committer: parseSignature(single.get('committer') ?? ''),
    subject: message.slice(0, message.indexOf('\n') < 0 ? undefined : message.indexOf('\n')),
    message,
  };
}
