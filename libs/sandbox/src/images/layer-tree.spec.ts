import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ImageRefused } from './image-refused.ts';
import { LayerTree, type LayerEntry, type TreeStep } from './layer-tree.ts';

/** A disk as the steps leave it: what lies at each path. Insists that each step can be carried out as it stands. */
class Disk {
  readonly at = new Map<string, string>();

  carryOut(step: TreeStep, content: string): void {
    const parts = step.at.split('/');
    for (let depth = 1; depth < parts.length; depth += 1) {
      const above = parts.slice(0, depth).join('/');
      if (this.at.get(above) !== 'directory') throw new Error(`${step.do} ${step.at}: ${above} is no directory`);
    }
    if (step.at.startsWith('/') || parts.includes('..') || parts.includes(''))
      throw new Error(`${step.at} leads elsewhere`);
    if (step.do === 'remove') {
      for (const path of this.at.keys()) if (path === step.at || path.startsWith(`${step.at}/`)) this.at.delete(path);
      return;
    }
    const there = this.at.get(step.at);
    if (there !== undefined && !(step.do === 'directory' && there === 'directory'))
      throw new Error(`${step.at} is there`);
    if (step.do === 'directory') this.at.set(step.at, 'directory');
    if (step.do === 'file') this.at.set(step.at, `file ${content}`);
    if (step.do === 'symlink') this.at.set(step.at, `to ${step.target}`);
    if (step.do === 'link') {
      const found = this.at.get(step.to);
      if (found === undefined || found === 'directory') throw new Error(`${step.to} is no file`);
      this.at.set(step.at, found);
    }
  }
}

type Written = LayerEntry & { readonly content?: string };

function apply(layers: readonly (readonly Written[])[]): ReadonlyMap<string, string> {
  const tree = new LayerTree();
  const disk = new Disk();
  for (const layer of layers) {
    tree.nextLayer();
    for (const entry of layer) for (const step of tree.place(entry)) disk.carryOut(step, entry.content ?? '');
  }
  return disk.at;
}

const file = (path: string, content = ''): Written => ({ kind: 'file', path, content });
const directory = (path: string): Written => ({ kind: 'directory', path });
const symlink = (path: string, target: string): Written => ({ kind: 'symlink', path, target });
const link = (path: string, target: string): Written => ({ kind: 'link', path, target });

describe('the tree that layers add up to', () => {
  it('given a link to a directory, what lies below its name lies in the directory', () => {
    const disk = apply([[directory('usr/bin'), symlink('bin', 'usr/bin')], [file('bin/tool', 'x')]]);
    expect(disk.get('usr/bin/tool')).toBe('file x');
    expect(disk.get('bin')).toBe('to usr/bin');
  });

  it.each([
    ['an absolute link', '/etc'],
    ['a link that climbs', '../../../../etc'],
    ['a link that climbs through itself', 'x/../../../etc'],
  ])('given %s, what lies below its name stays in the tree', (_, target) => {
    const disk = apply([[symlink('out', target), symlink('x', '.')], [file('out/passwd', 'mine')]]);
    expect(disk.get('etc/passwd')).toBe('file mine');
  });

  it('given a whiteout, what lower layers have is gone, and what its own layer brings stays, in any order', () => {
    const lower = [file('a/old'), file('a/new', 'old'), file('b')];
    const upper = [file('.wh.b'), file('a/.wh.old'), file('a/new', 'new'), file('a/.wh.new')];
    for (const layer of [upper, upper.toReversed()]) {
      expect(apply([lower, layer])).toEqual(
        new Map([
          ['a', 'directory'],
          ['a/new', 'file new'],
        ]),
      );
    }
  });

  it('given an opaque directory, nothing of lower layers is left below it, at any depth', () => {
    const disk = apply([
      [file('a/b/old'), file('a/c/d/old')],
      [file('a/b/new'), file('a/.wh..wh..opq')],
    ]);
    expect([...disk.keys()].sort()).toEqual(['a', 'a/b', 'a/b/new']);
  });

  it('given bookkeeping of an old union file system, it is left out', () => {
    expect([...apply([[directory('.wh..wh.plnk'), file('.wh..wh.plnk/1'), file('a')]]).keys()]).toEqual(['a']);
  });

  it('given a hard link, it is what it is linked to, and stays so when that is replaced', () => {
    const disk = apply([[file('a', 'one'), link('b', 'a')], [file('a', 'two')]]);
    expect([disk.get('a'), disk.get('b')]).toEqual(['file two', 'file one']);
  });

  it.each<[string, readonly Written[]]>([
    ['a path that climbs', [file('../x')]],
    ['a path that climbs later', [file('a/../../x')]],
    ['a name with a NUL byte', [file('a\0b')]],
    ['a name that is too long', [file('a'.repeat(256))]],
    ['a path that is too long', [file('a/'.repeat(1_600))]],
    ['something below a file', [file('a'), file('a/b')]],
    ['something below a link to a file', [file('a'), symlink('b', 'a'), file('b/c')]],
    ['something below a link to itself', [symlink('a', 'a'), file('a/b')]],
    ['a hard link to nothing', [link('a', 'b')]],
    ['a hard link to a directory', [directory('b'), link('a', 'b')]],
    ['a hard link outside', [link('a', '../../etc/passwd')]],
    ['a hard link in the place of the directory it leads into', [file('a/b'), link('a', 'a/b')]],
    ['a whiteout of the directory above', [file('a/.wh...')]],
    ['a whiteout of nothing', [file('a/.wh.')]],
    ['something below a whiteout', [file('.wh.a/b')]],
    ['a link to nothing', [symlink('a', '')]],
    ['a root that is a file', [file('./')]],
  ])('given %s, the layer is refused', (_, layer) => {
    expect(() => apply([layer])).toThrow(ImageRefused);
  });

  it('given links that lead through one another, it gives up', () => {
    const links = Array.from({ length: 36 }, (_, n) => symlink(`l${n}`, `${`l${n + 1}/../`.repeat(300)}l${n + 1}`));
    const layer = [directory('l36'), ...links];
    const asked = Array.from({ length: 2_000 }, (_, n) => file(`l0/f${n}`));
    expect(() => apply([layer, asked])).toThrow(ImageRefused);
  });

  const name = fc.constantFrom('a', 'b', 'c');
  const path = fc.array(name, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'));

  /** Layers without links, in which a path is a file or a directory and not both. */
  const plainLayer = fc
    .record({
      files: fc.uniqueArray(path, { maxLength: 6 }),
      hidden: fc.array(path, { maxLength: 3 }),
      opaque: fc.array(path, { maxLength: 2 }),
    })
    .map(({ files, hidden, opaque }) => ({
      files: files.filter((one) => !files.some((other) => other.startsWith(`${one}/`))),
      hidden,
      opaque,
    }));

  const dirname = (at: string): string => at.split('/').slice(0, -1).join('/');
  const within = (at: string, top: string): boolean => at === top || at.startsWith(`${top}/`);

  it('given any layers, files are those that a plain model has, in whatever order a layer has its entries', () => {
    fc.assert(
      fc.property(fc.array(plainLayer, { maxLength: 4 }), fc.infiniteStream(fc.nat()), (layers, random) => {
        const model = new Map<string, string>();
        const written = layers.map(({ files, hidden, opaque }, ordinal) => {
          for (const at of model.keys()) {
            const isHidden = hidden.some((top) => within(at, top)) || opaque.some((top) => at.startsWith(`${top}/`));
            // A directory takes the place of a file, and a file that of a directory.
            const isReplaced = files.some((one) => within(at, one) || within(one, at));
            if (isHidden || isReplaced) model.delete(at);
          }
          for (const at of files) model.set(at, `file ${ordinal}`);
          const entries: Written[] = [
            ...files.flatMap((at) => [...dirsAbove(at).map(directory), file(at, String(ordinal))]),
            ...hidden.map((at) => file(`${dirname(at)}/.wh.${at.split('/').at(-1) ?? ''}`)),
            ...opaque.map((at) => file(`${at}/.wh..wh..opq`)),
          ];
          return stableShuffle(entries, random);
        });
        const files = [...apply(written)].filter(([, what]) => what !== 'directory');
        expect(new Map(files)).toEqual(model);
      }),
      { numRuns: 400 },
    );
  });

  function dirsAbove(at: string): readonly string[] {
    const parts = at.split('/').slice(0, -1);
    return parts.map((_, index) => parts.slice(0, index + 1).join('/'));
  }

  /** Whiteouts anywhere; directories still before what is in them, as every archive has them. */
  function stableShuffle(entries: readonly Written[], random: Iterator<number>): Written[] {
    const isWhiteout = ({ path: at }: Written): boolean => at.includes('.wh.');
    const shuffled = entries.filter((entry) => !isWhiteout(entry));
    for (const entry of entries.filter(isWhiteout)) {
      shuffled.splice((random.next().value ?? 0) % (shuffled.length + 1), 0, entry);
    }
    return shuffled;
  }

  /** What goes wrong with layers, other than that they are refused. */
  function failureOf(layers: readonly (readonly Written[])[]): unknown {
    try {
      apply(layers);
      return null;
    } catch (reason) {
      return reason instanceof ImageRefused ? null : reason;
    }
  }

  const any: fc.Arbitrary<Written> = fc.oneof(
    path.map((at) => file(at)),
    path.map(directory),
    fc
      .tuple(path, fc.constantFrom('/', '..', 'a', '/a/b', '../..', 'b/../c', '/c/../../a'))
      .map(([at, to]) => symlink(at, to)),
    fc.tuple(path, path).map(([at, to]) => link(at, to)),
    fc.tuple(path, name).map(([at, hidden]) => file(`${at}/.wh.${hidden}`)),
    path.map((at) => file(`${at}/.wh..wh..opq`)),
  );

  it('given any entries at all, each is refused or leads to steps that can be carried out, inside the tree', () => {
    fc.assert(
      fc.property(fc.array(fc.array(any, { maxLength: 12 }), { maxLength: 3 }), (layers) => {
        expect(failureOf(layers)).toBeNull();
      }),
      { numRuns: 1_000 },
    );
  });

  it.each<[string, (at: number) => Written]>([
    ['names', (at) => file(`${at}`.padEnd(250, 'x'))],
    ['names of folders that only paths have', (at) => file(`${`${at}`.padEnd(250, 'x')}/f`)],
    ['links', (at) => symlink(`${at}`, 'x'.repeat(250))],
  ])('given more of %s than anybody has use for, then it is refused', (_, entryAt) => {
    const tree = new LayerTree(1_000);
    tree.nextLayer();
    for (let at = 0; at < 3; at += 1) tree.place(entryAt(at));
    expect(() => Array.from({ length: 3 }, (__, at) => tree.place(entryAt(3 + at)))).toThrow(ImageRefused);
  });
});
