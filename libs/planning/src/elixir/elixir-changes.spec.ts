import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { filesOfTree } from '../detectors/trees/tree-text.fixture.ts';
import { changedIn } from '../change-in-tree.fixture.ts';
import { readMix, readMixLock } from './mix.ts';

const UMBRELLA = filesOfTree(
  readFileSync(new URL('../detectors/trees/elixir-umbrella.tree.txt', import.meta.url), 'utf8'),
);
const jobs = changedIn(UMBRELLA);
const CART = ['build-apps-cart', 'test-apps-cart'];
const MONEY = ['build-apps-money', 'lint-apps-money'];
const CLOCK = ['build-clock', 'test-clock', 'typecheck-clock'];
const ALL = [...CART, ...MONEY, ...CLOCK, 'lint'].sort();

describe('a change under an umbrella of Elixir', () => {
  it.each<[what: string, path: string, from: string, to: string, jobs: readonly string[]]>([
    ['a source of an app', 'apps/cart/lib/cart.ex', 'Cart', 'Carts', [...CART, 'lint']],
    ['an app that another needs', 'apps/money/mix.exs', '"~> 2.0"', '"~> 2.1"', [...CART, ...MONEY, 'lint']],
    ['what an app is tested with', 'clock/test/clock_test.exs', 'Clock', 'Clocks', ['test-apps-cart', ...CLOCK]],
    ['settings of the umbrella', 'config/config.exs', 'Config', 'Config # all', ALL],
    ['a locked package that one app needs', 'mix.lock', '"eeee"', '"ee00"', [...CART, ...MONEY, 'lint']],
    ['what a locked package needs in turn', 'mix.lock', '"aaaa"', '"aa00"', ['lint']],
    ['versions of tools', '.tool-versions', '1.16.2', '1.16.3', ALL],
    ['the release of an app', 'apps/cart/mix.exs', '"0.1.0"', '"0.2.0"', []],
    ['a remark in a manifest', 'apps/cart/mix.exs', '# {:unused', '# {:used', []],
  ])('given %s, then the jobs are right', (_what, path, from, to, expected) => {
    expect(jobs(path, from, to)).toEqual(expected.toSorted());
  });

  it.each<[what: string, code: string, counts: boolean]>([
    ['the version of a project', 'def project, do: [\n  app: :a,\n  version: "1",\n]', false],
    ['a version with a name', '@version "1"\ndef project, do: [\n  version: @version,\n]', false],
    [
      'a version that addresses take',
      '@version "1"\ndef project, do: [\n  version: @version,\n  url: "u/#{@version}",\n]',
      true,
    ],
    [
      'a version that is asked for',
      '@version "1"\ndef project, do: [\n  version: @version,\n  deps: [{:a, @version}],\n]',
      true,
    ],
    [
      'the version of a release',
      'def project, do: [\n  releases: [\n    a: [\n      version: "1",\n    ]\n  ]\n]',
      true,
    ],
    ['one of two versions', 'def project, do: [\n  version: "1",\n  other: [\n    version: "0"\n  ]\n]', true],
  ])('given %s, then it is known whether another counts', (_what, code, counts) => {
    const [before, after] = [code, code.replace('"1"', '"2"')].map((text) => readMix(text)?.meaning);
    expect(before !== after).toBe(counts);
  });

  it('given a manifest that nobody wrote, then it is not read rather than in part', () => {
    expect(readMix(`app: :a${' '.repeat(600_000)}`)).toBeNull();
  });

  it('given very many lines of nothing, then reading takes a moment', () => {
    expect(readMix(`a${'\u2028'.repeat(400_000)}b`)?.name).toBeNull();
  });

  it('given a page that a module documents itself with or a test reads, then whom that concerns', () => {
    const read = changedIn({
      ...UMBRELLA,
      'apps/cart/README.md': 'A cart\n',
      'apps/cart/lib/doc.ex': 'defmodule Cart.Doc do\n  @moduledoc File.read!("README.md")\nend\n',
      'clock/README.md': 'A clock\n',
      'clock/test/readme_test.exs': 'defmodule ReadmeTest do\n  doctest_file Path.join(__DIR__, "../README.md")\nend\n',
    });
    expect(read('apps/cart/README.md', 'A cart', 'The cart')).toEqual([...CART, 'lint'].sort());
    expect(read('clock/README.md', 'A clock', 'The clock')).toEqual(['test-clock']);
  });

  it('given a lockfile with a conflict, then it is not read', () => {
    expect(readMixLock('%{\n<<<<<<< ours\n  "a": {:hex, :a, "1"\n}\n')).toBeNull();
  });

  it('given a file that opens ten thousand dependencies and closes none, then reading takes a moment', () => {
    expect(readMix('{:a, '.repeat(50_000))?.dependencies).toEqual([]);
  });
});
