# Makes an index of gems out of those that a distribution has unpacked: make-gems.rb SOURCE INTO

require "fileutils"
require "rubygems/indexer"
require "rubygems/package"

source, into = ARGV
FileUtils.mkdir_p(File.join(into, "gems"))
%w[minitest rake].each do |name|
  spec = Gem::Specification.load(Dir["#{source}/specifications/#{name}-*.gemspec"].fetch(0))
  Dir.chdir("#{source}/gems/#{spec.full_name}") do
    spec.files = Dir["**/*"].select { |path| File.file?(path) }
    Gem::Package.build(spec, true, false, File.join(into, "gems", spec.file_name))
  end
end
Gem::Indexer.new(into, build_modern: true).generate_index
