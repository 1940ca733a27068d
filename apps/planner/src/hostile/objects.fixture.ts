import { isDeepStrictEqual } from 'node:util';
import { canonicalJson } from '@delta-ci/contracts';
import type { TreeLine } from '../../../../test/support/git-server/made-objects.ts';
import {
  affects,
  everythingRuns,
  planned,
  refused,
  runs,
  wrongWith,
  type Expected,
  type Hostile,
  type HostilePlace,
} from './place.fixture.ts';

/** Hostile objects, names and links: what git itself has to get past first. */

const GIB = 1_024 ** 3;
const MIB = 1_024 ** 2;

/** Every path that changed is told of, in a plan that can be written down. */
const tellsOf = (count: number): Expected =>
  planned((plan) => [
    ...(plan.files.length === count ? [] : [`it tells of ${plan.files.length} files`]),
    ...(isDeepStrictEqual(JSON.parse(canonicalJson(plan)), plan) ? [] : ['it is not what is written down']),
    ...wrongWith(everythingRuns, plan),
  ]);

/** A tree of `width` names that all stand for the same tree of `width` names, and so on: `width ** levels` files. */
async function repeated(place: HostilePlace, width: number, levels: number): Promise<string> {
  const blob = await place.blob('x');
  let [id, mode] = [blob, '100644'];
  for (let level = 0; level < levels; level += 1) {
    const entries = Array.from({ length: width }, (_, at): TreeLine => ({
      mode,
      id,
      name: `n${String(at).padStart(4, '0')}`,
    }));
    id = await place.tree(entries, { alone: true });
    mode = '40000';
  }
  return place.commitTree(await place.tree([{ mode, id, name: 'many' }]));
}

async function named(place: HostilePlace, names: readonly (string | Buffer)[]): Promise<string> {
  const id = await place.blob('x');
  return place.commitTree(await place.tree(names.map((name) => ({ mode: '100644', id, name }))));
}

const within = async (place: HostilePlace, folder: string, name: string): Promise<string> => {
  const id = await place.tree([{ mode: '100644', id: await place.blob('[core]\n\tfsmonitor = false\n'), name }], {
    alone: true,
  });
  return place.commitTree(await place.tree([{ mode: '40000', id, name: folder }]));
};

const modules =
  (content: string) =>
  async (place: HostilePlace): Promise<string> =>
    place.commit({ '.gitmodules': content, lib: { submodule: '1'.repeat(40) } });

export const HOSTILE_OBJECTS: Readonly<Record<string, Hostile>> = {
  'a manifest of a gigabyte': {
    make: async (place) =>
      place.commit({ 'packages/cart/package.json': { object: await place.zeros(GIB), mode: '100644' } }),
    expected: refused('manifest_unreadable'),
  },
  'a lockfile of 200 MiB': {
    make: async (place) =>
      place.commit({ 'package-lock.json': { object: await place.zeros(200 * MIB), mode: '100644' } }),
    expected: everythingRuns,
  },
  'very many megabytes of sources that take long to look at': {
    make: async (place) => {
      const id = await place.blob(`package a\n${'/"'.repeat(MIB / 2)}`);
      const sources = Array.from({ length: 30 }, (_, at): TreeLine => ({ mode: '100644', id, name: `s${at}.go` }));
      const manifest = { mode: '100644', id: await place.blob('module x.test/a\ngo 1.24\n'), name: 'go.mod' };
      const folder = await place.tree([...sources, manifest], { alone: true });
      return place.commitTree(await place.tree([{ mode: '40000', id: folder, name: 'go' }]));
    },
    expected: affects('go'),
  },
  'nearly a million files in two trees': {
    make: async (place) => repeated(place, 990, 2),
    // As fast as the machine is.
    expected: { ...everythingRuns, refused: ['planning_timed_out'] },
  },
  'more than a million files': {
    make: async (place) => repeated(place, 1_001, 2),
    expected: refused('too_many_entries'),
  },
  'a billion files in three trees': {
    make: async (place) => repeated(place, 1_000, 3),
    expected: refused('too_many_entries'),
  },
  'a trillion trillion files in eight trees': {
    make: async (place) => repeated(place, 1_000, 8),
    expected: refused('too_many_entries', 'unexpected_output'),
  },
  'names with line ends, tabs, quotes and control characters': {
    make: async (place) =>
      named(place, [
        'a\nb',
        'a\tb',
        'a"b',
        "a'b",
        '\u0007bell',
        '\u001b[2Jclear',
        'a\\b',
        '\u202Ebidi',
        ' ',
        '$(x)',
        '`x`',
        ';x',
      ]),
    expected: tellsOf(12),
  },
  'names that are not UTF-8': {
    make: async (place) =>
      named(place, [Buffer.from([0xff, 0xfe]), Buffer.from([0x61, 0xc3]), Buffer.from([0xed, 0xa0, 0x80])]),
    expected: tellsOf(3),
  },
  'a name as long as any may be': {
    make: async (place) => named(place, ['n'.repeat(4_095)]),
    expected: tellsOf(1),
  },
  'a name of a megabyte and more': {
    make: async (place) => named(place, ['n'.repeat(2 * MIB)]),
    expected: refused('unexpected_output', 'hostile_objects'),
  },
  'a path of 200 folders': {
    make: async (place) => place.commit({ [`${'deep/'.repeat(200)}x`]: 'x' }),
    expected: tellsOf(1),
  },
  'a path that is longer than any may be': {
    make: async (place) => place.commit({ [`${'deep/'.repeat(1_000)}x`]: 'x' }),
    expected: refused('plan_rejected'),
  },
  'names that look like options': {
    make: async (place) =>
      named(place, ['--upload-pack=touch HACKED', '-c', '--output=HACKED', '--end-of-options', '-', '--']),
    expected: tellsOf(6),
  },
  'names of the prototype': {
    make: async (place) => named(place, ['__proto__', 'constructor', 'hasOwnProperty', 'toString']),
    expected: tellsOf(4),
  },
  'a folder called .git': {
    make: async (place) => within(place, '.git', 'config'),
    expected: refused('hostile_objects'),
  },
  'a folder called .GIT': {
    make: async (place) => within(place, '.GIT', 'config'),
    expected: refused('hostile_objects'),
  },
  'a folder called git~1': {
    make: async (place) => within(place, 'git~1', 'config'),
    expected: refused('hostile_objects'),
  },
  'a folder called .git with a character nobody sees': {
    make: async (place) => within(place, '.g\u200cit', 'config'),
    expected: refused('hostile_objects'),
  },
  'a folder called ..': {
    make: async (place) => within(place, '..', 'config'),
    expected: refused('hostile_objects'),
  },
  'a name with a slash in it': {
    make: async (place) => named(place, ['a/../../b']),
    expected: refused('hostile_objects'),
  },
  'two entries of one name': {
    make: async (place) => named(place, ['twice', 'twice']),
    expected: refused('hostile_objects'),
  },
  'links in circles, out of the repository and onto themselves': {
    make: async (place) =>
      place.commit({
        'packages/cart/one': { link: 'two' },
        'packages/cart/two': { link: 'one' },
        'packages/cart/self': { link: '.' },
        'packages/cart/around': { link: '../../packages' },
        'packages/cart/passwords': { link: '/etc/passwd' },
        'packages/cart/outside': { link: '../'.repeat(50) },
        'packages/cart/empty': { link: ' ' },
        'packages/cart/long': { link: 'x/'.repeat(2_000) },
      }),
    expected: runs('test-packages-cart'),
  },
  'a manifest that is a link onto itself': {
    make: async (place) => place.commit({ 'packages/cart/package.json': { link: 'package.json' } }),
    expected: refused('manifest_unreadable'),
  },
  'a manifest that is a link to a secret': {
    make: async (place) => place.commit({ 'packages/cart/package.json': { link: '/proc/self/environ' } }),
    expected: refused('manifest_unreadable'),
  },
  'a manifest that is a submodule': {
    make: async (place) => place.commit({ 'packages/cart/package.json': { submodule: '1'.repeat(40) } }),
    expected: planned(({ units }) => units.map(({ id }) => id).filter((id) => id === 'packages/cart')),
  },
  'twenty thousand links out of one unit': {
    make: async (place) =>
      place.commit(
        Object.fromEntries(
          Array.from({ length: 20_000 }, (_, at) => [`packages/cart/l${at}`, { link: `../money/src/f${at}` }]),
        ),
      ),
    expected: runs('test-packages-cart'),
  },
  'filters, hooks and monitors that the repository would like to be run': {
    make: async (place) =>
      place.commit({
        '.gitattributes': '* filter=evil diff=evil merge=evil text eol=crlf\n',
        '.gitconfig':
          '[core]\n\tfsmonitor = touch HACKED\n\thooksPath = hooks\n[filter "evil"]\n\tsmudge = touch HACKED\n',
        'hooks/post-checkout': { program: '#!/bin/sh\ntouch HACKED\n' },
        '.lfsconfig': '[lfs]\n\turl = ext::touch HACKED\n',
      }),
    expected: everythingRuns,
  },
  'a submodule whose address is a command': {
    make: modules('[submodule "lib"]\n\tpath = lib\n\turl = ext::sh -c touch% HACKED\n\tupdate = !touch HACKED\n'),
    expected: refused('hostile_objects'),
  },
  'a submodule whose address is one of a helper': {
    make: modules('[submodule "lib"]\n\tpath = lib\n\turl = ext::sh -c touch% HACKED\n'),
    expected: everythingRuns,
  },
  'a submodule whose address is an option': {
    make: modules('[submodule "lib"]\n\tpath = lib\n\turl = --upload-pack=touch HACKED\n'),
    expected: refused('hostile_objects'),
  },
  'a submodule whose path is an option': {
    make: modules('[submodule "lib"]\n\tpath = --upload-pack=touch\n\turl = https://example.invalid/x\n'),
    expected: refused('hostile_objects'),
  },
  'a submodule whose name leads out': {
    make: modules('[submodule "../../hooks"]\n\tpath = lib\n\turl = https://example.invalid/x\n'),
    expected: refused('hostile_objects'),
  },
  'a .gitmodules that is a link': {
    make: async (place) => place.commit({ '.gitmodules': { link: 'elsewhere' } }),
    expected: refused('hostile_objects'),
  },
  'a ref that is an option': {
    make: async () => 'd'.repeat(40),
    change: { ref: '--upload-pack=touch HACKED' },
    expected: refused('commit_not_found'),
  },
  'a ref whose last part is an option': {
    make: async () => 'e'.repeat(40),
    change: { ref: 'refs/heads/--upload-pack=touch HACKED' },
    expected: refused('commit_not_found'),
  },
  'a target whose name is an option': {
    make: async (place) => place.commit({ 'packages/cart/x': 'x' }),
    change: { base: null, targetRef: 'refs/heads/-c core.sshCommand=touch HACKED' },
    expected: refused('invalid_ref'),
  },
};
