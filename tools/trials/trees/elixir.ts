import type { Trial } from '../trial.ts';

const app = (module: string, name: string, needs: string): string => `defmodule ${module}.MixProject do
  use Mix.Project

  def project do
    [
      app: :${name},
      version: "0.1.0",
      build_path: "../../_build",
      config_path: "../../config/config.exs",
      deps_path: "../../deps",
      lockfile: "../../mix.lock",
      elixir: "~> 1.10",
      deps: deps()
    ]
  end

  def application do
    [extra_applications: [:logger]]
  end

  defp deps do
    [${needs}]
  end
end
`;

const test = (module: string, call: string): string => `defmodule ${module}Test do
  use ExUnit.Case

  test "adds" do
    assert ${call} == 3
  end
end
`;

const FORMATTER = '[\n  inputs: ["{mix,.formatter}.exs", "{config,lib,test}/**/*.{ex,exs}"]\n]\n';

/** An umbrella whose apps need each other and nothing else. */
export const elixir: Trial = {
  name: 'elixir',
  toolchain: 'elixir',
  files: () => ({
    'mix.exs': `defmodule All.MixProject do
  use Mix.Project

  def project do
    [
      apps_path: "apps",
      version: "0.1.0",
      deps: deps()
    ]
  end

  defp deps do
    []
  end
end
`,
    'config/config.exs': 'import Config\n',
    '.formatter.exs': '[\n  inputs: ["mix.exs", "config/*.exs"],\n  subdirectories: ["apps/*"]\n]\n',
    'apps/money/mix.exs': app('Money', 'money', ''),
    'apps/money/.formatter.exs': FORMATTER,
    'apps/money/lib/money.ex': 'defmodule Money do\n  def add(one, other), do: one + other\nend\n',
    'apps/money/test/test_helper.exs': 'ExUnit.start()\n',
    'apps/money/test/money_test.exs': test('Money', 'Money.add(1, 2)'),
    'apps/shop/mix.exs': app('Shop', 'shop', '{:money, in_umbrella: true}'),
    'apps/shop/.formatter.exs': FORMATTER,
    'apps/shop/lib/shop.ex': 'defmodule Shop do\n  def total(prices), do: Enum.reduce(prices, 0, &Money.add/2)\nend\n',
    'apps/shop/test/test_helper.exs': 'ExUnit.start()\n',
    'apps/shop/test/shop_test.exs': test('Shop', 'Shop.total([1, 2])'),
  }),
  jobs: [
    'lint',
    ...['money', 'shop'].flatMap((name) => [`build-apps-${name}`, `lint-apps-${name}`, `test-apps-${name}`]),
  ],
  bugs: [
    {
      what: 'a bug in an app that another needs',
      path: 'apps/money/lib/money.ex',
      from: 'one + other',
      to: 'one - other',
      outcomes: {
        lint: 'succeeded',
        'build-apps-money': 'succeeded',
        'lint-apps-money': 'succeeded',
        'test-apps-money': 'failed',
        'build-apps-shop': 'succeeded',
        'lint-apps-shop': 'succeeded',
        'test-apps-shop': 'failed',
      },
      told: /1 test, 1 failure/u,
    },
    {
      what: 'a source that is not formatted',
      path: 'apps/shop/lib/shop.ex',
      from: '  def total',
      to: '    def total',
      outcomes: {
        lint: 'failed',
        'build-apps-shop': 'succeeded',
        'lint-apps-shop': 'failed',
        'test-apps-shop': 'succeeded',
      },
      told: /not formatted/u,
    },
  ],
};
