import type { Trial } from '../trial.ts';

const MONEY = 'package money\n\nfunc Add(one, other int) int { return one + other }\n';

const MONEY_TEST = `package money

import "testing"

func TestAdd(t *testing.T) {
	if Add(1, 2) != 3 {
		t.Fatalf("1 + 2 is %d", Add(1, 2))
	}
}
`;

/** @param money import path of the package that adds */
const cart = (money: string): string => `package cart

import "${money}"

func Total(prices ...int) int {
	total := 0
	for _, price := range prices {
		total = money.Add(total, price)
	}
	return total
}
`;

const CART_TEST = `package cart

import "testing"

func TestTotal(t *testing.T) {
	if Total(1, 2, 3) != 6 {
		t.Fatal(Total(1, 2, 3))
	}
}
`;

const GREET = 'package greet\n\nfunc Greet(name string) string { return "hello " + name }\n';

const GREET_TEST = `package greet

import "testing"

func TestGreet(t *testing.T) {
	if Greet("you") != "hello you" {
		t.Fatal(Greet("you"))
	}
}
`;

const program = (imported: string): string => `package main

import (
	"fmt"

	"${imported}"
)

func main() { fmt.Println(cart.Total(1, 2)) }
`;

/** One module: its packages run in one job of each kind, and a change leaves those out that it does not reach. */
export const goModule: Trial = {
  name: 'go-module',
  toolchain: 'go',
  files: () => ({
    'go.mod': 'module example.test/all\n\ngo 1.19\n',
    'money/money.go': MONEY,
    'money/money_test.go': MONEY_TEST,
    'cart/cart.go': cart('example.test/all/money'),
    'cart/cart_test.go': CART_TEST,
    'cmd/shop/main.go': program('example.test/all/cart'),
    'greet/greet.go': GREET,
    'greet/greet_test.go': GREET_TEST,
  }),
  jobs: ['build', 'lint', 'test'],
  bugs: [
    {
      what: 'a bug in a package that another imports',
      path: 'money/money.go',
      from: 'one + other',
      to: 'one - other',
      outcomes: { build: 'succeeded', lint: 'succeeded', test: 'failed' },
      told: /\$ go test \.\/cart \.\/money\n[^]*FAIL\texample\.test\/all\/cart\t[^]*FAIL\texample\.test\/all\/money\t/u,
    },
    {
      what: 'a program that does not compile',
      path: 'cmd/shop/main.go',
      from: 'fmt.Println(',
      to: 'fmt.Printed(',
      outcomes: { build: 'failed', lint: 'failed' },
      told: /undefined: fmt\.Printed|Printed not declared/u,
    },
  ],
};

/** Modules that a `go.work` joins, one of which needs another in a version that was never released. */
export const goWorkspace: Trial = {
  name: 'go-workspace',
  toolchain: 'go',
  files: () => ({
    'go.work': 'go 1.19\n\nuse (\n\t./greet\n\t./money\n\t./shop\n)\n',
    'greet/go.mod': 'module example.test/greet\n\ngo 1.19\n',
    'greet/greet.go': GREET,
    'greet/greet_test.go': GREET_TEST,
    'money/go.mod': 'module example.test/money\n\ngo 1.19\n',
    'money/money.go': MONEY,
    'money/money_test.go': MONEY_TEST,
    'shop/go.mod': 'module example.test/shop\n\ngo 1.19\n\nrequire example.test/money v0.0.0\n',
    'shop/cart/cart.go': cart('example.test/money'),
    'shop/cart/cart_test.go': CART_TEST,
    'shop/cmd/shop/main.go': program('example.test/shop/cart'),
  }),
  jobs: ['greet', 'money', 'shop'].flatMap((name) => [`build-${name}`, `lint-${name}`, `test-${name}`]),
  bugs: [
    {
      what: 'a bug in a module that another requires',
      path: 'money/money.go',
      from: 'one + other',
      to: 'one - other',
      outcomes: {
        'build-money': 'succeeded',
        'lint-money': 'succeeded',
        'test-money': 'failed',
        'build-shop': 'succeeded',
        'lint-shop': 'succeeded',
        'test-shop': 'failed',
      },
      told: /--- FAIL: Test(?:Add|Total)/u,
    },
    {
      what: 'a bug that nobody else notices',
      path: 'shop/cart/cart.go',
      from: 'return total',
      to: 'return -total',
      outcomes: { 'build-shop': 'succeeded', 'lint-shop': 'succeeded', 'test-shop': 'failed' },
      told: /--- FAIL: TestTotal/u,
    },
  ],
};
