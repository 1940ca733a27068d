import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { condenseGoFile, readGoFile, type GoFile } from './source-file.ts';
import { inclusionOf } from './build-constraints.ts';

const scanned = (text: string): GoFile | null => readGoFile(condenseGoFile(text) ?? '');

describe('a .go file in short', () => {
  it('has its package, imports in every form, constraint and embedded files', () => {
    const text = `// Copyright
//go:build linux && !race
/* package wrong */
package store // import "example.org/store"

import "fmt"
import (
	_ "embed"
	mock "example.org/mock"
	. "example.org/dot"; "example.org/one-line"
	// "example.org/commented"
	\`example.org/raw\`
)

//go:embed assets/* "with space.txt" all:hidden
var files embed.FS

const text = "import \\"no\\"" + \`
import "neither"
//go:embed not-this
\`
`;
    expect(scanned(text)).toEqual({
      packageName: 'store',
      imports: ['fmt', 'embed', 'example.org/mock', 'example.org/dot', 'example.org/one-line', 'example.org/raw'],
      constraint: 'linux && !race',
      embeds: ['assets/*', 'with space.txt', 'hidden'],
      outside: [],
      named: [],
    });
  });

  it('has the paths that lead out of its folder, and not every pair of dots', () => {
    const text = `package a
var x = []any{
	os.Open("../testdata/x.json"), filepath.Join("..", "docs", name), filepath.Join(
		"..",
		"schema.json"),
	"../fixtures/case-" + name, filepath.Abs("../.."), strings.HasPrefix(path, "../"), "..", '"', "a/../b",
}
`;
    expect(scanned(text)?.outside).toEqual([
      { path: '../testdata/x.json', open: false },
      { path: '../docs', open: true },
      { path: '../schema.json', open: false },
      { path: '../fixtures', open: true },
      { path: '../..', open: false },
      { path: '..', open: false, bare: true },
    ]);
  });

  it('has the words of its literals that may name a package', () => {
    const text = `package a
var x = []any{"go run ./cmd/gen\\n", \`example.org/shop/cmd\`, "../cmd/server/main.go", "../testdata/a.json", "https://example.org/a"}
var y = load("a b", os.Args, "../...")
`;
    expect(scanned(text)).toMatchObject({
      named: ['./cmd/gen', 'example.org/shop/cmd', '../cmd/server/main.go', '../testdata/a.json', '../...'],
      outside: [
        { path: '../cmd/server/main.go', open: true },
        { path: '../testdata/a.json/https://example.org/a', open: false },
        { path: '../testdata/a.json', open: false },
        { path: '..', open: false },
      ],
    });
  });

  it('has what its C includes from elsewhere, where it has C', () => {
    const preamble = `// #include "../inc/x.h"
/*
#cgo linux CFLAGS: -I\${SRCDIR}/../api -I../port
#include <stdio.h>
*/
`;
    expect(scanned(`package a\n\n${preamble}import "C"\n`)?.outside.map(({ path }) => path)).toEqual([
      '../inc/x.h',
      '../api',
      '../port',
    ]);
    expect(scanned(`package a\n\n${preamble}import "fmt"\n`)?.outside).toEqual([]);
  });

  it('has the constraint of before there was go:build', () => {
    expect(scanned('// +build linux,amd64 darwin\n// +build !cgo\n\npackage a\n')?.constraint).toBe(
      '((linux && amd64) || (darwin)) && ((!cgo))',
    );
  });

  it('law: any text gives something that can be read again', () => {
    const piece = fc.constantFrom(
      'package a\n',
      'import (',
      '"',
      '`',
      "'",
      '/*',
      '*/',
      '//',
      '\n',
      '"../x"',
      ',',
      '\\',
      ')',
      'é',
    );
    fc.assert(
      fc.property(
        fc.array(piece).map((pieces) => pieces.join('')),
        (text) => {
          expect(scanned(text)).not.toBeNull();
        },
      ),
    );
  });

  it('takes time in proportion to its size, whatever is left open', () => {
    for (const open of ['/*', '"', '`', "'", 'import (', '"..",', '//go:embed ']) {
      expect(scanned(`package a\n${open.repeat(200_000)}`)?.packageName).toBe('a');
    }
  });
});

describe('whether a file is built', () => {
  it.each([
    ['store.go', null, 'always'],
    ['store_linux.go', null, 'sometimes'],
    ['store_windows.go', null, 'never'],
    ['store_linux_arm64_test.go', null, 'sometimes'],
    ['store_windows_amd64.go', null, 'never'],
    ['linux.go', null, 'always'],
    ['a_test.go', 'integration', 'never'],
    ['a.go', 'ignore', 'never'],
    ['a.go', '!integration', 'always'],
    ['a.go', 'unix && go1.21', 'always'],
    ['a.go', 'go1.24', 'always'],
    ['a.go', 'go1.25', 'sometimes'],
    ['a.go', '!go1.25', 'sometimes'],
    ['a.go', '!go1.24', 'never'],
    ['a.go', 'linux || windows', 'sometimes'],
    ['a.go', '!(windows || plan9)', 'always'],
    ['a.go', 'cgo', 'sometimes'],
    ['a.go', '(linux', 'sometimes'],
    ['a.go', 'linux || ) darwin', 'sometimes'],
  ])('%s with %s: %s', (name, constraint, expected) => {
    expect(inclusionOf(name, constraint, '1.24.1')).toBe(expected);
  });

  it('is open when its constraint nests without end', () => {
    expect(inclusionOf('a.go', '('.repeat(99_999), null)).toBe('sometimes');
  });

  it('is open about releases when its module names none', () => {
    expect(inclusionOf('a.go', 'go1.18', null)).toBe('sometimes');
  });
});
