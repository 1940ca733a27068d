import type { Trial } from '../trial.ts';

const RAKEFILE = `require "rake/testtask"

Rake::TestTask.new do |task|
  task.libs << "test"
  task.pattern = "test/**/*_test.rb"
end

task default: :test
`;

const GEMSPEC = `Gem::Specification.new do |spec|
  spec.name = "money"
  spec.version = "0.1.0"
  spec.summary = "Adds"
  spec.authors = ["Nobody"]
  spec.files = Dir["lib/**/*.rb"]
  spec.add_development_dependency "minitest", "~> 5.0"
  spec.add_development_dependency "rake", "~> 13.0"
end
`;

const test = (module: string, call: string): string => `require "minitest/autorun"
require "${module.toLowerCase()}"

class ${module}Test < Minitest::Test
  def test_adds
    assert_equal 3, ${call}
  end
end
`;

/** A gem, and a program that takes it by its path; an index in a folder in place of a registry. */
export const ruby: Trial = {
  name: 'ruby',
  toolchain: 'ruby',
  files: (material) => {
    const source = `source "file://${material}/index"\n\n`;
    return {
      'money/money.gemspec': GEMSPEC,
      'money/Gemfile': `${source}gemspec\n`,
      'money/Rakefile': RAKEFILE,
      'money/lib/money.rb': 'module Money\n  def self.add(one, other) = one + other\nend\n',
      'money/test/money_test.rb': test('Money', 'Money.add(1, 2)'),
      'shop/Gemfile': `${source}gem "money", path: "../money"\ngem "minitest", "~> 5.0"\ngem "rake", "~> 13.0"\n`,
      'shop/Rakefile': RAKEFILE,
      'shop/lib/shop.rb': 'require "money"\n\nmodule Shop\n  def self.total(one, other) = Money.add(one, other)\nend\n',
      'shop/test/shop_test.rb': test('Shop', 'Shop.total(1, 2)'),
    };
  },
  jobs: ['test-money', 'test-shop'],
  bugs: [
    {
      what: 'a bug in a gem that a program needs',
      path: 'money/lib/money.rb',
      from: 'one + other',
      to: 'one - other',
      outcomes: { 'test-money': 'failed', 'test-shop': 'failed' },
      told: /1 runs, 1 assertions, 1 failures/u,
    },
    {
      what: 'a bug that nobody else notices',
      path: 'shop/lib/shop.rb',
      from: 'add(one, other)',
      to: 'add(one, one)',
      outcomes: { 'test-shop': 'failed' },
      told: /ShopTest#test_adds/u,
    },
  ],
};
