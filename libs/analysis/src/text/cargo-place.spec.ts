import { describe, expect, it } from '@jest/globals';
import { cargoPackages, cargoPlace } from './cargo-place.ts';

const compiled = (...directories: string[]) =>
  cargoPackages(directories.map((directory, at) => ({ number: at + 1, text: `   Compiling a v0.1.0 (${directory})` })));

describe('places as Rust names them', () => {
  it.each([
    ['src/lib.rs', ['/workspace'], 'src/lib.rs'],
    ['src/lib.rs', ['/workspace/rust'], 'rust/src/lib.rs'],
    ['cart/src/lib.rs', ['/workspace/cart', '/workspace/money'], 'cart/src/lib.rs'],
    ['cart/tests/a.rs', ['/workspace/rust/money', '/workspace/rust/cart'], 'rust/cart/tests/a.rs'],
    ['src/lib.rs', ['/workspace/rust/cart', '/workspace/rust'], 'rust/src/lib.rs'],
    ['cart/src/lib.rs', ['/workspace/rust/cart', '/workspace/rust'], 'rust/cart/src/lib.rs'],
    ['src/lib.rs', ['/workspace/a', '/workspace/b'], null],
    ['cart/src/lib.rs', ['/workspace/rust/money'], null],
    ['src/lib.rs', [], null],
    ['src/lib.rs', ['/root/.cargo/x', '/workspace/../x'], null],
    ['../../etc/src/lib.rs', ['/workspace'], null],
    ['/rustc/0/library/core/src/a.rs', ['/workspace'], null],
    ['/workspace/rust/src/lib.rs', [], 'rust/src/lib.rs'],
  ])('%s of packages in %j is %s', (named, directories, expected) => {
    expect(cargoPlace(named, '3', compiled(...directories))?.path ?? null).toBe(expected);
  });

  it('given lines that only look alike, then there are no packages', () => {
    const texts = ['   Compiling serde v1.0.0', 'Compiling a v1 (/workspace/a)', '   Running x (target/debug/deps/x)'];
    expect(cargoPackages(texts.map((text, at) => ({ number: at + 1, text })))).toEqual([]);
  });
});
