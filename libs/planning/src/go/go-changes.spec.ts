import { describe, expect, it } from '@jest/globals';
import { explainSubject } from '@delta-ci/contracts';
import { planned, type Files } from '../planned-repository.fixture.ts';

const MODULE: Files = {
  'go.mod': 'module example.org/shop\n\ngo 1.24\n\nrequire example.org/far v1.0.0\n',
  'go.sum': 'example.org/far v1.0.0 h1:aa=\nexample.org/far v1.0.0/go.mod h1:bb=\n',
  Makefile: 'all:\n',
  'main.go': 'package main\n\nimport "example.org/shop/cart"\n',
  'cart/cart.go': 'package cart\n\nimport "example.org/shop/money"\n',
  'cart/cart_test.go': 'package cart\n\nimport "example.org/shop/fake"\n\nvar f, _ = os.Open("../fixtures/a.json")\n',
  'cart/template.txt': 'one\n',
  'money/money.go': 'package money\n',
  'money/money_test.go': 'package money\n',
  'fake/fake.go': 'package fake\n\nimport "example.org/far"\n',
  'fixtures/a.json': '{}\n',
  'lonely/lonely.go': 'package lonely\n',
};

/** Command lines of the jobs of a change, `./...` for all. */
function linesAfter(after: Files, before: Files = MODULE): string[] {
  return planned(before, after).jobs.map(
    ({ steps }) => steps.at(-1)?.run.replace('go build -o /dev/null', 'go build') ?? '',
  );
}

const without = (path: string, files: Files): Files =>
  Object.fromEntries(Object.entries(files).filter(([each]) => each !== path));

describe('a change in a Go module', () => {
  it('of a package runs it and who imports it', () => {
    expect(linesAfter({ ...MODULE, 'money/money.go': 'package money // better\n' })).toEqual([
      'go build . ./cart ./money',
      'go vet . ./cart ./money',
      'go test ./...',
    ]);
    expect(linesAfter({ ...MODULE, 'lonely/lonely.go': 'package lonely // still\n' })).toEqual([
      'go build ./lonely',
      'go vet ./lonely',
    ]);
  });

  it('of the package in its own folder runs that package alone', () => {
    expect(linesAfter({ ...MODULE, 'main.go': `${MODULE['main.go']}// better\n` })).toEqual(['go build .', 'go vet .']);
  });

  it('of a test runs what looks at that test', () => {
    expect(linesAfter({ ...MODULE, 'money/money_test.go': 'package money // better\n' })).toEqual([
      'go vet ./money',
      'go test ./money',
    ]);
  });

  it('of what only tests import runs these tests, and not who imports what they test', () => {
    expect(linesAfter({ ...MODULE, 'fake/fake.go': `${MODULE['fake/fake.go']}// better\n` })).toEqual([
      'go build ./fake',
      'go vet ./cart ./fake',
      'go test ./cart',
    ]);
  });

  it('of a file that a test names elsewhere runs that test', () => {
    expect(linesAfter({ ...MODULE, 'fixtures/a.json': '[]\n' })).toEqual(['go test ./cart']);
  });

  it('of a file that no package has to itself runs everything', () => {
    expect(linesAfter({ ...MODULE, Makefile: 'all: one\n' })).toEqual([
      'go build ./...',
      'go vet ./...',
      'go test ./...',
    ]);
  });

  it('of the version of another module runs what imports any other, and through it its importers', () => {
    const after = {
      ...MODULE,
      'go.mod': MODULE['go.mod']?.replace('v1.0.0', 'v1.1.0') ?? '',
      'go.sum': 'example.org/far v1.1.0 h1:cc=\n',
    };
    expect(linesAfter(after)).toEqual(['go build ./fake', 'go vet ./cart ./fake', 'go test ./cart']);
  });

  it('of sums that no build uses runs nothing', () => {
    expect(linesAfter({ ...MODULE, 'go.sum': `${MODULE['go.sum']}example.org/old v0.1.0/go.mod h1:dd=\n` })).toEqual(
      [],
    );
  });

  it('of the language version runs everything', () => {
    const after = { ...MODULE, 'go.mod': MODULE['go.mod']?.replace('go 1.24', 'go 1.25') ?? '' };
    expect(linesAfter(after)).toEqual(['go build ./...', 'go vet ./...', 'go test ./...']);
  });

  it('that adds or deletes a package runs that and its importers, not the module around it', () => {
    const before = without('lonely/lonely.go', MODULE);
    expect(linesAfter(MODULE, before)).toEqual(['go build ./lonely', 'go vet ./lonely']);
    expect(linesAfter(before, MODULE)).toEqual([]);
    expect(linesAfter(without('money/money_test.go', without('money/money.go', MODULE)))).toEqual([
      'go build . ./cart',
      'go vet . ./cart',
      'go test ./...',
    ]);
  });

  it.each<[what: string, cart: Files]>([
    [
      'a test builds by its path',
      { 'cart/run_test.go': 'package cart\n\nvar c = exec.Command("go", "build", "../cmd/gen")\n' },
    ],
    [
      'a test runs by its path from the module',
      { 'cart/run_test.go': 'package cart\n\nvar c = sh("go run ./cmd/gen")\n' },
    ],
    ['a test names by its import path', { 'cart/run_test.go': 'package cart\n\nvar c = "example.org/shop/cmd/gen"\n' }],
    ['a test sees from the folder above', { 'cart/run_test.go': 'package cart\n\nvar root = ".."\n' }],
    [
      'a test tool of its own runs',
      { 'fake/run.go': 'package fake\n\nvar c = exec.Command("go", "run", "../cmd/gen/main.go")\n' },
    ],
  ])('of a package that %s runs that test, also for what that package is made of', (_what, more) => {
    const before = {
      ...MODULE,
      ...more,
      'cmd/gen/main.go': 'package main\n\nimport "example.org/shop/lonely"\n',
    };
    expect(linesAfter({ ...before, 'cmd/gen/main.go': `${before['cmd/gen/main.go']}// better\n` }, before)).toContain(
      'go test ./cart',
    );
    expect(linesAfter({ ...before, 'lonely/lonely.go': 'package lonely // better\n' }, before)).toContain(
      'go test ./cart',
    );
  });

  it('of what a package reads elsewhere, or its C includes, runs its importers too', () => {
    const before = {
      ...MODULE,
      'fake/read.go': 'package fake\n\nvar f, _ = os.ReadFile("../fixtures/b.json")\n',
      'money/coin.go': 'package money\n\n// #include "../fixtures/x.h"\nimport "C"\n',
      'fixtures/b.json': '{}\n',
      'fixtures/x.h': 'int x;\n',
    };
    expect(linesAfter({ ...before, 'fixtures/b.json': '[]\n' }, before)).toContain('go test ./cart');
    expect(linesAfter({ ...before, 'fixtures/x.h': 'int y;\n' }, before)).toEqual([
      'go build . ./cart ./money',
      'go vet . ./cart ./money',
      'go test ./...',
    ]);
  });

  it('has an answer for each package and for each job of several', () => {
    const plan = planned(MODULE, { ...MODULE, 'cart/template.txt': 'two\n' });
    expect(explainSubject(plan, 'cart')?.explanation.sentence).toBe(
      'cart is affected because cart/template.txt was modified, and it belongs to cart.',
    );
    expect(explainSubject(plan, 'money')?.explanation.decision).toBe('skip');
    expect(explainSubject(plan, 'test')?.explanation.sentence).toBe(
      'test example.org/shop runs for cart because cart/template.txt was modified, and it belongs to cart.',
    );
  });
});
