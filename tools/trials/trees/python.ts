import type { Trial } from '../trial.ts';

const project = (name: string, more = ''): string => `[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"

[project]
name = "${name}"
version = "0.1.0"
requires-python = ">=3.8"
${more}
[tool.pytest.ini_options]
testpaths = ["tests"]
`;

const MONEY = 'def add(one, other):\n    return one + other\n';

/** Packages that pip installs, one of which needs another by its path. */
export const python: Trial = {
  name: 'python',
  toolchain: 'python',
  files: (material) => {
    const requirements = (more = ''): string => `--no-index\n--find-links ${material}/wheels\n${more}pytest\n`;
    return {
      'money/pyproject.toml': project('money'),
      'money/requirements.txt': requirements(),
      'money/src/money/__init__.py': MONEY,
      'money/tests/test_money.py': 'from money import add\n\n\ndef test_add():\n    assert add(1, 2) == 3\n',
      'shop/pyproject.toml': project('shop', 'dependencies = ["money"]\n'),
      'shop/requirements.txt': requirements('-e ../money\n'),
      'shop/src/shop/__init__.py': 'from money import add\n\n\ndef total(one, other):\n    return add(one, other)\n',
      'shop/tests/test_shop.py': 'from shop import total\n\n\ndef test_total():\n    assert total(1, 2) == 3\n',
    };
  },
  jobs: ['test-money', 'test-shop'],
  bugs: [
    {
      what: 'a bug in a package that another needs',
      path: 'money/src/money/__init__.py',
      from: 'one + other',
      to: 'one - other',
      outcomes: { 'test-money': 'failed', 'test-shop': 'failed' },
      told: /FAILED tests\/test_(?:money|shop)\.py::test_/u,
    },
    {
      what: 'a bug that nobody else notices',
      path: 'shop/src/shop/__init__.py',
      from: 'add(one, other)',
      to: 'add(one, one)',
      outcomes: { 'test-shop': 'failed' },
      told: /FAILED tests\/test_shop\.py::test_total/u,
    },
  ],
};
