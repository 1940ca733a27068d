import { NEARNESS, type LogRule } from './rule.ts';

/** Compilers and runtimes of Go, Rust and Python. */
export const GO_RUST_PYTHON_RULES: readonly LogRule[] = [
  {
    id: 'go-compile-error',
    hints: ['.go:'],
    pattern: '^(?:\\./)?(?P<path>[^\\s:]+\\.go):(?P<line>[0-9]+):[0-9]+: (?P<message>.+)$',
    class: 'user',
    category: 'compile',
    confidence: 'high',
    precedence: NEARNESS.compilation,
    headline: 'Go does not compile: {message}',
    explanation: 'The Go compiler stopped at {path}: {message}',
    nextStep: 'Fix the first compiler error; those after it often follow from it.',
    examples: {
      matching: ['./cart.go:12:9: undefined: total', 'internal/cart/cart.go:7:2: "fmt" imported and not used'],
      notMatching: ['    cart_test.go:14: got 0, want 1', '\t/workspace/cart.go:12 +0x1d'],
    },
  },
  {
    id: 'go-too-old',
    hints: ['module requires Go ', 'requires go >= '],
    pattern:
      '(?:^note: module requires Go (?P<version>[0-9][\\w.]*)|^go: .+ requires go >= (?P<version2>[0-9][\\w.]*))',
    class: 'tooling',
    category: 'toolchain-missing',
    confidence: 'high',
    precedence: NEARNESS.tool,
    headline: 'The Go of this place is older than the module asks for (Go {version})',
    explanation:
      'The module asks for Go {version} and the job had an older one; what does not compile may be in order.',
    nextStep: 'Give the place that runs the job the Go that go.mod asks for (`go version` tells what it has).',
    examples: {
      matching: [
        'note: module requires Go 1.21',
        'go: go.mod requires go >= 1.23.0 (running go 1.22.4; GOTOOLCHAIN=local)',
        'go: example.com/money@v1.2.0 requires go >= 1.24 (running go 1.23; GOTOOLCHAIN=local)',
      ],
      notMatching: ['go: downloading go1.23.0 (linux/amd64)', 'this module requires Go experience'],
    },
  },
  {
    id: 'go-standard-package-missing',
    hints: ['is not in GOROOT', 'is not in std'],
    // Packages that came to the standard library since Go 1.18: only an older Go lacks them, any other name may be misspelt.
    pattern:
      ': package (?P<name>slices|maps|cmp|iter|unique|weak|structs|log/slog|math/rand/v2|net/netip|debug/buildinfo|go/version|crypto/(?:ecdh|mlkem|hkdf|pbkdf2|sha3)|encoding/json/(?:v2|jsontext)|testing/(?:slogtest|synctest)|runtime/coverage) is not in (?:GOROOT|std) \\(',
    class: 'tooling',
    category: 'toolchain-missing',
    confidence: 'high',
    precedence: NEARNESS.tool,
    headline: 'The Go of this place is too old: it has no package {name}',
    explanation: 'The standard library of the Go that ran the job lacks {name}, which newer ones have.',
    nextStep: 'Give the place that runs the job the Go that go.mod asks for (`go version` tells what it has).',
    examples: {
      matching: [
        'context.go:6:2: package slices is not in GOROOT (/usr/lib/go-1.19/src/slices)',
        'main.go:4:2: package log/slog is not in std (/usr/local/go/src/log/slog)',
      ],
      notMatching: ['main.go:4:2: package slice is not in GOROOT (/usr/lib/go-1.19/src/slice)'],
    },
  },
  {
    id: 'go-module-missing',
    hints: ['no required module provides', 'missing go.sum entry', 'cannot find module'],
    pattern: '(?:no required module provides package (?P<name>[^\\s;]+)|missing go\\.sum entry for)',
    class: 'user',
    category: 'missing-dependency',
    confidence: 'high',
    precedence: NEARNESS.setup,
    headline: 'go.mod or go.sum misses a module',
    explanation: 'A package is imported that go.mod or go.sum does not account for.',
    nextStep: 'Run `go mod tidy` and commit go.mod and go.sum.',
    examples: {
      matching: [
        'main.go:4:2: no required module provides package example.com/money; to add it:',
        'missing go.sum entry for module providing package x',
      ],
      notMatching: ['go: downloading example.com/money v1.0.0', 'module example.com/shop'],
    },
  },
  {
    id: 'go-panic',
    hints: ['panic: '],
    pattern: '^panic: (?P<message>.+)$',
    class: 'user',
    category: 'crash',
    confidence: 'high',
    precedence: NEARNESS.test + 2,
    headline: 'A Go program panicked: {message}',
    explanation: 'The program (or a test) panicked, which ends all tests of its package: {message}',
    nextStep: 'Follow the first frame of the goroutine trace that is in the repository.',
    examples: {
      matching: ['panic: runtime error: index out of range [0] with length 0'],
      notMatching: ['recovered from panic: fine', 'no panic'],
    },
  },
  {
    id: 'rust-compile-error',
    hints: ['error[E'],
    pattern: '^error\\[(?P<code>E[0-9]+)\\]: (?P<message>.+)$',
    class: 'user',
    category: 'compile',
    confidence: 'high',
    precedence: NEARNESS.compilation,
    headline: 'Rust does not compile: {message}',
    explanation: 'The Rust compiler refused the code ({code}): {message}',
    nextStep: 'Fix the first compiler error; `rustc --explain` tells more about its code.',
    examples: {
      matching: ['error[E0308]: mismatched types', 'error[E0425]: cannot find function `total` in this scope'],
      notMatching: ['warning: unused variable', 'error: could not compile `shop` (lib) due to 1 previous error'],
    },
  },
  {
    id: 'rust-package-does-not-compile',
    hints: ['error: could not compile'],
    pattern: '^error: could not compile `(?P<name>[^`]+)`',
    class: 'user',
    category: 'compile',
    confidence: 'high',
    // Errors that have a code name what is wrong.
    precedence: NEARNESS.compilation - 1,
    headline: 'The Rust package “{name}” does not compile',
    explanation: 'The Rust compiler refused “{name}”; its first error stands further up.',
    nextStep: 'Fix the first compiler error; those after it often follow from it.',
    examples: {
      matching: ['error: could not compile `shop` (lib test) due to 3 previous errors'],
      notMatching: ['error: test failed, to rerun pass `--lib`', 'error[E0308]: mismatched types'],
    },
  },
  {
    id: 'rust-test-failure',
    hints: ['test result: FAILED', 'panicked at '],
    pattern:
      "^(?:test result: FAILED\\. .*|thread '(?P<name>[^']+)'.* panicked at (?P<path>[^\\s:']+\\.rs):(?P<line>[0-9]+):[0-9]+:?.*)$",
    class: 'user',
    category: 'test',
    confidence: 'high',
    precedence: NEARNESS.test,
    headline: 'A Rust test failed',
    explanation: 'A test panicked, which is how assertions fail in Rust.',
    nextStep: 'Run `cargo test` with the name of the test, with `RUST_BACKTRACE=1`.',
    examples: {
      matching: [
        "thread 'tests::empty_cart' panicked at src/lib.rs:14:9:",
        'test result: FAILED. 3 passed; 1 failed; 0 ignored',
      ],
      notMatching: ['test result: ok. 4 passed; 0 failed', 'test tests::empty_cart ... ok'],
    },
  },
  {
    id: 'rust-tests-ended',
    hints: ["process didn't exit successfully"],
    pattern:
      "^ +process didn't exit successfully: `[^`\\s]*/deps/(?P<name>[^/`\\s]+)-[0-9a-f]{16}[^`]*` \\((?P<message>(?:signal|exit [a-z]+): .+)\\)$",
    class: 'user',
    category: 'crash',
    confidence: 'high',
    precedence: NEARNESS.crash,
    headline: 'The Rust tests of “{name}” ended before they were done: {message}',
    explanation:
      'The program that runs the tests of “{name}” did not come to its end ({message}), so it names no failed test.',
    nextStep:
      'Run the tests one by one (`cargo test -- --test-threads=1`): the last one named is the one that ended them.',
    examples: {
      matching: [
        "  process didn't exit successfully: `/workspace/target/debug/deps/cart-c3ac867765dab7e9` (signal: 6, SIGABRT: process abort signal)",
        "  process didn't exit successfully: `/workspace/target/debug/deps/cart-c3ac867765dab7e9 --nocapture` (exit status: 3)",
      ],
      notMatching: [
        "  process didn't exit successfully: `/workspace/target/debug/build/a-c3ac867765dab7e9/build-script-build` (exit status: 101)",
        "  process didn't exit successfully: `rustc --extern a=/workspace/target/debug/deps/liba-c3ac867765dab7e9.rlib` (signal: 9, SIGKILL: kill)",
      ],
    },
  },
  {
    id: 'python-module-not-found',
    hints: ['ModuleNotFoundError', 'No module named'],
    pattern: "^(?:E\\s+)?(?:ModuleNotFoundError|ImportError): No module named '?(?P<name>[A-Za-z0-9_.]+)'?",
    class: 'user',
    category: 'missing-dependency',
    confidence: 'high',
    precedence: NEARNESS.suite + 6,
    headline: 'The Python module “{name}” is not installed',
    explanation: 'Something imports “{name}”, which is neither in the repository nor installed.',
    nextStep: 'Add it to the requirements, or correct the import.',
    examples: {
      matching: [
        "ModuleNotFoundError: No module named 'requests'",
        "E   ModuleNotFoundError: No module named 'shop.money'",
      ],
      notMatching: ['except ModuleNotFoundError:', 'No module named tests was collected'],
    },
  },
  {
    id: 'pytest-failure',
    hints: ['FAILED ', 'ERROR '],
    pattern: '^(?:FAILED|ERROR) (?P<path>[^\\s:]+\\.py)(?:::(?P<name>[^ ]+))?(?: - (?P<message>.+))?$',
    class: 'user',
    category: 'test',
    confidence: 'high',
    precedence: NEARNESS.test,
    headline: 'A Python test failed in {path}',
    explanation: 'pytest lists {path} among the failures.',
    nextStep: 'Run `pytest` on that file; the assertion is shown with both values further up.',
    examples: {
      matching: ['FAILED tests/test_cart.py::test_empty - AssertionError: assert 0 == 1', 'ERROR tests/test_money.py'],
      notMatching: ['FAILED (failures=1)', 'tests/test_cart.py::test_empty PASSED'],
    },
  },
  {
    id: 'python-syntax-error',
    hints: ['IndentationError', 'TabError'],
    pattern: '^(?:E\\s+)?(?P<name>IndentationError|TabError): (?P<message>.+)$',
    class: 'user',
    category: 'compile',
    confidence: 'high',
    precedence: NEARNESS.compilation,
    headline: 'Python cannot parse a file: {message}',
    explanation: 'A file is not valid Python: {message}',
    nextStep: 'Look at the file and line named just above the message.',
    examples: {
      matching: ['IndentationError: unexpected indent'],
      notMatching: ['raise IndentationError', 'SyntaxWarning: invalid escape sequence'],
    },
  },
];
