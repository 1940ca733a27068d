import type { Trial } from '../trial.ts';

const MONEY_HEADER = 'long add(long one, long other);\n';
const MONEY = '#include "money.h"\n\nlong add(long one, long other) { return one + other; }\n';

const PROGRAM = `#include <stdio.h>
#include "money.h"

int main(void) {
  printf("%ld\\n", add(1, 2));
  return 0;
}
`;

const TEST = `#include <stdio.h>
#include "money.h"

int main(void) {
  if (add(1, 2) == 3) return 0;
  fprintf(stderr, "1 + 2 is %ld\\n", add(1, 2));
  return 1;
}
`;

const MAKEFILE = `CFLAGS ?= -O1 -Wall

.PHONY: build test lint clean

build: bin/shop

bin/shop: app.c lib/money.c lib/money.h
	mkdir -p bin
	$(CC) $(CFLAGS) -Ilib -o $@ app.c lib/money.c

bin/test: checks/money.c lib/money.c lib/money.h
	mkdir -p bin
	$(CC) $(CFLAGS) -Ilib -o $@ checks/money.c lib/money.c

test: bin/test
	./bin/test

lint:
	$(CC) -fsyntax-only -Wall -Werror -Ilib app.c lib/money.c checks/money.c

clean:
	rm -rf bin
`;

/** Two folders with tasks that know nothing of each other. */
export const make: Trial = {
  name: 'make',
  toolchain: 'c',
  files: () => ({
    'money/Makefile': MAKEFILE,
    'money/app.c': PROGRAM,
    'money/lib/money.c': MONEY,
    'money/lib/money.h': MONEY_HEADER,
    'money/checks/money.c': TEST,
    'greet/Makefile': 'check:\n\ttest "$$(sh greet.sh you)" = "hello you"\n',
    'greet/greet.sh': 'echo "hello $1"\n',
  }),
  jobs: ['build-money', 'lint-money', 'test-money', 'test-greet'],
  bugs: [
    {
      what: 'a bug in a source',
      path: 'money/lib/money.c',
      from: 'one + other',
      to: 'one - other',
      outcomes: { 'build-money': 'succeeded', 'lint-money': 'succeeded', 'test-money': 'failed' },
      told: /1 \+ 2 is -1/u,
    },
    {
      what: 'a bug that a check of another name finds',
      path: 'greet/greet.sh',
      from: 'hello',
      to: 'hullo',
      outcomes: { 'test-greet': 'failed' },
      told: /\*\*\* \[Makefile:2: check\]/u,
    },
  ],
};

const LISTS = `cmake_minimum_required(VERSION 3.16)
project(shop VERSION 0.1.0 LANGUAGES C)

include(CTest)
add_subdirectory(money)
add_executable(shop app.c)
target_link_libraries(shop PRIVATE money)

if(BUILD_TESTING)
  add_executable(adds checks/money.c)
  target_link_libraries(adds PRIVATE money)
  add_test(NAME adds COMMAND adds)
endif()
`;

const PRESETS = {
  version: 3,
  configurePresets: [
    { name: 'base', hidden: true, generator: 'Unix Makefiles', binaryDir: '${sourceDir}/out' },
    { name: 'ci', inherits: 'base', cacheVariables: { CMAKE_BUILD_TYPE: 'Debug' } },
  ],
};

/** Two projects, one with a library in a folder of its own, the other set up by a preset. */
export const cmake: Trial = {
  name: 'cmake',
  toolchain: 'c',
  files: () => ({
    'shop/CMakeLists.txt': LISTS,
    'shop/app.c': PROGRAM,
    'shop/checks/money.c': TEST,
    'shop/money/CMakeLists.txt': 'add_library(money STATIC money.c)\ntarget_include_directories(money PUBLIC .)\n',
    'shop/money/money.c': MONEY,
    'shop/money/money.h': MONEY_HEADER,
    'other/CMakeLists.txt':
      'cmake_minimum_required(VERSION 3.21)\nproject(other C)\nenable_testing()\nadd_executable(other main.c)\nadd_test(NAME runs COMMAND other)\n',
    'other/CMakePresets.json': JSON.stringify(PRESETS, null, 2),
    'other/main.c': 'int main(void) { return 0; }\n',
  }),
  jobs: ['build-other', 'build-shop', 'test-other', 'test-shop'],
  bugs: [
    {
      what: 'a bug in a library of a project',
      path: 'shop/money/money.c',
      from: 'one + other',
      to: 'one - other',
      outcomes: { 'build-shop': 'succeeded', 'test-shop': 'failed' },
      told: /1 \+ 2 is -1/u,
    },
    {
      what: 'a program that does not compile',
      path: 'other/main.c',
      from: 'return 0;',
      to: 'return 0',
      outcomes: { 'build-other': 'failed', 'test-other': 'failed' },
      told: /error: expected/u,
    },
  ],
};
