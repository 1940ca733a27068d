import { refused } from './image-refused.ts';

/** One entry of a layer's archive, as far as it matters where it comes to lie. */
export type LayerEntry =
  | { readonly kind: 'file' | 'directory'; readonly path: string }
  | { readonly kind: 'symlink' | 'link'; readonly path: string; readonly target: string };

/**
 * What has to be done on the disk for an entry, in this order. Paths are relative to the root of the tree, have no `..` and no
 * link above them.
 */
export type TreeStep =
  | { readonly do: 'remove' | 'directory' | 'file'; readonly at: string }
  | { readonly do: 'symlink'; readonly at: string; readonly target: string }
  | { readonly do: 'link'; readonly at: string; readonly to: string };

type Directory = {
  readonly kind: 'directory';
  layer: number;
  /** The last layer that hid what those below it had put here: by then nothing of theirs is left. */
  prunedBy: number;
  readonly children: Map<string, Node>;
};
type Leaf =
  | { readonly kind: 'file'; readonly layer: number }
  | { readonly kind: 'symlink'; readonly layer: number; readonly target: string };
type Node = Directory | Leaf;

type Place = { readonly directory: Directory; readonly path: string };

const WHITEOUT = '.wh.';
const OPAQUE = '.wh..wh..opq';
/** Of a union file system that is out of use; says nothing about the tree. */
const OLD_BOOKKEEPING = '.wh..wh.';

const NAME_BYTES_MAX = 255;
/** What is left of PATH_MAX (4,096) for the directory in which a tree is made. */
const PATH_BYTES_MAX = 3_072;
/** As the kernel: more links than this on the way to one place lead nowhere. */
const LINKS_MAX = 40;
/** Steps from one directory to the next, all entries together: links that lead through links can take any number. */
const VISITS_MAX = 50_000_000;
/** Names of entries and what links lead to, all together: a large image has less than a tenth of it. */
const TEXT_BYTES_MAX = 192 * 1024 * 1024;

const newDirectory = (layer: number): Directory => ({ kind: 'directory', layer, prunedBy: layer, children: new Map() });

const joined = (directory: string, name: string): string => (directory === '' ? name : `${directory}/${name}`);

function partsOf(path: string): readonly string[] {
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  const bad = parts.some((part) => part === '..' || part.includes('\0') || Buffer.byteLength(part) > NAME_BYTES_MAX);
  if (bad || Buffer.byteLength(path) > PATH_BYTES_MAX) {
    throw refused(`an entry of a layer has the path ${JSON.stringify(path.slice(0, 200))}`);
  }
  return parts;
}

/**
 * The file tree that layers add up to, without its files: decides what each entry does to the disk. Links above an entry are
 * followed as they would be if the tree's root were the root of the system, so they lead nowhere else. An entry that hides what
 * lower layers have never hides what its own layer brought, whichever comes first.
 */
export class LayerTree {
  private readonly root = newDirectory(0);
  private layer = 0;
  private visits = 0;
  private textBytes = 0;
  private readonly textBytesMax: number;

  constructor(textBytesMax = TEXT_BYTES_MAX) {
    this.textBytesMax = textBytesMax;
  }

  /** The entries that follow are those of the next layer. */
  nextLayer(): void {
    this.layer += 1;
  }

  /** @throws ImageRefused for what no archive of a layer may contain */
  place(entry: LayerEntry): readonly TreeStep[] {
    const parts = partsOf(entry.path);
    const name = parts.at(-1);
    if (name === undefined) {
      if (entry.kind !== 'directory') throw refused('the root of a layer is no directory');
      return [];
    }
    if (parts.some((part) => part.startsWith(OLD_BOOKKEEPING) && part !== OPAQUE)) return [];
    const above = parts.slice(0, -1);
    if (above.some((part) => part.startsWith(WHITEOUT)))
      throw refused(`an entry lies below the whiteout ${entry.path}`);
    if (name.startsWith(WHITEOUT)) return this.hide(above, name);
    const steps: TreeStep[] = [];
    const place = this.enter(above, steps);
    return [...steps, ...this.put(place, name, entry)];
  }

  /** Where a path leads, links followed; null when there is nothing. */
  find(path: string): { readonly kind: Node['kind']; readonly path: string } | null {
    const walked = this.walk(partsOf(path), null);
    if (walked === null) return null;
    return { kind: walked.node.kind, path: walked.path };
  }

  /** What lies at the root, with the target of what is a link. */
  top(): readonly { readonly name: string; readonly kind: Node['kind']; readonly target: string | null }[] {
    return [...this.root.children].map(([name, node]) => ({
      name,
      kind: node.kind,
      target: node.kind === 'symlink' ? node.target : null,
    }));
  }

  private visit(count = 1): void {
    this.visits += count;
    if (this.visits > VISITS_MAX) throw refused('the links of the image lead through one another without end');
  }

  /** A text to keep, apart from the longer one that it was cut out of: that would stay in memory as long. */
  private kept(text: string): string {
    const bytes = Buffer.from(text);
    this.textBytes += bytes.byteLength;
    if (this.textBytes > this.textBytesMax)
      throw refused(`the names and links of the image have more than ${this.textBytesMax} bytes`);
    return bytes.toString();
  }

  /** Follows a path. What is missing is made where `steps` are wanted; otherwise the answer is null. */
  private walk(
    parts: readonly string[],
    steps: TreeStep[] | null,
  ): { readonly node: Node; readonly path: string } | null {
    const line: Place[] = [{ directory: this.root, path: '' }];
    const pending = [...parts].reverse();
    let links = 0;
    for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
      this.visit();
      const here = line.at(-1) ?? { directory: this.root, path: '' };
      if (name === '..') {
        if (line.length > 1) line.pop();
        continue;
      }
      const path = joined(here.path, name);
      const node = here.directory.children.get(name) ?? (steps === null ? null : this.make(here, name, steps));
      if (node === null) return null;
      if (node.kind === 'file') return pending.length === 0 ? { node, path } : null;
      if (node.kind === 'directory') {
        line.push({ directory: node, path });
        continue;
      }
      links += 1;
      if (links > LINKS_MAX) return null;
      if (node.target.startsWith('/')) line.length = 1;
      pending.push(
        ...node.target
          .split('/')
          .filter((part) => part !== '' && part !== '.')
          .reverse(),
      );
    }
    const end = line.at(-1) ?? { directory: this.root, path: '' };
    return { node: end.directory, path: end.path };
  }

  private make({ directory, path }: Place, name: string, steps: TreeStep[]): Directory {
    const made = newDirectory(this.layer);
    directory.children.set(this.kept(name), made);
    const at = joined(path, name);
    if (Buffer.byteLength(at) > PATH_BYTES_MAX || Buffer.byteLength(name) > NAME_BYTES_MAX || name.includes('\0')) {
      throw refused('the links of the image lead to a path that is too long');
    }
    steps.push({ do: 'directory', at });
    return made;
  }

  private enter(parts: readonly string[], steps: TreeStep[]): Place {
    const walked = this.walk(parts, steps);
    if (walked?.node.kind !== 'directory')
      throw refused(`${parts.join('/').slice(0, 200)} is no directory, and something lies below it`);
    return { directory: walked.node, path: walked.path };
  }

  private put({ directory, path }: Place, name: string, entry: LayerEntry): readonly TreeStep[] {
    const at = joined(path, name);
    if (Buffer.byteLength(at) > PATH_BYTES_MAX) throw refused('the links of the image lead to a path that is too long');
    const there = directory.children.get(name);
    if (entry.kind === 'directory' && there?.kind === 'directory') {
      there.layer = this.layer;
      return [{ do: 'directory', at }];
    }
    const link = entry.kind === 'link' ? this.linked(entry.target) : null;
    // A file that is linked to itself stays what it is.
    if (link?.path === at) return [];
    if (link?.path.startsWith(`${at}/`) === true)
      throw refused(`a hard link takes the place of what it leads to, ${at}`);
    const clear: readonly TreeStep[] = there === undefined ? [] : [{ do: 'remove', at }];
    directory.children.set(this.kept(name), this.nodeFor(entry, link?.node ?? null));
    if (entry.kind === 'symlink') return [...clear, { do: 'symlink', at, target: entry.target }];
    if (link !== null) return [...clear, { do: 'link', at, to: link.path }];
    return [...clear, { do: entry.kind === 'directory' ? 'directory' : 'file', at }];
  }

  private nodeFor(entry: LayerEntry, linked: Leaf | null): Node {
    const { layer } = this;
    if (entry.kind === 'directory') return newDirectory(layer);
    if (entry.kind === 'symlink') {
      if (entry.target === '' || entry.target.includes('\0') || Buffer.byteLength(entry.target) > PATH_BYTES_MAX) {
        throw refused(`the link ${entry.path.slice(0, 200)} leads to no path`);
      }
      return { kind: 'symlink', layer, target: this.kept(entry.target) };
    }
    return linked === null ? { kind: 'file', layer } : { ...linked, layer };
  }

  /** What a hard link means: its last name is taken as it is, even where it is a link itself. */
  private linked(target: string): { readonly node: Leaf; readonly path: string } {
    const parts = partsOf(target);
    const name = parts.at(-1) ?? '';
    const above = this.walk(parts.slice(0, -1), null);
    const node = above?.node.kind === 'directory' ? above.node.children.get(name) : undefined;
    if (above === null || node === undefined || node.kind === 'directory') {
      throw refused(`a hard link leads to ${JSON.stringify(target.slice(0, 200))}, which is no file of the image`);
    }
    return { node, path: joined(above.path, name) };
  }

  private hide(above: readonly string[], name: string): readonly TreeStep[] {
    const hidden = name.slice(WHITEOUT.length);
    if (name !== OPAQUE && ['', '.', '..'].includes(hidden)) throw refused(`${name} is no whiteout`);
    const walked = this.walk(above, null);
    if (walked?.node.kind !== 'directory') return [];
    const place = { directory: walked.node, path: walked.path };
    const steps: TreeStep[] = [];
    if (name === OPAQUE) this.prune(place, steps);
    else this.hideChild(place, hidden, steps);
    return steps;
  }

  /** Removes what lower layers put into a directory. */
  private prune({ directory, path }: Place, steps: TreeStep[]): void {
    if (directory.prunedBy === this.layer) return;
    for (const name of directory.children.keys()) this.hideChild({ directory, path }, name, steps);
    directory.prunedBy = this.layer;
  }

  private hideChild(place: Place, name: string, steps: TreeStep[]): void {
    this.visit();
    const node = place.directory.children.get(name);
    if (node === undefined) return;
    const at = joined(place.path, name);
    if (node.kind === 'directory') this.prune({ directory: node, path: at }, steps);
    const isOfThisLayer = node.layer === this.layer || (node.kind === 'directory' && node.children.size > 0);
    if (isOfThisLayer) return;
    place.directory.children.delete(name);
    steps.push({ do: 'remove', at });
  }
}
